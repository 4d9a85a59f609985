/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy_world.h"

static void waits_until_the_threshold_after_last_seen(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict = judge(&scene, START + NS_PER_S);

	(void)state;
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_int_equal(verdict.again_ns, START + DUE);
	assert_int_equal(verdict.health, PATH_LIVE);
	assert_false(verdict.avoided || verdict.answered || verdict.unanswered);
}

static void prompts_when_due_and_never_early(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict;

	(void)state;
	assert_int_equal(judge(&scene, START + DUE - 1).action, POLICY_WAIT);
	verdict = judge(&scene, START + DUE);
	assert_int_equal(verdict.action, POLICY_PROMPT);
	assert_int_equal(verdict.again_ns, START + DUE + NS_PER_S);
	assert_int_equal(verdict.health, PATH_AWAITING);
}

static void repeats_after_one_and_two_seconds_then_gives_up(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = START + DUE;
	struct policy_verdict verdict;

	(void)state;
	look(&scene, now_ns);
	assert_int_equal(look(&scene, now_ns + NS_PER_S - 1).again_ns, now_ns + NS_PER_S);
	verdict = look(&scene, now_ns + NS_PER_S);
	assert_int_equal(verdict.action, POLICY_REPEAT);
	assert_int_equal(verdict.again_ns, now_ns + 3 * NS_PER_S);
	verdict = look(&scene, now_ns + 3 * NS_PER_S);
	assert_int_equal(verdict.action, POLICY_REPEAT);
	assert_int_equal(verdict.again_ns, now_ns + 5 * NS_PER_S);
	assert_int_equal(look(&scene, now_ns + 5 * NS_PER_S - 1).health, PATH_AWAITING);
	assert_int_equal(counted(&scene, COUNT_prompts_unanswered), 0);

	verdict = look(&scene, now_ns + 5 * NS_PER_S);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_true(verdict.unanswered);
	assert_int_equal(scene.path.health, PATH_SILENT);
	assert_int_equal(scene.path.prompt.tries, 0);
	assert_int_equal(scene.path.prompt.failures, 1);
	assert_int_equal(counted(&scene, COUNT_prompts_unanswered), 1);
	assert_int_equal(counted(&scene, COUNT_paths_silenced), 1);
}

static void an_answer_ends_the_prompt(void **state)
{
	struct scene scene = new_scene();
	uint64_t answer_ns = START + DUE + ROUND_TRIP;
	struct policy_verdict verdict;

	(void)state;
	look(&scene, START + DUE);
	device_answers(&scene, answer_ns);
	verdict = look(&scene, START + DUE + NS_PER_S);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_true(verdict.answered);
	assert_false(verdict.avoided);
	assert_int_equal(verdict.again_ns, answer_ns + DUE); /* its own stamp has no lag */
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.prompt.tries, 0);
	assert_int_equal(scene.path.answers, 1);
	assert_int_equal(scene.path.answer_status, 200);
	assert_int_equal(scene.path.last_seen_ns, answer_ns);
	assert_int_equal(counted(&scene, COUNT_prompts_answered), 1);

	look(&scene, START + DUE + 2 * NS_PER_S);
	assert_int_equal(scene.path.answers, 1);
	assert_int_equal(counted(&scene, COUNT_prompts_answered), 1);
}

static void an_answer_seen_after_the_next_threshold_is_followed_by_a_new_prompt(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict;

	(void)state;
	look(&scene, START + DUE);
	device_answers(&scene, START + DUE + ROUND_TRIP);
	verdict = look(&scene, START + 3 * DUE);
	assert_int_equal(verdict.action, POLICY_PROMPT);
	assert_true(verdict.answered);
	assert_int_equal(scene.path.prompt.tries, 1);
	assert_int_equal(counted(&scene, COUNT_prompts_answered), 1);
}

