/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy_world.h"

static void trap_01_only_packets_of_the_device_count(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = START + DUE;

	(void)state;
	scene.entry.last_sent_ns = now_ns;
	scene.entry.packets_out = 1000;
	scene.entry.prompt_ns = now_ns;
	scene.entry.prompts = 1000;
	assert_int_equal(judge(&scene, now_ns).action, POLICY_PROMPT);
}

static void trap_02_threshold_and_all_sendings_fit_into_thirty_seconds(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	fall_silent(&scene);
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 1);
	assert_int_equal(counted(&scene, COUNT_prompts_repeated), POLICY_TRIES_MAX - 1);
	assert_true(scene.latest_sending_ns + NS_PER_S < START + 30 * NS_PER_S);
}

static void trap_03_nothing_adds_itself_to_the_threshold(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	device_speaks(&scene, START + 7 * NS_PER_S);
	look_until(&scene, START, START + 5 * THRESHOLD / 2);
	assert_int_equal(scene.first_prompt_ns, scene.entry.last_seen_ns + DUE);
}

/* A device with random traffic that answers now and then, for simulated days. */
static void trap_04_a_path_is_not_prompted_more_often_than_once_per_threshold(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = START, spoke_ns = START, previous_ns = 0;

	(void)state;
	srandom(4);
	for (unsigned int i = 0; i < 20000; i++) {
		struct policy_verdict verdict = look(&scene, now_ns);
		uint64_t until_ns = verdict.again_ns;

		if (verdict.action == POLICY_PROMPT) {
			assert_true(now_ns >= spoke_ns + THRESHOLD);
			assert_true(previous_ns == 0 || now_ns >= previous_ns + THRESHOLD);
			previous_ns = now_ns;
		}
		if (verdict.action != POLICY_WAIT && random() % 2) {
			spoke_ns = now_ns + ROUND_TRIP;
			device_answers(&scene, spoke_ns);
		} else if (random() % 8 == 0) {
			spoke_ns = now_ns + LAG + (uint64_t)random() % (until_ns - now_ns);
			until_ns = spoke_ns > until_ns ? spoke_ns : until_ns;
			device_speaks(&scene, spoke_ns);
		}
		now_ns = until_ns;
	}
	assert_true(now_ns > START + DAY);
	assert_true(counted(&scene, COUNT_prompts_answered) > 1000);
	assert_true(counted(&scene, COUNT_prompts_unanswered) > 100);
}

static void trap_11_a_missing_entry_is_unknown_and_never_idle(void **state)
{
	struct scene scene = new_scene();
	struct path before = scene.path;
	struct policy_verdict verdict;

	(void)state;
	verdict = policy_judge(&scene.policy, &scene.path, NULL, NULL, START + 100 * THRESHOLD);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_int_equal(verdict.again_ns, START + 101 * THRESHOLD);
	assert_int_equal(verdict.health, PATH_LIVE);
	policy_apply(&scene.path, NULL, &verdict, &scene.counts);
	before.note = PATH_NOTE_unknown;
	assert_memory_equal(&scene.path, &before, sizeof(before));
}

static void trap_13_a_stray_stamp_costs_one_threshold_and_no_path(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	scene.entry.last_seen_ns = START + DUE - 1; /* a packet of another flow */
	look_until(&scene, START + DUE, START + 2 * DUE);
	assert_int_equal(scene.first_prompt_ns, START + 2 * DUE - 1);
}

static void trap_14_any_final_answer_keeps_the_path(void **state)
{
	static const uint16_t answers[] = { 200, 302, 401, 404, 405, 481, 486, 501, 503, 603 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct scene scene = new_scene();
		uint64_t answer_ns = START + DUE + ROUND_TRIP;

		look(&scene, START + DUE);
		device_answers(&scene, answer_ns);
		scene.entry.answer_status = answers[i];
		assert_int_equal(look(&scene, START + DUE + NS_PER_S).again_ns, answer_ns + DUE);
		assert_int_equal(scene.path.health, PATH_LIVE);
		assert_int_equal(scene.path.note, PATH_NOTE_answered);
		assert_int_equal(scene.path.answer_status, answers[i]);
		assert_int_equal(counted(&scene, COUNT_prompts_answered), 1);
	}
}

