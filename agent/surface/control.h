/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - the agent's side of the control socket (include/control.h).
 *
 * A client that sends something malformed is told so and closed; nothing that a
 * client sends, or fails to read, can end or stall the agent: rows are written as
 * the client takes them.
 */
#ifndef AGENT_SURFACE_CONTROL_H
#define AGENT_SURFACE_CONTROL_H

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "kernel/attach.h"
#include "pipeline.h"

/* So many clients at a time; the next one is told so and closed. */
#define CONTROL_CLIENTS_MAX 64

struct control;

/* What the clients are shown and may steer; everything outlives the control. */
struct control_options {
	struct ev_loop *loop;
	const char *socket; /* path of the socket */
	const struct attachment *attachment;
	struct pipeline *pipeline;
	const struct counts *counts;
	const uint16_t *ports; /* of the SIP server */
	size_t port_count;
	void (*turn)(void *context); /* called after a command has changed what is due */
	void *context;
};

/*
 * Listens on the socket, readable for root and the group CONTROL_GROUP from the
 * first moment on. A socket file that nobody listens on any more is replaced;
 * one that somebody does listen on is refused (-EADDRINUSE). -errno after one log line.
 */
int control_open(const struct control_options *options, struct control **out);

/* Closes every client and removes the socket file. */
void control_close(struct control *control);

#endif
