/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subscription_table.h - keeps subscriptions, and finds those of a Call-ID.
 *
 * A subscription never changes its address, because its path links it in.
 */
#ifndef AGENT_STATE_SUBSCRIPTION_TABLE_H
#define AGENT_STATE_SUBSCRIPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/table.h"
#include "state/side.h"
#include "state/subscription.h"

/*
 * Visible because it is a value that its owner embeds; only subscription_table.c touches its
 * members.
 */
struct subscription_table {
	struct hash_key key;
	struct table by_call_id;
	size_t limit; /* of subscriptions in all */
};

/* An empty table; -errno if there is no randomness. */
int subscription_table_init(struct subscription_table *table, size_t limit);

/* Frees every subscription. */
void subscription_table_clear(struct subscription_table *table);

/* The subscriptions of a Call-ID, one after the other, in no order; NULL at the end. */
struct subscription *subscription_table_first(const struct subscription_table *table,
					      struct span call_id);
struct subscription *subscription_table_next(const struct subscription *subscription);

/*
 * Adds the subscription of a device that this SUBSCRIBE makes: its Call-ID, its event, the
 * device's tag and AOR; nothing else is known of it. NULL without memory, or beyond a limit.
 */
struct subscription *subscription_table_add(struct subscription_table *table,
					    const struct side *side, const struct facts *subscribe);

/* Takes out and frees a subscription. */
void subscription_table_remove(struct subscription_table *table, struct subscription *subscription);

/* True if the limit of subscriptions in all is reached. */
bool subscription_table_full(const struct subscription_table *table);

/* How many there are. */
size_t subscription_table_count(const struct subscription_table *table);

#endif
