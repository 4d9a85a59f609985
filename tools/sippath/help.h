/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help.h - the answer to --help, from the table of commands. */
#ifndef SIPPATH_HELP_H
#define SIPPATH_HELP_H

#include <stdio.h>

#include "command.h"

/* Of all commands, or of one. */
void help_write(FILE *out);
void help_write_command(FILE *out, const struct command *command);

#endif
