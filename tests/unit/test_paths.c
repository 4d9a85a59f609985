/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/paths and state/path: which flows are kept, and what their bindings make of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "state/paths.h"

#define SEED 20261122
#define STEPS 40000
#define FLOWS 700 /* more than two pages of the room */
#define LIMIT 600
#define BINDINGS 400

static struct flow flow_of(uint32_t number)
{
	struct flow flow = {
		.local_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
		.remote_addr = { [10] = 0xff, 0xff, 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = (uint16_t)(1024 + number % 50000),
		.transport = FLOW_UDP,
	};

	flow.remote_addr[15] = (uint8_t)(number / 50000);
	return flow;
}

static void *must(void *made)
{
	assert_non_null(made);
	return made;
}

static struct path *added(struct paths *paths, uint32_t number)
{
	struct flow flow = flow_of(number);

	return must(paths_add(paths, &flow, number + 1));
}

static void a_path_is_found_by_its_flow(void **state)
{
	struct paths *paths = must(paths_new(8));
	struct flow flow = flow_of(1);
	struct path *path = added(paths, 1);

	(void)state;
	assert_ptr_equal(paths_find(paths, &flow), path);
	assert_memory_equal(&path->flow, &flow, sizeof(flow));
	assert_int_equal(path->opened_ns, 2);
	assert_int_equal(paths_count(paths), 1);
	paths_drop(paths, path);
	assert_null(paths_find(paths, &flow));
	assert_int_equal(paths_count(paths), 0);
	paths_free(paths);
}

static void trap_5_a_path_is_the_whole_5_tuple(void **state)
{
	struct paths *paths = must(paths_new(8));
	struct flow flows[5];
	struct path *found[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		flows[i] = flow_of(1);
	flows[1].local_port++;
	flows[2].local_addr[15]++;
	flows[3].transport = FLOW_TCP;
	flows[4].remote_port++;
	for (size_t i = 0; i < 5; i++) {
		assert_null(paths_find(paths, &flows[i]));
		found[i] = must(paths_add(paths, &flows[i], 1));
	}
	for (size_t i = 0; i < 5; i++)
		assert_ptr_equal(paths_find(paths, &flows[i]), found[i]);
	assert_int_equal(paths_count(paths), 5);
	paths_free(paths);
}

static void a_place_used_again_remembers_nothing(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	uint32_t index = path->index;
	struct path fresh;

	(void)state;
	path->prompts = 7;
	path->health = PATH_SILENT;
	path->prompt.token = 1;
	paths_drop(paths, path);
	path = added(paths, 2);
	assert_int_equal(path->index, index);
	memset(&fresh, 0, sizeof(fresh));
	assert_memory_equal(&path->prompt, &fresh.prompt, sizeof(fresh.prompt));
	assert_int_equal(path->prompts, 0);
	assert_int_equal(path->health, PATH_LIVE);
	assert_null(path->bindings);
	assert_null(path->due.link);
	paths_free(paths);
}

static void trap_44_a_full_room_refuses_the_new_never_the_old(void **state)
{
	struct paths *paths = must(paths_new(2));
	struct flow third = flow_of(3);
	struct path *first = added(paths, 1), *second = added(paths, 2);

	(void)state;
	errno = 0;
	assert_null(paths_add(paths, &third, 1));
	assert_int_equal(errno, ENOSPC);
	assert_ptr_equal(paths_find(paths, &first->flow), first);
	assert_ptr_equal(paths_find(paths, &second->flow), second);
	paths_drop(paths, first);
	assert_non_null(paths_add(paths, &third, 1));
	paths_free(paths);
}

static void a_room_for_no_path_holds_none(void **state)
{
	struct paths *paths = must(paths_new(0));
	struct flow flow = flow_of(1);
	uint32_t cursor = 0;

	(void)state;
	assert_null(paths_add(paths, &flow, 1));
	assert_null(paths_walk(paths, &cursor));
	paths_free(paths);
}

static void addresses_are_stable_while_the_room_grows(void **state)
{
	struct paths *paths = must(paths_new(5000));
	struct path *all[5000];

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		all[i] = added(paths, i);
	for (uint32_t i = 0; i < 5000; i++) {
		struct flow flow = flow_of(i);

		assert_ptr_equal(paths_find(paths, &flow), all[i]);
	}
	paths_free(paths);
}

static void a_walk_goes_on_after_changes(void **state)
{
	struct paths *paths = must(paths_new(1000));
	uint32_t cursor = 0;
	struct path *seen;

	(void)state;
	for (uint32_t i = 0; i < 900; i++)
		added(paths, i);
	for (uint32_t i = 0; i < 450; i++)
		assert_non_null(paths_walk(paths, &cursor));
	for (uint32_t i = 0; i < 900; i++) {
		struct flow flow = flow_of(i);
		struct path *path = paths_find(paths, &flow);

		if (path->index % 3 == 0)
			paths_drop(paths, path);
	}
	for (uint32_t i = 450; i < 900; i++) {
		if (i % 3 == 0)
			continue;
		seen = paths_walk(paths, &cursor);
		assert_non_null(seen);
		assert_int_equal(seen->index, i);
	}
	assert_null(paths_walk(paths, &cursor));
	paths_free(paths);
}

static enum path_state state_of(uint32_t registrations, uint32_t subscriptions, uint32_t dialogs,
				uint32_t lingering)
{
	struct path path = { .binding_counts = { [BINDING_REGISTRATION] = registrations,
						 [BINDING_SUBSCRIPTION] = subscriptions,
						 [BINDING_DIALOG] = dialogs,
						 [BINDING_LINGERING] = lingering } };

	return path_state(&path);
}

static void the_state_comes_from_the_bindings(void **state)
{
	(void)state;
	assert_int_equal(state_of(0, 0, 0, 0), PATH_IDLE);
	assert_int_equal(state_of(2, 0, 0, 0), PATH_REGISTERED);
	assert_int_equal(state_of(0, 1, 0, 0), PATH_REGISTERED);
	assert_int_equal(state_of(1, 0, 1, 0), PATH_REGISTERED_DIALOG);
	assert_int_equal(state_of(0, 1, 3, 1), PATH_REGISTERED_DIALOG);
	assert_int_equal(state_of(0, 0, 1, 0), PATH_DIALOG);
	assert_int_equal(state_of(0, 0, 1, 1), PATH_DIALOG);
	assert_int_equal(state_of(0, 0, 0, 1), PATH_LINGERING);
	assert_int_equal(state_of(1, 0, 0, 1), PATH_REGISTERED);
	assert_string_equal(path_state_name(PATH_IDLE), "idle");
	assert_string_equal(path_state_name(PATH_REGISTERED), "registered");
	assert_string_equal(path_state_name(PATH_REGISTERED_DIALOG), "registered+dialog");
	assert_string_equal(path_state_name(PATH_DIALOG), "dialog");
	assert_string_equal(path_state_name(PATH_LINGERING), "lingering");
}

static void trap_21_a_silent_path_keeps_its_bindings(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	struct binding binding = { .kind = BINDING_REGISTRATION, .ends_ns = 9 };

	(void)state;
	paths_attach(path, &binding);
	path->health = PATH_SILENT;
	path->prompt.failures = UINT8_MAX;
	assert_int_equal(path_state(path), PATH_REGISTERED);
	assert_ptr_equal(path->bindings, &binding);
	assert_string_equal(path_health_name(PATH_LIVE), "live");
	assert_string_equal(path_health_name(PATH_AWAITING), "awaiting");
	assert_string_equal(path_health_name(PATH_SILENT), "silent");
	paths_detach(&binding);
	paths_free(paths);
}

static void a_flow_of_a_trunk_carries_more_than_65535(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	struct binding *bindings = calloc(65536, sizeof(*bindings));

	(void)state;
	assert_non_null(bindings);
	for (size_t i = 0; i < 65536; i++)
		paths_attach(path, &bindings[i]);
	assert_int_equal(path_state(path), PATH_REGISTERED);
	for (size_t i = 0; i < 65536; i++)
		paths_detach(&bindings[i]);
	assert_int_equal(path_state(path), PATH_IDLE);
	assert_null(path->bindings);
	free(bindings);
	paths_free(paths);
}

static void the_first_end(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	struct binding bindings[] = { { .ends_ns = 20 }, { .ends_ns = 10 }, { .ends_ns = 30 } };

	(void)state;
	assert_true(path_first_end_ns(path) == CLOCK_NEVER);
	for (size_t i = 0; i < 3; i++)
		paths_attach(path, &bindings[i]);
	assert_int_equal(path_first_end_ns(path), 10);
	paths_detach(&bindings[1]);
	paths_detach(&bindings[2]);
	path->due.due_ns = 10;
	assert_int_equal(path_first_end_ns(path), 20);
	paths_detach(&bindings[0]);
	assert_true(path_first_end_ns(path) == CLOCK_NEVER);
	paths_attach(path, &bindings[2]);
	assert_int_equal(path_first_end_ns(path), 30);
	paths_detach(&bindings[2]);
	paths_free(paths);
}

static void a_new_end_is_known_at_once_if_it_is_earlier(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	struct binding first = { .ends_ns = 20 }, second = { .ends_ns = 30 };

	(void)state;
	paths_set_end(&first, 25);
	paths_attach(path, &first);
	paths_attach(path, &second);
	assert_int_equal(path_first_end_ns(path), 25);
	paths_set_end(&second, 10);
	assert_int_equal(path_first_end_ns(path), 10);
	paths_detach(&first);
	paths_detach(&second);
	paths_free(paths);
}

/* A trunk's flow: its bindings are not looked through at each renewal. */
static void a_first_end_that_has_gone_is_noticed_when_it_was_due(void **state)
{
	struct paths *paths = must(paths_new(1));
	struct path *path = added(paths, 1);
	struct binding first = { .ends_ns = 10 }, second = { .ends_ns = 20 };

	(void)state;
	paths_attach(path, &first);
	paths_attach(path, &second);
	paths_set_end(&first, 30);
	path->due.due_ns = 9;
	assert_int_equal(path_first_end_ns(path), 10);
	path->due.due_ns = 10;
	path->due.link = &path->due.next; /* on the wheel: it is still to be looked at */
	assert_int_equal(path_first_end_ns(path), 10);
	path->due.link = NULL;
	assert_int_equal(path_first_end_ns(path), 20);
	paths_detach(&first);
	paths_detach(&second);
	paths_free(paths);
}

/* What the room ought to hold, kept the simplest way. */
struct model {
	struct paths *paths;
	struct path *kept[FLOWS]; /* by the number of the flow */
	struct binding bindings[BINDINGS];
	struct path *attached[BINDINGS]; /* NULL for none */
	size_t count;
	uint32_t random;
};

static uint32_t random_below(struct model *model, uint32_t bound)
{
	model->random = model->random * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)model->random * bound >> 32);
}

