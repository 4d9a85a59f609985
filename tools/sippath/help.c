/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "help.h"

#include "control.h"

void help_write(FILE *out)
{
	const struct command *commands;
	size_t count;

	fputs("sippath shows and steers sippathd, which keeps the paths of SIP phones open.\n\n"
	      "usage: sippath [OPTION...] COMMAND [ARGUMENT...]\n\n"
	      "commands:\n",
	      out);
	commands = commands_all(&count);
	for (size_t i = 0; i < count; i++) {
		char left[32];

		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		fprintf(out, "  %-22s  %s\n", left, commands[i].help);
	}
	fputs("\noptions:\n"
	      "  --socket PATH           the agent's socket (" CONTROL_SOCKET_DEFAULT ")\n"
	      "  --json                  print one JSON document (events: one on each line)\n"
	      "  --help                  say this, or what a command takes, and leave\n"
	      "  --version               say the version and leave\n\n"
	      "A FLOW is \"TRANSPORT LOCAL REMOTE\", as one argument or as three, or the remote\n"
	      "IP:PORT alone. Exit status: 0 done, 1 refused or failed, 2 usage.\n",
	      out);
}

void help_write_command(FILE *out, const struct command *command)
{
	fprintf(out, "usage: sippath %s%s%s\n  %s\n  such as: %s\n", command->name,
		command->arguments[0] ? " " : "", command->arguments, command->help,
		command->example);
}
