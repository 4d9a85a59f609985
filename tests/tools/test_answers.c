/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_answers.c - what sippath makes of an agent's answers; the agent is the test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answers_world.h"

#define EVENT(change) \
	"{\"row\":{\"time\":\"2026-01-31T12:34:56.789Z\"," \
	"\"path\":\"udp 10.0.0.1:5060 198.51.100.7:40001\"," change "}}\n"

#define ACCEPTED \
	EVENT("\"aor\":\"sip:alice@example.org\",\"from\":\"registered\"," \
	      "\"to\":\"registered+dialog\",\"health\":\"live\"," \
	      "\"reason\":\"dialog_confirmed\",\"text\":\"INVITE was accepted\",\"missed\":0")

static void an_event_is_a_line_as_soon_as_it_happens(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, ACCEPTED);
	expect_lines(run, 1);
	assert_string_equal(run->text,
			    "12:34:56.789  udp 10.0.0.1:5060 198.51.100.7:40001    "
			    "registered -> registered+dialog  INVITE was accepted           "
			    "sip:alice@example.org\n");
	answer(run, EVENT("\"aor\":null,\"from\":\"dialog\",\"to\":\"dialog\","
			  "\"health\":\"silent\",\"reason\":\"silent\",\"text\":\"no answers\","
			  "\"missed\":0"));
	expect_lines(run, 2);
	assert_shows(run, "dialog is silent                 no answers                    -\n");
	assert_int_equal(kill(run->child, SIGINT), 0);
	expect_exit(run, STATUS_DONE, "");
}

static void an_event_is_a_document_on_one_line(void **state)
{
	struct run *run = start("events", true);

	(void)state;
	for (size_t i = 1; i <= 3; i++) {
		answer(run, ACCEPTED);
		expect_lines(run, i);
		assert_int_equal(run->text[0], '{');
		assert_shows(run, "\"reason\":\"dialog_confirmed\"");
	}
	assert_int_equal(kill(run->child, SIGTERM), 0);
	expect_exit(run, STATUS_DONE, "");
}

static void names_do_not_steer_the_terminal(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, EVENT("\"aor\":\"sip:\\u001b[2J\\n@x\",\"from\":\"idle\","
			  "\"to\":\"registered\",\"health\":\"live\",\"reason\":\"registered\","
			  "\"text\":\"registered\",\"missed\":0"));
	expect_lines(run, 1);
	assert_shows(run, "sip:?[2J?@x\n");
	assert_int_equal(kill(run->child, SIGINT), 0);
	expect_exit(run, STATUS_DONE, "");
}

static void events_that_are_missing_are_said(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, EVENT("\"aor\":null,\"from\":\"idle\",\"to\":\"connected\","
			  "\"health\":\"live\",\"reason\":\"connected\",\"text\":\"connected\","
			  "\"missed\":17"));
	expect_lines(run, 2);
	assert_non_null(strstr(run->text, "17 events are missing"));
	assert_int_equal(kill(run->child, SIGINT), 0);
	expect_exit(run, STATUS_DONE, "");
}

static void an_agent_that_goes_is_a_failure(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, ACCEPTED);
	expect_lines(run, 1);
	assert_int_equal(shutdown(run->agent, SHUT_RDWR), 0);
	expect_exit(run, STATUS_FAILED, "has gone");
}

static void an_agent_that_refuses_is_a_failure(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, "{\"error\":\"there is no command \\\"events\\\"\"}\n");
	expect_exit(run, STATUS_FAILED, "there is no command");
}

/* Although nothing happens that could be written to it. */
static void a_reader_that_leaves_ends_it(void **state)
{
	struct run *run = start("events", false);

	(void)state;
	answer(run, ACCEPTED);
	expect_lines(run, 1);
	close(run->output);
	run->output = -1;
	expect_exit(run, STATUS_DONE, "");
}

static void half_an_answer_is_a_failure(void **state)
{
	struct run *run = start("paths", true);

	(void)state;
	answer(run, "{\"row\":{}}\n{\"row\":");
	assert_int_equal(shutdown(run->agent, SHUT_RDWR), 0);
	drain(run->output, run->text);
	assert_null(strchr(run->text, ']'));
	expect_exit(run, STATUS_FAILED, "ended before its answer did");
}

/* More than one reading of the socket gives. */
static void a_long_line_is_put_together(void **state)
{
	enum { LENGTH = 60000 };
	static char line[LENGTH + 64];
	struct run *run = start("paths", true);

	(void)state;
	strcpy(line, "{\"row\":{\"flow\":\"");
	memset(line + strlen(line), 'x', LENGTH);
	strcat(line, "\"}}\n");
	answer(run, line);
	answer(run, "{\"end\":true}\n");
	drain(run->output, run->text);
	assert_int_equal(strlen(run->text), strlen("[\n{\"flow\":\"\"}\n]\n") + LENGTH);
	expect_exit(run, STATUS_DONE, "");
}

