/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_interruptions.c - agents that are killed, programs that go, and a network that refuses:
 * however often it happens, nobody is prompted more for it, and other work gets its turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crowd.h"
#include "keep/pacer.h"
#include "keep/policy.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)
#define MANY 10000
#define FEW 100

/* Before its NAT forgets it, a device may be prompted so often: each time an answer may be lost. */
#define WORTH_TRYING (THRESHOLD / 4 / POLICY_REPEAT_NEXT_NS + POLICY_TRIES_MAX)

static struct crowd *crowd_of(size_t phones)
{
	struct crowd_options options = { .phones = phones, .threshold_ns = THRESHOLD };

	return crowd_begin(&options);
}

static uint32_t most_prompts(const struct crowd *crowd)
{
	uint32_t most = 0;

	for (size_t i = 0; i < crowd->phone_count; i++)
		if (crowd->phones[i].prompts > most)
			most = crowd->phones[i].prompts;
	return most;
}

/* So many lives of an agent, each of them so long. */
static void live(struct crowd *crowd, unsigned int lives, uint64_t life_ns)
{
	while (lives-- > 0) {
		crowd_restart(crowd);
		crowd_run(crowd, life_ns);
	}
}

static void no_prompt_is_doubled_by_a_kill_before_its_answer(void **state)
{
	struct crowd *crowd = crowd_of(MANY);

	(void)state;
	crowd_run(crowd, THRESHOLD);
	live(crowd, 200, CROWD_RTT_NS / 2);
	crowd_run(crowd, 2 * PACER_HORIZON_NS);
	assert_int_equal(crowd->datagrams, MANY);
	assert_int_equal(most_prompts(crowd), 1);
	crowd_end(crowd);
}

static void a_prompt_that_a_kill_has_lost_is_made_again_before_the_nat_forgets(void **state)
{
	struct crowd *crowd = crowd_of(FEW);

	(void)state;
	crowd->mute = true;
	crowd_run(crowd, THRESHOLD + NS_PER_S / 2);
	assert_int_equal(crowd->datagrams, FEW);
	crowd->mute = false;
	live(crowd, 1, THRESHOLD / 4);
	assert_int_equal(crowd->datagrams, 2 * FEW);
	assert_int_equal(crowd->counts.value[COUNT_paths_silenced], 0);
	crowd_end(crowd);
}

static void a_device_that_was_never_heard_keeps_its_long_pauses_over_restarts(void **state)
{
	struct crowd *crowd = crowd_of(FEW);

	(void)state;
	crowd->mute = true;
	crowd_run(crowd, THRESHOLD);
	live(crowd, 20, MINUTE);
	assert_in_range(most_prompts(crowd), 2, WORTH_TRYING);
	crowd_end(crowd);
}

static void a_device_that_has_gone_is_not_prompted_by_each_agent_anew(void **state)
{
	struct crowd *crowd = crowd_of(FEW);

	(void)state;
	crowd_run(crowd, 2 * THRESHOLD - NS_PER_S);
	crowd->mute = true;
	live(crowd, 20, 3 * NS_PER_S);
	assert_in_range(most_prompts(crowd), 2, 1 + WORTH_TRYING + 1);
	crowd_end(crowd);
}

static void trap_11_sight_that_comes_and_goes_prompts_nobody_for_it(void **state)
{
	struct crowd *crowd = crowd_of(MANY);

	(void)state;
	crowd->mute = true;
	crowd_run(crowd, THRESHOLD);
	for (unsigned int i = 0; i < 20; i++) {
		keeper_set_blind(crowd->keeper, true, crowd->now_ns);
		crowd_run(crowd, NS_PER_S / 10);
		keeper_set_blind(crowd->keeper, false, crowd->now_ns);
		crowd_run(crowd, NS_PER_S * 9 / 10);
	}
	assert_in_range(most_prompts(crowd), 1, POLICY_TRIES_MAX);
	crowd_run(crowd, 2 * THRESHOLD);
	assert_int_equal(crowd->counts.value[COUNT_paths_silenced], MANY);
	crowd_end(crowd);
}

static void
trap_11_after_a_moment_without_sight_all_are_prompted_when_they_would_have_been(void **state)
{
	struct crowd_options options = {
		.phones = MANY,
		.threshold_ns = THRESHOLD,
		.spread_ns = THRESHOLD,
	};
	struct crowd *crowd = crowd_begin(&options);

	(void)state;
	crowd_run(crowd, 2 * MINUTE);
	crowd_measure_anew(crowd);
	keeper_set_blind(crowd->keeper, true, crowd->now_ns);
	crowd_run(crowd, NS_PER_S);
	keeper_set_blind(crowd->keeper, false, crowd->now_ns);
	crowd_run(crowd, MINUTE);
	for (size_t i = 0; i < MANY; i++)
		assert_true(crowd->phones[i].most_quiet_ns < THRESHOLD + THRESHOLD / 4);
	crowd_end(crowd);
}

/* How many paths have been looked at. */
static size_t count_looks(const struct crowd *crowd)
{
	size_t looks = 0;

	for (size_t i = 0; i < crowd->phone_count; i++)
		looks += crowd->phones[i].binding.path->note != PATH_NOTE_fresh;
	return looks;
}

/* The rest of them are due at once, but not before what else the agent has to do. */
static void a_turn_looks_at_some_thousand_paths_however_many_are_due(void **state)
{
	struct crowd *crowd = crowd_of(CROWD_MAX);
	struct binding *expired;
	size_t looks = 0;

	(void)state;
	crowd->now_ns += THRESHOLD + NS_PER_S;
	while (looks < CROWD_MAX) {
		uint64_t next_ns = keeper_turn(crowd->keeper, crowd->now_ns, &expired);
		size_t before = looks;

		looks = count_looks(crowd);
		assert_in_range(looks - before, 1, 5000);
		assert_true(looks == CROWD_MAX || next_ns == crowd->now_ns);
	}
	crowd_end(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_prompt_is_doubled_by_a_kill_before_its_answer),
		cmocka_unit_test(
			a_prompt_that_a_kill_has_lost_is_made_again_before_the_nat_forgets),
		cmocka_unit_test(a_device_that_was_never_heard_keeps_its_long_pauses_over_restarts),
		cmocka_unit_test(a_device_that_has_gone_is_not_prompted_by_each_agent_anew),
		cmocka_unit_test(trap_11_sight_that_comes_and_goes_prompts_nobody_for_it),
		cmocka_unit_test(
			trap_11_after_a_moment_without_sight_all_are_prompted_when_they_would_have_been),
		cmocka_unit_test(a_turn_looks_at_some_thousand_paths_however_many_are_due),
	};

	return cmocka_run_group_tests_name("interruptions", tests, NULL, NULL);
}
