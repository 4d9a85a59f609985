/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

#include "control.h"
#include "say.h"

/* Reads the option at argv[*at], if it is one of ours; *ours says whether it was. */
static enum exit_status read_option(int argc, char **argv, int *at, struct invocation *invocation,
				    bool *ours)
{
	static const char socket_equals[] = "--socket=";
	const char *option = argv[*at];

	*ours = true;
	if (strcmp(option, "--json") == 0) {
		invocation->json = true;
	} else if (strcmp(option, "--help") == 0) {
		invocation->help = true;
	} else if (strcmp(option, "--version") == 0) {
		invocation->version = true;
	} else if (strncmp(option, socket_equals, sizeof(socket_equals) - 1) == 0) {
		invocation->socket = option + sizeof(socket_equals) - 1;
	} else if (strcmp(option, "--socket") == 0) {
		if (*at + 1 == argc)
			return say(STATUS_USAGE, "--socket: a value is missing: expected a path");
		invocation->socket = argv[++*at];
	} else {
		*ours = false;
	}
	return STATUS_DONE;
}

/* Takes what is not an option of ours: the command first, then its arguments. */
static enum exit_status take_word(char *word, struct invocation *invocation)
{
	bool flag = strncmp(word, "--", 2) == 0;

	if (flag && !(invocation->command && invocation->command->passes_flags))
		return say(STATUS_USAGE, "%s: there is no such option: see sippath --help", word);
	if (invocation->command) {
		invocation->arguments[invocation->argument_count++] = word;
		return STATUS_DONE;
	}
	if (strcmp(word, "help") == 0) {
		invocation->help = true;
		return STATUS_DONE;
	}
	invocation->command = commands_find(word);
	if (!invocation->command)
		return say(STATUS_USAGE, "there is no command \"%s\": see sippath --help", word);
	return STATUS_DONE;
}

static enum exit_status check(const struct invocation *invocation)
{
	const struct command *command = invocation->command;

	if (invocation->help || invocation->version)
		return STATUS_DONE;
	if (!command)
		return say(STATUS_USAGE, "a command is missing: see sippath --help");
	if (invocation->argument_count < command->least)
		return say(STATUS_USAGE, "%s: an argument is missing: expected %s, such as: %s",
			   command->name, command->arguments, command->example);
	if (invocation->argument_count > command->most)
		return say(STATUS_USAGE, "%s: too many arguments: expected %s, such as: %s",
			   command->name, command->most ? command->arguments : "none",
			   command->example);
	return STATUS_DONE;
}

enum exit_status arguments_read(int argc, char **argv, struct invocation *invocation)
{
	struct invocation read = { .socket = CONTROL_SOCKET_DEFAULT, .arguments = argv };
	enum exit_status status = STATUS_DONE;

	for (int at = 1; at < argc && status == STATUS_DONE; at++) {
		char *word = argv[at];
		bool ours;

		status = read_option(argc, argv, &at, &read, &ours);
		if (status == STATUS_DONE && !ours)
			status = take_word(word, &read);
	}
	if (status == STATUS_DONE)
		status = check(&read);
	if (status == STATUS_DONE) {
		/* No argument stands further in front than its place: argv[0] is free too. */
		read.arguments[read.argument_count] = NULL;
		*invocation = read;
	}
	return status;
}

enum exit_status arguments_join(const struct invocation *invocation, char out[ARGUMENT_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < invocation->argument_count; i++) {
		int more = snprintf(out + used, ARGUMENT_MAX - used, "%s%s", i ? " " : "",
				    invocation->arguments[i]);

		if (more < 0 || (size_t)more >= ARGUMENT_MAX - used)
			return say(STATUS_USAGE, "%s: the argument is too long",
				   invocation->command->name);
		used += (size_t)more;
	}
	return STATUS_DONE;
}