static void step_add(struct model *model, uint32_t number)
{
	struct flow flow = flow_of(number);
	struct path *path;

	assert_ptr_equal(paths_find(model->paths, &flow), model->kept[number]);
	if (model->kept[number])
		return;
	path = paths_add(model->paths, &flow, 1);
	assert_int_equal(path != NULL, model->count < LIMIT);
	model->kept[number] = path;
	model->count += path != NULL;
}

static void step_drop(struct model *model, uint32_t number)
{
	struct path *path = model->kept[number];

	if (!path || path->bindings)
		return;
	paths_drop(model->paths, path);
	model->kept[number] = NULL;
	model->count--;
}

static void step_bind(struct model *model, uint32_t number, uint32_t binding)
{
	if (model->attached[binding]) {
		paths_detach(&model->bindings[binding]);
		model->attached[binding] = NULL;
	} else if (model->kept[number]) {
		paths_attach(model->kept[number], &model->bindings[binding]);
		model->attached[binding] = model->kept[number];
	}
}

/* Every kept path is met once, in the order of indices, with the bindings it ought to have. */
static void check_walk(const struct model *model)
{
	uint32_t cursor = 0, index = 0;
	size_t met = 0;
	struct path *path;

	while ((path = paths_walk(model->paths, &cursor))) {
		size_t bindings = 0, expected = 0, counted = 0;

		assert_true(met == 0 || path->index > index);
		assert_ptr_equal(paths_find(model->paths, &path->flow), path);
		index = path->index;
		met++;
		for (struct binding *b = path->bindings; b; b = b->next, bindings++)
			assert_ptr_equal(b->path, path);
		for (size_t i = 0; i < BINDINGS; i++)
			expected += model->attached[i] == path;
		for (size_t i = 0; i < BINDING_KIND_MAX; i++)
			counted += path->binding_counts[i];
		assert_int_equal(bindings, expected);
		assert_int_equal(counted, expected);
	}
	assert_int_equal(met, model->count);
	assert_int_equal(paths_count(model->paths), model->count);
}

