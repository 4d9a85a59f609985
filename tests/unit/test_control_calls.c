/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_calls.c - the control socket of call control, which keeps no paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "directory_world.h"

static void call_control_says_what_it_knows(void **state)
{
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_text(row, "role", "call-control");
	assert_text(row, "version", SIPPATH_VERSION);
	assert_text(row, "cluster", "redis://[2001:db8::7]:6379/2");
	assert_true(number_of(row, "uptime_ms") >= 0);
	assert_int_equal(number_of(row, "nodes"), 3);
	assert_int_equal(number_of(row, "locations"), 12);
	assert_true(json_is_true(json_object_get(row, "following")));
	assert_true(json_is_null(json_object_get(row, "lost_ago_ms")));
	json_decref(row);

	routing.following = false;
	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_true(json_is_false(json_object_get(row, "following")));
	assert_true(json_is_null(json_object_get(row, "lost_ago_ms")));
	json_decref(row);

	routing.lost_ns = clock_now_ns() - 5 * NS_PER_S;
	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_true(number_of(row, "lost_ago_ms") >= 5000);
	json_decref(row);
	leave(peer);
}

static void call_control_has_counters_and_no_programs(void **state)
{
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	kernel_error = -EPERM; /* nobody asks the kernel */
	counts.value[COUNT_calls_redirected] = 5;
	say(peer, "{\"command\": \"stats\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_int_equal(number_of(row, "calls_redirected"), 5);
	assert_int_equal(number_of(row, "packets_in"), 0);
	assert_int_equal(number_of(row, "paths"), 0);
	json_decref(row);
	leave(peer);
}

/* What it knows is old, so calls still go to nodes that it has not heard of for a while. */
static void whether_a_node_lives_is_not_known_while_nothing_is_followed(void **state)
{
	const struct node node = { .name = SPAN("a"), .uri = SPAN("sip:192.0.2.11:5060") };
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	for (int i = 0; i < 2; i++) {
		routing.following = i == 0;
		say(peer, "{\"command\": \"cluster\"}");
		await_questions((size_t)i + 1);
		answer_with((struct directory_answer){
			.now_ms = 100000, .nodes = &node, .node_count = 1 });
		row = expect_row(peer);
		expect_end(peer);
		if (routing.following)
			assert_true(json_is_false(json_object_get(row, "alive")));
		else
			assert_true(json_is_null(json_object_get(row, "alive")));
		json_decref(row);
	}
	leave(peer);
}

static void call_control_keeps_no_paths(void **state)
{
	static const char *const requests[] = {
		"{\"command\": \"paths\"}",
		"{\"command\": \"path\", \"flow\": \"198.51.100.7:40001\"}",
		"{\"command\": \"bindings\"}",
		"{\"command\": \"events\"}",
		"{\"command\": \"prompt\", \"flow\": \"198.51.100.7:40001\"}",
		"{\"command\": \"threshold\"}",
		"{\"command\": \"threshold\", \"value\": \"20s\"}",
	};
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		say(peer, requests[i]);
		expect_error(peer,
			     "this is a call control server: it keeps no paths; ask an agent");
	}
	say(peer, "{\"command\": \"drain\"}");
	expect_error(peer, "sippath order NODE drain");
	say(peer, "{\"command\": \"drain\", \"value\": \"on\"}");
	expect_error(peer, "sippath order NODE drain");
	leave(peer);
}

static void call_control_shows_and_steers_the_set(void **state)
{
	const struct location location = location_at("a", "udp 192.0.2.11:5060 198.51.100.7:40001",
						     BINDING_REGISTRATION, 10);
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	at_once = &(struct directory_answer){ .now_ms = NOW_MS,
					      .locations = &location,
					      .location_count = 1 };
	say(peer, ALICE);
	row = expect_row(peer);
	assert_text(row, "remote", "198.51.100.7:40001");
	json_decref(row);
	expect_end(peer);
	at_once = &(struct directory_answer){ .now_ms = NOW_MS };
	say(peer, "{\"command\": \"order\", \"order\": \"a drain\"}");
	json_decref(expect_row(peer));
	expect_end(peer);
	refusal = -ENOTCONN;
	say(peer, "{\"command\": \"order\", \"order\": \"a drain\"}");
	expect_error(peer, "the cluster is out of reach: \"sippath status\" says since when");
	leave(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALLS_TEST(call_control_says_what_it_knows),
		CALLS_TEST(call_control_has_counters_and_no_programs),
		CALLS_TEST(whether_a_node_lives_is_not_known_while_nothing_is_followed),
		CALLS_TEST(call_control_keeps_no_paths),
		CALLS_TEST(call_control_shows_and_steers_the_set),
	};

	return cmocka_run_group_tests_name("control_calls", tests, NULL, NULL);
}
