/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transactions_world.h - requests of one phone and their answers, for tests of the transactions. Include cmocka first. */
#ifndef TESTS_UNIT_TRANSACTIONS_WORLD_H
#define TESTS_UNIT_TRANSACTIONS_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "state/transactions.h"

#define ROOM 4

struct world {
	struct counts counts;
	struct transactions *transactions;
};

static const struct flow device_flow = {
	.local_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
	.remote_addr = { [10] = 0xff, 0xff, 198, 51, 100, 7 },
	.local_port = 5060,
	.remote_port = 40001,
	.transport = FLOW_UDP,
};

static const struct facts register_facts = {
	.is_request = true,
	.method = SIP_METHOD_REGISTER,
	.call_id = { "call-1@phone", 12 },
	.cseq = 1,
	.branch = { "z9hG4bK-1", 9 },
	.sent_by = { "192.168.1.10", 12 },
	.via_count = 1,
	.from_tag = { "tag-1", 5 },
	.aor = { "sip:alice@example.com", 21 },
	.expires = 600,
	.contact_count = 1,
	.contacts = { { .uri = { "sip:alice@192.168.1.10:5062", 27 },
			.user = { "alice", 5 },
			.host = { "192.168.1.10", 12 },
			.port = 5062,
			.expires = FACTS_UNSTATED } },
};

static inline struct facts request_of(uint32_t cseq)
{
	struct facts facts = register_facts;

	facts.cseq = cseq;
	return facts;
}

static inline struct facts response_to(const struct facts *request, uint16_t status)
{
	struct facts facts = *request;

	facts.is_request = false;
	facts.status = status;
	return facts;
}

static inline const struct transaction *match(struct world *world, const struct flow *flow,
					      const struct facts *request)
{
	struct facts response = response_to(request, 200);

	return transactions_match(world->transactions, flow, SIGHTING_TO_DEVICE, &response);
}

static inline void remember(struct world *world, uint32_t cseq, uint64_t now_ns)
{
	struct facts request = request_of(cseq);

	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_FROM_DEVICE, &request, now_ns),
			 0);
}

static inline int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->transactions = transactions_new(ROOM, TRANSACTION_LIFETIME_NS, &world->counts);
	*state = world;
	return world->transactions ? 0 : -1;
}

static inline int close_world(void **state)
{
	struct world *world = *state;

	transactions_free(world->transactions);
	free(world);
	return 0;
}

/* The request with this CSeq is answered, if it is there. */
static inline bool answer(struct world *world, uint32_t cseq, uint16_t status, uint64_t now_ns)
{
	struct facts request = request_of(cseq);
	const struct transaction *found = match(world, &device_flow, &request);

	if (found)
		transactions_answered(world->transactions, found, status, now_ns);
	return found;
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

#endif
