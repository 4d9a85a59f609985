/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/transactions.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/table.h"
#include "state/crowd.h"
#include "state/facts_copy.h"

/* What a request waits for; in the order in which they are evicted. */
enum stage {
	STAGE_SILENT, /* any answer above 100 */
	STAGE_ANSWERED, /* further final answers: an INVITE may have more than one (trap 34) */
	STAGE_RINGING, /* a final answer */
	STAGE_MAX
};

_Static_assert(STAGE_MAX <= CROWD_RANKS, "a stage is a rank");

/*
 * What one network may hold of a room: a quarter, so that thousands of phones behind one NAT
 * may all wait at once; but no network is held to fewer than these.
 */
#define CROWD_SHARE 4
#define CROWD_MIN 64

/* One allocation; the facts and their texts follow. */
struct kept {
	struct transaction transaction; /* first: callers hold a pointer to it */
	struct table_node by_identity;
	struct kept *older; /* in its queue */
	struct kept *newer;
	struct crowd_member member; /* of those of its network */
	struct kept *next_unwritten;
	struct kept **unwritten_link; /* what points here; NULL: it is written as it is */
	uint64_t stored; /* its id in the store, 0 for none */
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
	struct crowds *crowds;
	struct kept *unwritten; /* what is not written down as it is: first in, first out */
	struct kept **unwritten_end; /* what the next one to join is linked to */
	transactions_eraser *eraser; /* NULL: nothing is written down */
	void *eraser_context;
	size_t limit;
	size_t crowd_limit; /* for one network */
	bool was_large; /* more than half of the room has been used since memory was given back */
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
	transactions->crowds = crowds_new(&transactions->key);
	if (!transactions->crowds)
		return NULL;
	transactions->unwritten_end = &transactions->unwritten;
	transactions->counts = counts;
	transactions->limit = limit;
	transactions->crowd_limit =
		limit / CROWD_SHARE > CROWD_MIN ? limit / CROWD_SHARE : CROWD_MIN;
	transactions->lifetime_ns = lifetime_ns;
	return take_ptr(transactions);
}

static void leave_queue(struct transactions *transactions, struct kept *kept)
{
	struct queue *queue = &transactions->queues[kept->stage];

	*(kept->older ? &kept->older->newer : &queue->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &queue->newest) = kept->older;
}

/* It is the newest, also of what is brought back; what is read once more may not be. */
static void join_queue(struct transactions *transactions, struct kept *kept, enum stage stage,
		       uint64_t since_ns)
{
	struct queue *queue = &transactions->queues[stage];
	struct kept *older = queue->newest;

	while (older && older->since_ns > since_ns)
		older = older->older;
	kept->stage = stage;
	crowds_move(&kept->member, stage);
	kept->since_ns = since_ns;
	kept->older = older;
	kept->newer = older ? older->newer : queue->oldest;
	*(kept->older ? &kept->older->newer : &queue->oldest) = kept;
	*(kept->newer ? &kept->newer->older : &queue->newest) = kept;
}

static void leave_unwritten(struct transactions *transactions, struct kept *kept)
{
	if (!kept->unwritten_link)
		return;
	*kept->unwritten_link = kept->next_unwritten;
	if (kept->next_unwritten)
		kept->next_unwritten->unwritten_link = kept->unwritten_link;
	else
		transactions->unwritten_end = kept->unwritten_link;
	kept->unwritten_link = NULL;
}

/* Always as the last one: they are written in the order of their queues. */
static void join_unwritten(struct transactions *transactions, struct kept *kept)
{
	leave_unwritten(transactions, kept);
	kept->next_unwritten = NULL;
	kept->unwritten_link = transactions->unwritten_end;
	*kept->unwritten_link = kept;
	transactions->unwritten_end = &kept->next_unwritten;
}

static void erase(struct transactions *transactions, struct kept *kept)
{
	if (transactions->eraser && kept->stored != 0)
		transactions->eraser(transactions->eraser_context, kept->stored);
	kept->stored = 0;
}

static void forget(struct transactions *transactions, struct kept *kept)
{
	table_take(&transactions->by_identity, &kept->by_identity);
	leave_queue(transactions, kept);
	crowds_leave(transactions->crowds, &kept->member);
	leave_unwritten(transactions, kept);
	erase(transactions, kept);
	free(kept);
}

