/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cseq.bpf.h - which method a response responds to: its CSeq header field says so
 * (RFC 3261 section 20.16), in whatever spelling section 7.3.1 allows.
 */
#ifndef BPF_CSEQ_BPF_H
#define BPF_CSEQ_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "classify.bpf.h"
#include "maps.bpf.h"
#include "sighting.h"
#include "text.bpf.h"

#define CSEQ_LINE_LENGTH 6 /* of a line feed, the name, and what ends the name */

/* How far behind its name the method may stand: the number and any folding. */
#define CSEQ_METHOD_DISTANCE 64

_Static_assert(CSEQ_LINE_LENGTH + CSEQ_METHOD_DISTANCE + METHOD_MAX <= SCRATCH_MARGIN,
	       "a method behind the last line stays in scratch");

struct cseq_search {
	const char *bytes;
	__u32 value; /* position behind the name, 0 until it is found */
};

/* Stops at the line "CSeq", and at the empty line that ends the header. */
static long cseq_line_at(__u32 position, void *context)
{
	struct cseq_search *search = context;
	const char *at = search->bytes + (position & SIGHTING_CAPTURE_MAX);

	if (at[0] != '\n')
		return 0;
	if (at[1] == '\r' || at[1] == '\n')
		return 1;
	if ((at[1] | 0x20) != 'c' || (at[2] | 0x20) != 's' || (at[3] | 0x20) != 'e' ||
	    (at[4] | 0x20) != 'q')
		return 0;
	if (at[5] != ':' && at[5] != ' ' && at[5] != '\t')
		return 0;
	search->value = position + CSEQ_LINE_LENGTH;
	return 1;
}

/* The position of the method: the first letter behind the number; 0 if there is none. */
static __always_inline __u32 cseq_method(const struct cseq_search *search)
{
	const char *at = search->bytes + (search->value & SIGHTING_CAPTURE_MAX);

	for (__u32 i = 0; i < CSEQ_METHOD_DISTANCE; i++)
		if (text_is_letter(at[i]))
			return search->value + i;
	return 0;
}

/*
 * True if the agent has to know responses of this status to the method of this captured
 * message; also if the method is not within what was captured: to report too much loses
 * nothing.
 */
static __always_inline bool cseq_reported(const struct sighting *captured, __u16 status)
{
	struct cseq_search search = { .bytes = (const char *)captured->bytes };
	__u32 length = captured->captured;
	__u32 method;

	if (length < CSEQ_LINE_LENGTH)
		return true;
	bpf_loop(length - CSEQ_LINE_LENGTH, cseq_line_at, &search, 0);
	if (search.value == 0)
		return true;
	method = cseq_method(&search);
	if (method == 0 || method + METHOD_MAX > length)
		return true;
	asm volatile("" : "+r"(method));
	return classify_method(search.bytes + (method & SIGHTING_CAPTURE_MAX), status);
}

#endif
