/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keep/policy.h"
#include "keep/prompter.h"

#define LAG (4 * NS_PER_MS)
#define THRESHOLD POLICY_THRESHOLD_DEFAULT_NS
#define DUE (THRESHOLD + LAG) /* after the last stamp */
#define START (1000 * NS_PER_S)
#define ROUND_TRIP (30 * NS_PER_MS)

/* A device, its path, what the kernel knows of it, and the agent that looks at it. */
struct scene {
	struct policy policy;
	struct prompter prompter;
	struct path path;
	struct path_entry entry;
	struct counts counts;
	uint64_t first_prompt_ns, latest_sending_ns;
};

/* A path that was opened and last heard at START. */
static struct scene new_scene(void)
{
	struct scene scene = {
		.policy = { THRESHOLD, LAG },
		.path = { .opened_ns = START, .last_seen_ns = START },
		.entry = { .last_seen_ns = START },
	};

	assert_int_equal(prompter_init(&scene.prompter), 0);
	return scene;
}

static struct policy_verdict judge(const struct scene *scene, uint64_t now_ns)
{
	return policy_judge(&scene->policy, &scene->path, &scene->entry, now_ns);
}

/* Looks at the path as the agent does: judges, applies, and sends what the verdict asks for. */
static struct policy_verdict look(struct scene *scene, uint64_t now_ns)
{
	struct policy_verdict verdict = judge(scene, now_ns);

	policy_apply(&scene->path, &scene->entry, &verdict, &scene->counts);
	if (verdict.action == POLICY_WAIT)
		return verdict;
	if (verdict.action == POLICY_PROMPT) {
		prompter_begin(&scene->prompter, &scene->path, now_ns);
		if (scene->first_prompt_ns == 0)
			scene->first_prompt_ns = now_ns;
		count_up(&scene->counts, prompts_sent);
	} else {
		prompter_repeat(&scene->path, now_ns);
		count_up(&scene->counts, prompts_repeated);
	}
	scene->latest_sending_ns = now_ns;
	scene->entry.prompt_ns = now_ns;
	scene->entry.prompt_token = scene->path.prompt.token;
	return verdict;
}

/* Looks whenever the verdict before asked for it, up to a time; returns the last one. */
static struct policy_verdict look_until(struct scene *scene, uint64_t from_ns, uint64_t until_ns)
{
	struct policy_verdict verdict = { .again_ns = from_ns };

	while (verdict.again_ns <= until_ns)
		verdict = look(scene, verdict.again_ns);
	return verdict;
}

/* The device speaks of its own accord; its stamp is as old as the coarse clock may make it. */
static void device_speaks(struct scene *scene, uint64_t now_ns)
{
	scene->entry.last_seen_ns = now_ns - LAG;
	scene->entry.packets_in++;
}

/* The kernel absorbs the answer to the latest prompt. */
static void device_answers(struct scene *scene, uint64_t now_ns)
{
	device_speaks(scene, now_ns);
	scene->entry.answer_ns = now_ns;
	scene->entry.answer_token = scene->path.prompt.token;
	scene->entry.answer_status = 200;
	scene->entry.answers++;
}

static uint64_t counted(const struct scene *scene, enum agent_counter counter)
{
	return scene->counts.value[counter];
}

/* Goes through a whole prompt that stays unanswered; returns when it was given up. */
static uint64_t fall_silent(struct scene *scene)
{
	uint64_t now_ns = START + DUE;

	while (scene->path.health != PATH_SILENT) {
		look(scene, now_ns);
		now_ns += NS_PER_S;
	}
	return now_ns - NS_PER_S;
}

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
	assert_int_equal(verdict.again_ns, answer_ns - LAG + DUE);
	assert_int_equal(scene.path.health, PATH_LIVE);
	assert_int_equal(scene.path.prompt.tries, 0);
	assert_int_equal(scene.path.answers, 1);
	assert_int_equal(scene.path.answer_status, 200);
	assert_int_equal(scene.path.last_seen_ns, answer_ns - LAG);
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
	scene.policy.threshold_ns = 10 * THRESHOLD;
	assert_int_equal(judge(&scene, now_ns + NS_PER_S).health, PATH_SILENT);
}

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
	assert_true(now_ns > START + 24 * 3600 * NS_PER_S);
	assert_true(counted(&scene, COUNT_prompts_answered) > 1000);
	assert_true(counted(&scene, COUNT_prompts_unanswered) > 100);
}

