/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keep/wheel.h"

#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)
#define START (12345 * NS_PER_S + 678)
#define CROWD 100000
#define MODEL_PATHS 200

static int new_wheel(void **state)
{
	*state = wheel_new(START);
	return *state ? 0 : -1;
}

static int free_wheel(void **state)
{
	wheel_free(*state);
	return 0;
}

/* A random time that is as likely to have few digits as many. */
static uint64_t random_time(uint64_t limit)
{
	uint64_t value = (uint64_t)random() << 31 | (uint64_t)random();

	return (value >> random() % 60) % limit;
}

static void an_empty_wheel_has_nothing_and_waits_for_nothing(void **state)
{
	assert_int_equal(wheel_count(*state), 0);
	assert_int_equal(wheel_next_ns(*state), CLOCK_NEVER);
	assert_null(wheel_pop(*state, START + 1000 * DAY));
	assert_int_equal(wheel_next_ns(*state), CLOCK_NEVER);
}

static void a_path_is_handed_out_once_and_not_early(void **state)
{
	uint64_t due_ns = START + 24 * NS_PER_S;
	struct path path = { 0 };

	wheel_set(*state, &path, due_ns);
	assert_int_equal(wheel_count(*state), 1);
	assert_null(wheel_pop(*state, due_ns - 1));
	assert_ptr_equal(wheel_pop(*state, due_ns + WHEEL_TICK_NS), &path);
	assert_null(wheel_pop(*state, due_ns + WHEEL_TICK_NS));
	assert_int_equal(wheel_count(*state), 0);
}

static void a_path_set_again_is_due_at_the_new_time_only(void **state)
{
	struct path path = { 0 };

	wheel_set(*state, &path, START + NS_PER_S);
	wheel_set(*state, &path, START + HOUR);
	assert_int_equal(wheel_count(*state), 1);
	assert_null(wheel_pop(*state, START + HOUR - 1));
	wheel_set(*state, &path, START + 2 * HOUR);
	wheel_set(*state, &path, START + HOUR + NS_PER_S);
	assert_ptr_equal(wheel_pop(*state, START + HOUR + 2 * NS_PER_S), &path);
	assert_null(wheel_pop(*state, START + 3 * HOUR));
}

static void a_path_taken_off_is_not_handed_out(void **state)
{
	struct path on = { 0 }, off = { 0 };

	wheel_unset(*state, &off);
	wheel_set(*state, &on, START + NS_PER_S);
	wheel_set(*state, &off, START + NS_PER_S);
	wheel_unset(*state, &off);
	wheel_unset(*state, &off);
	assert_int_equal(wheel_count(*state), 1);
	assert_ptr_equal(wheel_pop(*state, START + HOUR), &on);
	assert_null(wheel_pop(*state, START + HOUR));

	wheel_set(*state, &off, START + DAY);
	wheel_unset(*state, &off);
	assert_int_equal(wheel_next_ns(*state), CLOCK_NEVER);
	wheel_set(*state, &off, START);
	wheel_unset(*state, &off);
	assert_null(wheel_pop(*state, START + HOUR));
	assert_int_equal(wheel_next_ns(*state), CLOCK_NEVER);
}

static void past_times_are_due_at_once(void **state)
{
	struct path first = { 0 }, second = { 0 };

	wheel_set(*state, &first, START - HOUR);
	assert_true(wheel_next_ns(*state) <= START);
	assert_ptr_equal(wheel_pop(*state, START), &first);
	wheel_set(*state, &first, 0);
	wheel_set(*state, &second, START);
	assert_ptr_equal(wheel_pop(*state, START + WHEEL_TICK_NS), &first);
	wheel_set(*state, &first, 1);
	assert_ptr_equal(wheel_pop(*state, START + WHEEL_TICK_NS), &first);
	assert_ptr_equal(wheel_pop(*state, START + WHEEL_TICK_NS), &second);
	assert_null(wheel_pop(*state, START + WHEEL_TICK_NS));
}

static void the_far_future_comes_in_its_time(void **state)
{
	struct path week = { 0 }, years = { 0 }, last = { 0 }, never = { 0 };

	wheel_set(*state, &week, START + 7 * DAY);
	wheel_set(*state, &years, START + 36500 * DAY);
	wheel_set(*state, &last, CLOCK_NEVER - 1);
	wheel_set(*state, &never, CLOCK_NEVER);
	assert_null(wheel_pop(*state, START + 7 * DAY - 1));
	assert_ptr_equal(wheel_pop(*state, START + 7 * DAY + WHEEL_TICK_NS), &week);
	assert_null(wheel_pop(*state, START + 36500 * DAY - 1));
	assert_ptr_equal(wheel_pop(*state, START + 36500 * DAY + WHEEL_TICK_NS), &years);
	assert_null(wheel_pop(*state, CLOCK_NEVER - 2));
	assert_int_equal(wheel_count(*state), 2);
	wheel_unset(*state, &last);
	wheel_unset(*state, &never);
	assert_int_equal(wheel_next_ns(*state), CLOCK_NEVER);
}

