/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow.h - keeps a view as Redis has it.
 *
 * It reads everything once (SCAN), while it follows the stream of changes, and again whenever a
 * change may have been missed: the connection was lost, the stream was cut before it was read to
 * its end, the sequence of changes has a gap or begins anew (Redis was wiped, or is another one).
 * Nodes are read every half second; while they cannot be, for want of a connection or because
 * Redis is slow, the view is blind. If the sequence ran backwards the nodes will announce all they
 * have anew: until then the view keeps what it knew of those that live (view_lose()). What is garbage is counted and left out. What has ended is
 * taken out of the view (view_expire()).
 */
#ifndef AGENT_CLUSTER_FOLLOW_H
#define AGENT_CLUSTER_FOLLOW_H

#include <ev.h>

#include "base/counts.h"
#include "cluster/directory.h"
#include "cluster/redis_link.h"
#include "cluster/view.h"

struct follow;

struct follow_options {
	struct ev_loop *loop; /* outlives it, as all that is pointed to */
	struct redis_address address;
	struct view *view;
	struct counts *counts;
	void (*ready)(void *context); /* everything has been read for the first time */
	void (*changed)(void *context,
			const struct location *location); /* reported to have been put */
	void *context;
	/* The clock of the cluster in ms, for simulations; NULL: that of the Redis server. */
	uint64_t (*clock_ms)(void *context);
};

/* Begins to follow; -errno after one log line. */
int follow_redis_open(const struct follow_options *options, struct follow **out);
void follow_close(struct follow *follow);

/* The clock of the cluster in ms; our own wall clock as long as it has never been learnt. */
uint64_t follow_clock_ms(const struct follow *follow);

/* True while the view is as Redis has it; when not, since when (CLOCK_MONOTONIC). */
bool follow_is_current(const struct follow *follow, uint64_t *since_ns);

/* The view as a directory; orders go out through Redis. */
const struct directory *follow_directory(struct follow *follow);

#endif
