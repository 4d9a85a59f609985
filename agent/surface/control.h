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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "cluster/directory.h"
#include "cluster/redis_link.h"
#include "health/troubles.h"
#include "kernel/attach.h"
#include "pipeline.h"

/*
 * So many clients at a time. For the next one the client that has been idle longest
 * is closed; if none is idle, the next one is told so and closed itself.
 */
#define CONTROL_CLIENTS_MAX 64

/* So many of them may listen to events, which has no end; the other places are for who asks. */
#define CONTROL_LISTENERS_MAX (CONTROL_CLIENTS_MAX - 8)

/* Whoever takes nothing for so long of what waits for it is closed. */
#define CONTROL_STUCK_NS (30 * UINT64_C(1000000000))

struct control;

/* How call control is, for its "status". */
struct control_routing {
	size_t nodes; /* that it knows, dead ones included */
	size_t locations;
	bool following; /* what it knows is as the cluster has it */
	uint64_t lost_ns; /* if not, since when (CLOCK_MONOTONIC); 0 if it never was */
};

/*
 * What the clients are shown and may steer; everything outlives the control.
 *
 * An agent has a pipeline. Call control has none: it has "routing" instead, and leaves out what
 * stands below "of an agent"; commands about paths are refused then.
 */
struct control_options {
	struct ev_loop *loop;
	int listening; /* the descriptor to accept clients from */
	const struct counts *counts;
	const struct troubles *troubles;
	/* Never NULL; outside of a cluster its functions return -ENOENT. */
	const struct directory *directory;
	const struct redis_address *cluster; /* NULL for an agent outside of one */
	void *context; /* of all functions here */

	/* Of call control. */
	struct control_routing (*routing)(void *context);

	/* Of an agent. */
	struct pipeline *pipeline;
	const struct attachment *attachment;
	const uint16_t *ports; /* of the SIP server */
	size_t port_count;
	const char *node; /* its name in the cluster; NULL outside of one */
	void (*turn)(void *context); /* called after a command has changed what is due */
	/*
	 * Called when a command sets the idle threshold, for whatever keeps TCP connections; -errno
	 * if that goes on with the old one. It must not wait: every path waits with it.
	 */
	int (*threshold_changed)(void *context, uint64_t threshold_ns);
	/* What the programs see as far as is known: every packet; TCP connections, which are kept. */
	bool (*sees_packets)(void *context);
	bool (*sees_connections)(void *context);
};

/* Serves whoever connects from now on. -errno after one log line. */
int control_open(const struct control_options *options, struct control **out);

/* Closes every client. */
void control_close(struct control *control);

#endif