/* Turned at no other times than the wheel asks for, as the loop does. */
static void trap_03_turned_when_it_asks_it_is_at_most_one_tick_late(void **state)
{
	srandom(3);
	for (unsigned int i = 0; i < 2000; i++) {
		static uint64_t now_ns = START;
		uint64_t due_ns = now_ns + 1 + random_time(2 * DAY);
		struct path path = { 0 }, *popped = NULL;
		unsigned int turns = 0;

		wheel_set(*state, &path, due_ns);
		while (!popped) {
			uint64_t next_ns = wheel_next_ns(*state);

			now_ns = next_ns > now_ns ? next_ns : now_ns;
			popped = wheel_pop(*state, now_ns);
			assert_true(++turns <= 10);
		}
		assert_ptr_equal(popped, &path);
		assert_true(now_ns >= due_ns);
		assert_true(now_ns - due_ns < WHEEL_TICK_NS);
	}
}

static void trap_09_a_crowd_that_is_due_at_once_comes_out_whole(void **state)
{
	struct path *crowd = calloc(CROWD, sizeof(*crowd));
	uint64_t due_ns = START + 24 * NS_PER_S;
	unsigned int popped = 0;
	struct path *path;

	assert_non_null(crowd);
	for (unsigned int i = 0; i < CROWD; i++)
		wheel_set(*state, &crowd[i], due_ns);
	assert_null(wheel_pop(*state, due_ns - 1));
	assert_int_equal(wheel_count(*state), CROWD);
	while ((path = wheel_pop(*state, due_ns + WHEEL_TICK_NS))) {
		assert_int_equal(path->index, 0);
		path->index = 1;
		popped++;
	}
	assert_int_equal(popped, CROWD);
	assert_int_equal(wheel_count(*state), 0);
	free(crowd);
}

static void trap_12_after_a_leap_in_time_every_path_is_due(void **state)
{
	struct path paths[1000] = { 0 };
	unsigned int popped = 0;

	for (unsigned int i = 0; i < 1000; i++)
		wheel_set(*state, &paths[i], START + i * HOUR + i);
	while (wheel_pop(*state, START + 400 * DAY))
		popped++;
	assert_int_equal(popped, 1000);
}

/* What the wheel ought to do, done the slow way. */
struct model {
	struct wheel *wheel;
	uint64_t now_ns;
	struct path paths[MODEL_PATHS];
	uint64_t due_ns[MODEL_PATHS]; /* CLOCK_NEVER while a path is off */
};

static void model_change(struct model *model)
{
	unsigned int i = (unsigned int)random() % MODEL_PATHS;

	if (random() % 4 == 0) {
		wheel_unset(model->wheel, &model->paths[i]);
		model->due_ns[i] = CLOCK_NEVER;
		return;
	}
	model->due_ns[i] = model->now_ns + random_time(7 * DAY);
	if (random() % 8 == 0)
		model->due_ns[i] = model->now_ns - random_time(model->now_ns);
	wheel_set(model->wheel, &model->paths[i], model->due_ns[i]);
}

static void model_pop_all(struct model *model)
{
	struct path *path;

	while ((path = wheel_pop(model->wheel, model->now_ns))) {
		size_t i = (size_t)(path - model->paths);

		assert_int_not_equal(model->due_ns[i], CLOCK_NEVER);
		assert_true(model->due_ns[i] <= model->now_ns);
		model->due_ns[i] = CLOCK_NEVER;
	}
}

static void model_compare(const struct model *model)
{
	uint64_t next_ns = wheel_next_ns(model->wheel);
	size_t on = 0;

	for (unsigned int i = 0; i < MODEL_PATHS; i++) {
		if (model->due_ns[i] == CLOCK_NEVER)
			continue;
		on++;
		assert_true(model->due_ns[i] + WHEEL_TICK_NS > model->now_ns);
		assert_true(next_ns < model->due_ns[i] + WHEEL_TICK_NS);
	}
	assert_int_equal(wheel_count(model->wheel), on);
}

static void it_does_what_a_naive_model_does_over_simulated_days(void **state)
{
	struct model model = { .wheel = *state, .now_ns = START };

	for (unsigned int i = 0; i < MODEL_PATHS; i++)
		model.due_ns[i] = CLOCK_NEVER;
	srandom(20);
	for (unsigned int i = 0; i < 20000; i++) {
		for (long changes = random() % 8; changes > 0; changes--)
			model_change(&model);
		model.now_ns += random_time(HOUR);
		model_pop_all(&model);
		model_compare(&model);
	}
	assert_true(model.now_ns > START + 5 * DAY);
}

#define wheel_test(test) cmocka_unit_test_setup_teardown(test, new_wheel, free_wheel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		wheel_test(an_empty_wheel_has_nothing_and_waits_for_nothing),
		wheel_test(a_path_is_handed_out_once_and_not_early),
		wheel_test(a_path_set_again_is_due_at_the_new_time_only),
		wheel_test(a_path_taken_off_is_not_handed_out),
		wheel_test(past_times_are_due_at_once),
		wheel_test(the_far_future_comes_in_its_time),
		wheel_test(trap_03_turned_when_it_asks_it_is_at_most_one_tick_late),
		wheel_test(trap_09_a_crowd_that_is_due_at_once_comes_out_whole),
		wheel_test(trap_12_after_a_leap_in_time_every_path_is_due),
		wheel_test(it_does_what_a_naive_model_does_over_simulated_days),
	};

	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
