/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/transactions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/table.h"
#include "state/facts_copy.h"

/* What a request waits for; in the order in which they are evicted. */
enum stage {
	STAGE_SILENT, /* any answer above 100 */
	STAGE_ANSWERED, /* further final answers: an INVITE may have more than one (trap 34) */
	STAGE_RINGING, /* a final answer */
	STAGE_MAX
};

/* One allocation; the facts and their texts follow. */
struct kept {
	struct transaction transaction; /* first: callers hold a pointer to it */
	struct table_node by_identity;
	struct kept *older; /* in its queue */
	struct kept *newer;
	enum stage stage;
	uint64_t since_ns; /* it waits from then on */
	max_align_t facts[];
};

/* By since_ns. */
struct queue {
	struct kept *oldest;
	struct kept *newest;
};

struct transactions {
	struct hash_key key;
	struct counts *counts; /* NULL: nothing is counted */
	struct table by_identity;
	struct queue queues[STAGE_MAX];
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

static void leave_queue(struct transactions *transactions, struct kept *kept)
{
	struct queue *queue = &transactions->queues[kept->stage];

	*(kept->older ? &kept->older->newer : &queue->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &queue->newest) = kept->older;
}

static void join_queue(struct transactions *transactions, struct kept *kept, enum stage stage,
		       uint64_t now_ns)
{
	struct queue *queue = &transactions->queues[stage];

	kept->stage = stage;
	kept->since_ns = now_ns;
	kept->newer = NULL;
	kept->older = queue->newest;
	*(kept->older ? &kept->older->newer : &queue->oldest) = kept;
	queue->newest = kept;
}

static void forget(struct transactions *transactions, struct kept *kept)
{
	table_take(&transactions->by_identity, &kept->by_identity);
	leave_queue(transactions, kept);
	free(kept);
}

void transactions_free(struct transactions *transactions)
{
	if (!transactions)
		return;
	for (size_t i = 0; i < STAGE_MAX; i++)
		while (transactions->queues[i].oldest)
			forget(transactions, transactions->queues[i].oldest);
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

static void give_up(struct transactions *transactions, struct kept *kept)
{
	if (transactions->counts && kept->stage != STAGE_ANSWERED)
		count_up(transactions->counts, requests_unanswered);
	forget(transactions, kept);
}

static void evict(struct transactions *transactions)
{
	for (size_t i = 0; i < STAGE_MAX; i++)
		if (transactions->queues[i].oldest) {
			give_up(transactions, transactions->queues[i].oldest);
			return;
		}
}

static struct kept *copy_of(const struct flow *flow, enum sighting_direction direction,
			    const struct facts *facts, uint64_t now_ns)
{
	struct kept *kept = malloc(sizeof(*kept) + facts_copy_bytes(facts));

	if (!kept)
		return NULL;
	kept->transaction = (struct transaction){
		.flow = *flow,
		.direction = direction,
		.seen_ns = now_ns,
		.facts = facts_copy(facts, kept->facts),
	};
	return kept;
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
	if (!kept)
		return -ENOMEM;
	if (table_put(&transactions->by_identity, &kept->by_identity, hash))
		return -ENOMEM;
	if (transactions_count(transactions) > transactions->limit)
		evict(transactions); /* not this one, which is in no queue yet */
	join_queue(transactions, take_ptr(kept), STAGE_SILENT, now_ns);
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

	return kept ? &kept->transaction : NULL;
}

void transactions_answered(struct transactions *transactions, const struct transaction *transaction,
			   uint16_t status, uint64_t now_ns)
{
	struct kept *kept = (struct kept *)(void *)transaction;

	if (status <= 100 || kept->stage == STAGE_ANSWERED)
		return;
	leave_queue(transactions, kept);
	join_queue(transactions, kept, status < 200 ? STAGE_RINGING : STAGE_ANSWERED, now_ns);
}

void transactions_forget(struct transactions *transactions, const struct transaction *transaction)
{
	forget(transactions, (struct kept *)(void *)transaction);
}

static uint64_t lifetime_ns(const struct transactions *transactions, enum stage stage)
{
	return stage == STAGE_ANSWERED ? TRANSACTION_LIFETIME_NS : transactions->lifetime_ns;
}

void transactions_expire(struct transactions *transactions, uint64_t now_ns)
{
	for (enum stage stage = 0; stage < STAGE_MAX; stage++) {
		struct queue *queue = &transactions->queues[stage];

		while (queue->oldest &&
		       queue->oldest->since_ns + lifetime_ns(transactions, stage) < now_ns)
			give_up(transactions, queue->oldest);
	}
}

size_t transactions_count(const struct transactions *transactions)
{
	return transactions->by_identity.count;
}
