/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keep/pacer.h"
#include "keep/wheel.h"

#define THRESHOLD (24 * NS_PER_S)
#define NOW (1000 * NS_PER_S)

/* Reserves so many turns at one time and returns the last one. */
static uint64_t reserve(struct pacer *pacer, unsigned int turns, uint64_t now_ns)
{
	uint64_t turn_ns = 0;

	while (turns-- > 0)
		turn_ns = pacer_reserve(pacer, now_ns);
	return turn_ns;
}

static void a_single_prompt_leaves_at_once(void **state)
{
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, 1 * PACER_DEMAND(THRESHOLD));
	assert_true(pacer_reserve(&pacer, NOW) <= NOW);
	assert_true(pacer_reserve(&pacer, NOW + NS_PER_S) <= NOW + NS_PER_S);
}

static void few_paths_are_paced_at_the_floor(void **state)
{
	struct pacer pacer = { 0 };
	uint64_t first_ns;

	(void)state;
	pacer_set(&pacer, 0 * PACER_DEMAND(THRESHOLD));
	first_ns = pacer_reserve(&pacer, NOW);
	assert_int_equal(reserve(&pacer, PACER_RATE_FLOOR, NOW), first_ns + NS_PER_S);
	pacer_set(&pacer, 10 * PACER_DEMAND(THRESHOLD));
	assert_int_equal(reserve(&pacer, PACER_RATE_FLOOR, NOW), first_ns + 2 * NS_PER_S);
}

/* When all ask at one time, the first pass through the window shows the distance of turns. */
static void many_paths_are_paced_somewhat_faster_than_they_need(void **state)
{
	const unsigned int paths = 1000000, in_window = paths / 24 * 7 / 5 * 3;
	struct pacer pacer = { 0 };
	uint64_t took_ns;

	(void)state;
	pacer_set(&pacer, paths * PACER_DEMAND(THRESHOLD));
	took_ns = reserve(&pacer, in_window - 1000, NOW) - NOW;
	assert_in_range(took_ns, PACER_HORIZON_NS * 99 / 100, PACER_HORIZON_NS);
}

static void trap_02_no_turn_lies_beyond_the_horizon(void **state)
{
	const unsigned int counts[] = { 1, 5000, 20000, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct pacer pacer = { 0 };
		uint64_t now_ns = NOW;

		pacer_set(&pacer, counts[i] * PACER_DEMAND(THRESHOLD));
		for (unsigned int turns = 0; turns < 20000; turns++) {
			assert_true(pacer_reserve(&pacer, now_ns) <= now_ns + PACER_HORIZON_NS);
			now_ns += NS_PER_S / 10000;
		}
	}
}

static void unused_turns_are_lost_but_for_one_tick(void **state)
{
	const unsigned int paths = 100000;
	uint64_t gap_ns = THRESHOLD / paths * 5 / 7;
	struct pacer pacer = { 0 };
	unsigned int at_once = 0;

	(void)state;
	pacer_set(&pacer, paths * PACER_DEMAND(THRESHOLD));
	pacer_reserve(&pacer, NOW - 100 * NS_PER_S);
	while (pacer_reserve(&pacer, NOW) <= NOW)
		at_once++;
	assert_in_range(at_once, WHEEL_TICK_NS / gap_ns, WHEEL_TICK_NS / gap_ns + 1);
}

static void a_time_near_zero_is_a_time(void **state)
{
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, 1 * PACER_DEMAND(THRESHOLD));
	assert_int_equal(pacer_reserve(&pacer, 1), 0);
	assert_int_equal(pacer_reserve(&pacer, 1), NS_PER_S / PACER_RATE_FLOOR);
}

static void trap_09_a_mass_that_is_due_at_once_fills_the_window_evenly(void **state)
{
	const unsigned int paths = 100000, slots = 300, even = paths / slots;
	unsigned int in_slot[301] = { 0 };
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, paths * PACER_DEMAND(THRESHOLD));
	for (unsigned int i = 0; i < paths; i++) {
		uint64_t turn_ns = pacer_reserve(&pacer, NOW);

		assert_true(turn_ns <= NOW + PACER_HORIZON_NS);
		in_slot[turn_ns < NOW ? 0 : (turn_ns - NOW) / (PACER_HORIZON_NS / slots)]++;
	}
	for (unsigned int i = 1; i < slots; i++)
		assert_in_range(in_slot[i], even / 2, even * 3 / 2);
	assert_true(in_slot[0] <= 2 * even);
}

