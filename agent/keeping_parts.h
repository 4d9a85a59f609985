/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeping_parts.h - what an agent is made of; included by keeping.c and keeping_sight.c alone. */
#ifndef AGENT_KEEPING_PARTS_H
#define AGENT_KEEPING_PARTS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "cluster/share.h"
#include "config/config.h"
#include "keep/wire.h"
#include "kernel/attach.h"
#include "kernel/observer.h"
#include "mending.h"
#include "pipeline.h"
#include "privileges/identity.h"
#include "store/store.h"
#include "surface/control.h"
#include "vigil.h"

struct agent {
	const struct config *config;
	struct ev_loop *loop;
	struct counts counts;
	int listening;
	struct attachment *attachment;
	struct identity identity;
	struct mending *mending; /* has the privileges that the agent gives up */
	bool threshold_due; /* TCP connections have not got it yet: it is tried again */
	struct wire *wire;
	struct store *store; /* NULL: bindings are forgotten with a restart */
	struct share *share;
	struct pipeline *pipeline;
	struct observer *observer;
	struct control *control;
	ev_io sightings;
	ev_io addresses;
	ev_timer due;
	struct vigil *vigil;
	bool failed; /* it cannot go on, and ends */
};

/* Does what is due, and sets the timer for what is due next. */
void keeping_turn(struct agent *agent);

/* From now on it is looked, time and again, whether the agent sees what it should. */
void keeping_watch_sight(struct agent *agent);

/* For the control socket, whose context is the agent: see control_options. */
int keeping_keep_connections(void *context, uint64_t threshold_ns);
bool keeping_sees_packets(void *context);
bool keeping_sees_connections(void *context);

#endif
