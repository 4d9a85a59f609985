/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subscription.h - a device that is subscribed, or is subscribed to: the noun of the
 * subscriptions room.
 */
#ifndef AGENT_STATE_SUBSCRIPTION_H
#define AGENT_STATE_SUBSCRIPTION_H

#include <stdint.h>

#include "base/table.h"
#include "state/binding.h"

/* One Call-ID has at most so many subscriptions. */
#define SUBSCRIPTIONS_PER_CALL_MAX 64

/*
 * One usage of one event package, told apart as RFC 6665 section 4.5.1 does: by Call-ID,
 * the device's own tag, the package and its id.
 */
struct subscription {
	struct binding binding; /* first; target is the device's Contact, if it is known */
	struct span call_id; /* owned by the room, as are the next ones */
	struct span device_tag;
	struct span event;
	struct span event_id; /* absent without one */
	uint32_t cseq; /* of the SUBSCRIBE that was accepted last */
	struct table_node by_call_id; /* owned by state/subscription_table */
};

/* The subscription that a binding of kind BINDING_SUBSCRIPTION is. */
static inline const struct subscription *subscription_of(const struct binding *binding)
{
	return (const struct subscription *)(const void *)binding;
}

#endif
