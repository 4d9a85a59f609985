/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer.bpf.h - a prompt of ours leaves with a token in its branch (RFC 3261 section
 * 20.42), and its answer comes back with it: both are written into the path's entry.
 */
#ifndef BPF_ANSWER_BPF_H
#define BPF_ANSWER_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "kernel_abi.h"
#include "maps.bpf.h"
#include "path_entry.h"
#include "sighting.h"
#include "text.bpf.h"

/* A token is looked for in so many bytes: the topmost Via is never far from the start. */
#define TOKEN_SEARCH_MAX 1023

#define TOKEN_PREFIX_LENGTH (sizeof(SIPPATH_BRANCH_PREFIX) - 1)
#define TOKEN_LENGTH (TOKEN_PREFIX_LENGTH + SIPPATH_TOKEN_DIGITS)

_Static_assert(TOKEN_LENGTH <= SCRATCH_MARGIN, "a token at the last position stays in scratch");

struct token_search {
	const char *bytes;
	__u64 token; /* 0 until it is found */
	bool in_via; /* the position is in the topmost Via header field */
};

/* Reads the digits of a token; 0 if one of them is none. */
static __always_inline __u64 token_read(const char *digits)
{
	__u64 token = 0;

	for (int i = 0; i < SIPPATH_TOKEN_DIGITS; i++) {
		int value = text_hex_value(digits[i]);

		if (value < 0)
			return 0;
		token = token << 4 | value;
	}
	return token;
}

/* True if a line begins with the name of a Via header field, short or long. */
static __always_inline bool is_via(const char *line)
{
	if ((line[0] | 0x20) != 'v')
		return false;
	if ((line[1] | 0x20) == 'i' && (line[2] | 0x20) == 'a')
		line += 2;
	return line[1] == ':' || line[1] == ' ' || line[1] == '\t';
}

/* Looks at the line behind a line feed; stops behind the topmost Via, and behind the header. */
static __always_inline long token_line(struct token_search *search, const char *line)
{
	if (line[0] == ' ' || line[0] == '\t')
		return 0;
	if (search->in_via || line[0] == '\r' || line[0] == '\n')
		return 1;
	search->in_via = is_via(line);
	return 0;
}

static long token_at(__u32 position, void *context)
{
	struct token_search *search = context;
	const char *at = search->bytes + (position & TOKEN_SEARCH_MAX);

	if (at[0] == '\n')
		return token_line(search, at + 1);
	if (!search->in_via || at[0] != SIPPATH_BRANCH_PREFIX[0] ||
	    !text_starts_with(at, SIPPATH_BRANCH_PREFIX))
		return 0;
	search->token = token_read(at + TOKEN_PREFIX_LENGTH);
	return search->token != 0;
}

/*
 * The first token in the topmost Via of what was captured with TOKEN_SEARCH_MAX, or 0: no token
 * is 0. Anywhere else a token is not one of ours: there whoever has seen a prompt may put it.
 */
static __always_inline __u64 token_find(const struct sighting *captured)
{
	struct token_search search = { .bytes = (const char *)captured->bytes };

	if (captured->captured < TOKEN_LENGTH)
		return 0;
	bpf_loop(captured->captured - TOKEN_LENGTH + 1, token_at, &search, 0);
	return search.token;
}

/* Writes down that a prompt left. A repeat carries the same token. */
static __always_inline void prompt_note(struct path_entry *path, __u64 token)
{
	if (path->prompt_token != token) {
		path->earlier_token = path->prompt_token;
		path->prompt_token = token;
	}
	path->prompt_ns = bpf_ktime_get_ns();
	path->prompts++;
}

/* Writes down the answer to the prompt with this token; false if there was no such prompt. */
static __always_inline bool answer_note(struct path_entry *path, __u64 token, __u16 status)
{
	if (token == 0 || (token != path->prompt_token && token != path->earlier_token))
		return false;

	path->answers++;
	/* A provisional answer is no proof that the final one will come. */
	if (status >= 200) {
		path->answer_ns = bpf_ktime_get_ns();
		path->answer_status = status;
		path->answer_token = token;
	}
	return true;
}

#endif
