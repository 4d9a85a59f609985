/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/transactions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/table.h"
#include "state/facts_copy.h"

/* One allocation; the facts and their texts follow. */
struct kept {
	struct transaction transaction; /* first: callers hold a pointer to it */
	struct table_node by_identity;
	struct kept *older;
	struct kept *newer;
	bool answered; /* finally: an INVITE may be answered more than once (trap 34) */
	max_align_t facts[];
};

struct transactions {
	struct hash_key key;
	struct counts *counts; /* NULL: nothing is counted */
	struct table by_identity;
	struct kept *oldest;
	struct kept *newest;
	size_t limit;
	uint64_t lifetime_ns;
};

/* What is hashed; the texts as hashes of their own, so that no two run into each other. */
struct identity {
	struct flow flow;
	uint64_t call_id;
	uint64_t branch;
	uint32_t cseq;
	uint16_t method;
	uint16_t direction;
};

_Static_assert(sizeof(struct identity) == 64, "struct identity is hashed: no hidden padding");

struct transactions *transactions_new(size_t limit, uint64_t lifetime_ns, struct counts *counts)
{
	cleanup_free struct transactions *transactions = calloc(1, sizeof(*transactions));

	if (!transactions || hash_key_make(&transactions->key))
		return NULL;
	transactions->counts = counts;
	transactions->limit = limit;
	transactions->lifetime_ns = lifetime_ns;
	return take_ptr(transactions);
}

static void forget(struct transactions *transactions, struct kept *kept)
{
	table_take(&transactions->by_identity, &kept->by_identity);
	*(kept->older ? &kept->older->newer : &transactions->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &transactions->newest) = kept->older;
	free(kept);
}

void transactions_free(struct transactions *transactions)
{
	if (!transactions)
		return;
	while (transactions->oldest)
		forget(transactions, transactions->oldest);
	table_clear(&transactions->by_identity);
	free(transactions);
}

static uint64_t identity_hash(const struct transactions *transactions, const struct flow *flow,
			      enum sighting_direction direction, const struct facts *facts)
{
	const struct hash_key *key = &transactions->key;
	struct identity identity = {
		.flow = *flow,
		.call_id = hash_bytes(key, facts->call_id.at, facts->call_id.length),
		.branch = hash_bytes(key, facts->branch.at, facts->branch.length),
		.cseq = facts->cseq,
		.method = (uint16_t)facts->method,
		.direction = (uint16_t)direction,
	};

	return hash_bytes(key, &identity, sizeof(identity));
}

static bool identical(const struct transaction *transaction, const struct flow *flow,
		      enum sighting_direction direction, const struct facts *facts)
{
	const struct facts *kept = transaction->facts;

	return memcmp(&transaction->flow, flow, sizeof(*flow)) == 0 &&
	       transaction->direction == direction && kept->method == facts->method &&
	       kept->cseq == facts->cseq && span_equal(kept->call_id, facts->call_id) &&
	       span_equal(kept->branch, facts->branch);
}

static struct kept *find(const struct transactions *transactions, const struct flow *flow,
			 enum sighting_direction direction, const struct facts *facts,
			 uint64_t hash)
{
	struct table_node *node = table_first(&transactions->by_identity, hash);

	for (; node; node = table_next(node)) {
		struct kept *kept = table_element(node, struct kept, by_identity);

		if (identical(&kept->transaction, flow, direction, facts))
			return kept;
	}
	return NULL;
}

static void forget_oldest(struct transactions *transactions)
{
	if (transactions->counts && !transactions->oldest->answered)
		count_up(transactions->counts, requests_unanswered);
	forget(transactions, transactions->oldest);
}

static struct kept *copy_of(const struct flow *flow, enum sighting_direction direction,
			    const struct facts *facts, uint64_t now_ns)
{
	struct kept *kept = malloc(sizeof(*kept) + facts_copy_bytes(facts));

	if (!kept)
		return NULL;
	kept->answered = false;
	kept->transaction = (struct transaction){
		.flow = *flow,
		.direction = direction,
		.seen_ns = now_ns,
		.facts = facts_copy(facts, kept->facts),
	};
	return kept;
}

static int append(struct transactions *transactions, struct kept *kept, uint64_t hash)
{
	if (table_put(&transactions->by_identity, &kept->by_identity, hash))
		return -ENOMEM;
	kept->newer = NULL;
	kept->older = transactions->newest;
	*(kept->older ? &kept->older->newer : &transactions->oldest) = kept;
	transactions->newest = kept;
	return 0;
}

int transactions_remember(struct transactions *transactions, const struct flow *flow,
			  enum sighting_direction direction, const struct facts *facts,
			  uint64_t now_ns)
{
	uint64_t hash = identity_hash(transactions, flow, direction, facts);
	cleanup_free struct kept *kept = NULL;

	if (facts_copy_text_bytes(facts) > TRANSACTION_BYTES_MAX)
		return -E2BIG;
	if (find(transactions, flow, direction, facts, hash))
		return 0;
	kept = copy_of(flow, direction, facts, now_ns);
	if (!kept || append(transactions, kept, hash))
		return -ENOMEM;
	take_ptr(kept);
	if (transactions_count(transactions) > transactions->limit)
		forget_oldest(transactions);
	return 0;
}

const struct transaction *transactions_match(struct transactions *transactions,
					     const struct flow *flow,
					     enum sighting_direction direction,
					     const struct facts *response)
{
	enum sighting_direction asked =
		direction == SIGHTING_TO_DEVICE ? SIGHTING_FROM_DEVICE : SIGHTING_TO_DEVICE;
	uint64_t hash = identity_hash(transactions, flow, asked, response);
	struct kept *kept = find(transactions, flow, asked, response, hash);

	if (!kept)
		return NULL;
	kept->answered |= response->status >= 200;
	return &kept->transaction;
}

void transactions_forget(struct transactions *transactions, const struct transaction *transaction)
{
	forget(transactions, (struct kept *)(void *)transaction);
}

void transactions_expire(struct transactions *transactions, uint64_t now_ns)
{
	while (transactions->oldest &&
	       transactions->oldest->transaction.seen_ns + transactions->lifetime_ns < now_ns)
		forget_oldest(transactions);
}

size_t transactions_count(const struct transactions *transactions)
{
	return transactions->by_identity.count;
}
