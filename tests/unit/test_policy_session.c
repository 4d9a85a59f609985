/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy where not every quiet path is prompted the same way: by session, network, transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy_world.h"

/* Until then the NAT remembers a device that was heard at START. */
#define FORGOTTEN (START + THRESHOLD + THRESHOLD / 4)

/* The first probe of the kernel should have been answered by then, and the second. */
#define PROBE_OVER (START + DUE + THRESHOLD / 8 + NS_PER_S)
#define SECOND_OVER (START + DUE + THRESHOLD / 2)

/* In milliseconds, since random() is too small for nanoseconds. */
static uint64_t random_time(uint64_t limit_ns)
{
	return (uint64_t)random() % (limit_ns / NS_PER_MS) * NS_PER_MS;
}

static struct scene tcp_scene(void)
{
	struct scene scene = new_scene();

	scene.path.flow.transport = FLOW_TCP;
	return scene;
}

static struct scene crlf_scene(void)
{
	struct scene scene = new_scene();

	rules.method = PROMPT_CRLF;
	return scene;
}

static void no_prompt_if_everything_ends_before_the_nat_forgets(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict;

	(void)state;
	keeping.ends_ns = FORGOTTEN;
	verdict = look(&scene, START + DUE);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_int_equal(verdict.again_ns, FORGOTTEN);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.note, PATH_NOTE_ends_soon);

	keeping.ends_ns = FORGOTTEN + 1;
	assert_int_equal(look(&scene, START + DUE).action, POLICY_PROMPT);
	assert_int_equal(scene.path.note, PATH_NOTE_prompted);
}

static void one_binding_that_lasts_is_enough(void **state)
{
	struct binding second = { .ends_ns = FORGOTTEN + 1 };
	struct scene scene = new_scene();

	(void)state;
	keeping.ends_ns = START + DUE + 1;
	keeping.next = &second;
	assert_int_equal(judge(&scene, START + DUE).action, POLICY_PROMPT);
	second.ends_ns = FORGOTTEN;
	assert_int_equal(judge(&scene, START + DUE).action, POLICY_WAIT);
}

static void a_binding_that_is_renewed_meanwhile_is_prompted_for_at_once(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	keeping.ends_ns = FORGOTTEN;
	look(&scene, START + DUE);
	keeping.ends_ns = FORGOTTEN + HOUR;
	assert_int_equal(look(&scene, START + DUE + 1).action, POLICY_PROMPT);
}

/* A NAT has forgotten a silent device already: whether it comes back is asked all the same. */
static void the_end_spares_no_prompt_that_is_late_anyway(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene) + HOUR;

	(void)state;
	keeping.ends_ns = now_ns + 1;
	assert_int_equal(judge(&scene, now_ns).action, POLICY_PROMPT);
}

static void trap_04_the_session_only_makes_the_threshold_longer(void **state)
{
	unsigned int prompts = 0;

	(void)state;
	srandom(4);
	for (unsigned int i = 0; i < 100000; i++) {
		struct scene scene = new_scene();
		uint64_t now_ns = START + random_time(2 * THRESHOLD);

		rules.threshold_ns = POLICY_THRESHOLD_POLITE_NS;
		keeping.ends_ns = now_ns + 1 + random_time(THRESHOLD / 2);
		if (judge(&scene, now_ns).action != POLICY_PROMPT)
			continue;
		assert_true(now_ns >= START + POLICY_THRESHOLD_POLITE_NS);
		prompts++;
	}
	assert_in_range(prompts, 10000, 90000);
}

static void trap_04_a_shorter_threshold_is_obeyed_if_it_is_configured(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	rules.threshold_ns = 5 * NS_PER_S;
	assert_int_equal(judge(&scene, START + 5 * NS_PER_S + LAG).action, POLICY_PROMPT);
	assert_int_equal(judge(&scene, START + 5 * NS_PER_S + LAG - 1).action, POLICY_WAIT);
}

static void a_device_behind_no_nat_is_prompted_only_if_nat_is_always(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	assert_int_equal(judge(&scene, START + DUE).action, POLICY_PROMPT);
	rules.nat = RULES_NAT_AUTO;
	look(&scene, START + DUE);
	assert_int_equal(scene.path.note, PATH_NOTE_not_behind_nat);
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 0);
	scene.path.nat_count = 1;
	assert_int_equal(judge(&scene, START + DUE + 1).action, POLICY_PROMPT);
}

static void an_exempt_path_is_looked_at_and_never_silent(void **state)
{
	struct scene scene = new_scene();
	struct policy_verdict verdict;

	(void)state;
	rules.ignored = true;
	verdict = look(&scene, START + 1);
	assert_int_equal(verdict.again_ns, START + DUE);
	assert_int_equal(scene.path.note, PATH_NOTE_ignored);
	verdict = look_until(&scene, verdict.again_ns, START + DAY);
	assert_true(verdict.again_ns <= START + DAY + THRESHOLD);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.note, PATH_NOTE_ignored);
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 0);
}

