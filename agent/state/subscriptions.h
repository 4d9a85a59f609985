/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subscriptions.h - which devices hold a subscription, over which flows.
 *
 * Turns SUBSCRIBE with its answer, and NOTIFY, into changes of bindings; the pipeline carries
 * them on. RFC 6665 section 4; trap 33. It goes both ways: a device may subscribe at the
 * server, or the server at a device, which then is the notifier.
 */
#ifndef AGENT_STATE_SUBSCRIPTIONS_H
#define AGENT_STATE_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/record.h"
#include "state/subscription.h"
#include "state/transactions.h"

/* The lifetime where neither the 2xx nor the request states one. */
#define SUBSCRIPTION_LIFETIME_DEFAULT_S 3600

/* No subscription lasts longer than this. */
#define SUBSCRIPTION_LIFETIME_MAX_S (7 * 24 * 3600)

struct subscriptions;

/* A room for at most "limit" subscriptions; NULL without memory or randomness. */
struct subscriptions *subscriptions_new(size_t limit, struct counts *counts);

/* Frees the room and every subscription; their bindings must be detached already. */
void subscriptions_free(struct subscriptions *subscriptions);

/*
 * What a final answer to a remembered SUBSCRIBE changes. A 2xx begins the subscription,
 * renews it, or moves it to the flow that the request came over. The lifetime is the 2xx's
 * Expires, else the request's, else the default; with 0 the subscription ends, and one that
 * was not there does not begin (a fetch), nor does one that has ended a moment ago (see
 * state/terminations.h). A 481 on the subscription's own flow ends it. A lower CSeq than the
 * one accepted last, or an equal one, changes nothing, nor does what names no tag of the
 * device. A request that another proxy has passed on changes only what is on its flow already
 * (trap 32). What exceeds a limit or memory is counted (bindings_refused) and left out.
 * Returns how many changes were written, 0 or 1.
 */
size_t subscriptions_answered(struct subscriptions *subscriptions,
			      const struct transaction *request, const struct facts *response,
			      uint64_t now_ns, struct binding_change *change);

/*
 * What a NOTIFY changes; "direction" is its own, and it counts for a subscription on its flow,
 * or on another one of the same remote address. "terminated" ends the subscription, also
 * ahead of the 2xx that would begin it; an expires parameter may shorten it, never lengthen
 * it. One that names no event is about the device's only subscription of its Call-ID. One
 * that matches none changes nothing. 0 or 1.
 */
size_t subscriptions_notified(struct subscriptions *subscriptions, const struct flow *flow,
			      enum sighting_direction direction, const struct facts *notify,
			      uint64_t now_ns, struct binding_change *change);

/* What is written down of a subscription; its texts are the room's. */
void subscriptions_write(const struct binding *binding, struct record *record);

/*
 * A subscription that was written down begins again: fills *change and returns true. False
 * without memory, or beyond a limit.
 */
bool subscriptions_restore(struct subscriptions *subscriptions, const struct record *record,
			   struct binding_change *change);

/* Removes and frees one subscription whose binding is off its path. */
void subscriptions_forget(struct subscriptions *subscriptions, struct binding *binding);

/* How many there are. */
size_t subscriptions_count(const struct subscriptions *subscriptions);

#endif