static void a_path_says_how_and_why_it_is_kept(void **state)
{
	struct run *run = run_to_end(
		"paths", false,
		"{\"row\":{\"transport\":\"tcp\",\"state\":\"connected\",\"health\":\"live\","
		"\"kept_by\":\"tcp-keepalive\",\"why\":\"kept by TCP\",\"readable\":false}}\n"
		"{\"row\":{\"transport\":\"udp\",\"state\":\"registered\",\"health\":\"live\","
		"\"kept_by\":\"options\",\"why\":\"talks\",\"readable\":true}}\n"
		"{\"end\":true}\n");

	(void)state;
	assert_shows(run, "STATE       HEALTH  KEPT BY ");
	assert_shows(run, "connected   live    tcp-keepalive");
	assert_shows(run, "kept by TCP; nothing of what it carries can be read\n");
	assert_shows(run, "registered  live    options");
	assert_shows(run, "talks\n");
	expect_exit(run, STATUS_DONE, "");
}

static void a_path_alone_says_the_same_and_its_bindings(void **state)
{
	struct run *run = run_to_end(
		"path", false,
		"{\"row\":{\"flow\":\"tcp a b\",\"kept_by\":\"tcp-keepalive\",\"why\":\"kept by "
		"TCP\","
		"\"threshold_ms\":24000,\"behind_nat\":true,\"readable\":false,\"entry\":null,"
		"\"bindings\":[{\"kind\":\"connection\",\"ends_in_ms\":null}],"
		"\"bindings_omitted\":0}}\n{\"end\":true}\n");

	(void)state;
	assert_shows(run, "kept by         tcp-keepalive\n");
	assert_shows(run, "why             kept by TCP; nothing of what it carries can be read\n");
	assert_shows(run, "threshold       24.0 s\n");
	assert_shows(run, "behind a NAT    yes\n");
	assert_shows(run, "connection");
	expect_exit(run, STATUS_DONE, "");
}

static void each_kind_of_binding_says_what_it_is_about(void **state)
{
	struct run *run = run_to_end(
		"bindings", false,
		"{\"row\":{\"kind\":\"registration\",\"aor\":\"sip:a@b\",\"ends_in_ms\":61000,"
		"\"reg_id\":2,\"contact\":\"sip:a@c\"}}\n"
		"{\"row\":{\"kind\":\"subscription\",\"event\":\"dialog\",\"event_id\":\"7\"}}\n"
		"{\"row\":{\"kind\":\"dialog\",\"direction\":\"outgoing\",\"early\":true}}\n"
		"{\"row\":{\"kind\":\"lingering\",\"direction\":\"incoming\",\"early\":false}}\n"
		"{\"row\":{\"kind\":\"connection\",\"ends_in_ms\":null}}\n"
		"{\"end\":true}\n");

	(void)state;
	assert_shows(run, "registration  sip:a@b  -       1 min 1 s  reg-id 2         sip:a@c\n");
	assert_shows(run, "dialog;id=7 ");
	assert_shows(run, "outgoing, early ");
	assert_shows(run, "incoming ");
	assert_shows(run, "connection    -        -               -  -                -\n");
	expect_exit(run, STATUS_DONE, "");
}

static void status_says_whether_connections_are_kept(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"row\":{\"tcp_keepalive\":true}}\n{\"end\":true}\n", "TCP keepalive   yes\n" },
		{ "{\"row\":{\"tcp_keepalive\":false}}\n{\"end\":true}\n", "TCP keepalive   no\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run *run = run_to_end("status", false, cases[i][0]);

		assert_shows(run, cases[i][1]);
		expect_exit(run, STATUS_DONE, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(an_event_is_a_line_as_soon_as_it_happens),
		AGENT_TEST(an_event_is_a_document_on_one_line),
		AGENT_TEST(names_do_not_steer_the_terminal),
		AGENT_TEST(events_that_are_missing_are_said),
		AGENT_TEST(an_agent_that_goes_is_a_failure),
		AGENT_TEST(an_agent_that_refuses_is_a_failure),
		AGENT_TEST(a_reader_that_leaves_ends_it),
		AGENT_TEST(half_an_answer_is_a_failure),
		AGENT_TEST(a_long_line_is_put_together),
		AGENT_TEST(a_path_says_how_and_why_it_is_kept),
		AGENT_TEST(a_path_alone_says_the_same_and_its_bindings),
		AGENT_TEST(each_kind_of_binding_says_what_it_is_about),
		AGENT_TEST(status_says_whether_connections_are_kept),
	};

	setenv("TZ", "UTC", 1); /* times are shown as the clock on the wall shows them */
	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
