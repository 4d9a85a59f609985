/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_world.h - a device, its path and the agent that looks at it, for tests of the
 * policy. Include cmocka first.
 */
#ifndef TESTS_UNIT_POLICY_WORLD_H
#define TESTS_UNIT_POLICY_WORLD_H

#include "base/clock.h"
#include "keep/policy.h"
#include "keep/prompter.h"
#include "keep/rules.h"

#define LAG (4 * NS_PER_MS)
#define THRESHOLD POLICY_THRESHOLD_DEFAULT_NS
#define DUE (THRESHOLD + LAG) /* after the last stamp */
#define START (1000 * NS_PER_S)
#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)
#define ROUND_TRIP (30 * NS_PER_MS)

/* The rules of the path of the latest scene, and the binding that keeps it. */
static struct path_rules rules;
static struct binding keeping;

/* A device, its path, what the kernel knows of it, and the agent that looks at it. */
struct scene {
	struct policy policy;
	struct prompter prompter;
	struct path path;
	struct path_entry entry;
	struct connection_entry connection;
	struct counts counts;
	uint64_t first_prompt_ns, latest_sending_ns;
};

/* A path that was opened and last heard at START, with a binding that does not end. */
static inline struct scene new_scene(void)
{
	struct scene scene = {
		.policy = { .coarse_lag_ns = LAG },
		.path = { .flow = { .transport = FLOW_UDP },
			  .opened_ns = START,
			  .last_seen_ns = START,
			  .rules = &rules,
			  .bindings = &keeping,
			  .binding_counts = { [BINDING_REGISTRATION] = 1 } },
		.entry = { .last_seen_ns = START },
		.connection = { .keepalive = 1 },
	};

	rules = (struct path_rules){ .threshold_ns = THRESHOLD };
	keeping = (struct binding){ .kind = BINDING_REGISTRATION, .ends_ns = CLOCK_NEVER };
	assert_int_equal(prompter_init(&scene.prompter), 0);
	return scene;
}

static inline struct policy_verdict judge(const struct scene *scene, uint64_t now_ns)
{
	return policy_judge(&scene->policy, &scene->path, &scene->entry, &scene->connection,
			    now_ns);
}

/* Looks at the path as the agent does: judges, applies, and sends what the verdict asks for. */
static inline struct policy_verdict look(struct scene *scene, uint64_t now_ns)
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
static inline struct policy_verdict look_until(struct scene *scene, uint64_t from_ns,
					       uint64_t until_ns)
{
	struct policy_verdict verdict = { .again_ns = from_ns };

	while (verdict.again_ns <= until_ns)
		verdict = look(scene, verdict.again_ns);
	return verdict;
}

/* The device speaks of its own accord; its stamp is as old as the coarse clock may make it. */
static inline void device_speaks(struct scene *scene, uint64_t now_ns)
{
	scene->entry.last_seen_ns = now_ns - LAG;
	scene->entry.packets_in++;
}

/* The kernel absorbs the answer to the latest prompt. */
static inline void device_answers(struct scene *scene, uint64_t now_ns)
{
	device_speaks(scene, now_ns);
	scene->entry.answer_ns = now_ns;
	scene->entry.answer_token = scene->path.prompt.token;
	scene->entry.answer_status = 200;
	scene->entry.answers++;
}

static inline uint64_t counted(const struct scene *scene, enum agent_counter counter)
{
	return scene->counts.value[counter];
}

/* Goes through a whole prompt that stays unanswered; returns when it was given up. */
static inline uint64_t fall_silent(struct scene *scene)
{
	uint64_t now_ns = START + DUE;

	while (scene->path.health != PATH_SILENT) {
		look(scene, now_ns);
		now_ns += NS_PER_S;
	}
	return now_ns - NS_PER_S;
}

#endif
