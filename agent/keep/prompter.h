/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prompter.h - makes prompts: a fresh token for each, and its datagram.
 *
 * A token is a keyed hash of a counter, so no two prompts share one and nobody
 * can guess one (traps 16, 19). A repeat has the branch, sent-by, Call-ID, tag and
 * CSeq of the first sending, by which the device knows it for a retransmission (RFC
 * 3261 section 17.2.3). It is the same bytes too, unless the path's bindings have
 * changed in between: its target is then another Contact. That is harmless, because a
 * device that had the first sending answers without looking at the target again, and
 * for one that had not this is the first; keeping the target would cost every path a
 * copy of it.
 */
#ifndef AGENT_KEEP_PROMPTER_H
#define AGENT_KEEP_PROMPTER_H

#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"
#include "state/path.h"

/* Visible because it is a value that its owner embeds; only prompter.c touches its members. */
struct prompter {
	struct hash_key key;
	uint64_t made; /* prompts so far */
};

/* A prompter with a key of its own; -errno if there is no randomness. */
int prompter_init(struct prompter *prompter);

/*
 * Begins a prompt on a path: path->prompt gets a new token and CSeq and its first
 * sending; its failures in a row stay.
 */
void prompter_begin(struct prompter *prompter, struct path *path, uint64_t now_ns);

/* Notes that the outstanding prompt is sent once more. */
void prompter_repeat(struct path *path, uint64_t now_ns);

/*
 * Writes the path's outstanding prompt, by the method of its rules. Its target is the
 * Contact of a binding of the path, or the path's remote address if no binding has
 * one that can stand in a Request-URI. The target only names the device; the
 * datagram goes to the remote side of the flow (trap 7). Errors as
 * prompt_msg_write().
 */
int prompter_write(const struct path *path, struct text *out);

#endif
