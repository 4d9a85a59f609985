/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/view: an AOR with very many locations costs its own questions no more than others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "view_world.h"

#define CROWD 10000
#define FEW 10
#define MIXED 7919 /* a prime: the newest ones are put neither first nor last */
#define ROUNDS 5
#define CALLS 200

/* However many there are, nothing becomes so many times dearer. */
#define DEARER_MAX 10.0

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double less(double one, double other)
{
	return one < other ? one : other;
}

/* A dialog of Alice's, or, if each has an AOR of its own, of somebody else's. */
static struct location dialog(unsigned int number, bool alone, char room[64])
{
	struct location location = at_node("a", NOW_MS + number * MIXED % CROWD);
	int length = snprintf(room, 32, "call-%u@192.0.2.1;1", number);

	location.kind = BINDING_DIALOG;
	location.device = (struct span){ room, (size_t)length };
	if (!alone)
		return location;
	length = snprintf(room + 32, 32, "sip:%u@example.org", number);
	location.aor = (struct span){ room + 32, (size_t)length };
	return location;
}

static void change_all(struct view *view, unsigned int count, bool alone,
		       int (*change)(struct view *view, const struct location *location))
{
	struct location location;
	char room[64];

	for (unsigned int i = 0; i < count; i++) {
		location = dialog(i, alone, room);
		assert_int_equal(change(view, &location), 0);
	}
}

/* Each is put, put again and dropped. */
static double seconds_of_changes(struct view *view, bool alone)
{
	double begun = cpu_seconds();

	change_all(view, CROWD, alone, view_put);
	change_all(view, CROWD, alone, view_put);
	assert_int_equal(view_count(view), CROWD);
	change_all(view, CROWD, alone, view_drop);
	assert_int_equal(view_count(view), 0);
	return cpu_seconds() - begun;
}

static void a_change_is_as_cheap_in_a_crowd(void **state)
{
	double alone = 1e9, crowded = 1e9;

	put_node(*state, "a", 1);
	for (int i = 0; i < ROUNDS; i++) {
		alone = less(alone, seconds_of_changes(*state, true));
		crowded = less(crowded, seconds_of_changes(*state, false));
	}
	printf("# a change: %.0f ns in AORs of their own, %.0f ns in one AOR of %d\n",
	       alone / (3 * CROWD) * 1e9, crowded / (3 * CROWD) * 1e9, CROWD);
	assert_true(crowded < alone * DEARER_MAX);
}

/* Of asking where Alice is registered, who has so many calls. */
static double seconds_of_questions(struct view *view, unsigned int calls)
{
	struct location found[2];
	double begun, best = 1e9;

	change_all(view, calls, false, view_put);
	for (int round = 0; round < ROUNDS; round++) {
		begun = cpu_seconds();
		for (int i = 0; i < CALLS; i++)
			assert_int_equal(view_registrations(view, ALICE, NOW_MS, found, 2), 1);
		best = less(best, cpu_seconds() - begun);
	}
	assert_int_equal(found[0].kind, BINDING_REGISTRATION);
	assert_int_equal(found[0].accepted_ms, NOW_MS);
	return best;
}

static void registrations_are_found_as_fast_in_a_crowd(void **state)
{
	double few, many;

	put_node(*state, "a", 1);
	change_all(*state, FEW / 2, false, view_put); /* before and after the registration */
	put(*state, "a", NOW_MS);
	few = seconds_of_questions(*state, FEW);
	many = seconds_of_questions(*state, CROWD);
	printf("# where it is registered: %.0f ns with %d calls, %.0f ns with %d\n",
	       few / CALLS * 1e9, FEW, many / CALLS * 1e9, CROWD);
	assert_true(many < few * DEARER_MAX);
}

static void the_newest_of_a_crowd_are_told(void **state)
{
	static struct location found[256];
	double begun;
	size_t count;

	put_node(*state, "a", 1);
	put(*state, "a", 1);
	change_all(*state, CROWD, false, view_put);
	begun = cpu_seconds();
	count = view_where(*state, ALICE, NOW_MS, found, 256);
	printf("# everything of an AOR of %d: %.0f us\n", CROWD, (cpu_seconds() - begun) * 1e6);
	assert_int_equal(count, 256);
	for (unsigned int i = 0; i < 255; i++)
		assert_int_equal(found[i].accepted_ms, NOW_MS + CROWD - 1 - i);
	assert_int_equal(found[255].kind, BINDING_REGISTRATION);
}

static void a_crowd_ends_within_a_minute(void **state)
{
	struct view *view = *state;

	put_node(view, "a", 1);
	change_all(view, CROWD, false, view_put);
	put(view, "a", NOW_MS);
	expire(view, LATER_MS);
	assert_int_equal(view_count(view), 0);
	assert_int_equal(count_of(view, ALICE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_as_cheap_in_a_crowd),
		TEST(registrations_are_found_as_fast_in_a_crowd),
		TEST(the_newest_of_a_crowd_are_told),
		TEST(a_crowd_ends_within_a_minute),
	};

	return cmocka_run_group_tests_name("view_crowd", tests, NULL, NULL);
}
