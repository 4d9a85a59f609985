/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/subscription_table.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "state/span_pack.h"

/* One allocation; the texts that never change follow. */
struct kept {
	struct subscription subscription; /* first: callers hold a pointer to it */
	char texts[];
};

int subscription_table_init(struct subscription_table *table, size_t limit)
{
	*table = (struct subscription_table){ .limit = limit };
	return hash_key_make(&table->key);
}

void subscription_table_clear(struct subscription_table *table)
{
	for (size_t i = 0; i < table->by_call_id.bucket_count; i++)
		while (table->by_call_id.buckets[i])
			subscription_table_remove(table,
						  table_element(table->by_call_id.buckets[i],
								struct subscription, by_call_id));
	table_clear(&table->by_call_id);
}

static struct subscription *same_call_id(struct table_node *node, struct span call_id)
{
	for (; node; node = table_next(node)) {
		struct subscription *subscription =
			table_element(node, struct subscription, by_call_id);

		if (span_equal(subscription->call_id, call_id))
			return subscription;
	}
	return NULL;
}

static uint64_t call_id_hash(const struct subscription_table *table, struct span call_id)
{
	return hash_bytes(&table->key, call_id.at, call_id.length);
}

struct subscription *subscription_table_first(const struct subscription_table *table,
					      struct span call_id)
{
	return same_call_id(table_first(&table->by_call_id, call_id_hash(table, call_id)), call_id);
}

struct subscription *subscription_table_next(const struct subscription *subscription)
{
	return same_call_id(table_next(&subscription->by_call_id), subscription->call_id);
}

static bool is_full(const struct subscription_table *table, struct span call_id)
{
	struct subscription *subscription = subscription_table_first(table, call_id);
	size_t count = 0;

	for (; subscription; subscription = subscription_table_next(subscription))
		count++;
	return count >= SUBSCRIPTIONS_PER_CALL_MAX || subscription_table_full(table);
}

static struct kept *make(const struct side *side, const struct facts *subscribe)
{
	struct kept *kept = calloc(1, sizeof(*kept) + subscribe->call_id.length + side->tag.length +
					      side->aor.length + subscribe->event.length +
					      subscribe->event_id.length);
	char *at;

	if (!kept)
		return NULL;
	at = kept->texts;
	kept->subscription = (struct subscription){
		.binding = {
			.kind = BINDING_SUBSCRIPTION,
			.expiry = REASON_subscription_expired,
			.aor = span_pack(side->aor, &at),
			.behind_nat = true,
		},
		.call_id = span_pack(subscribe->call_id, &at),
		.device_tag = span_pack(side->tag, &at),
		.event = span_pack(subscribe->event, &at),
		.event_id = span_pack(subscribe->event_id, &at),
	};
	return kept;
}

struct subscription *subscription_table_add(struct subscription_table *table,
					    const struct side *side, const struct facts *subscribe)
{
	cleanup_free struct kept *kept =
		is_full(table, subscribe->call_id) ? NULL : make(side, subscribe);

	if (!kept || table_put(&table->by_call_id, &kept->subscription.by_call_id,
			       call_id_hash(table, subscribe->call_id)))
		return NULL;
	return &take_ptr(kept)->subscription;
}

void subscription_table_remove(struct subscription_table *table, struct subscription *subscription)
{
	table_take(&table->by_call_id, &subscription->by_call_id);
	side_free_target(&subscription->binding);
	free(subscription);
}

bool subscription_table_full(const struct subscription_table *table)
{
	return subscription_table_count(table) >= table->limit;
}

size_t subscription_table_count(const struct subscription_table *table)
{
	return table->by_call_id.count;
}