static void trap_15_a_silent_path_is_prompted_at_growing_distances_for_ever(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene), until_ns = now_ns + DAY;
	uint64_t previous_ns = scene.latest_sending_ns, distance = 0, prompts = 0;

	(void)state;
	scene.entry.packets_in = 1;
	while (now_ns < until_ns) {
		struct policy_verdict verdict = look(&scene, now_ns);

		assert_int_not_equal(verdict.action, POLICY_REPEAT);
		assert_int_equal(scene.path.health, PATH_SILENT);
		assert_true(verdict.again_ns <= now_ns + THRESHOLD);
		if (verdict.action == POLICY_PROMPT) {
			uint64_t latest = now_ns - previous_ns;

			assert_true(latest >= 2 * distance || latest == POLICY_BACKOFF_MAX_NS);
			distance = latest;
			previous_ns = now_ns;
			prompts++;
		}
		now_ns = verdict.again_ns;
	}
	assert_int_equal(distance, POLICY_BACKOFF_MAX_NS);
	assert_in_range(prompts, 24 * 3600 / 600, 24 * 3600 / 600 + 5);
	assert_int_equal(counted(&scene, COUNT_paths_silenced), 1);
	assert_int_equal(counted(&scene, COUNT_paths_revived), 0);
}

static void trap_15_a_silent_path_that_speaks_is_live_within_a_threshold(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene) + HOUR;
	struct policy_verdict verdict;

	(void)state;
	scene.entry.answers = 1;
	verdict = look_until(&scene, now_ns - HOUR, now_ns);
	device_speaks(&scene, now_ns + 1);
	verdict = look(&scene, verdict.again_ns);
	assert_true(verdict.again_ns <= now_ns + 2 * THRESHOLD);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.prompt.failures, 0);
	assert_int_equal(counted(&scene, COUNT_paths_revived), 1);
}

static void trap_19_a_forged_answer_ends_no_prompt(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict;

	(void)state;
	look(&scene, START + DUE);
	scene.entry.answer_token = scene.path.prompt.token ^ 1;
	scene.entry.answer_ns = START + DUE + 1;
	scene.entry.answer_status = 200;
	verdict = look(&scene, START + DUE + NS_PER_S);
	assert_int_equal(verdict.action, POLICY_REPEAT);
	assert_false(verdict.answered);
	assert_int_equal(scene.path.answers, 0);
	assert_int_equal(scene.path.answer_status, 0);
}

static void trap_21_one_lost_packet_is_not_a_dead_device(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	look(&scene, START + DUE);
	look(&scene, START + DUE + NS_PER_S);
	device_answers(&scene, START + DUE + NS_PER_S + ROUND_TRIP);
	look(&scene, START + DUE + 3 * NS_PER_S);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.prompt.failures, 0);
	assert_int_equal(counted(&scene, COUNT_paths_silenced), 0);
	assert_int_equal(counted(&scene, COUNT_prompts_unanswered), 0);
}

static void trap_21_a_silent_path_loses_no_binding(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	look_until(&scene, fall_silent(&scene), START + HOUR);
	assert_ptr_equal(scene.path.bindings, &keeping);
	assert_int_equal(scene.path.binding_counts[BINDING_REGISTRATION], 1);
}

static void trap_22_a_device_that_speaks_by_itself_is_never_prompted(void **state)
{
	struct scene scene = new_scene();
	uint64_t looked_at_ns = START;

	(void)state;
	for (uint64_t now_ns = START; now_ns < START + HOUR; now_ns += 3 * NS_PER_S) {
		device_speaks(&scene, now_ns);
		if (now_ns >= looked_at_ns)
			looked_at_ns = look(&scene, now_ns).again_ns;
	}
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 0);
	assert_in_range(counted(&scene, COUNT_prompts_avoided), 3600 / 27 - 2, 3600 / 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_01_only_packets_of_the_device_count),
		cmocka_unit_test(trap_02_threshold_and_all_sendings_fit_into_thirty_seconds),
		cmocka_unit_test(trap_03_nothing_adds_itself_to_the_threshold),
		cmocka_unit_test(trap_04_a_path_is_not_prompted_more_often_than_once_per_threshold),
		cmocka_unit_test(trap_11_a_missing_entry_is_unknown_and_never_idle),
		cmocka_unit_test(trap_13_a_stray_stamp_costs_one_threshold_and_no_path),
		cmocka_unit_test(trap_14_any_final_answer_keeps_the_path),
		cmocka_unit_test(trap_15_a_silent_path_is_prompted_at_growing_distances_for_ever),
		cmocka_unit_test(trap_15_a_silent_path_that_speaks_is_live_within_a_threshold),
		cmocka_unit_test(trap_19_a_forged_answer_ends_no_prompt),
		cmocka_unit_test(trap_21_one_lost_packet_is_not_a_dead_device),
		cmocka_unit_test(trap_21_a_silent_path_loses_no_binding),
		cmocka_unit_test(trap_22_a_device_that_speaks_by_itself_is_never_prompted),
	};

	return cmocka_run_group_tests_name("policy_traps", tests, NULL, NULL);
}
