/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "health/troubles.h"

#define NOW (1000 * NS_PER_S)

struct bench {
	struct counts counts;
	struct troubles *troubles;
	int log; /* what is written on standard error */
	int standard_error;
};

static int set_up(void **state)
{
	char name[] = "/tmp/sippath-test-troubles-XXXXXX";
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->troubles = troubles_new(&bench->counts);
	assert_non_null(bench->troubles);
	bench->log = mkstemp(name);
	assert_true(bench->log >= 0);
	unlink(name);
	bench->standard_error = dup(STDERR_FILENO);
	dup2(bench->log, STDERR_FILENO);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	dup2(bench->standard_error, STDERR_FILENO);
	close(bench->standard_error);
	close(bench->log);
	troubles_free(bench->troubles);
	free(bench);
	return 0;
}

static size_t lines_logged(const struct bench *bench, const char *with)
{
	char text[8192];
	ssize_t length = pread(bench->log, text, sizeof(text) - 1, 0);
	size_t lines = 0;

	assert_true(length >= 0);
	text[length] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		lines += strstr(line, with) != NULL;
	return lines;
}

static bool is_present(const struct bench *bench, enum trouble which)
{
	return troubles_look(bench->troubles, which)->present;
}

static void at_first_nothing_is_wrong(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(troubles_present(bench->troubles), 0);
	for (enum trouble which = 0; which < TROUBLE_MAX; which++) {
		const struct trouble_state *found = troubles_look(bench->troubles, which);

		assert_false(found->present);
		assert_int_equal(found->times, 0);
		assert_string_equal(found->detail, "");
		assert_true(strlen(trouble_name(which)) > 0);
		assert_true(strlen(trouble_wrong(which)) > 0);
		assert_true(strlen(trouble_remedy(which)) > 0);
	}
}

static void a_trouble_that_lasts_is_said_when_it_begins_and_when_it_is_over(void **state)
{
	struct bench *bench = *state;
	const struct trouble_state *found = troubles_look(bench->troubles, TROUBLE_nothing_seen);

	for (int i = 0; i < 10; i++)
		troubles_set(bench->troubles, TROUBLE_nothing_seen, NOW + i * NS_PER_S, "try %d",
			     i);
	assert_true(found->present);
	assert_int_equal(found->since_ns, NOW);
	assert_int_equal(found->times, 1);
	assert_string_equal(found->detail, "try 9");
	troubles_turn(bench->troubles, NOW + 3600 * NS_PER_S);
	assert_true(found->present);
	troubles_clear(bench->troubles, TROUBLE_nothing_seen, NOW + 3601 * NS_PER_S);
	troubles_clear(bench->troubles, TROUBLE_nothing_seen, NOW + 3602 * NS_PER_S);
	assert_false(found->present);
	assert_int_equal(lines_logged(bench, "nothing_seen: "), 2);
	assert_int_equal(lines_logged(bench, "(try 0)"), 1);
	assert_int_equal(lines_logged(bench, trouble_remedy(TROUBLE_nothing_seen)), 1);
	assert_int_equal(lines_logged(bench, "over after 3601 s"), 1);
}

static void each_beginning_is_counted_under_its_name(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 3; i++) {
		troubles_set(bench->troubles, TROUBLE_store_behind, NOW, "x");
		troubles_clear(bench->troubles, TROUBLE_store_behind, NOW);
	}
	troubles_set(bench->troubles, TROUBLE_helper_gone, NOW, "x");
	assert_int_equal(bench->counts.value[COUNT_trouble_store_behind], 3);
	assert_int_equal(bench->counts.value[COUNT_trouble_helper_gone], 1);
	assert_int_equal(bench->counts.value[COUNT_trouble_programs_lost], 0);
	assert_int_equal(troubles_look(bench->troubles, TROUBLE_store_behind)->times, 3);
	assert_int_equal(troubles_present(bench->troubles), 1);
}

static void an_event_counts_for_some_time_after_the_latest(void **state)
{
	struct bench *bench = *state;
	uint64_t later_ns = NOW + TROUBLES_EVENT_NS - 1;

	troubles_note(bench->troubles, TROUBLE_clock_stepped, NOW, "by 3 s");
	troubles_turn(bench->troubles, later_ns);
	assert_true(is_present(bench, TROUBLE_clock_stepped));
	troubles_note(bench->troubles, TROUBLE_clock_stepped, later_ns, "by 4 s");
	troubles_turn(bench->troubles, later_ns + TROUBLES_EVENT_NS - 1);
	assert_true(is_present(bench, TROUBLE_clock_stepped));
	assert_int_equal(troubles_look(bench->troubles, TROUBLE_clock_stepped)->times, 1);
	/* It is nobody's to clear. */
	troubles_clear(bench->troubles, TROUBLE_clock_stepped, later_ns);
	assert_true(is_present(bench, TROUBLE_clock_stepped));
	troubles_turn(bench->troubles, later_ns + TROUBLES_EVENT_NS);
	assert_false(is_present(bench, TROUBLE_clock_stepped));
	assert_int_equal(lines_logged(bench, "clock_stepped: "), 2);
}

/* The room that noticed it knows more, and has said so. */
static void what_was_said_before_is_not_said_again(void **state)
{
	struct bench *bench = *state;

	troubles_set(bench->troubles, TROUBLE_programs_lost, NOW, "eth0");
	troubles_clear(bench->troubles, TROUBLE_programs_lost, NOW);
	assert_int_equal(lines_logged(bench, ""), 0);
	assert_int_equal(troubles_crossings(bench->troubles), 2);
}

static void a_long_detail_is_cut(void **state)
{
	struct bench *bench = *state;

	troubles_set(bench->troubles, TROUBLE_store_behind, NOW, "%0*d", 1000, 7);
	assert_int_equal(strlen(troubles_look(bench->troubles, TROUBLE_store_behind)->detail),
			 TROUBLES_DETAIL_MAX - 1);
}

#define TROUBLES_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TROUBLES_TEST(at_first_nothing_is_wrong),
		TROUBLES_TEST(a_trouble_that_lasts_is_said_when_it_begins_and_when_it_is_over),
		TROUBLES_TEST(each_beginning_is_counted_under_its_name),
		TROUBLES_TEST(an_event_counts_for_some_time_after_the_latest),
		TROUBLES_TEST(what_was_said_before_is_not_said_again),
		TROUBLES_TEST(a_long_detail_is_cut),
	};

	return cmocka_run_group_tests_name("troubles", tests, NULL, NULL);
}
