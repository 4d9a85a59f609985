/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_control_malformed.c - a malformed request closes the client that sent it, and nothing
 * else: beside each of them there is one who is in the middle of a long answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "control_world.h"

#define CROWD 1000
#define GARBAGE_LINES 5000

static const char status[] = "{\"command\": \"status\"}";

static void add_all_paths(void)
{
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
}

/* One who asks for all paths, and has read nothing yet. */
static struct peer *begin_listing(void)
{
	struct peer *peer = connect_peer();

	say(peer, "{\"command\": \"paths\"}");
	turn();
	return peer;
}

static void end_listing(struct peer *peer)
{
	size_t rows = 0;
	json_t *line;

	for (line = next_line(peer); line && json_object_get(line, "row"); line = next_line(peer)) {
		rows++;
		json_decref(line);
	}
	assert_non_null(line);
	assert_true(json_is_true(json_object_get(line, "end")));
	json_decref(line);
	assert_int_equal(rows, PATHS_MANY);
	leave(peer);
}

/* A line that opens something as often as it can, and closes nothing. */
static void say_nested(struct peer *peer, const char *opening)
{
	size_t length = strlen(opening), used = 0;
	char line[CONTROL_REQUEST_MAX];

	for (; used + length < sizeof(line); used += length)
		memcpy(line + used, opening, length);
	line[used++] = '\n';
	say_bytes(peer, line, used);
}

static void what_is_nested_too_deeply_closes_its_client(void **state)
{
	static const char *const openings[] = { "[", "{\"a\":", "{\"command\":[" };
	struct peer *bystander;

	(void)state;
	add_all_paths();
	bystander = begin_listing();
	for (size_t i = 0; i < COUNT(openings); i++) {
		struct peer *peer = connect_peer();

		say_nested(peer, openings[i]);
		expect_error(peer, "not a request");
		assert_closed(peer);
		leave(peer);
	}
	end_listing(bystander);
}

static void arguments_of_other_types_are_refused_one_by_one(void **state)
{
	static const char *const values[] = {
		"7", "-1e308", "null", "true", "[]", "{}", "[\"24s\"]", "{\"value\": \"24s\"}",
	};
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		char line[128];

		snprintf(line, sizeof(line), "{\"command\": \"threshold\", \"value\": %s}",
			 values[i]);
		say(peer, line);
		expect_error(peer, "\"value\" must be a string");
	}
	say(peer, "{\"command\": \"status\", \"value\": \"24s\"}");
	expect_error(peer, "does not take");
	assert_int_equal(threshold_told_ns, 0);
	expect_status(peer);
	leave(peer);
}

/* Bytes of all kinds, those of JSON more often than others; the same in every run. */
static size_t make_garbage(char *line, size_t size)
{
	static const char json[] = "{}[]\",:\\u0command status value 24s null 1e9";
	static uint32_t seed = 4711;
	size_t length;

	seed = seed * 1103515245 + 12345;
	length = seed >> 8 & 63;
	for (size_t i = 0; i < length && i < size; i++) {
		seed = seed * 1103515245 + 12345;
		line[i] = seed >> 28 ? json[(seed >> 16) % (sizeof(json) - 1)] : (char)(seed >> 20);
		if (line[i] == '\n')
			line[i] = ' ';
	}
	return length;
}

/* Whatever is said, one line comes back, and the client is closed or can go on. */
static void garbage_gets_one_answer_and_disturbs_nobody(void **state)
{
	struct peer *bystander;

	(void)state;
	add_all_paths();
	bystander = begin_listing();
	for (size_t i = 0; i < GARBAGE_LINES; i++) {
		struct peer *peer = connect_peer();
		char line[64];

		say_bytes(peer, line, make_garbage(line, sizeof(line)));
		say_bytes(peer, "\n", 1);
		expect_error(peer, "");
		leave(peer);
	}
	end_listing(bystander);
}

static void a_thousand_who_come_and_go_leave_nothing_behind(void **state)
{
	static const struct span said[] = {
		{ "", 0 },
		{ "{", 1 },
		{ "{\"command\": \"paths\"}\n", 21 },
		{ "{\"command\": \"events\"}\n", 22 },
		{ "nonsense\n", 9 },
	};
	struct peer *bystander, *last;

	(void)state;
	add_all_paths();
	bystander = begin_listing();
	for (size_t i = 0; i < CROWD; i++) {
		const struct span *words = &said[i % COUNT(said)];
		struct peer *peer = connect_peer();

		say_bytes(peer, words->at, words->length);
		leave(peer);
	}
	last = connect_peer();
	say(last, status);
	json_decref(expect_row(last));
	expect_end(last);
	leave(last);
	end_listing(bystander);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(what_is_nested_too_deeply_closes_its_client),
		CONTROL_TEST(arguments_of_other_types_are_refused_one_by_one),
		CONTROL_TEST(garbage_gets_one_answer_and_disturbs_nobody),
		CONTROL_TEST(a_thousand_who_come_and_go_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
