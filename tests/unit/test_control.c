/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control.c - what each command of the control socket answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "control_world.h"

static void status_says_what_is_watched(void **state)
{
	struct peer *peer = connect_peer();
	json_t *row, *interface;

	(void)state;
	add_path(0);
	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_string_equal(json_string_value(json_object_get(row, "version")), SIPPATH_VERSION);
	assert_int_equal(number_of(row, "paths"), 1);
	assert_int_equal(number_of(row, "paths_max"), 1024);
	assert_int_equal(number_of(row, "threshold_ms"), 24000);
	assert_true(number_of(row, "uptime_ms") >= 0);
	assert_true(json_is_true(json_object_get(row, "tcp_keepalive")));
	assert_int_equal(json_array_size(json_object_get(row, "sip_ports")), 2);
	interface = json_array_get(json_object_get(row, "interfaces"), 0);
	assert_string_equal(json_string_value(json_object_get(interface, "name")), "eth0");
	assert_string_equal(json_string_value(json_object_get(interface, "mode")), "native");
	assert_string_equal(json_string_value(json_object_get(interface, "attached")), "agent");
	assert_string_equal(json_string_value(json_object_get(row, "role")), "agent");
	assert_true(json_is_null(json_object_get(row, "cluster")));
	assert_true(json_is_null(json_object_get(row, "node")));
	assert_true(json_is_null(json_object_get(row, "reachable")));
	assert_true(json_is_null(json_object_get(row, "draining")));
	json_decref(row);
	leave(peer);
}

static void no_paths_are_an_end_and_nothing_else(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, "{\"command\": \"paths\"}");
	expect_end(peer);
	say(peer, "{\"command\": \"bindings\"}");
	expect_end(peer);
	leave(peer);
}

