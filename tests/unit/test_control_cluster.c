/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_cluster.c - what an agent of a set of proxies shows of it, and is told to do in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "directory_world.h"

static void nodes_are_shown_by_name_once_they_are_known(void **state)
{
	char name[] = "b";
	const struct node nodes[] = {
		{ .name = span_of(name),
		  .uri = SPAN("sip:192.0.2.12:5060"),
		  .beat_ms = NOW_MS - 3000,
		  .paths = 7,
		  .lag_ms = 4,
		  .draining = true },
		{ .name = SPAN("a"),
		  .uri = SPAN("sip:192.0.2.11:5060"),
		  .beat_ms = NOW_MS - 2999,
		  .paths = 9 },
	};
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	say(peer, "{\"command\": \"cluster\"}");
	await_questions(1);
	for (int i = 0; i < 10; i++) {
		turn();
		assert_true(hear(peer));
	}
	assert_int_equal(peer->used, 0);
	answer_with((struct directory_answer){ .now_ms = NOW_MS, .nodes = nodes, .node_count = 2 });
	name[0] = 'x'; /* it was good within the answer only */
	row = expect_row(peer);
	assert_text(row, "node", "a");
	assert_text(row, "uri", "sip:192.0.2.11:5060");
	assert_int_equal(number_of(row, "paths"), 9);
	assert_int_equal(number_of(row, "last_contact_ms"), 2999);
	assert_true(json_is_false(json_object_get(row, "draining")));
	assert_true(json_is_true(json_object_get(row, "alive")));
	json_decref(row);
	row = expect_row(peer);
	assert_text(row, "node", "b");
	assert_int_equal(number_of(row, "lag_ms"), 4);
	assert_int_equal(number_of(row, "last_contact_ms"), 3000);
	assert_true(json_is_true(json_object_get(row, "draining")));
	assert_true(json_is_false(json_object_get(row, "alive")));
	json_decref(row);
	expect_end(peer);
	leave(peer);
	assert_int_equal(forgotten, 0);
}

static void a_beat_that_is_ahead_of_the_clock_is_no_time_ago(void **state)
{
	const struct node ahead = { .name = SPAN("a"), .beat_ms = NOW_MS + 40 };
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	at_once = &(struct directory_answer){ .now_ms = NOW_MS, .nodes = &ahead, .node_count = 1 };
	say(peer, "{\"command\": \"cluster\"}");
	row = expect_row(peer);
	assert_int_equal(number_of(row, "last_contact_ms"), 0);
	assert_true(json_is_true(json_object_get(row, "alive")));
	json_decref(row);
	expect_end(peer);
	leave(peer);
}

static void an_agent_out_of_reach_says_what_can_be_seen(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	refusal = -ENOTCONN;
	say(peer, ALICE);
	expect_error(peer, "the cluster is out of reach: \"sippath bindings\" shows");
	refusal = -EBUSY;
	say(peer, "{\"command\": \"cluster\"}");
	expect_error(peer, "try again");
	refusal = 0;
	say(peer, "{\"command\": \"cluster\"}");
	await_questions(1);
	answer_with((struct directory_answer){ .error = -ENOTCONN, .reason = "it has gone" });
	expect_error(peer, "the cluster is out of reach: \"sippath bindings\" shows");
	say(peer, ALICE);
	await_questions(2);
	answer_with((struct directory_answer){ .error = -EBADMSG, .reason = "it makes no sense" });
	expect_error(peer, "it makes no sense");
	expect_status(peer);
	leave(peer);
	assert_int_equal(forgotten, 0);
}

static void an_agent_outside_of_a_cluster_says_so(void **state)
{
	static const char *const requests[] = {
		"{\"command\": \"cluster\"}",
		ALICE,
		"{\"command\": \"drain\"}",
		"{\"command\": \"drain\", \"value\": \"on\"}",
		"{\"command\": \"order\", \"order\": \"a drain\"}",
	};
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		say(peer, requests[i]);
		expect_error(peer, "this agent is in no cluster: see --cluster");
	}
	expect_status(peer);
	leave(peer);
}

