/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply.h - writes the answers that call control gives itself, without remembering anything
 * (RFC 3261 section 8.2.7): whoever asks twice is answered the same twice.
 *
 * No answer is larger than reply_limit() of its request, since the source of a datagram may be
 * anybody's address: Contacts are left out from the last on, all but the best one, then the optional
 * lines (Retry-After, Allow); what is still too large is not sent.
 */
#ifndef AGENT_CALLCONTROL_REPLY_H
#define AGENT_CALLCONTROL_REPLY_H

#include "base/hash.h"
#include "base/text.h"
#include "callcontrol/message.h"
#include "flow.h"

#define REPLY_CONTACTS_MAX 8

struct reply {
	uint16_t status;
	const char *reason; /* "Moved Temporarily" */
	struct span contacts[REPLY_CONTACTS_MAX]; /* URIs, the best one first: q 1.0, 0.9, ... */
	size_t contact_count;
	uint32_t retry_after_s; /* 0 for none */
	const char *allow; /* methods, of a 405 (RFC 3261 section 21.4.6); NULL for none */
	struct span unsupported; /* option tags, of a 420 (section 21.4.15); absent for none */
};

/*
 * Writes the answer to a request that came in on "flow"; its To gets a tag that is a keyed hash of
 * the request, the same for a CANCEL and its INVITE, if it has none. "limit" is the most bytes
 * that it may have (0: any, for a stream). -E2BIG if it has no room, with one Contact if there are
 * any, -EINVAL for a response or an ACK, which are never answered; nothing is written then.
 */
int reply_write(const struct reply *reply, const struct message *request, const struct flow *flow,
		const struct hash_key *key, size_t limit, struct text *out);

/* The most bytes of an answer to a datagram of so many: half as many again. */
size_t reply_limit(size_t request_bytes);

#endif