static void traffic_makes_an_outstanding_prompt_needless(void **state)
{
	struct scene scene = new_scene();
	uint64_t prompt_ns = START + DUE;
	struct policy_verdict verdict;

	(void)state;
	look(&scene, prompt_ns);
	device_speaks(&scene, prompt_ns + 500 * NS_PER_MS);
	verdict = look(&scene, prompt_ns + NS_PER_S);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_true(verdict.answered);
	assert_int_equal(scene.path.answers, 0);
	assert_int_equal(counted(&scene, COUNT_prompts_answered), 0);
	assert_int_equal(counted(&scene, COUNT_prompts_unanswered), 0);
}

static void a_stamp_not_after_the_first_sending_proves_nothing(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	look(&scene, START + DUE);
	scene.entry.last_seen_ns = START + DUE;
	assert_int_equal(judge(&scene, START + DUE + NS_PER_S).action, POLICY_REPEAT);
	scene.entry.last_seen_ns = START + DUE + 1;
	assert_true(judge(&scene, START + DUE + NS_PER_S).answered);
}

static void the_round_trip_time_is_of_prompts_sent_once(void **state)
{
	struct scene once = new_scene(), twice = new_scene(), fast = new_scene();

	(void)state;
	look(&once, START + DUE);
	device_answers(&once, START + DUE + ROUND_TRIP);
	look(&once, START + DUE + NS_PER_S);
	assert_int_equal(once.path.rtt_us, ROUND_TRIP / NS_PER_US);

	look(&twice, START + DUE);
	look(&twice, START + DUE + NS_PER_S);
	device_answers(&twice, START + DUE + NS_PER_S + ROUND_TRIP);
	look(&twice, START + DUE + 3 * NS_PER_S);
	assert_int_equal(twice.path.answers, 1);
	assert_int_equal(twice.path.rtt_us, 0);

	look(&fast, START + DUE);
	device_answers(&fast, START + DUE);
	look(&fast, START + DUE + NS_PER_S);
	assert_int_equal(fast.path.rtt_us, 1);
}

static void a_late_answer_counts_once(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns;

	(void)state;
	now_ns = fall_silent(&scene);
	device_answers(&scene, now_ns + NS_PER_S);
	for (unsigned int i = 2; i < 10; i++)
		look(&scene, now_ns + i * NS_PER_S);
	assert_int_equal(scene.path.answers, 1);
	assert_int_equal(scene.path.rtt_us, 0);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(counted(&scene, COUNT_prompts_answered), 1);
}

static void an_answer_from_an_earlier_life_of_the_agent_is_not_counted(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.entry.answer_token = 77;
	scene.entry.answer_status = 486;
	look(&scene, START + NS_PER_S);
	look(&scene, START + DUE);
	assert_int_equal(scene.path.answers, 0);
	assert_int_equal(scene.path.answer_status, 0);
}

static void avoided_only_if_the_path_was_due_as_far_as_was_known(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	device_speaks(&scene, START + 10 * NS_PER_S);
	assert_false(judge(&scene, START + DUE - 1).avoided);
	assert_true(judge(&scene, START + DUE).avoided);

	look(&scene, START + DUE);
	assert_int_equal(scene.path.avoided, 1);
	assert_int_equal(counted(&scene, COUNT_prompts_avoided), 1);
	look(&scene, START + DUE + NS_PER_S);
	assert_int_equal(scene.path.avoided, 1);
}

static void a_path_that_was_never_stamped_counts_from_its_opening(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.entry.last_seen_ns = 0;
	scene.path.last_seen_ns = 0;
	assert_int_equal(judge(&scene, START + 1).again_ns, START + DUE);
	assert_int_equal(judge(&scene, START + DUE).action, POLICY_PROMPT);
}

static void a_stamp_from_after_the_clock_was_read_counts_as_now(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.entry.last_seen_ns = START + 5 * NS_PER_S;
	assert_int_equal(judge(&scene, START + NS_PER_S).again_ns, START + NS_PER_S + DUE);
}