static void random_steps_agree_with_a_naive_model(void **state)
{
	struct model *model = must(calloc(1, sizeof(*model)));
	size_t fullest = 0;

	(void)state;
	model->random = SEED;
	model->paths = must(paths_new(LIMIT));
	for (size_t i = 0; i < BINDINGS; i++)
		model->bindings[i].kind = i % BINDING_KIND_MAX;
	for (uint32_t i = 0; i < STEPS; i++) {
		/* by turns mostly growing and mostly shrinking */
		bool growing = i / 5000 % 2 == 0;
		uint32_t number = random_below(model, FLOWS);
		uint32_t die = random_below(model, 10);

		if (die < 3)
			step_bind(model, number, random_below(model, BINDINGS));
		else if (die < (growing ? 9 : 4))
			step_add(model, number);
		else
			step_drop(model, number);
		if (i % 500 == 0)
			check_walk(model);
		if (model->count > fullest)
			fullest = model->count;
	}
	check_walk(model);
	assert_int_equal(fullest, LIMIT);
	paths_free(model->paths);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_found_by_its_flow),
		cmocka_unit_test(trap_5_a_path_is_the_whole_5_tuple),
		cmocka_unit_test(a_place_used_again_remembers_nothing),
		cmocka_unit_test(trap_44_a_full_room_refuses_the_new_never_the_old),
		cmocka_unit_test(a_room_for_no_path_holds_none),
		cmocka_unit_test(addresses_are_stable_while_the_room_grows),
		cmocka_unit_test(a_walk_goes_on_after_changes),
		cmocka_unit_test(the_state_comes_from_the_bindings),
		cmocka_unit_test(trap_21_a_silent_path_keeps_its_bindings),
		cmocka_unit_test(a_flow_of_a_trunk_carries_more_than_65535),
		cmocka_unit_test(the_first_end),
		cmocka_unit_test(a_new_end_is_known_at_once_if_it_is_earlier),
		cmocka_unit_test(a_first_end_that_has_gone_is_noticed_when_it_was_due),
		cmocka_unit_test(random_steps_agree_with_a_naive_model),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