static void a_path_that_is_about_to_go_is_not_shown(void **state)
{
	struct peer *peer = connect_peer();
	struct path *path = add_path(0), *other = add_path(1);
	json_t *row;

	(void)state;
	paths_detach(path->bindings);
	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_int_equal(number_of(row, "paths"), 1);
	json_decref(row);
	say(peer, "{\"command\": \"stats\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_int_equal(number_of(row, "paths"), 1);
	json_decref(row);
	paths_detach(other->bindings);
	say(peer, "{\"command\": \"paths\"}");
	expect_end(peer);
	say(peer, "{\"command\": \"path\", \"flow\": \"udp 192.0.2.1:5060 198.51.100.7:10000\"}");
	expect_error(peer, "no such path: udp 192.0.2.1:5060 198.51.100.7:10000");
	say(peer, "{\"command\": \"path\", \"flow\": \"198.51.100.7:10000\"}");
	expect_error(peer, "no path has the remote address 198.51.100.7:10000");
	leave(peer);
}

static void a_path_is_found_by_flow_and_by_remote(void **state)
{
	static const char *const requests[] = {
		"{\"command\": \"path\", \"flow\": \"udp 192.0.2.1:5060 198.51.100.7:10600\"}",
		"{\"command\": \"path\", \"flow\": \"198.51.100.7:10600\"}",
	};
	struct peer *peer = connect_peer();

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		add_path(i);
	for (size_t i = 0; i < COUNT(requests); i++) {
		json_t *row;

		say(peer, requests[i]);
		row = expect_row(peer);
		assert_string_equal(json_string_value(json_object_get(row, "remote")),
				    "198.51.100.7:10600");
		assert_int_equal(json_array_size(json_object_get(row, "bindings")), 1);
		assert_true(json_is_object(json_object_get(row, "entry")));
		json_decref(row);
		expect_end(peer);
	}
	leave(peer);
}

static void a_remote_of_several_paths_is_refused_with_a_list(void **state)
{
	struct peer *peer = connect_peer();
	struct flow flow = add_path(0)->flow;
	struct path *other;

	(void)state;
	flow.local_port = 5062;
	other = paths_add(pipeline.keeper.paths, &flow, 1);
	assert_non_null(other);
	other->rules = &rules;
	paths_attach(other, &registrations[registered++].binding);
	say(peer, "{\"command\": \"path\", \"flow\": \"198.51.100.7:10000\"}");
	expect_error(peer, "2 paths have that remote address");
	say(peer, "{\"command\": \"prompt\", \"flow\": \"198.51.100.7:10000\"}");
	expect_error(peer, "udp 192.0.2.1:5062 198.51.100.7:10000");
	assert_null(pipeline.keeper.prompted);
	leave(peer);
}

static void bindings_are_all_shown_once(void **state)
{
	enum { ON_ONE_PATH = 1500, OTHERS = 200 };
	uint8_t heard[ON_ONE_PATH] = { 0 };
	struct peer *peer = connect_peer();
	struct path *path = add_path(0);
	size_t rows = 0;
	json_t *line;

	(void)state;
	for (size_t i = 1; i < ON_ONE_PATH; i++) {
		registrations[registered] = registrations[0];
		registrations[registered].binding.path = NULL;
		registrations[registered].reg_id = (uint32_t)i;
		paths_attach(path, &registrations[registered++].binding);
	}
	for (uint32_t i = 1; i <= OTHERS; i++)
		add_path(i);
	say(peer, "{\"command\": \"bindings\"}");
	for (line = next_line(peer); json_object_get(line, "row"); line = next_line(peer)) {
		const json_t *row = json_object_get(line, "row");

		assert_string_equal(json_string_value(json_object_get(row, "aor")),
				    "sip:\xef\xbf\xbd\x1b\"@example.org");
		heard[json_integer_value(json_object_get(row, "reg_id"))]++;
		assert_true(++rows <= ON_ONE_PATH + OTHERS);
		json_decref(line);
	}
	json_decref(line);
	assert_int_equal(rows, ON_ONE_PATH + OTHERS);
	for (size_t i = 1; i < ON_ONE_PATH; i++)
		assert_int_equal(heard[i], 1);
	leave(peer);
}

static void stats_are_one_flat_object(void **state)
{
	struct peer *peer = connect_peer();
	const char *name;
	json_t *row, *value;

	(void)state;
	counts.value[COUNT_prompts_sent] = 7;
	say(peer, "{\"command\": \"stats\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_int_equal(number_of(row, "prompts_sent"), 7);
	json_object_foreach(row, name, value) assert_true(json_is_integer(value));
	json_decref(row);
	kernel_error = -EPERM;
	say(peer, "{\"command\": \"stats\"}");
	expect_error(peer, "cannot read sip_counters");
	leave(peer);
}

static void a_prompt_is_carried_out_at_once(void **state)
{
	struct peer *peer = connect_peer();
	struct path *path = add_path(3);

	(void)state;
	say(peer, "{\"command\": \"prompt\", \"flow\": \"198.51.100.7:10003\"}");
	json_decref(expect_row(peer));
	expect_end(peer);
	assert_ptr_equal(pipeline.keeper.prompted, path);
	assert_int_equal(turns_asked_for, 1);
	pipeline.keeper.prompt_error = -EALREADY;
	say(peer, "{\"command\": \"prompt\", \"flow\": \"198.51.100.7:10003\"}");
	expect_error(peer, "on its way");
	pipeline.keeper.prompt_error = -EADDRNOTAVAIL;
	say(peer, "{\"command\": \"prompt\", \"flow\": \"198.51.100.7:10003\"}");
	expect_error(peer, "could not be sent");
	pipeline.keeper.prompt_error = -EPROTONOSUPPORT;
	say(peer, "{\"command\": \"prompt\", \"flow\": \"198.51.100.7:10003\"}");
	expect_error(peer, "keepalive keeps it");
	leave(peer);
}

static void a_connection_is_shown_as_the_kernel_keeps_it(void **state)
{
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	add_path_over(FLOW_TCP, 0);
	connection = (struct connection_entry){ .keepalive = 1, .opaque = 1 };
	say(peer, "{\"command\": \"paths\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_string_equal(json_string_value(json_object_get(row, "kept_by")), "tcp-keepalive");
	assert_true(json_is_false(json_object_get(row, "readable")));
	json_decref(row);
	connection = (struct connection_entry){ .keepalive = 0 };
	say(peer, "{\"command\": \"path\", \"flow\": \"198.51.100.7:10000\"}");
	row = expect_row(peer);
	expect_end(peer);
	assert_string_equal(json_string_value(json_object_get(row, "kept_by")), "none");
	assert_true(json_is_true(json_object_get(row, "readable")));
	json_decref(row);
	leave(peer);
}

static void the_threshold_is_said_and_set(void **state)
{
	static const struct {
		const char *request;
		json_int_t threshold_ms; /* 0: refused */
	} cases[] = {
		{ "{\"command\": \"threshold\"}", 24000 },
		{ "{\"command\": \"threshold\", \"value\": \"500ms\"}", 0 },
		{ "{\"command\": \"threshold\", \"value\": \"61m\"}", 0 },
		{ "{\"command\": \"threshold\", \"value\": \"\"}", 0 },
		{ "{\"command\": \"threshold\", \"value\": \"soon\"}", 0 },
		{ "{\"command\": \"threshold\"}", 24000 },
		{ "{\"command\": \"threshold\", \"value\": \"5s\"}", 5000 },
		{ "{\"command\": \"threshold\"}", 5000 },
	};
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *row;

		say(peer, cases[i].request);
		if (cases[i].threshold_ms == 0) {
			expect_error(peer, "expected a time from 1s to 1h");
			continue;
		}
		row = expect_row(peer);
		assert_int_equal(number_of(row, "threshold_ms"), cases[i].threshold_ms);
		json_decref(row);
		expect_end(peer);
	}
	assert_int_equal(pipeline.keeper.threshold_ns, 5 * NS_PER_S);
	assert_int_equal(threshold_told_ns, 5 * NS_PER_S);
	assert_int_equal(turns_asked_for, 1);
	leave(peer);
}

static void what_cannot_be_done_is_said_and_the_client_stays(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"command\": \"reboot\"}", "there is no command \"reboot\"" },
		{ "{\"command\": \"\"}", "there is no command \"\"" },
		{ "{\"command\": \"status\", \"flow\": \"x\"}", "does not take \"flow\"" },
		{ "{\"command\": \"threshold\", \"valu\": \"5s\"}", "does not take \"valu\"" },
		{ "{\"command\": \"threshold\", \"value\": 5}", "must be a string" },
		{ "{\"command\": \"path\"}", "a flow is expected" },
		{ "{\"command\": \"path\", \"flow\": \"\"}", "a flow is expected" },
		{ "{\"command\": \"path\", \"flow\": \"198.51.100.7\"}", "a flow is expected" },
		{ "{\"command\": \"prompt\", \"flow\": \"udp 192.0.2.1:5060 198.51.100.7:9\"}",
		  "no such path" },
	};
	struct peer *peer = connect_peer();
	char request[CONTROL_REQUEST_MAX] = "{\"command\": \"path\", \"flow\": \"";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		say(peer, cases[i][0]);
		expect_error(peer, cases[i][1]);
	}
	memset(request + strlen(request), '1', 3000);
	strcat(request, "\"}");
	say(peer, request);
	expect_error(peer, "at most 1024 bytes");
	assert_int_equal(turns_asked_for, 0);
	expect_status(peer);
	leave(peer);
}

