/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/transactions: how long requests are remembered, and which ones make room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "transactions_world.h"

static void a_room_has_its_own_lifetime(void **state)
{
	struct transactions *transactions = transactions_new(ROOM, 200 * NS_PER_S, NULL);

	(void)state;
	assert_non_null(transactions);
	assert_int_equal(transactions_remember(transactions, &device_flow, SIGHTING_FROM_DEVICE,
					       &register_facts, NS_PER_S),
			 0);
	transactions_expire(transactions, 201 * NS_PER_S);
	assert_int_equal(transactions_count(transactions), 1);
	transactions_expire(transactions, 201 * NS_PER_S + 1);
	assert_int_equal(transactions_count(transactions), 0);
	transactions_free(transactions);
}

static void trap_44_the_oldest_makes_room_for_the_newest(void **state)
{
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM + 2; cseq++)
		remember(world, cseq, cseq);
	assert_int_equal(transactions_count(world->transactions), ROOM);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 2);
	for (uint32_t cseq = 1; cseq <= ROOM + 2; cseq++) {
		struct facts request = request_of(cseq);

		assert_int_equal(match(world, &device_flow, &request) != NULL, cseq > 2);
	}
}

/* What rings goes on ringing, however many ask what nobody answers. */
static void trap_44_a_flood_of_silence_evicts_nothing_that_rings(void **state)
{
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM; cseq++)
		remember(world, cseq, cseq);
	assert_true(answer(world, 1, 180, 10));
	assert_true(answer(world, 2, 100, 10)); /* says nothing */
	assert_true(answer(world, 3, 200, 10));
	for (uint32_t cseq = 100; cseq < 200; cseq++)
		remember(world, cseq, cseq);
	assert_false(answer(world, 2, 180, 200));
	assert_false(answer(world, 4, 180, 200));
	assert_true(answer(world, 1, 183, 200));
	assert_true(answer(world, 3, 200, 200));
}

/* Where nobody is silent, what was accepted goes first, and the newest is always kept. */
static void trap_44_what_was_accepted_makes_room_before_what_rings(void **state)
{
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM; cseq++) {
		remember(world, cseq, cseq);
		assert_true(answer(world, cseq, cseq == 3 ? 200 : 180, 10 + cseq));
	}
	remember(world, 5, 50);
	assert_false(answer(world, 3, 200, 51));
	assert_true(answer(world, 5, 180, 52));
	remember(world, 6, 60);
	assert_false(answer(world, 1, 180, 61));
	assert_true(answer(world, 6, 180, 62));
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 1);
}

static void trap_34_a_call_is_waited_for_while_it_rings(void **state)
{
	struct transactions *transactions = transactions_new(ROOM, 200 * NS_PER_S, NULL);
	struct world world = { .transactions = transactions };

	(void)state;
	assert_non_null(transactions);
	remember(&world, 1, NS_PER_S);
	for (uint64_t second = 60; second <= 300; second += 60) {
		transactions_expire(transactions, second * NS_PER_S);
		assert_true(answer(&world, 1, 180, second * NS_PER_S));
	}
	transactions_expire(transactions, 500 * NS_PER_S);
	assert_true(answer(&world, 1, 200, 500 * NS_PER_S));
	assert_true(answer(&world, 1, 180, 510 * NS_PER_S)); /* another fork rings */
	transactions_expire(transactions, 500 * NS_PER_S + TRANSACTION_LIFETIME_NS);
	assert_int_equal(transactions_count(transactions), 1);
	transactions_expire(transactions, 500 * NS_PER_S + TRANSACTION_LIFETIME_NS + 1);
	assert_int_equal(transactions_count(transactions), 0);
	transactions_free(transactions);
}

/* Forgets one in the middle, the oldest and the newest: the order of the others stays. */
static void the_order_outlives_what_is_forgotten(void **state)
{
	static const uint32_t forgotten[] = { 2, 1, 4 };
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM; cseq++)
		remember(world, cseq, cseq);
	for (size_t i = 0; i < 3; i++) {
		struct facts request = request_of(forgotten[i]);

		transactions_forget(world->transactions, match(world, &device_flow, &request));
	}
	assert_int_equal(transactions_count(world->transactions), 1);
	for (uint32_t cseq = 5; cseq <= 8; cseq++)
		remember(world, cseq, cseq);
	for (uint32_t cseq = 1; cseq <= 8; cseq++) {
		struct facts request = request_of(cseq);

		assert_int_equal(match(world, &device_flow, &request) != NULL, cseq >= 5);
	}
}

static void a_request_is_forgotten_after_its_time(void **state)
{
	struct world *world = *state;

	remember(world, 1, NS_PER_S);
	remember(world, 2, 2 * NS_PER_S);
	transactions_expire(world->transactions, NS_PER_S + TRANSACTION_LIFETIME_NS);
	assert_int_equal(transactions_count(world->transactions), 2);
	transactions_expire(world->transactions, NS_PER_S + TRANSACTION_LIFETIME_NS + 1);
	assert_int_equal(transactions_count(world->transactions), 1);
	assert_true(answer(world, 2, 200, 3 * NS_PER_S));
	transactions_expire(world->transactions, 100 * NS_PER_S);
	assert_int_equal(transactions_count(world->transactions), 0);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered],
			 1); /* the second was answered */
	transactions_expire(world->transactions, 200 * NS_PER_S);
}

static void trap_44_a_flood_leaves_the_room_as_large_as_it_was(void **state)
{
	struct world *world = *state;
	struct flow spoofed = device_flow;
	char call_id[32];

	for (uint32_t i = 0; i < 100000; i++) {
		struct facts request = register_facts;

		snprintf(call_id, sizeof(call_id), "spoofed-%u", i);
		request.call_id = span_of(call_id);
		spoofed.remote_port = (uint16_t)i;
		assert_int_equal(transactions_remember(world->transactions, &spoofed,
						       SIGHTING_FROM_DEVICE, &request, i),
				 0);
	}
	assert_int_equal(transactions_count(world->transactions), ROOM);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 100000 - ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_has_its_own_lifetime),
		WORLD_TEST(trap_44_the_oldest_makes_room_for_the_newest),
		WORLD_TEST(trap_44_a_flood_of_silence_evicts_nothing_that_rings),
		WORLD_TEST(trap_44_what_was_accepted_makes_room_before_what_rings),
		cmocka_unit_test(trap_34_a_call_is_waited_for_while_it_rings),
		WORLD_TEST(the_order_outlives_what_is_forgotten),
		WORLD_TEST(a_request_is_forgotten_after_its_time),
		WORLD_TEST(trap_44_a_flood_leaves_the_room_as_large_as_it_was),
	};

	return cmocka_run_group_tests_name("transactions, order", tests, NULL, NULL);
}