static void trap_11_a_missing_entry_is_unknown_and_never_idle(void **state)
{
	struct scene scene = new_scene();
	struct path before = scene.path;
	struct policy_verdict verdict;

	(void)state;
	verdict = policy_judge(&scene.policy, &scene.path, NULL, START + 100 * THRESHOLD);
	assert_int_equal(verdict.action, POLICY_WAIT);
	assert_int_equal(verdict.again_ns, START + 101 * THRESHOLD);
	assert_int_equal(verdict.health, PATH_LIVE);
	policy_apply(&scene.path, NULL, &verdict, &scene.counts);
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

static void trap_15_a_silent_path_is_prompted_at_growing_distances_for_ever(void **state)
{
	struct scene scene = new_scene();
	uint64_t now_ns = fall_silent(&scene), until_ns = now_ns + 24 * 3600 * NS_PER_S;
	uint64_t previous_ns = scene.latest_sending_ns, distance = 0, prompts = 0;

	(void)state;
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
	uint64_t now_ns = fall_silent(&scene) + 3600 * NS_PER_S;
	struct policy_verdict verdict;

	(void)state;
	verdict = look_until(&scene, now_ns - 3600 * NS_PER_S, now_ns);
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
	struct binding registration = { .kind = BINDING_REGISTRATION };
	struct scene scene = new_scene();

	(void)state;
	scene.path.bindings = &registration;
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
	struct binding registration = { .kind = BINDING_REGISTRATION };
	struct scene scene = new_scene();

	(void)state;
	scene.path.bindings = &registration;
	scene.path.binding_counts[BINDING_REGISTRATION] = 1;
	look_until(&scene, fall_silent(&scene), START + 3600 * NS_PER_S);
	assert_ptr_equal(scene.path.bindings, &registration);
	assert_int_equal(scene.path.binding_counts[BINDING_REGISTRATION], 1);
}

static void trap_22_a_device_that_speaks_by_itself_is_never_prompted(void **state)
{
	struct scene scene = new_scene();
	uint64_t looked_at_ns = START;

	(void)state;
	for (uint64_t now_ns = START; now_ns < START + 3600 * NS_PER_S; now_ns += 3 * NS_PER_S) {
		device_speaks(&scene, now_ns);
		if (now_ns >= looked_at_ns)
			looked_at_ns = look(&scene, now_ns).again_ns;
	}
	assert_int_equal(counted(&scene, COUNT_prompts_sent), 0);
	assert_in_range(counted(&scene, COUNT_prompts_avoided), 3600 / 27 - 2, 3600 / 21);
}

static const uint64_t extremes[] = { 0, 1, NS_PER_S, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX };

#define EXTREMES (sizeof(extremes) / sizeof(extremes[0]))

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
	for (uint64_t i = 0; i < 46656 * 24; i++) { /* EXTREMES to the sixth, times 4 times 6 */
		uint64_t choice = i;
		struct policy policy = { extreme(&choice) | 1, extreme(&choice) };
		struct path path = { .opened_ns = 1, .prompt.token = 1 };
		struct path_entry entry = { .last_seen_ns = extreme(&choice) };
		uint64_t now_ns = extreme(&choice);
		struct policy_verdict verdict;

		path.last_seen_ns = extreme(&choice);
		path.prompt.sent_ns = path.prompt.first_ns = extreme(&choice);
		path.prompt.tries = (uint8_t)(choice % 4);
		path.prompt.failures = (uint8_t)(choice / 4 * 51);
		verdict = policy_judge(&policy, &path, &entry, now_ns);
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
		cmocka_unit_test(trap_01_only_packets_of_the_device_count),
		cmocka_unit_test(trap_02_threshold_and_all_sendings_fit_into_thirty_seconds),
		cmocka_unit_test(trap_03_nothing_adds_itself_to_the_threshold),
		cmocka_unit_test(trap_04_a_path_is_not_prompted_more_often_than_once_per_threshold),
		cmocka_unit_test(trap_11_a_missing_entry_is_unknown_and_never_idle),
		cmocka_unit_test(trap_13_a_stray_stamp_costs_one_threshold_and_no_path),
		cmocka_unit_test(trap_15_a_silent_path_is_prompted_at_growing_distances_for_ever),
		cmocka_unit_test(trap_15_a_silent_path_that_speaks_is_live_within_a_threshold),
		cmocka_unit_test(trap_19_a_forged_answer_ends_no_prompt),
		cmocka_unit_test(trap_21_one_lost_packet_is_not_a_dead_device),
		cmocka_unit_test(trap_21_a_silent_path_loses_no_binding),
		cmocka_unit_test(trap_22_a_device_that_speaks_by_itself_is_never_prompted),
		cmocka_unit_test(no_times_whatever_lead_backwards),
		cmocka_unit_test(failures_are_counted_up_to_their_limit),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
