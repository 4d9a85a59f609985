/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/transactions: a network has its part of the room, and makes room at its own expense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "transactions_world.h"

#define LARGE_ROOM 1024
#define PART (LARGE_ROOM / 4)

static int open_large_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->transactions = transactions_new(LARGE_ROOM, TRANSACTION_LIFETIME_NS, &world->counts);
	*state = world;
	return world->transactions ? 0 : -1;
}

#define LARGE_WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_large_world, close_world)

/* A device of network 10.0."network".0/24. */
static struct flow device_in(uint8_t network, uint8_t host, uint16_t port)
{
	struct flow flow = device_flow;

	flow.remote_addr[12] = 10;
	flow.remote_addr[13] = 0;
	flow.remote_addr[14] = network;
	flow.remote_addr[15] = host;
	flow.remote_port = port;
	return flow;
}

/* A device of network 2001:db8:"network"::/48. */
static struct flow device6_in(uint8_t network, uint8_t subnet)
{
	struct flow flow = device_flow;
	static const uint8_t prefix[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	memset(flow.remote_addr, 0, sizeof(flow.remote_addr));
	memcpy(flow.remote_addr, prefix, sizeof(prefix));
	flow.remote_addr[5] = network;
	flow.remote_addr[7] = subnet;
	flow.remote_addr[15] = 1;
	return flow;
}

static void ask(struct world *world, struct flow flow, uint64_t now_ns)
{
	assert_int_equal(transactions_remember(world->transactions, &flow, SIGHTING_FROM_DEVICE,
					       &register_facts, now_ns),
			 0);
}

static bool waits(struct world *world, struct flow flow)
{
	return match(world, &flow, &register_facts) != NULL;
}

static void answered(struct world *world, struct flow flow, uint16_t status, uint64_t now_ns)
{
	const struct transaction *found = match(world, &flow, &register_facts);

	assert_non_null(found);
	transactions_answered(world->transactions, found, status, now_ns);
}

static void trap_44_a_network_makes_room_at_its_own_expense(void **state)
{
	struct world *world = *state;

	ask(world, device_in(2, 1, 1), 1);
	for (uint16_t i = 0; i < PART + 10; i++)
		ask(world, device_in(1, (uint8_t)i, i), 2 + i);
	assert_true(waits(world, device_in(2, 1, 1)));
	for (uint16_t i = 0; i < PART + 10; i++)
		assert_int_equal(waits(world, device_in(1, (uint8_t)i, i)), i >= 10);
	assert_int_equal(transactions_count(world->transactions), PART + 1);
	assert_int_equal(world->counts.value[COUNT_requests_crowded], 10);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 10);
}

static void trap_44_a_crowd_makes_room_in_the_order_of_the_room(void **state)
{
	struct world *world = *state;

	for (uint16_t i = 0; i < PART; i++)
		ask(world, device_in(1, 1, i), 1 + i);
	answered(world, device_in(1, 1, 0), 180, PART + 1);
	answered(world, device_in(1, 1, 1), 200, PART + 2);
	for (uint16_t i = 0; i < PART - 2; i++)
		ask(world, device_in(1, 2, i), PART + 3 + i);
	assert_false(waits(world, device_in(1, 1, PART - 1)));
	assert_true(waits(world, device_in(1, 1, 1)));

	/* When nobody is silent what was accepted goes, and what rings last. */
	for (uint16_t i = 0; i < PART - 2; i++)
		answered(world, device_in(1, 2, i), 180, 3 * PART);
	ask(world, device_in(1, 3, 1), 3 * PART + 1);
	assert_false(waits(world, device_in(1, 1, 1)));
	assert_true(waits(world, device_in(1, 1, 0)));
}

static void trap_44_an_ipv6_crowd_is_a_48(void **state)
{
	struct flow one_more = device6_in(1, 0);
	struct world *world = *state;

	ask(world, device6_in(2, 1), 1);
	for (uint16_t i = 0; i < PART; i++)
		ask(world, device6_in(1, (uint8_t)i), 2 + i);
	assert_int_equal(world->counts.value[COUNT_requests_crowded], 0);
	assert_int_equal(transactions_count(world->transactions), PART + 1);

	one_more.remote_port++;
	ask(world, one_more, 1000);
	assert_int_equal(world->counts.value[COUNT_requests_crowded], 1);
	assert_true(waits(world, device6_in(2, 1)));
	assert_false(waits(world, device6_in(1, 0)));
}

/* What is answered or forgotten no longer counts. */
static void who_has_been_answered_leaves_the_crowd(void **state)
{
	struct world *world = *state;

	for (uint32_t i = 0; i < 10 * PART; i++) {
		struct flow flow = device_in(1, 1, (uint16_t)i);

		ask(world, flow, i);
		transactions_forget(world->transactions, match(world, &flow, &register_facts));
	}
	for (uint16_t i = 0; i < PART; i++)
		ask(world, device_in(1, 2, i), 10 * PART + i);
	assert_int_equal(transactions_count(world->transactions), PART);
	transactions_expire(world->transactions, UINT64_MAX - NS_PER_S);
	for (uint16_t i = 0; i < PART; i++)
		ask(world, device_in(1, 3, i), 20 * PART + i);
	assert_int_equal(world->counts.value[COUNT_requests_crowded], 0);
}

/* The room as a whole is full before any network has its part. */
static void trap_44_many_networks_share_the_room(void **state)
{
	struct world *world = *state;

	for (uint32_t i = 0; i < 4 * LARGE_ROOM; i++)
		ask(world, device_in((uint8_t)i, (uint8_t)(i >> 8), (uint16_t)i), i);
	assert_int_equal(transactions_count(world->transactions), LARGE_ROOM);
	assert_int_equal(world->counts.value[COUNT_requests_crowded], 0);
	assert_false(waits(world, device_in(0, 0, 0)));
}

/* With the room of a default: the phones of a town behind one address. */
static void trap_44_a_power_cut_is_no_flood(void **state)
{
	struct world *world = *state;

	transactions_free(world->transactions);
	world->transactions = transactions_new(16384, TRANSACTION_LIFETIME_NS, &world->counts);
	assert_non_null(world->transactions);
	for (uint16_t i = 0; i < 2 * 2000; i++)
		ask(world, device_in(1, 1, i), i);
	for (uint16_t i = 0; i < 2 * 2000; i++)
		assert_true(waits(world, device_in(1, 1, i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LARGE_WORLD_TEST(trap_44_a_network_makes_room_at_its_own_expense),
		LARGE_WORLD_TEST(trap_44_a_crowd_makes_room_in_the_order_of_the_room),
		LARGE_WORLD_TEST(trap_44_an_ipv6_crowd_is_a_48),
		LARGE_WORLD_TEST(who_has_been_answered_leaves_the_crowd),
		LARGE_WORLD_TEST(trap_44_many_networks_share_the_room),
		LARGE_WORLD_TEST(trap_44_a_power_cut_is_no_flood),
	};

	return cmocka_run_group_tests_name("transactions, crowds", tests, NULL, NULL);
}
