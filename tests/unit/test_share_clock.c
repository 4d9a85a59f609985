/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the clock of the cluster is learnt from beats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cluster/share_clock.h"

#define NOON_MS UINT64_C(1800000000000)

/* A beat at second "at_s" that took round_ms, in which the cluster's clock said NOON + said_ms. */
static int64_t beat(struct share_clock *clock, uint64_t at_s, uint64_t round_ms, int64_t said_ms)
{
	uint64_t sent_ns = at_s * NS_PER_S;

	return share_clock_learn(clock, NOON_MS + (uint64_t)said_ms, sent_ns,
				 sent_ns + round_ms * NS_PER_MS);
}

static void times_go_there_and_back(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	assert_int_equal(beat(&clock, 100, 10, 5), 0);
	assert_int_equal(share_clock_to_ms(&clock, 101 * NS_PER_S), NOON_MS + 1000);
	assert_int_equal(share_clock_to_ns(&clock, NOON_MS + 2000), 102 * NS_PER_S);
}

static void any_number_is_a_time(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 0, 0);
	assert_int_equal(share_clock_to_ns(&clock, 0), 0);
	assert_int_equal(share_clock_to_ns(&clock, UINT64_MAX), 0);
	assert_int_equal(share_clock_to_ns(&clock, (uint64_t)INT64_MAX), CLOCK_NEVER);
	assert_int_equal(share_clock_to_ns(&clock, (uint64_t)INT64_MAX + 1), CLOCK_NEVER);
}

static void the_quickest_answer_is_believed(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	assert_int_equal(beat(&clock, 100, 800, 700), 0);
	assert_int_equal(beat(&clock, 101, 2, 1001), 0);
	assert_int_equal(beat(&clock, 102, 900, 2900), 0);
	assert_int_equal(share_clock_to_ms(&clock, 103 * NS_PER_S), NOON_MS + 3000);
}

/* Ten milliseconds in a second are more than clocks drift apart, but they may be slewed. */
static void a_clock_that_drifts_is_followed(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 2, 1);
	for (uint64_t at_s = 101; at_s <= 200; at_s++)
		assert_int_equal(beat(&clock, at_s, 4, (int64_t)(at_s - 100) * 1010 + 2), 0);
	assert_in_range(share_clock_to_ms(&clock, 200 * NS_PER_S), NOON_MS + 101000 - 4,
			NOON_MS + 101000 + 4);
}

/* Every answer is written at once and takes five seconds on its way back. */
static void slow_answers_spoil_nothing(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 2, 1);
	for (uint64_t at_s = 101; at_s <= 200; at_s++)
		assert_int_equal(beat(&clock, at_s, 5000, (int64_t)(at_s - 100) * 1000), 0);
	assert_int_equal(share_clock_to_ms(&clock, 200 * NS_PER_S), NOON_MS + 100000);
}

static void a_step_is_noticed_at_once(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 2, 1);
	assert_int_equal(beat(&clock, 101, 20, 1010 + 3600000), 3600000);
	assert_int_equal(share_clock_to_ms(&clock, 102 * NS_PER_S), NOON_MS + 3602000);
	assert_int_equal(beat(&clock, 102, 20, 2010), -3600000);
	assert_int_equal(beat(&clock, 103, 2, 3001), 0);
}

/* It says nothing of when in these ten seconds it was written. */
static void a_slow_answer_is_no_step(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 2, 1);
	assert_int_equal(beat(&clock, 101, 10000, 1000), 0);
	assert_int_equal(beat(&clock, 101, 10000, 11000), 0);
	assert_int_equal(share_clock_to_ms(&clock, 103 * NS_PER_S), NOON_MS + 3000);
}

/* But if there was no better one yet, the first good one corrects it: what was told was wrong. */
static void a_first_answer_that_was_slow_is_corrected(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 8000, 0);
	assert_int_equal(beat(&clock, 109, 2, 9001), 4000);
}

static void another_server_has_another_clock(void **state)
{
	struct share_clock clock = { 0 };

	(void)state;
	beat(&clock, 100, 2, 1);
	share_clock_doubt(&clock);
	assert_int_equal(beat(&clock, 101, 50, 7200000), 0);
	assert_int_equal(share_clock_to_ms(&clock, 101 * NS_PER_S + 25 * NS_PER_MS),
			 NOON_MS + 7200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_go_there_and_back),
		cmocka_unit_test(any_number_is_a_time),
		cmocka_unit_test(the_quickest_answer_is_believed),
		cmocka_unit_test(a_clock_that_drifts_is_followed),
		cmocka_unit_test(slow_answers_spoil_nothing),
		cmocka_unit_test(a_step_is_noticed_at_once),
		cmocka_unit_test(a_slow_answer_is_no_step),
		cmocka_unit_test(a_first_answer_that_was_slow_is_corrected),
		cmocka_unit_test(another_server_has_another_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