/* The distance of the next two turns. */
static uint64_t gap_at(struct pacer *pacer, uint64_t now_ns)
{
	uint64_t first_ns = pacer_reserve(pacer, now_ns);

	return pacer_reserve(pacer, now_ns) - first_ns;
}

static void turns_are_further_apart_while_there_is_no_room(void **state)
{
	const uint64_t usual_ns = NS_PER_S / PACER_RATE_FLOOR;
	struct pacer pacer = { 0 };
	uint64_t now_ns = NOW;

	(void)state;
	pacer_set(&pacer, 0);
	assert_int_equal(gap_at(&pacer, now_ns), usual_ns);
	for (unsigned int i = 1; i <= PACER_SLOWNESS_MAX + 2; i++) {
		unsigned int slowness = i < PACER_SLOWNESS_MAX ? i : PACER_SLOWNESS_MAX;

		now_ns += NS_PER_S / 10;
		pacer_slow(&pacer, now_ns);
		pacer_slow(&pacer, now_ns); /* of the same sending */
		assert_int_equal(gap_at(&pacer, now_ns), usual_ns << slowness);
	}
	for (unsigned int i = 1; i <= PACER_SLOWNESS_MAX; i++)
		assert_int_equal(gap_at(&pacer, now_ns + i * PACER_CROWDED_NS),
				 usual_ns << (PACER_SLOWNESS_MAX - i));
	assert_int_equal(gap_at(&pacer, now_ns + 3600 * NS_PER_S), usual_ns);
}

/* A phone that is prompted too late is lost: trap 2 comes before the host's queue. */
static void no_turn_lies_further_ahead_for_want_of_room(void **state)
{
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, 0);
	for (int i = 0; i < 5; i++)
		pacer_slow(&pacer, NOW + (uint64_t)i);
	for (int i = 0; i < 10000; i++)
		assert_true(pacer_reserve(&pacer, NOW + 5) <= NOW + 5 + PACER_HORIZON_NS);
}

static void places_are_one_after_the_other_without_a_horizon(void **state)
{
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, 0);
	assert_int_equal(pacer_place(&pacer, NOW, 0), NOW + NS_PER_S / PACER_RATE_FLOOR);
	assert_int_equal(pacer_place(&pacer, NOW, 99999),
			 NOW + 100000 * NS_PER_S / PACER_RATE_FLOOR);
	assert_true(pacer_reserve(&pacer, NOW) <= NOW); /* nothing was reserved */
}

static void many_that_cannot_wait_fit_evenly_into_the_horizon(void **state)
{
	struct pacer pacer = { 0 };

	(void)state;
	pacer_set(&pacer, 1000000 * PACER_DEMAND(THRESHOLD));
	assert_true(pacer_fit(&pacer, NOW, 0, 1000000) <= NOW + NS_PER_MS);
	assert_in_range(pacer_fit(&pacer, NOW, 499999, 1000000), NOW + PACER_HORIZON_NS * 49 / 100,
			NOW + PACER_HORIZON_NS * 51 / 100);
	assert_in_range(pacer_fit(&pacer, NOW, 999999, 1000000), NOW + PACER_HORIZON_NS * 99 / 100,
			NOW + PACER_HORIZON_NS);
	assert_int_equal(pacer_fit(&pacer, NOW, 9, 10), pacer_place(&pacer, NOW, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_that_cannot_wait_fit_evenly_into_the_horizon),
		cmocka_unit_test(a_single_prompt_leaves_at_once),
		cmocka_unit_test(few_paths_are_paced_at_the_floor),
		cmocka_unit_test(many_paths_are_paced_somewhat_faster_than_they_need),
		cmocka_unit_test(unused_turns_are_lost_but_for_one_tick),
		cmocka_unit_test(a_time_near_zero_is_a_time),
		cmocka_unit_test(trap_02_no_turn_lies_beyond_the_horizon),
		cmocka_unit_test(trap_09_a_mass_that_is_due_at_once_fills_the_window_evenly),
		cmocka_unit_test(turns_are_further_apart_while_there_is_no_room),
		cmocka_unit_test(no_turn_lies_further_ahead_for_want_of_room),
		cmocka_unit_test(places_are_one_after_the_other_without_a_horizon),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
