/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arguments.h - reads the command line. */
#ifndef SIPPATH_ARGUMENTS_H
#define SIPPATH_ARGUMENTS_H

#include "command.h"

/*
 * Fills *invocation from the command line: --socket, --json, --help and --version
 * may stand before or after the command. The arguments of the command are
 * gathered at the front of argv, which *invocation points into. STATUS_DONE, or
 * STATUS_USAGE after one line that says what is wrong.
 */
enum exit_status arguments_read(int argc, char **argv, struct invocation *invocation);

/*
 * Puts the arguments together, a space between two of them: a flow may be given as
 * one argument or as three. STATUS_USAGE if they do not fit.
 */
enum exit_status arguments_join(const struct invocation *invocation, char out[ARGUMENT_MAX]);

#endif
