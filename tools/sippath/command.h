/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - what a command of sippath is: one entry of the table, one function. */
#ifndef SIPPATH_COMMAND_H
#define SIPPATH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1, /* refused or failed; the reason is on standard error */
	STATUS_USAGE = 2,
};

/* Longer than any argument of several words that the agent takes. */
#define ARGUMENT_MAX 256

/* What the user typed, without the options of sippath itself. */
struct invocation {
	const struct command *command; /* NULL if no command is named */
	const char *socket;
	bool json;
	bool help;
	bool version;
	int argument_count;
	char **arguments; /* those of the command, NULL after the last one */
};

struct command {
	const char *name;
	const char *arguments; /* as the help shows them */
	const char *help;
	const char *example;
	int least, most; /* arguments */
	bool passes_flags; /* what looks like a flag is handed on */
	enum exit_status (*run)(const struct invocation *invocation);
};

/* All commands; *count gets their number. */
const struct command *commands_all(size_t *count);

/* The command of a name, or NULL. */
const struct command *commands_find(const char *name);

enum exit_status status_run(const struct invocation *invocation);
enum exit_status paths_run(const struct invocation *invocation);
enum exit_status path_run(const struct invocation *invocation);
enum exit_status bindings_run(const struct invocation *invocation);
enum exit_status events_run(const struct invocation *invocation);
enum exit_status stats_run(const struct invocation *invocation);
enum exit_status check_run(const struct invocation *invocation);
enum exit_status prompt_run(const struct invocation *invocation);
enum exit_status threshold_run(const struct invocation *invocation);
enum exit_status cluster_run(const struct invocation *invocation);
enum exit_status where_run(const struct invocation *invocation);
enum exit_status drain_run(const struct invocation *invocation);
enum exit_status order_run(const struct invocation *invocation);
enum exit_status attach_run(const struct invocation *invocation);
enum exit_status detach_run(const struct invocation *invocation);

#endif