void transactions_free(struct transactions *transactions)
{
	if (!transactions)
		return;
	transactions->eraser = NULL;
	for (size_t i = 0; i < STAGE_MAX; i++)
		while (transactions->queues[i].oldest)
			forget(transactions, transactions->queues[i].oldest);
	table_clear(&transactions->by_identity);
	crowds_free(transactions->crowds);
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

/* Not at the expense of what has just come: that is in no queue yet. */
static void make_room(struct transactions *transactions, const struct flow *flow)
{
	const struct crowd *crowd = crowds_find(transactions->crowds, flow->remote_addr);

	if (crowd && crowd_size(crowd) >= transactions->crowd_limit) {
		if (transactions->counts)
			count_up(transactions->counts, requests_crowded);
		give_up(transactions, table_element(crowd_oldest(crowd), struct kept, member));
	} else if (transactions_count(transactions) > transactions->limit) {
		evict(transactions);
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
	kept->unwritten_link = NULL;
	kept->stored = 0;
	return kept;
}

/* The caller puts it into a queue. */
static int keep(struct transactions *transactions, const struct flow *flow,
		enum sighting_direction direction, const struct facts *facts, uint64_t seen_ns,
		struct kept **out)
{
	uint64_t hash = identity_hash(transactions, flow, direction, facts);
	cleanup_free struct kept *kept = NULL;

	if (facts_copy_text_bytes(facts) > TRANSACTION_BYTES_MAX)
		return -E2BIG;
	if (find(transactions, flow, direction, facts, hash))
		return -EEXIST;
	kept = copy_of(flow, direction, facts, seen_ns);
	if (!kept)
		return -ENOMEM;
	if (table_put(&transactions->by_identity, &kept->by_identity, hash))
		return -ENOMEM;
	make_room(transactions, flow);
	if (crowds_join(transactions->crowds, &kept->member, flow->remote_addr, STAGE_SILENT)) {
		table_take(&transactions->by_identity, &kept->by_identity);
		return -ENOMEM;
	}
	*out = take_ptr(kept);
	return 0;
}

int transactions_remember(struct transactions *transactions, const struct flow *flow,
			  enum sighting_direction direction, const struct facts *facts,
			  uint64_t now_ns)
{
	struct kept *kept;
	int error = keep(transactions, flow, direction, facts, now_ns, &kept);

	if (error)
		return error == -EEXIST ? 0 : error;
	join_queue(transactions, kept, STAGE_SILENT, now_ns);
	join_unwritten(transactions, kept);
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
	join_unwritten(transactions, kept);
}

void transactions_forget(struct transactions *transactions, const struct transaction *transaction)
{
	forget(transactions, (struct kept *)(void *)transaction);
}

static uint64_t lifetime_ns(const struct transactions *transactions, enum stage stage)
{
	return stage == STAGE_ANSWERED ? TRANSACTION_LIFETIME_NS : transactions->lifetime_ns;
}

/* What a flood has filled goes back to the host, which the C library alone would not see to. */
static void give_memory_back(struct transactions *transactions)
{
	size_t count = transactions_count(transactions);

	if (count > transactions->limit / 2) {
		transactions->was_large = true;
	} else if (transactions->was_large && count < transactions->limit / 8) {
		transactions->was_large = false;
		malloc_trim(0);
	}
}

void transactions_expire(struct transactions *transactions, uint64_t now_ns)
{
	for (enum stage stage = 0; stage < STAGE_MAX; stage++) {
		struct queue *queue = &transactions->queues[stage];

		while (queue->oldest &&
		       queue->oldest->since_ns + lifetime_ns(transactions, stage) < now_ns)
			give_up(transactions, queue->oldest);
	}
	give_memory_back(transactions);
}

void transactions_on_forget(struct transactions *transactions, transactions_eraser *eraser,
			    void *context)
{
	transactions->eraser = eraser;
	transactions->eraser_context = context;
}

static struct waiting waiting_of(const struct kept *kept)
{
	return (struct waiting){
		.flow = kept->transaction.flow,
		.seen_ns = kept->transaction.seen_ns,
		.since_ns = kept->since_ns,
		.direction = (uint8_t)kept->transaction.direction,
		.stage = (uint8_t)kept->stage,
		.facts = kept->transaction.facts,
	};
}

bool transactions_write_down(struct transactions *transactions, size_t limit,
			     transactions_writer *writer, void *context)
{
	for (size_t written = 0; transactions->unwritten && written < limit; written++) {
		struct kept *kept = transactions->unwritten;
		struct waiting waiting = waiting_of(kept);

		leave_unwritten(transactions, kept);
		erase(transactions, kept);
		kept->stored = writer(context, &waiting);
	}
	return !transactions->unwritten;
}

void transactions_write_anew(struct transactions *transactions)
{
	for (enum stage stage = 0; stage < STAGE_MAX; stage++) {
		struct kept *kept = transactions->queues[stage].oldest;

		for (; kept; kept = kept->newer)
			join_unwritten(transactions, kept);
	}
}

int transactions_restore(struct transactions *transactions, uint64_t stored,
			 const struct waiting *waiting)
{
	struct kept *kept;
	int error;

	if (waiting->stage >= STAGE_MAX || waiting->direction > SIGHTING_TO_DEVICE)
		return -EINVAL;
	error = keep(transactions, &waiting->flow, (enum sighting_direction)waiting->direction,
		     waiting->facts, waiting->seen_ns, &kept);
	if (error)
		return error;
	kept->stored = stored;
	join_queue(transactions, kept, (enum stage)waiting->stage, waiting->since_ns);
	return 0;
}

size_t transactions_count(const struct transactions *transactions)
{
	return transactions->by_identity.count;
}
