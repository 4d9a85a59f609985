/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands_parts.h - what the files of the commands share; only they include it.
 *
 * commands.c has those about the whole agent and the table of all, commands_paths.c those about
 * paths, commands_cluster.c those about the cluster, commands_check.c what is wrong.
 */
#ifndef AGENT_SURFACE_COMMANDS_PARTS_H
#define AGENT_SURFACE_COMMANDS_PARTS_H

#include <control.h> /* of include/, not the one beside this file */

#include "surface/commands.h"

/* The step of each command: commands_status(), commands_paths() and so on. */
#define COMMAND_STEP_(name, argument, help) command_step commands_##name;

CONTROL_COMMANDS(COMMAND_STEP_)

#undef COMMAND_STEP_

/* The result, or COMMAND_NO_MEMORY if there is no row. */
enum command_result commands_with_row(const json_t *row, enum command_result result);

/* COMMAND_REFUSED, for this reason. */
enum command_result commands_refuse(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
