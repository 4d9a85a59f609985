/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/view: readings of everything there is, amid changes; and what bounds a view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>

#include "view_world.h"

#define BYTES_MAX 250

static void a_reading_ends_what_it_does_not_find(void **state)
{
	struct view *view = *state;

	put_node(view, "a", 1);
	put_node(view, "b", 1);
	put_node(view, "c", 1);
	put(view, "a", NOW_MS - 1);
	put(view, "b", NOW_MS - 2);
	view_begin_reading(view);
	put(view, "c", NOW_MS - 3);
	read_one(view, "b", NOW_MS - 2);
	assert_string_equal(where(view), "a b c");
	view_end_reading(view, NOW_NS);
	assert_string_equal(where(view), "b c");
	expire(view, NOW_MS);
	assert_int_equal(view_count(view), 2);
	put(view, "a", NOW_MS - 9); /* older than what was known, but that is gone */
	assert_string_equal(where(view), "b c a");
}

static void a_reading_that_begins_anew_counts_alone(void **state)
{
	struct view *view = *state;

	put_node(view, "a", 1);
	put_node(view, "b", 1);
	view_begin_reading(view);
	read_one(view, "a", NOW_MS - 1);
	drop(view, "b");
	view_begin_reading(view);
	read_one(view, "b", NOW_MS - 2);
	view_end_reading(view, NOW_NS);
	assert_string_equal(where(view), "b");
}

static void what_was_dropped_is_not_revived_by_a_reading(void **state)
{
	struct view *view = *state;

	put_node(view, "a", 1);
	put_node(view, "b", 1);
	put(view, "a", NOW_MS - 1);
	view_begin_reading(view);
	drop(view, "a");
	drop(view, "b"); /* not read yet */
	assert_string_equal(where(view), "");
	assert_int_equal(view_count(view), 0);
	read_one(view, "a", NOW_MS - 1);
	read_one(view, "b", NOW_MS - 1);
	assert_string_equal(where(view), "");
	expire(view, NOW_MS); /* not forgotten yet */
	read_one(view, "b", NOW_MS - 1);
	assert_string_equal(where(view), "");
	put(view, "b", NOW_MS - 5); /* the change after the drop */
	read_one(view, "b", NOW_MS - 1);
	view_end_reading(view, NOW_NS);
	assert_string_equal(where(view), "b");
	expire(view, NOW_MS);
	assert_int_equal(view_count(view), 1);
	view_begin_reading(view);
	read_one(view, "a", NOW_MS - 1);
	assert_string_equal(where(view), "a b");
}

static void the_limit_is_kept(void **state)
{
	struct view *view = view_new(2);

	(void)state;
	assert_non_null(view);
	put_node(view, "a", 1);
	put_node(view, "b", 1);
	put_node(view, "c", 1);
	put(view, "a", NOW_MS - 1);
	put(view, "b", NOW_MS - 2);
	assert_int_equal(view_put(view, &(struct location){ .node = SPAN("c"), .aor = ALICE }),
			 -ENOSPC);
	put(view, "a", NOW_MS);
	drop(view, "b");
	put(view, "c", NOW_MS - 3);
	assert_string_equal(where(view), "a c");
	view_free(view);
}

static void drops_during_a_reading_are_bounded(void **state)
{
	struct view *view = view_new(2);
	struct location location = at_node("c", 0);

	(void)state;
	assert_non_null(view);
	view_begin_reading(view);
	drop(view, "a");
	drop(view, "b");
	drop(view, "b");
	assert_int_equal(view_drop(view, &location), -ENOSPC);
	put(view, "a", NOW_MS);
	put(view, "c", NOW_MS);
	location = at_node("b", NOW_MS);
	assert_int_equal(view_put(view, &location), -ENOSPC);
	view_free(view);
}

static void texts_are_bounded(void **state)
{
	static char text[LOCATION_TEXT_MAX + 1];
	struct view *view = *state;
	struct location location = at_node("a", NOW_MS);

	memset(text, 'x', sizeof(text));
	put_node(view, "a", 1);
	location.device = (struct span){ text, sizeof(text) };
	assert_int_equal(view_put(view, &location), -E2BIG);
	location.device = (struct span){ text, LOCATION_TEXT_MAX };
	location.aor = (struct span){ text, LOCATION_TEXT_MAX };
	assert_int_equal(view_put(view, &location), 0);
	assert_int_equal(count_of(view, location.aor), 1);
}

static struct location one_of_many(unsigned int number, char room[128])
{
	struct location location = at_node("proxy-1", NOW_MS);
	int length = snprintf(room, 128, "sip:%08u@example.org", number);

	location.aor = (struct span){ room, (size_t)length };
	room += length + 1;
	length = snprintf(room, 64, "<urn:uuid:%08x-0000-1000-8000-aabbccddeeff>#1", number);
	location.device = (struct span){ room, (size_t)length };
	return location;
}

static void a_hundred_thousand_fit(void **state)
{
	struct view *view = *state;
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, bytes;
	struct location location;
	char room[128];

	put_node(view, "proxy-1", 1);
	for (unsigned int i = 0; i < LOCATIONS_MAX; i++) {
		location = one_of_many(i, room);
		assert_int_equal(view_put(view, &location), 0);
	}
	assert_int_equal(view_count(view), LOCATIONS_MAX);
	for (unsigned int i = 0; i < LOCATIONS_MAX; i += 997) {
		location = one_of_many(i, room);
		assert_int_equal(count_of(view, location.aor), 1);
	}
	location = one_of_many(LOCATIONS_MAX, room);
	assert_int_equal(view_put(view, &location), -ENOSPC);
	bytes = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / LOCATIONS_MAX;
	if (bytes > 0) { /* a sanitizer's allocator says nothing */
		printf("# %zu bytes per location, of %d\n", bytes, LOCATIONS_MAX);
		assert_true(bytes < BYTES_MAX);
	}
	expire(view, LATER_MS);
	assert_int_equal(view_count(view), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reading_ends_what_it_does_not_find),
		TEST(a_reading_that_begins_anew_counts_alone),
		TEST(what_was_dropped_is_not_revived_by_a_reading),
		TEST(the_limit_is_kept),
		TEST(drops_during_a_reading_are_bounded),
		TEST(texts_are_bounded),
		TEST(a_hundred_thousand_fit),
	};

	return cmocka_run_group_tests_name("view_readings", tests, NULL, NULL);
}
