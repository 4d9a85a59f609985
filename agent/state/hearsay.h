/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hearsay.h - answers that reached the SIP server from somewhere else, so that
 * what the server passes on is not taken for its own word.
 *
 * A proxy forwards a response by its second Via without having asked for it
 * (RFC 3261 section 16.7). Whoever sends it a 2xx or a 180 with his own address there makes
 * the server say that his REGISTER was accepted, or that his call rings. An answer from
 * outside counts only if the server has itself sent that request: with the same Call-ID,
 * CSeq and branch, which tells each fork from the others, and to that very place.
 *
 * An INVITE or UPDATE may be answered from another place than it was sent to, as carriers
 * with several addresses do. To doubt that would lose the caller's path in every such call;
 * to believe it helps nobody who is not told the server's branch, or can guess it: and
 * his answer the server believes as well, so that the call is real to it.
 */
#ifndef AGENT_STATE_HEARSAY_H
#define AGENT_STATE_HEARSAY_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"
#include "sip/facts.h"

struct hearsay;

/* NULL without memory or randomness. Remembers a bounded number of each, the newest ones. */
struct hearsay *hearsay_new(void);
void hearsay_free(struct hearsay *hearsay);

/* The server sent this request on "flow". */
void hearsay_asked(struct hearsay *hearsay, const struct flow *flow, const struct facts *request,
		   uint64_t now_ns);

/*
 * This response reached the server on "flow". One that says that an INVITE of the server's
 * rings is expected to be followed by others for as long as that INVITE was at first.
 */
void hearsay_told(struct hearsay *hearsay, const struct flow *flow, const struct facts *response,
		  uint64_t now_ns);

/* True if the server may have sent this response because somebody it never asked told it to. */
bool hearsay_doubts(const struct hearsay *hearsay, const struct facts *response, uint64_t now_ns);

#endif
