/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.c - "sippath attach DEV" and "sippath detach DEV".
 *
 * Both run sippathd in that role: it alone carries the programs and the code that
 * loads them, it runs with the rights of whoever types the command, and no agent
 * need be running.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "document.h"
#include "say.h"

#define DAEMON "sippathd"
#define FLAGS_MAX 64 /* as many as the table of commands lets through */
#define ROLE_MAX 16

/* The daemon that stands beside this program, if one does: both come from one build. */
static bool find_beside(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	if (length <= 0 || length >= PATH_MAX)
		return false;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(DAEMON) > PATH_MAX)
		return false;
	memcpy(slash + 1, DAEMON, sizeof(DAEMON));
	return access(path, X_OK) == 0;
}

/* Becomes the daemon; only comes back, to end, if that fails. */
static void become_daemon(const struct invocation *invocation)
{
	static char name[] = DAEMON;
	char role[ROLE_MAX], path[PATH_MAX];
	char *arguments[FLAGS_MAX + 3] = { name, role };

	snprintf(role, sizeof(role), "%s", invocation->command->name);
	for (int i = 0; i < invocation->argument_count; i++)
		arguments[2 + i] = invocation->arguments[i];
	if (find_beside(path))
		execv(path, arguments);
	else
		execvp(DAEMON, arguments);
	_exit((int)say(STATUS_FAILED, "cannot run " DAEMON ": %s", strerror(errno)));
}

static enum exit_status wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return say(STATUS_FAILED, "cannot wait for " DAEMON ": %s",
				   strerror(errno));
	}
	if (WIFSIGNALED(status))
		return say(STATUS_FAILED, DAEMON " was ended by signal %d", WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case STATUS_DONE:
		return STATUS_DONE;
	case STATUS_USAGE:
		return STATUS_USAGE;
	default:
		return STATUS_FAILED;
	}
}

static enum exit_status print_done(const struct invocation *invocation, const char *done)
{
	const char *interface = invocation->arguments[0];
	json_t *document;

	if (!invocation->json) {
		printf("%s %s\n", done, interface);
		return STATUS_DONE;
	}
	document = json_pack("{s:s, s:b}", "interface", interface, "done", 1);
	if (!document)
		return say(STATUS_FAILED, "done, but the name of the interface is no UTF-8");
	json_dumpf(document, stdout, DOCUMENT_FORMAT);
	putchar('\n');
	json_decref(document);
	return STATUS_DONE;
}

static enum exit_status run_daemon(const struct invocation *invocation, const char *done)
{
	enum exit_status status;
	pid_t child = fork();

	if (child < 0)
		return say(STATUS_FAILED, "cannot run " DAEMON ": %s", strerror(errno));
	if (child == 0)
		become_daemon(invocation);
	status = wait_for(child);
	return status == STATUS_DONE ? print_done(invocation, done) : status;
}

enum exit_status attach_run(const struct invocation *invocation)
{
	return run_daemon(invocation, "attached to");
}

enum exit_status detach_run(const struct invocation *invocation)
{
	return run_daemon(invocation, "detached from");
}