/* What would never have been sent has not been avoided, now or later. */
static void an_exempt_path_avoids_no_prompts(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	rules.nat = RULES_NAT_AUTO;
	for (uint64_t now_ns = START; now_ns < START + HOUR; now_ns += 10 * NS_PER_S) {
		device_speaks(&scene, now_ns + LAG);
		look(&scene, now_ns + LAG);
	}
	assert_int_equal(scene.path.avoided, 0);
	scene.path.nat_count = 1;
	device_speaks(&scene, START + HOUR + 20 * NS_PER_S);
	look(&scene, START + HOUR + 30 * NS_PER_S);
	assert_in_range(scene.path.avoided, 0, 1);
}

static void a_prompt_by_hand_runs_its_course_on_an_exempt_path(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = START + DUE;

	(void)state;
	rules.ignored = true;
	prompter_begin(&scene.prompter, &scene.path, now_ns);
	assert_int_equal(look(&scene, now_ns + NS_PER_S).action, POLICY_REPEAT);
	device_answers(&scene, now_ns + NS_PER_S + ROUND_TRIP);
	assert_true(look(&scene, now_ns + 3 * NS_PER_S).answered);
	assert_int_equal(scene.path.note, PATH_NOTE_ignored);
	assert_int_equal(scene.path.health, PATH_LIVE);
}

static void a_connection_is_never_prompted(void **state)
{
	struct scene scene = tcp_scene();

	(void)state;
	look_until(&scene, START, START + DAY);
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 0);
	assert_int_equal(counted(&scene, COUNT_prompts_avoided), 0);
	assert_int_equal(scene.path.note, PATH_NOTE_kept_by_tcp);
}

static void the_health_of_a_connection_follows_the_kernels_probes(void **state)
{
	struct scene scene = tcp_scene();

	(void)state;
	assert_int_equal(look(&scene, START + 1).again_ns, PROBE_OVER);
	assert_int_equal(look(&scene, PROBE_OVER - 1).health, PATH_LIVE);
	assert_int_equal(look(&scene, PROBE_OVER).health, PATH_AWAITING);
	assert_int_equal(look(&scene, PROBE_OVER).again_ns, SECOND_OVER);
	assert_int_equal(look(&scene, SECOND_OVER - 1).health, PATH_AWAITING);
	assert_int_equal(look(&scene, SECOND_OVER).health, PATH_SILENT);
	assert_int_equal(counted(&scene, COUNT_paths_silenced), 1);

	device_speaks(&scene, SECOND_OVER + 2 * LAG);
	assert_int_equal(look(&scene, SECOND_OVER + 2 * LAG).health, PATH_LIVE);
	assert_int_equal(counted(&scene, COUNT_paths_revived), 1);
}

/* A probe is answered after a threshold and the lateness of the kernel's timers. */
static void trap_21_a_connection_that_answers_its_probes_is_live(void **state)
{
	struct scene scene = tcp_scene();
	uint64_t now_ns = START;

	(void)state;
	while (now_ns < START + DAY) {
		uint64_t probe_ns = now_ns + THRESHOLD + THRESHOLD / 8;
		struct policy_verdict verdict = look_until(&scene, now_ns, probe_ns);

		device_speaks(&scene, probe_ns + ROUND_TRIP);
		look(&scene, verdict.again_ns);
		assert_int_equal(scene.path.health, PATH_LIVE);
		now_ns = verdict.again_ns;
	}
}

/* The kernel counts in whole seconds. */
static void no_threshold_is_too_short_for_the_kernels_probes(void **state)
{
	struct scene scene = tcp_scene();

	(void)state;
	for (uint64_t s = 1; s <= 3600; s++) {
		uint64_t second_ns = START + s * NS_PER_S + (s / 4 > 1 ? s / 4 : 1) * NS_PER_S;

		rules.threshold_ns = s * NS_PER_S;
		assert_int_equal(judge(&scene, START + s * NS_PER_S + ROUND_TRIP).health,
				 PATH_LIVE);
		assert_int_not_equal(judge(&scene, second_ns + ROUND_TRIP).health, PATH_SILENT);
	}
}

static void a_connection_that_nothing_keeps_says_so(void **state)
{
	struct scene scene = tcp_scene();
	struct policy_verdict verdict;

	(void)state;
	scene.connection.keepalive = 0;
	look(&scene, START + 1);
	assert_int_equal(scene.path.note, PATH_NOTE_not_kept);
	verdict = policy_judge(&scene.policy, &scene.path, &scene.entry, NULL, START + 1);
	assert_int_equal(verdict.note, PATH_NOTE_not_kept);
}

