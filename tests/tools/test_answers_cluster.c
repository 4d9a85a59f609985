/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_answers_cluster.c - what sippath makes of answers about the set of proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answers_world.h"

#define END "{\"end\":true}\n"

#define NODE(name, draining, alive) \
	"{\"row\":{\"node\":\"" name "\",\"uri\":\"sip:192.0.2.11:5060\",\"paths\":1200," \
	"\"last_contact_ms\":450,\"draining\":" draining ",\"lag_ms\":3," \
	"\"alive\":" alive "}}\n"

#define PATH(node) \
	"{\"row\":{\"node\":\"" node "\",\"transport\":\"udp\"," \
	"\"local\":\"192.0.2.11:5060\",\"remote\":\"198.51.100.7:40001\"," \
	"\"health\":\"live\",\"state\":\"registered+dialog\",\"accepted_ago_ms\":61000," \
	"\"expires_in_ms\":59000,\"heard_ago_ms\":10,\"devices\":1}}\n"

static void nodes_are_a_table_that_says_which_ones_serve(void **state)
{
	struct run *run = run_to_end("cluster", false,
				     NODE("a", "false", "true") NODE("b", "true", "true")
					     NODE("c", "false", "false") NODE("d", "true", "false")
						     NODE("e", "false", "null") END);

	(void)state;
	assert_string_equal(run->text,
			    "NODE  URI                  PATHS   LAG  LAST CONTACT  STATE\n"
			    "a     sip:192.0.2.11:5060   1200  3 ms        450 ms  serving\n"
			    "b     sip:192.0.2.11:5060   1200  3 ms        450 ms  draining\n"
			    "c     sip:192.0.2.11:5060   1200  3 ms        450 ms  dead\n"
			    "d     sip:192.0.2.11:5060   1200  3 ms        450 ms  dead\n"
			    "e     sip:192.0.2.11:5060   1200  3 ms        450 ms  unknown\n");
	expect_exit(run, STATUS_DONE, "");
}

static void paths_of_an_aor_are_a_table_in_the_order_in_which_they_come(void **state)
{
	struct run *run = run_to_end("where", false, PATH("b") PATH("a") END);

	(void)state;
	assert_string_equal(
		run->text,
		"NODE  REMOTE              HEALTH  STATE               ACCEPTED  EXPIRES\n"
		"b     198.51.100.7:40001  live    registered+dialog  1 min 1 s   59.0 s\n"
		"a     198.51.100.7:40001  live    registered+dialog  1 min 1 s   59.0 s\n");
	expect_exit(run, STATUS_DONE, "");
}

static void the_argument_is_asked_under_its_name(void **state)
{
	static const char *const cases[][2] = {
		{ "where", "\"aor\":\"198.51.100.7:40001\"" },
		{ "drain", "\"value\":\"198.51.100.7:40001\"" },
		{ "order", "\"order\":\"198.51.100.7:40001\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run *run = start(cases[i][0], true);

		assert_non_null(strstr(run->request, cases[i][1]));
		answer(run, "{\"row\":{}}\n" END);
		drain(run->output, run->text);
		expect_exit(run, STATUS_DONE, "");
	}
}

/* The shape does not depend on how many there are. */
static void json_is_an_array_however_many_there_are(void **state)
{
	static const char *const commands[] = { "cluster", "where" };

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct run *run = run_to_end(commands[i], true, END);

		assert_string_equal(run->text, "[]\n");
		expect_exit(run, STATUS_DONE, "");
		run = run_to_end(commands[i], true, "{\"row\":{\"node\":\"a\"}}\n" END);
		assert_string_equal(run->text, "[\n{\"node\":\"a\"}\n]\n");
		expect_exit(run, STATUS_DONE, "");
	}
}