/* UDP paths have the new one all the same. */
static void a_threshold_that_tcp_does_not_take_is_said(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	threshold_error = -EAGAIN;
	say(peer, "{\"command\": \"threshold\", \"value\": \"20s\"}");
	expect_error(peer, "TCP connections are kept at the old one: Resource temporarily");
	assert_int_equal(pipeline.keeper.threshold_ns, 20 * NS_PER_S);
	assert_int_equal(turns_asked_for, 1);
	leave(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(status_says_what_is_watched),
		CONTROL_TEST(no_paths_are_an_end_and_nothing_else),
		CONTROL_TEST(a_path_that_is_about_to_go_is_not_shown),
		CONTROL_TEST(a_path_is_found_by_flow_and_by_remote),
		CONTROL_TEST(a_remote_of_several_paths_is_refused_with_a_list),
		CONTROL_TEST(bindings_are_all_shown_once),
		CONTROL_TEST(stats_are_one_flat_object),
		CONTROL_TEST(a_prompt_is_carried_out_at_once),
		CONTROL_TEST(a_connection_is_shown_as_the_kernel_keeps_it),
		CONTROL_TEST(the_threshold_is_said_and_set),
		CONTROL_TEST(a_threshold_that_tcp_does_not_take_is_said),
		CONTROL_TEST(what_cannot_be_done_is_said_and_the_client_stays),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
