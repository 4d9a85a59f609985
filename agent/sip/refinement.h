/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refinement.h - the headers that only refine what the others say.
 *
 * Included by reader.c. They never cost a message: one that cannot
 * be read is as good as none, and so is an absent value. A parameter that cannot be read is
 * as good as none as well, but an Event is nothing without its id.
 */
#ifndef AGENT_SIP_REFINEMENT_H
#define AGENT_SIP_REFINEMENT_H

#include "base/span.h"
#include "sip/facts.h"

/* Event, RFC 6665 section 8.2.1. */
void refinement_event(struct span value, struct facts *facts);

/* Subscription-State, RFC 6665 section 8.2.3. */
void refinement_subscription_state(struct span value, struct facts *facts);

/* Session-Expires, RFC 4028 section 4. */
void refinement_session_expires(struct span value, struct facts *facts);

#endif
