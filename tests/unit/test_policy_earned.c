/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy towards paths that may be nobody's: who is not there is prompted a few times only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_world.h"

static uint64_t sendings(const struct scene *scene)
{
	return counted(scene, COUNT_prompts_sent) + counted(scene, COUNT_prompts_repeated);
}

static void trap_44_who_was_never_heard_is_prompted_six_times_in_an_hour(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	look_until(&scene, START, START + 30 * NS_PER_S);
	assert_int_equal(sendings(&scene), 3);
	assert_int_equal(scene.path.health, PATH_SILENT);
	look_until(&scene, START + 30 * NS_PER_S, START + HOUR);
	assert_int_equal(sendings(&scene), 6);
	look_until(&scene, START + HOUR, START + DAY);
	assert_in_range(sendings(&scene), 24, 30);
	assert_int_equal(scene.path.note, PATH_NOTE_backing_off);
}

static void the_distances_of_who_was_never_heard_grow_to_an_hour(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene), previous_ns = scene.latest_sending_ns;
	static const uint64_t distances_s[] = { 48, 600, 1200, 2400, 3600, 3600 };
	size_t prompts = 0;

	(void)state;
	while (prompts < 6) {
		struct policy_verdict verdict = look(&scene, now_ns);

		if (verdict.action == POLICY_PROMPT) {
			assert_in_range(now_ns - previous_ns, distances_s[prompts] * NS_PER_S,
					distances_s[prompts] * NS_PER_S + NS_PER_S);
			previous_ns = now_ns;
			prompts++;
		}
		now_ns = verdict.again_ns;
	}
}

/* Whoever forges a packet every half minute gets one prompt for it, not three. */
static void trap_44_forged_packets_earn_one_prompt_each(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene), forged = 0;

	(void)state;
	for (; now_ns < START + HOUR; now_ns += 30 * NS_PER_S) {
		device_speaks(&scene, now_ns + LAG);
		forged++;
		look_until(&scene, now_ns + LAG, now_ns + 30 * NS_PER_S - 1);
	}
	assert_in_range(sendings(&scene), forged, 3 + forged);
	assert_int_equal(counted(&scene, COUNT_prompts_unanswered), 1 + forged);
}

/* It may have been out of reach when it was first prompted. */
static void who_speaks_for_the_first_time_is_prompted_before_the_nat_forgets(void **state)
{
	struct scene scene = new_scene();
	uint64_t spoke_ns = fall_silent(&scene) + 1000 * NS_PER_S, prompts;
	struct policy_verdict verdict;

	(void)state;
	verdict = look_until(&scene, spoke_ns - 1000 * NS_PER_S, spoke_ns);
	prompts = counted(&scene, COUNT_prompts_sent);
	device_speaks(&scene, spoke_ns + LAG);
	verdict = look_until(&scene, verdict.again_ns, spoke_ns + LAG + DUE);
	assert_int_equal(counted(&scene, COUNT_prompts_sent), prompts + 1);
	assert_int_equal(scene.path.health, PATH_AWAITING);
	assert_in_range(scene.latest_sending_ns, spoke_ns + THRESHOLD, spoke_ns + LAG + DUE);

	/* It answers: from now on one lost packet is not a dead device (trap 21). */
	device_answers(&scene, scene.latest_sending_ns + ROUND_TRIP);
	look(&scene, verdict.again_ns);
	assert_int_equal(scene.path.prompt.failures, 0);
	assert_int_equal(scene.path.health, PATH_LIVE);
	verdict = look_until(&scene, verdict.again_ns, scene.entry.answer_ns + DUE + 4 * NS_PER_S);
	assert_int_equal(scene.path.prompt.tries, POLICY_TRIES_MAX);
}

/* Its NAT may have made another branch of ours: whatever comes while we wait will do (trap 22). */
static void what_comes_while_an_answer_is_awaited_counts_as_one(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict = look(&scene, START + DUE);

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t sent_ns = scene.latest_sending_ns;

		device_speaks(&scene, sent_ns + ROUND_TRIP);
		verdict = look(&scene, verdict.again_ns);
		assert_true(verdict.answered);
		verdict = look_until(&scene, verdict.again_ns, verdict.again_ns);
		assert_int_equal(verdict.action, POLICY_PROMPT);
		assert_in_range(scene.latest_sending_ns - sent_ns, THRESHOLD, THRESHOLD + NS_PER_S);
	}
	assert_int_equal(counted(&scene, COUNT_prompts_repeated), 0);
}