static void nobody_is_no_failure(void **state)
{
	static const char *const cases[][2] = {
		{ "cluster", "no node has reported to the cluster yet\n" },
		{ "where", "nobody in the set has a path of this AOR\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run *run = run_to_end(cases[i][0], false, END);

		assert_string_equal(run->text, cases[i][1]);
		expect_exit(run, STATUS_DONE, "");
	}
}

static void what_the_cluster_refuses_is_a_failure(void **state)
{
	struct run *run = start("where", true);

	(void)state;
	answer(run, "{\"error\":\"the cluster is out of reach\"}\n");
	drain(run->output, run->text);
	assert_string_equal(run->text, "");
	expect_exit(run, STATUS_FAILED, "the cluster is out of reach");
}

static void whether_a_proxy_drains_is_said(void **state)
{
	struct run *run = run_to_end("drain", false, "{\"row\":{\"draining\":true}}\n" END);

	(void)state;
	assert_shows(run, "draining: no new calls come here");
	expect_exit(run, STATUS_DONE, "");
	run = run_to_end("drain", false, "{\"row\":{\"draining\":false}}\n" END);
	assert_shows(run, "serving: new calls come here\n");
	expect_exit(run, STATUS_DONE, "");
}

static void an_order_says_who_was_told_what(void **state)
{
	struct run *run = run_to_end("order", false,
				     "{\"row\":{\"node\":\"a\",\"order\":\"undrain\"}}\n" END);

	(void)state;
	assert_string_equal(run->text, "told a to undrain\n");
	expect_exit(run, STATUS_DONE, "");
}

static void an_agent_says_its_part_in_the_cluster_if_it_has_one(void **state)
{
	struct run *run = run_to_end("status", false,
				     "{\"row\":{\"role\":\"agent\",\"cluster\":"
				     "\"redis://192.0.2.1:6379/0\",\"node\":\"a\","
				     "\"reachable\":false,\"draining\":true}}\n" END);

	(void)state;
	assert_shows(run, "cluster         redis://192.0.2.1:6379/0\n");
	assert_shows(run, "node            a\n");
	assert_shows(run, "in reach        no\n");
	assert_shows(run, "draining        yes\n");
	expect_exit(run, STATUS_DONE, "");
	run = run_to_end("status", false,
			 "{\"row\":{\"role\":\"agent\",\"cluster\":null,\"node\":null,"
			 "\"reachable\":null,\"draining\":null}}\n" END);
	assert_null(strstr(run->text, "cluster"));
	expect_exit(run, STATUS_DONE, "");
}

static void call_control_says_what_it_routes_by(void **state)
{
	static const char *const cases[][2] = {
		{ "\"following\":true,\"lost_ago_ms\":null", "up to date      yes\n" },
		{ "\"following\":false,\"lost_ago_ms\":61000",
		  "The cluster got out of reach 1 min 1 s ago" },
		{ "\"following\":false,\"lost_ago_ms\":null", "has not been read yet" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[512];
		struct run *run;

		snprintf(lines, sizeof(lines),
			 "{\"row\":{\"role\":\"call-control\",\"nodes\":3,"
			 "\"locations\":100000,%s}}\n" END,
			 cases[i][0]);
		run = run_to_end("status", false, lines);
		assert_shows(run, "role            call-control\n");
		assert_shows(run, "locations       100000\n");
		assert_shows(run, cases[i][1]);
		assert_null(strstr(run->text, "SIP ports"));
		expect_exit(run, STATUS_DONE, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(nodes_are_a_table_that_says_which_ones_serve),
		AGENT_TEST(paths_of_an_aor_are_a_table_in_the_order_in_which_they_come),
		AGENT_TEST(the_argument_is_asked_under_its_name),
		AGENT_TEST(json_is_an_array_however_many_there_are),
		AGENT_TEST(nobody_is_no_failure),
		AGENT_TEST(what_the_cluster_refuses_is_a_failure),
		AGENT_TEST(whether_a_proxy_drains_is_said),
		AGENT_TEST(an_order_says_who_was_told_what),
		AGENT_TEST(an_agent_says_its_part_in_the_cluster_if_it_has_one),
		AGENT_TEST(call_control_says_what_it_routes_by),
	};

	return cmocka_run_group_tests_name("answers_cluster", tests, NULL, NULL);
}
