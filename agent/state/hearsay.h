/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hearsay.h - acceptances that reached the SIP server from somewhere else, so that
 * what the server passes on is not taken for its own word.
 *
 * A proxy forwards a response by its second Via without having asked for it
 * (RFC 3261 section 16.7). Whoever sends it a 2xx with his own address there makes
 * the server say that his REGISTER was accepted. An acceptance from outside counts
 * only if the server has itself sent the REGISTER to that very place, as an edge
 * proxy in front of a registrar does.
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

/* This 2xx reached the server on "flow". */
void hearsay_told(struct hearsay *hearsay, const struct flow *flow, const struct facts *response,
		  uint64_t now_ns);

/* True if the server may have sent this 2xx because somebody it never asked told it to. */
bool hearsay_doubts(const struct hearsay *hearsay, const struct facts *response, uint64_t now_ns);

#endif