static void a_raised_threshold_does_not_revive_a_silent_path(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene);

	(void)state;
	rules.threshold_ns = 10 * THRESHOLD;
	assert_int_equal(judge(&scene, now_ns + NS_PER_S).health, PATH_SILENT);
}

static const uint64_t extremes[] = { 0, 1, NS_PER_S, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX };

#define EXTREMES (sizeof(extremes) / sizeof(extremes[0]))

/* Of six extreme times, 4 numbers of tries and 6 numbers of failures. */
#define COMBINATIONS \
	(UINT64_C(4) * 6 * EXTREMES * EXTREMES * EXTREMES * EXTREMES * EXTREMES * EXTREMES)

/* Picks one of the extremes by a digit of "choice". */
static uint64_t extreme(uint64_t *choice)
{
	uint64_t value = extremes[*choice % EXTREMES];

	*choice /= EXTREMES;
	return value;
}

static void no_times_whatever_lead_backwards(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < COMBINATIONS; i++) {
		uint64_t choice = i;
		struct path_rules extremely = { .threshold_ns = extreme(&choice) | 1 };
		struct policy policy = { .coarse_lag_ns = extreme(&choice) };
		struct binding binding = { .ends_ns = i % 2 == 0 ? CLOCK_NEVER : UINT64_MAX / 2 };
		struct path path = {
			.opened_ns = 1, .prompt.token = 1, .rules = &extremely, .bindings = &binding
		};
		struct path_entry entry = { .last_seen_ns = extreme(&choice) };
		uint64_t now_ns = extreme(&choice);
		struct policy_verdict verdict;

		path.last_seen_ns = extreme(&choice);
		path.prompt.sent_ns = path.prompt.first_ns = extreme(&choice);
		path.prompt.tries = (uint8_t)(choice % 4);
		path.prompt.failures = (uint8_t)(choice / 4 * 51);
		verdict = policy_judge(&policy, &path, &entry, NULL, now_ns);
		assert_false(verdict.answered && verdict.unanswered);
		assert_false(verdict.unanswered && path.prompt.tries == 0);
		if (!verdict.unanswered)
			assert_true(verdict.again_ns > now_ns || verdict.again_ns == CLOCK_NEVER);
	}
}

static void failures_are_counted_up_to_their_limit(void **state)
{
	struct policy_verdict given_up = { .health = PATH_SILENT, .unanswered = true };
	struct scene scene = new_scene();

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		policy_apply(&scene.path, &scene.entry, &given_up, &scene.counts);
	assert_int_equal(scene.path.prompt.failures, UINT8_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_until_the_threshold_after_last_seen),
		cmocka_unit_test(prompts_when_due_and_never_early),
		cmocka_unit_test(repeats_after_one_and_two_seconds_then_gives_up),
		cmocka_unit_test(an_answer_ends_the_prompt),
		cmocka_unit_test(
			an_answer_seen_after_the_next_threshold_is_followed_by_a_new_prompt),
		cmocka_unit_test(traffic_makes_an_outstanding_prompt_needless),
		cmocka_unit_test(a_stamp_not_after_the_first_sending_proves_nothing),
		cmocka_unit_test(the_round_trip_time_is_of_prompts_sent_once),
		cmocka_unit_test(a_late_answer_counts_once),
		cmocka_unit_test(an_answer_from_an_earlier_life_of_the_agent_is_not_counted),
		cmocka_unit_test(avoided_only_if_the_path_was_due_as_far_as_was_known),
		cmocka_unit_test(a_path_that_was_never_stamped_counts_from_its_opening),
		cmocka_unit_test(a_stamp_from_after_the_clock_was_read_counts_as_now),
		cmocka_unit_test(a_raised_threshold_does_not_revive_a_silent_path),
		cmocka_unit_test(no_times_whatever_lead_backwards),
		cmocka_unit_test(failures_are_counted_up_to_their_limit),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
