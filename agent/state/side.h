/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * side.h - which side of a message is the device's: what the dialogs and the
 * subscriptions know a device by. A message goes between it and the SIP server, so the
 * direction tells.
 */
#ifndef AGENT_STATE_SIDE_H
#define AGENT_STATE_SIDE_H

#include <stdbool.h>

#include "base/span.h"
#include "flow.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/transactions.h"

/* The spans are those of the messages that it was made from. */
struct side {
	struct span tag; /* the device's own, of From or of To; absent if it is not told */
	struct span peer_tag;
	struct span aor; /* the device's own, of From or of To */
	const struct facts *said; /* the message that the device itself has sent, or NULL */
};

/* Of a request that needs no answer to be believed: BYE, NOTIFY. */
struct side side_of_request(enum sighting_direction direction, const struct facts *request);

/* Of a request and its response; one of the two was the device's. */
struct side side_of_answered(const struct transaction *request, const struct facts *response);

/*
 * True if the device behind "flow" may be that of the binding: it is on that flow, or its
 * NAT has given it another port. Who is elsewhere may have guessed the tags, or seen them; a
 * binding that is on no path has no place to compare.
 */
bool side_is_near(const struct binding *binding, const struct flow *flow);

/*
 * True for a request that another proxy has passed on: what is behind its flow is not the
 * device alone (trap 32).
 */
bool side_is_relayed(enum sighting_direction direction, const struct facts *request);

/*
 * Works what the device has just said of itself over "flow" into its binding: its Contact,
 * as a target to prompt, and whether it is behind a NAT. What it did not say stays as it
 * was, as the target does without memory. The target is an allocation of its own.
 */
void side_introduce(const struct side *side, const struct flow *flow, struct binding *binding);

/*
 * Gives the binding a copy of this target; the one it has stays without memory, and if there
 * is none in the span, or one that no prompt can be sent to.
 */
void side_set_target(struct binding *binding, struct span target);

/* Frees the target of a binding, if it has one. */
void side_free_target(struct binding *binding);

#endif
