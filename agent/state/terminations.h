/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminations.h - subscriptions that have ended a moment ago, so that an acceptance which
 * comes late, or again, does not begin them anew.
 *
 * The NOTIFY that ends a subscription may overtake the 2xx to its SUBSCRIBE (RFC 6665 section
 * 4.1.2.4), and a SUBSCRIBE that is repeated is accepted again.
 */
#ifndef AGENT_STATE_TERMINATIONS_H
#define AGENT_STATE_TERMINATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/span.h"
#include "flow.h"
#include "sip/facts.h"

/* 4096 places of 32 bytes, found by a keyed hash: nobody can choose whose place he takes. */
#define TERMINATIONS_SETS 1024
#define TERMINATIONS_SET_NOTES 4

struct termination {
	uint64_t name; /* a keyed hash of which subscription it was */
	uint64_t until_ns; /* it counts before; 0 for an empty place */
	uint64_t seen_ns; /* what was asked for until then is over; 0: as far as cseq says */
	uint32_t cseq; /* what was asked for by this one, or an earlier one, is over */
};

/* Visible because it is a value that its owner embeds; only terminations.c touches its members. */
struct terminations {
	struct hash_key key;
	struct termination sets[TERMINATIONS_SETS][TERMINATIONS_SET_NOTES];
};

/* None yet; -errno if there is no randomness. */
int terminations_init(struct terminations *terminations);

/*
 * The subscription that this SUBSCRIBE or NOTIFY is about has ended, of the device with this
 * tag at the far end of "flow". SUBSCRIBEs of this CSeq and lower ones, and those that were
 * seen until seen_ns, do not begin it again. Counts for TRANSACTION_LIFETIME_NS.
 */
void terminations_note(struct terminations *terminations, const struct flow *flow,
		       struct span device_tag, const struct facts *facts, uint32_t cseq,
		       uint64_t seen_ns, uint64_t now_ns);

/*
 * True if what this SUBSCRIBE, seen at seen_ns, has asked for is over already. From then on
 * so is what it asks for when it is repeated.
 */
bool terminations_cover(struct terminations *terminations, const struct flow *flow,
			struct span device_tag, const struct facts *subscribe, uint64_t seen_ns,
			uint64_t now_ns);

#endif
