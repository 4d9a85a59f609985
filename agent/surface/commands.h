/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands.h - what each command of the control socket does, a step at a time.
 *
 * A command is asked for its next row until it says that there is none; what it
 * has to remember from one step to the next stands in its struct progress. So a
 * long answer never holds up the agent, and costs no memory.
 */
#ifndef AGENT_SURFACE_COMMANDS_H
#define AGENT_SURFACE_COMMANDS_H

#include <jansson.h>

#include "surface/finder.h"
#include "surface/inquiry.h"
#include "surface/subject.h"

/* Room for any argument that means something: an AOR is the longest. */
#define COMMANDS_ARGUMENT_MAX (LOCATION_TEXT_MAX + 1)

/* How far the answer to one request has got; all zero at first, save for argument and waker. */
struct progress {
	char argument[COMMANDS_ARGUMENT_MAX];
	bool has_argument;
	uint64_t now_ns; /* of this step */
	uint32_t cursor; /* of paths_walk() */
	uint32_t shown; /* bindings of the path at the cursor */
	const struct binding *next; /* the one to show next; good within one wake-up only */
	struct finder finder;
	struct waker waker; /* of whoever waits for the answer */
	struct inquiry *inquiry; /* to the cluster, NULL for none; freed with the answer */
	bool listening; /* to events, until the client goes */
	uint64_t event; /* number of the one to show next */
	char reason[COMMANDS_ARGUMENT_MAX + 512]; /* of COMMAND_REFUSED */
};

enum command_result {
	COMMAND_ROW, /* *row is set, more may follow */
	COMMAND_LAST_ROW, /* *row is set, nothing follows */
	COMMAND_LATER, /* nothing yet: ask again */
	COMMAND_QUIET, /* nothing until something happens: ask again then */
	COMMAND_END, /* nothing more */
	COMMAND_REFUSED, /* "reason" says why */
	COMMAND_NO_MEMORY,
};

typedef enum command_result command_step(const struct subject *subject, struct progress *progress,
					 json_t **row);

struct command {
	const char *name;
	const char *argument; /* the member of the request that it takes, NULL for none */
	command_step *step;
};

/* Takes the next step; call control refuses what only an agent can do. */
enum command_result commands_step(const struct command *command, const struct subject *subject,
				  struct progress *progress, json_t **row);

/* The command of a name, or NULL. */
const struct command *commands_find(const char *name);

#endif