static void draining_is_said_and_set(void **state)
{
	struct peer *peer = connect_peer();
	static const struct {
		const char *request;
		bool draining;
	} cases[] = {
		{ "{\"command\": \"drain\"}", false },
		{ "{\"command\": \"drain\", \"value\": \"on\"}", true },
		{ "{\"command\": \"drain\"}", true },
		{ "{\"command\": \"drain\", \"value\": \"off\"}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *row;

		say(peer, cases[i].request);
		row = expect_row(peer);
		assert_true(json_is_boolean(json_object_get(row, "draining")));
		assert_int_equal(json_is_true(json_object_get(row, "draining")), cases[i].draining);
		json_decref(row);
		expect_end(peer);
		assert_int_equal(draining, cases[i].draining);
	}
	say(peer, "{\"command\": \"drain\", \"value\": \"yes\"}");
	expect_error(peer, "expected on or off, not \"yes\"");
	drain_error = -ENOTCONN;
	say(peer, "{\"command\": \"drain\", \"value\": \"on\"}");
	expect_error(peer, "out of reach");
	assert_false(draining);
	leave(peer);
}

static void an_order_is_passed_on_whole(void **state)
{
	static const char flow[] = "udp 192.0.2.1:5060 [2001:db8::1]:40001";
	static const struct {
		const char *words;
		enum order_kind kind;
		bool has_flow;
	} cases[] = {
		{ "proxy-1.a_b drain", ORDER_drain, false },
		{ "  proxy-1.a_b\\t undrain ", ORDER_undrain, false },
		{ "proxy-1.a_b drop udp 192.0.2.1:5060 [2001:db8::1]:40001", ORDER_drop, true },
		{ "proxy-1.a_b prompt udp 192.0.2.1:5060 [2001:db8::1]:40001", ORDER_prompt, true },
	};
	struct peer *peer = connect_peer();
	struct flow wanted;

	(void)state;
	assert_int_equal(flow_read(SPAN(flow), &wanted), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char request[CONTROL_REQUEST_MAX];
		json_t *row;

		snprintf(request, sizeof(request), "{\"command\": \"order\", \"order\": \"%s\"}",
			 cases[i].words);
		say(peer, request);
		await_questions(i + 1);
		answer_with((struct directory_answer){ .now_ms = NOW_MS });
		row = expect_row(peer);
		assert_text(row, "node", "proxy-1.a_b");
		assert_text(row, "order", order_name(cases[i].kind));
		json_decref(row);
		expect_end(peer);
		assert_string_equal(asked_node, "proxy-1.a_b");
		assert_int_equal(asked_order.kind, cases[i].kind);
		if (cases[i].has_flow)
			assert_memory_equal(&asked_order.flow, &wanted, sizeof(wanted));
	}
	leave(peer);
}

static void what_is_no_order_is_not_passed_on(void **state)
{
	static const char *const words[] = {
		"",
		"a",
		"a reboot",
		"a leave",
		"a Drain",
		"a drain now",
		"a prompt",
		"a drop 198.51.100.7:40001",
		"a prompt udp 192.0.2.1:5060",
		"a/b drain",
		"drain",
	};
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, "{\"command\": \"order\"}");
	expect_error(peer, "expected NODE and");
	for (size_t i = 0; i < COUNT(words); i++) {
		char request[CONTROL_REQUEST_MAX];

		snprintf(request, sizeof(request), "{\"command\": \"order\", \"order\": \"%s\"}",
			 words[i]);
		say(peer, request);
		expect_error(peer, "expected NODE and");
	}
	assert_int_equal(question_count, 0);
	leave(peer);
}

static void a_node_that_is_not_there_is_said(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	refusal = -ENOENT;
	say(peer, "{\"command\": \"order\", \"order\": \"nobody drain\"}");
	expect_error(peer, "there is no node nobody in the cluster");
	refusal = 0;
	say(peer, "{\"command\": \"order\", \"order\": \"nobody drain\"}");
	await_questions(1);
	answer_with((struct directory_answer){ .error = -ENOENT, .reason = "no such node" });
	expect_error(peer, "there is no node nobody in the cluster");
	refusal = -ENOTCONN;
	say(peer, "{\"command\": \"order\", \"order\": \"a drain\"}");
	expect_error(peer, "the cluster is out of reach");
	leave(peer);
}

static void an_agent_says_how_it_is_in_the_cluster(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *row;

		in_reach = i == 0;
		draining = i == 1;
		say(peer, "{\"command\": \"status\"}");
		row = expect_row(peer);
		expect_end(peer);
		assert_text(row, "role", "agent");
		assert_text(row, "cluster", "redis://[2001:db8::7]:6379/2");
		assert_text(row, "node", "b");
		assert_int_equal(json_is_true(json_object_get(row, "reachable")), in_reach);
		assert_int_equal(json_is_true(json_object_get(row, "draining")), draining);
		json_decref(row);
	}
	leave(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(nodes_are_shown_by_name_once_they_are_known),
		AGENT_TEST(a_beat_that_is_ahead_of_the_clock_is_no_time_ago),
		AGENT_TEST(an_agent_out_of_reach_says_what_can_be_seen),
		CONTROL_TEST(an_agent_outside_of_a_cluster_says_so),
		AGENT_TEST(draining_is_said_and_set),
		AGENT_TEST(an_order_is_passed_on_whole),
		AGENT_TEST(what_is_no_order_is_not_passed_on),
		AGENT_TEST(a_node_that_is_not_there_is_said),
		AGENT_TEST(an_agent_says_how_it_is_in_the_cluster),
	};

	return cmocka_run_group_tests_name("control_cluster", tests, NULL, NULL);
}