static void crlf_is_sent_once_every_threshold(void **state)
{
	struct scene scene = crlf_scene();
	uint64_t now_ns = START + DUE, previous_ns = 0;

	(void)state;
	while (now_ns < START + HOUR) {
		struct policy_verdict verdict = look(&scene, now_ns);

		assert_int_not_equal(verdict.action, POLICY_REPEAT);
		if (verdict.action == POLICY_PROMPT && previous_ns > 0)
			assert_int_equal(now_ns - previous_ns, THRESHOLD);
		if (verdict.action == POLICY_PROMPT)
			previous_ns = now_ns;
		assert_int_equal(scene.path.note, PATH_NOTE_prompted);
		now_ns = verdict.again_ns;
	}
	assert_int_equal(scene.path.health, PATH_SILENT);
	assert_int_equal(counted(&scene, COUNT_prompts_repeated), 0);
	assert_in_range(counted(&scene, COUNT_prompts_sent), HOUR / THRESHOLD - 2,
			HOUR / THRESHOLD);
}

static void crlf_is_answered_by_whatever_the_device_says(void **state)
{
	struct scene scene = crlf_scene();
	struct policy_verdict verdict;

	(void)state;
	verdict = look(&scene, START + DUE);
	device_speaks(&scene, START + DUE + 2 * LAG);
	verdict = look(&scene, verdict.again_ns);
	assert_true(verdict.answered);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.note, PATH_NOTE_talks);
}

static void trap_15_a_device_that_answers_no_method_is_prompted_less_and_less(void **state)
{
	static const enum prompt_method methods[] = { PROMPT_OPTIONS, PROMPT_NOTIFY };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene = new_scene();

		rules.method = methods[i];
		look_until(&scene, fall_silent(&scene), START + DAY);
		assert_int_equal(scene.path.note, PATH_NOTE_backing_off);
		assert_int_equal(scene.path.health, PATH_SILENT);
		assert_true(counted(&scene, COUNT_prompts_sent) < DAY / POLICY_BACKOFF_MAX_NS + 10);
	}
}

static void trap_22_the_note_says_who_keeps_the_path(void **state)
{
	struct scene scene = new_scene();

	(void)state;
	assert_int_equal(scene.path.note, PATH_NOTE_fresh);
	look(&scene, START + 1);
	assert_int_equal(scene.path.note, PATH_NOTE_talks);
	look(&scene, START + DUE);
	assert_int_equal(scene.path.note, PATH_NOTE_prompted);
	device_answers(&scene, START + DUE + ROUND_TRIP);
	look(&scene, START + DUE + NS_PER_S);
	assert_int_equal(scene.path.note, PATH_NOTE_answered);
	device_speaks(&scene, START + DUE + 10 * NS_PER_S);
	look(&scene, START + DUE + 10 * NS_PER_S);
	assert_int_equal(scene.path.note, PATH_NOTE_talks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_prompt_if_everything_ends_before_the_nat_forgets),
		cmocka_unit_test(one_binding_that_lasts_is_enough),
		cmocka_unit_test(a_binding_that_is_renewed_meanwhile_is_prompted_for_at_once),
		cmocka_unit_test(the_end_spares_no_prompt_that_is_late_anyway),
		cmocka_unit_test(trap_04_the_session_only_makes_the_threshold_longer),
		cmocka_unit_test(trap_04_a_shorter_threshold_is_obeyed_if_it_is_configured),
		cmocka_unit_test(a_device_behind_no_nat_is_prompted_only_if_nat_is_always),
		cmocka_unit_test(an_exempt_path_is_looked_at_and_never_silent),
		cmocka_unit_test(an_exempt_path_avoids_no_prompts),
		cmocka_unit_test(a_prompt_by_hand_runs_its_course_on_an_exempt_path),
		cmocka_unit_test(a_connection_is_never_prompted),
		cmocka_unit_test(the_health_of_a_connection_follows_the_kernels_probes),
		cmocka_unit_test(trap_21_a_connection_that_answers_its_probes_is_live),
		cmocka_unit_test(no_threshold_is_too_short_for_the_kernels_probes),
		cmocka_unit_test(a_connection_that_nothing_keeps_says_so),
		cmocka_unit_test(crlf_is_sent_once_every_threshold),
		cmocka_unit_test(crlf_is_answered_by_whatever_the_device_says),
		cmocka_unit_test(trap_15_a_device_that_answers_no_method_is_prompted_less_and_less),
		cmocka_unit_test(trap_22_the_note_says_who_keeps_the_path),
	};

	return cmocka_run_group_tests_name("policy_session", tests, NULL, NULL);
}