static void who_has_answered_once_is_prompted_three_times_again(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns;

	(void)state;
	scene.entry.answers = 1;
	scene.entry.packets_in = 1;
	now_ns = fall_silent(&scene);
	device_speaks(&scene, now_ns + NS_PER_S);
	look(&scene, now_ns + NS_PER_S);
	assert_int_equal(scene.path.prompt.failures, 0);
	look_until(&scene, now_ns + NS_PER_S, now_ns + NS_PER_S + DUE + 4 * NS_PER_S);
	assert_int_equal(scene.path.prompt.tries, POLICY_TRIES_MAX);
}

/* It was out of reach once, and has kept its path itself ever since: one loss is not death. */
static void trap_21_who_keeps_his_path_himself_makes_up_for_what_went_unanswered(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene);
	struct policy_verdict verdict = { .again_ns = now_ns };

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		now_ns += 20 * NS_PER_S;
		verdict = look_until(&scene, verdict.again_ns, now_ns);
		device_speaks(&scene, now_ns + LAG);
	}
	assert_int_equal(scene.path.prompt.failures, 0);
	look_until(&scene, verdict.again_ns, now_ns + LAG + DUE + 4 * NS_PER_S);
	assert_int_equal(scene.path.prompt.tries, POLICY_TRIES_MAX);
}

/* Two forged packets pretend that; then one waits for the prompts. */
static void trap_44_three_prompts_cost_two_forged_packets(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene), forged = 0;
	struct policy_verdict verdict = { .again_ns = now_ns };

	(void)state;
	while (now_ns < START + HOUR) {
		for (unsigned int i = 0; i < 2; i++) {
			now_ns += 20 * NS_PER_S;
			verdict = look_until(&scene, verdict.again_ns, now_ns);
			device_speaks(&scene, now_ns + LAG);
			forged++;
		}
		now_ns += 40 * NS_PER_S;
		verdict = look_until(&scene, verdict.again_ns, now_ns);
	}
	assert_in_range(sendings(&scene), forged / 2, 3 + forged * 3 / 2);
}

static struct scene crlf_scene(void)
{
	struct scene scene = new_scene();

	rules.method = PROMPT_CRLF;
	return scene;
}

static void trap_44_crlf_becomes_rare_when_nobody_was_heard_for_two_hours(void **state)
{
	struct scene scene = crlf_scene();
	uint64_t sent;

	(void)state;
	look_until(&scene, START, START + POLICY_CRLF_TRUST_NS - 1);
	sent = sendings(&scene);
	assert_in_range(sent, 2 * HOUR / THRESHOLD - 2, 2 * HOUR / THRESHOLD);
	assert_int_equal(scene.path.note, PATH_NOTE_prompted);
	look_until(&scene, START + POLICY_CRLF_TRUST_NS, START + DAY);
	assert_in_range(sendings(&scene) - sent, 22 * 6 - 6, 22 * 6 + 1);
	assert_int_equal(scene.path.note, PATH_NOTE_backing_off);
}

static void crlf_is_as_often_as_ever_once_the_device_is_heard(void **state)
{
	struct scene scene = crlf_scene();
	struct policy_verdict verdict;
	uint64_t sent, now_ns = START + DAY;

	(void)state;
	verdict = look_until(&scene, START, now_ns);
	device_speaks(&scene, now_ns + LAG);
	sent = sendings(&scene);
	verdict = look_until(&scene, verdict.again_ns, now_ns + HOUR);
	assert_in_range(sendings(&scene) - sent, HOUR / THRESHOLD - 2, HOUR / THRESHOLD);
	assert_int_equal(scene.path.note, PATH_NOTE_prompted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_44_who_was_never_heard_is_prompted_six_times_in_an_hour),
		cmocka_unit_test(the_distances_of_who_was_never_heard_grow_to_an_hour),
		cmocka_unit_test(trap_44_forged_packets_earn_one_prompt_each),
		cmocka_unit_test(who_speaks_for_the_first_time_is_prompted_before_the_nat_forgets),
		cmocka_unit_test(what_comes_while_an_answer_is_awaited_counts_as_one),
		cmocka_unit_test(
			trap_21_who_keeps_his_path_himself_makes_up_for_what_went_unanswered),
		cmocka_unit_test(trap_44_three_prompts_cost_two_forged_packets),
		cmocka_unit_test(who_has_answered_once_is_prompted_three_times_again),
		cmocka_unit_test(trap_44_crlf_becomes_rare_when_nobody_was_heard_for_two_hours),
		cmocka_unit_test(crlf_is_as_often_as_ever_once_the_device_is_heard),
	};

	return cmocka_run_group_tests_name("policy_earned", tests, NULL, NULL);
}
