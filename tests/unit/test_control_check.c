/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_check.c - "check" on the control socket: every trouble there is, present or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control_world.h"

/* The whole answer; the caller's. */
static json_t *ask(void)
{
	struct peer *peer = connect_peer();
	json_t *row;

	say(peer, "{\"command\": \"check\"}");
	row = expect_row(peer);
	expect_end(peer);
	leave(peer);
	return row;
}

static const json_t *trouble_of(const json_t *row, enum trouble which)
{
	return json_array_get(json_object_get(row, "troubles"), which);
}

static void every_trouble_is_listed_in_the_same_shape(void **state)
{
	static const char *const members[] = { "name",  "active", "since_ms", "times",
					       "wrong", "detail", "remedy" };
	json_t *row;

	(void)state;
	for (int round = 0; round < 2; round++) {
		row = ask();
		assert_int_equal(json_object_size(row), 2);
		assert_int_equal(json_array_size(json_object_get(row, "troubles")), TROUBLE_MAX);
		for (enum trouble which = 0; which < TROUBLE_MAX; which++) {
			const json_t *trouble = trouble_of(row, which);

			assert_int_equal(json_object_size(trouble), COUNT(members));
			for (size_t i = 0; i < COUNT(members); i++)
				assert_non_null(json_object_get(trouble, members[i]));
			assert_string_equal(json_string_value(json_object_get(trouble, "name")),
					    trouble_name(which));
			troubles_set(troubles, which, 1, "x");
		}
		assert_int_equal(json_is_true(json_object_get(row, "healthy")), round == 0);
		json_decref(row);
	}
}

static void a_trouble_says_since_when_how_often_and_what_to_do(void **state)
{
	uint64_t begun_ns = clock_now_ns() - 5 * NS_PER_S;
	const json_t *trouble;
	json_t *row;

	(void)state;
	troubles_set(troubles, TROUBLE_store_behind, begun_ns, "disk \"\xff\"");
	row = ask();
	assert_true(json_is_false(json_object_get(row, "healthy")));
	trouble = trouble_of(row, TROUBLE_store_behind);
	assert_true(json_is_true(json_object_get(trouble, "active")));
	assert_in_range(number_of(trouble, "since_ms"), 5000, 5000 + PATIENCE_NS / NS_PER_MS);
	assert_int_equal(number_of(trouble, "times"), 1);
	assert_string_equal(json_string_value(json_object_get(trouble, "detail")),
			    "disk \"\xef\xbf\xbd\"");
	assert_string_equal(json_string_value(json_object_get(trouble, "remedy")),
			    trouble_remedy(TROUBLE_store_behind));
	json_decref(row);

	troubles_clear(troubles, TROUBLE_store_behind, clock_now_ns());
	row = ask();
	assert_true(json_is_true(json_object_get(row, "healthy")));
	trouble = trouble_of(row, TROUBLE_store_behind);
	assert_true(json_is_false(json_object_get(trouble, "active")));
	assert_true(json_is_null(json_object_get(trouble, "since_ms")));
	assert_int_equal(number_of(trouble, "times"), 1);
	assert_true(json_is_string(json_object_get(trouble, "detail")));
	json_decref(row);
}

static void what_never_was_has_no_detail(void **state)
{
	json_t *row = ask();

	(void)state;
	assert_true(
		json_is_null(json_object_get(trouble_of(row, TROUBLE_programs_lost), "detail")));
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(every_trouble_is_listed_in_the_same_shape),
		CONTROL_TEST(a_trouble_says_since_when_how_often_and_what_to_do),
		CONTROL_TEST(what_never_was_has_no_detail),
	};

	return cmocka_run_group_tests_name("control_check", tests, NULL, NULL);
}
