/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_days.c - days of simulated time: what must never happen, however chance falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "days.h"

#define SECOND NS_PER_S
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* Runs a world, says what has happened, and asks whether it was all right. */
static void live_through(void **state, const struct days_options *options, uint64_t duration_ns)
{
	struct days *days = *state = days_begin(options);

	days_run(days, duration_ns);
	days_audit(days);
	days_say(days);
	assert_true(account_say(days_account(days)));
	assert_int_equal(days_tally(days)->clock_readings, 0);
	assert_true(days_account(days)->prompts > 0);
}

static int tear_down(void **state)
{
	days_end(*state);
	return 0;
}

/*
 * The typical population: nine phones of ten keep their paths open themselves. Most are behind
 * NATs that remember for minutes; some, in a network of its own rule, for 30 s.
 */
static void three_days_of_ten_thousand_phones(void **state)
{
	live_through(state,
		     &(struct days_options){
			     .phones = 10000,
			     .guests = 100,
			     .mobile = 200,
			     .threshold_ns = 600 * SECOND,
			     .mobile_threshold_ns = 24 * SECOND,
			     .talkers_percent = 90,
			     .short_percent = 3,
			     .subscribers_percent = 10,
			     .loss_permille = 10,
			     .call_every_ns = 24 * HOUR,
			     .move_every_ns = MINUTE,
			     .outage_every_ns = 2 * MINUTE,
			     .hush_every_ns = 2 * HOUR,
			     .hush_phones = 1000,
			     .stall_every_ns = 3 * HOUR,
			     .suspend_every_ns = 7 * HOUR,
			     .seed = days_seed(20261),
		     },
		     72 * HOUR);
}

/* Where all are idle the mean is at its highest, and twice the mean is what may leave. */
static void trap_09_ten_thousand_paths_that_are_all_idle(void **state)
{
	live_through(state,
		     &(struct days_options){
			     .phones = 10000,
			     .threshold_ns = 24 * SECOND,
			     .loss_permille = 10,
			     .call_every_ns = 10 * HOUR,
			     .move_every_ns = MINUTE,
			     .outage_every_ns = MINUTE,
			     .hush_every_ns = 5 * MINUTE,
			     .hush_phones = 1000,
			     .stall_every_ns = 7 * MINUTE,
			     .suspend_every_ns = 16 * MINUTE,
			     .seed = days_seed(20262),
		     },
		     25 * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(three_days_of_ten_thousand_phones, tear_down),
		cmocka_unit_test_teardown(trap_09_ten_thousand_paths_that_are_all_idle, tear_down),
	};

	return cmocka_run_group_tests_name("days", tests, NULL, NULL);
}
