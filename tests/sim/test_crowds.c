/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crowds.c - a large host in simulated time: what caps do to many phones behind one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "crowd.h"
#include "keep/pacer.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)
#define NAT_PATIENCE (30 * NS_PER_S) /* trap 2 */

#define PHONES 100000
#define TOGETHER 30000

#define PER_ADDRESS CAPS_PER_ADDRESS_DEFAULT

/* The most that may leave in a second by a cap. */
#define MOST(cap) ((cap) + (cap) / 10 + 1)

static struct crowd_options usual_options(void)
{
	return (struct crowd_options){
		.phones = PHONES,
		.together = TOGETHER,
		.threshold_ns = THRESHOLD,
		.caps = { CAPS_PER_ADDRESS_DEFAULT, CAPS_PER_NETWORK_DEFAULT,
			  CAPS_PER_HOST_DEFAULT },
	};
}

static void assert_none_lost(const struct crowd *crowd, size_t from)
{
	for (size_t i = from; i < crowd->phone_count; i++)
		assert_true(crowd->phones[i].most_quiet_ns + CROWD_RTT_NS < NAT_PATIENCE);
}

/* Those behind the one address have all been prompted about as often as each other. */
static void assert_fair(const struct crowd *crowd)
{
	uint32_t fewest = UINT32_MAX, most = 0;

	for (size_t i = 0; i < crowd->together; i++) {
		uint32_t prompts = crowd->phones[i].prompts;

		fewest = prompts < fewest ? prompts : fewest;
		most = prompts > most ? prompts : most;
	}
	assert_true(fewest >= 1);
	assert_true(most - fewest <= 2);
}

static void assert_no_burst(const struct crowd *crowd)
{
	assert_true(crowd->per_10ms_most <= 2 * PHONES * 10 * NS_PER_MS / PACER_HORIZON_NS);
	assert_true(crowd->together_most <= MOST(PER_ADDRESS));
}

static void assert_nobody_silent(const struct crowd *crowd)
{
	assert_int_equal(crowd->counts.value[COUNT_paths_silenced], 0);
	for (size_t i = 0; i < crowd->phone_count; i++)
		assert_int_not_equal(crowd->phones[i].binding.path->health, PATH_SILENT);
}

/*
 * All are due at one time, and those behind the one address are more than its cap can keep: they
 * take turns, and cost the others nothing. Then it happens again.
 */
static void trap_09_caps_and_turns_together_make_no_burst(void **state)
{
	struct crowd_options options = usual_options();
	struct crowd *crowd = crowd_begin(&options);

	(void)state;
	crowd_run(crowd, 2 * MINUTE);
	assert_no_burst(crowd);
	assert_none_lost(crowd, TOGETHER);
	assert_true(crowd->together_most >= PER_ADDRESS);
	assert_true(crowd->counts.value[COUNT_prompts_capped_address] >= TOGETHER);
	assert_int_equal(crowd->counts.value[COUNT_prompts_capped_network], 0);
	assert_int_equal(crowd->counts.value[COUNT_prompts_capped_host], 0);

	keeper_set_blind(crowd->keeper, true, crowd->now_ns);
	crowd_run(crowd, MINUTE);
	crowd_measure_anew(crowd);
	keeper_set_blind(crowd->keeper, false, crowd->now_ns);
	crowd_run(crowd, MINUTE);
	assert_no_burst(crowd);
	assert_fair(crowd);
	assert_nobody_silent(crowd);
	crowd_end(crowd);
}

static void a_cap_that_suffices_loses_nobody(void **state)
{
	struct crowd_options options = usual_options();
	struct crowd *crowd;

	(void)state;
	options.spread_ns = THRESHOLD;
	options.caps.per_address = TOGETHER / 20;
	crowd = crowd_begin(&options);
	crowd_run(crowd, 2 * MINUTE);
	assert_none_lost(crowd, 0);
	assert_true(crowd->together_most <= MOST(TOGETHER / 20));
	assert_int_equal(crowd->counts.value[COUNT_prompts_capped_address], 0);
	crowd_end(crowd);
}

static void the_cap_of_the_host_is_shared_fairly(void **state)
{
	struct crowd_options options = usual_options();
	struct crowd *crowd;

	(void)state;
	options.phones = options.together = 5000;
	options.caps = (struct caps_limits){ .per_host = 50 };
	crowd = crowd_begin(&options);
	crowd_run(crowd, 5 * MINUTE);
	assert_true(crowd->together_most <= MOST(50));
	assert_in_range(crowd->datagrams, 50 * (5 * 60 - 25), 50 * 5 * 60);
	assert_fair(crowd);
	assert_nobody_silent(crowd);
	assert_int_equal(crowd->counts.value[COUNT_prompts_capped_address], 0);
	crowd_end(crowd);
}

static void a_path_that_waits_says_why(void **state)
{
	struct crowd_options options = usual_options();
	struct crowd *crowd;
	size_t capped = 0;

	(void)state;
	options.phones = options.together = 100;
	options.caps.per_address = 2;
	crowd = crowd_begin(&options);
	crowd_run(crowd, THRESHOLD + 5 * NS_PER_S);
	for (size_t i = 0; i < 100; i++) {
		const struct path *path = crowd->phones[i].binding.path;

		if (path->prompts > 0)
			continue;
		assert_int_equal(path->note, PATH_NOTE_capped);
		assert_int_equal(path->health, PATH_LIVE);
		capped++;
	}
	assert_in_range(capped, 85, 95);
	assert_int_equal(
		keeper_prompt(crowd->keeper, crowd->phones[99].binding.path, crowd->now_ns),
		-EAGAIN);
	crowd_end(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_09_caps_and_turns_together_make_no_burst),
		cmocka_unit_test(a_cap_that_suffices_loses_nobody),
		cmocka_unit_test(the_cap_of_the_host_is_shared_fairly),
		cmocka_unit_test(a_path_that_waits_says_why),
	};

	return cmocka_run_group_tests_name("crowds", tests, NULL, NULL);
}
