/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answers_world.h - runs sippath as a child, and is the agent that it asks. Include cmocka first,
 * and include this in one file of a test.
 */
#ifndef TESTS_TOOLS_ANSWERS_WORLD_H
#define TESTS_TOOLS_ANSWERS_WORLD_H

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sippath/command.h"

/* Long after anything here has happened, and still an end. */
#define PATIENCE_MS 20000

#define OUTPUT_MAX 65536

#define AGENT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static char directory[] = "/tmp/sippath-test-answers-XXXXXX";
static char socket_path[sizeof(directory) + 16];
static int listening;

/* One run of sippath: a child, what it writes, and its connection to the agent. */
struct run {
	pid_t child;
	int output;
	int errors;
	int agent;
	char request[256]; /* what it asks */
	char text[OUTPUT_MAX]; /* what it has written so far */
};

static inline int begin(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s.sock", directory);
	strcpy(address.sun_path, socket_path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return listen(listening, 1);
}

static inline int end(void **state)
{
	(void)state;
	close(listening);
	unlink(socket_path);
	return rmdir(directory);
}

static inline void await(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
}

/* The child is sippath, but for its reading of the command line. */
static inline void be_sippath(const char *name, bool json, int output, int errors)
{
	struct invocation invocation = {
		.command = commands_find(name),
		.socket = socket_path,
		.json = json,
		.argument_count = 1,
		.arguments = (char *[]){ (char[]){ "198.51.100.7:40001" }, NULL },
	};
	enum exit_status status;

	signal(SIGPIPE, SIG_IGN);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	close(output);
	close(errors);
	status = invocation.command->run(&invocation);
	fflush(stdout);
	_exit((int)status);
}

/* Starts a command, and reads its request as the agent would. */
static inline struct run *start(const char *name, bool json)
{
	struct run *run = calloc(1, sizeof(*run));
	int output[2], errors[2];
	ssize_t length;

	assert_non_null(run);
	assert_int_equal(pipe(output), 0);
	assert_int_equal(pipe(errors), 0);
	fflush(NULL);
	run->child = fork();
	assert_true(run->child >= 0);
	if (run->child == 0) {
		close(output[0]);
		close(errors[0]);
		be_sippath(name, json, output[1], errors[1]);
	}
	close(output[1]);
	close(errors[1]);
	run->output = output[0];
	run->errors = errors[0];
	await(listening);
	run->agent = accept(listening, NULL, NULL);
	assert_true(run->agent >= 0);
	await(run->agent);
	length = recv(run->agent, run->request, sizeof(run->request) - 1, 0);
	assert_true(length > 0);
	run->request[length] = '\0';
	assert_non_null(strstr(run->request, name));
	return run;
}

static inline void answer(const struct run *run, const char *lines)
{
	assert_int_equal(send(run->agent, lines, strlen(lines), MSG_NOSIGNAL), strlen(lines));
}

/* Reads until so many lines of output are there. */
static inline void expect_lines(struct run *run, size_t wanted)
{
	size_t used = strlen(run->text), lines = 0;

	for (size_t i = 0; i < used; i++)
		lines += run->text[i] == '\n';
	while (lines < wanted) {
		ssize_t length;

		await(run->output);
		length = read(run->output, run->text + used, sizeof(run->text) - 1 - used);
		assert_true(length > 0);
		for (ssize_t i = 0; i < length; i++)
			lines += run->text[used++] == '\n';
	}
	assert_int_equal(lines, wanted);
}

/* Reads all that is left of a pipe behind what is in "text". */
static inline void drain(int fd, char text[OUTPUT_MAX])
{
	size_t used = strlen(text);
	ssize_t length;

	do {
		await(fd);
		length = read(fd, text + used, OUTPUT_MAX - 1 - used);
		assert_true(length >= 0);
		used += (size_t)length;
	} while (length > 0);
}

/* Waits for its end, and asserts its status and that its errors contain this. */
static inline void expect_exit(struct run *run, enum exit_status wanted, const char *error)
{
	static char errors[OUTPUT_MAX];
	int status;

	memset(errors, 0, sizeof(errors));
	drain(run->errors, errors);
	assert_int_equal(waitpid(run->child, &status, 0), run->child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), wanted);
	if (!strstr(errors, error))
		fail_msg("expected an error with \"%s\", not \"%s\"", error, errors);
	if (error[0] == '\0')
		assert_string_equal(errors, "");
	close(run->errors);
	close(run->agent);
	if (run->output >= 0)
		close(run->output);
	free(run);
}

/* The whole output of a command whose answer is this. */
static inline struct run *run_to_end(const char *name, bool json, const char *lines)
{
	struct run *run = start(name, json);

	answer(run, lines);
	drain(run->output, run->text);
	return run;
}

static inline void assert_shows(const struct run *run, const char *wanted)
{
	if (!strstr(run->text, wanted))
		fail_msg("expected \"%s\" in:\n%s", wanted, run->text);
}

#endif
