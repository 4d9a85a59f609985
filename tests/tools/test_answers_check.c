/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_answers_check.c - what "sippath check" makes of what the agent says is wrong, and without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answers_world.h"

#define END "{\"end\":true}\n"

#define TROUBLE(name, active, since, times, detail) \
	"{\"name\":\"" name "\",\"active\":" active ",\"since_ms\":" since ",\"times\":" times \
	",\"wrong\":\"something is wrong\",\"detail\":" detail ",\"remedy\":\"mend it\"}"

#define WELL \
	"{\"healthy\":true,\"troubles\":[" TROUBLE("a", "false", "null", "0", "null") "," TROUBLE( \
		"b", "false", "null", "2", "\"eth0\"") "]}"
#define ILL \
	"{\"healthy\":false,\"troubles\":[" TROUBLE("a", "false", "null", "1", \
						    "\"x\"") "," TROUBLE("b", "true", "61000", \
									 "3", "\"eth0\"") "]}"

#define ROW(document) "{\"row\":" document "}\n" END

static void a_healthy_agent_is_status_0(void **state)
{
	struct run *run = run_to_end("check", false, ROW(WELL));

	(void)state;
	assert_string_equal(run->text, "healthy: nothing is wrong\n"
				       "over    b, 2 times so far, the last time: eth0\n");
	expect_exit(run, STATUS_DONE, "");
}

static void what_is_wrong_is_said_with_what_to_do(void **state)
{
	struct run *run = run_to_end("check", false, ROW(ILL));

	(void)state;
	assert_string_equal(run->text, "WRONG   b, for 1 min 1 s: something is wrong\n"
				       "        seen:  eth0\n"
				       "        to do: mend it\n"
				       "over    a, 1 time so far, the last time: x\n");
	expect_exit(run, STATUS_FAILED, "");
}

static void json_is_what_the_agent_says_and_the_status_is_the_same(void **state)
{
	struct run *run = run_to_end("check", true, ROW(WELL));

	(void)state;
	assert_string_equal(run->text, WELL "\n");
	expect_exit(run, STATUS_DONE, "");
	run = run_to_end("check", true, ROW(ILL));
	assert_string_equal(run->text, ILL "\n");
	expect_exit(run, STATUS_FAILED, "");
}

/* Monitoring must not take an answer without sense for health. */
static void an_answer_without_sense_is_no_health(void **state)
{
	static const char *const answers[] = { ROW("{}"), ROW("{\"healthy\":\"yes\"}"),
					       ROW("{\"healthy\":null,\"troubles\":7}") };
	struct run *run;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run = run_to_end("check", false, answers[i]);
		expect_exit(run, STATUS_FAILED, "");
	}
	run = run_to_end("check", false, END);
	expect_exit(run, STATUS_FAILED, "answered nothing");
	run = run_to_end("check", false, "{\"error\":\"no such command\"}\n");
	expect_exit(run, STATUS_FAILED, "no such command");
}

/* Runs sippath where nobody answers; its exit status, and what it says. */
static int run_alone(const char *path, char errors[OUTPUT_MAX])
{
	int output[2], status;
	pid_t child;

	assert_int_equal(pipe(output), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (path != socket_path)
			snprintf(socket_path, sizeof(socket_path), "%s", path);
		be_sippath("check", false, dup(output[1]), output[1]);
	}
	close(output[1]);
	memset(errors, 0, OUTPUT_MAX);
	drain(output[0], errors);
	close(output[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void without_an_agent_it_says_what_can_be_seen(void **state)
{
	static char errors[OUTPUT_MAX];

	(void)state;
	close(listening); /* the socket file stays */
	assert_int_equal(run_alone(socket_path, errors), STATUS_FAILED);
	assert_non_null(strstr(errors, "cannot reach the agent"));
	assert_non_null(strstr(errors, "its socket is there"));
	assert_int_equal(run_alone("/nowhere/s.sock", errors), STATUS_FAILED);
	assert_non_null(strstr(errors, "sippathd does not run"));
	assert_int_equal(run_alone("/etc/passwd", errors), STATUS_FAILED);
	assert_non_null(strstr(errors, "no socket: is --socket right?"));
	listening = dup(STDIN_FILENO); /* for end() to close */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(a_healthy_agent_is_status_0),
		AGENT_TEST(what_is_wrong_is_said_with_what_to_do),
		AGENT_TEST(json_is_what_the_agent_says_and_the_status_is_the_same),
		AGENT_TEST(an_answer_without_sense_is_no_health),
		AGENT_TEST(without_an_agent_it_says_what_can_be_seen),
	};

	return cmocka_run_group_tests_name("answers_check", tests, NULL, NULL);
}
