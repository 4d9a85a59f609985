/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection_watch.h - sees to it that TCP connections stay tracked and kept while the agent
 * runs: that what sees them is not taken off unnoticed, and that what was missed is made good.
 */
#ifndef AGENT_KERNEL_CONNECTION_WATCH_H
#define AGENT_KERNEL_CONNECTION_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "kernel/connection_map.h"

/* Its owner fills in the first members and touches no other. */
struct connection_watch {
	struct attachment *attachment;
	connection_handler *stands; /* told of every connection, again and again */
	connection_handler *gone; /* told of one whose end nobody noticed */
	void *context; /* of both */
	bool works;
	bool lost; /* it did; that was said */
	uint64_t next_ns;
};

/*
 * Sets after how long a quiet connection is probed, tells of every connection that stands,
 * and goes on from there; -errno after one log line if all stays as it is. A host where
 * connections cannot be tracked is left alone.
 */
int connection_watch_set(struct connection_watch *watch, uint64_t threshold_ns, uint64_t now_ns);

/* To be called about once a second: looks around every CONNECTION_WATCH_PERIOD_NS. */
void connection_watch_turn(struct connection_watch *watch, uint64_t now_ns);

#define CONNECTION_WATCH_PERIOD_NS UINT64_C(30000000000)

#endif
