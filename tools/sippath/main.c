/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - sippath, the command-line tool of the agent. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "help.h"
#include "say.h"

static enum exit_status run(const struct invocation *invocation)
{
	if (invocation->version)
		puts("sippath " SIPPATH_VERSION);
	else if (invocation->help && invocation->command)
		help_write_command(stdout, invocation->command);
	else if (invocation->help)
		help_write(stdout);
	else
		return invocation->command->run(invocation);
	return STATUS_DONE;
}

/* True if whoever read our output has closed it. */
static bool reader_left(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

/* A reader that has seen enough ("| head") is no failure; a full disk is. */
static enum exit_status end_output(enum exit_status status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_left())
		return status;
	return say(STATUS_FAILED, "the output could not be written: is the disk full?");
}

int main(int argc, char **argv)
{
	struct invocation invocation;
	enum exit_status status;

	signal(SIGPIPE, SIG_IGN); /* seen as EPIPE where it matters */
	status = arguments_read(argc, argv, &invocation);
	if (status == STATUS_DONE)
		status = end_output(run(&invocation));
	return (int)status;
}
