/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event.h - something that happened to a path: a transition of the seed's FIG. 2, or of its health. */
#ifndef AGENT_STATE_EVENT_H
#define AGENT_STATE_EVENT_H

#include <stdint.h>

#include "state/path.h"

/*
 * Either the states differ, or the health does, never both. Good for the call that it is
 * handed over in; the path may be gone afterwards.
 */
struct path_event {
	uint64_t when_ns; /* CLOCK_MONOTONIC */
	const struct path *path;
	enum path_state state_before;
	enum path_state state_after;
	enum path_health health_before;
	enum path_health health_after;
	const struct binding *binding; /* whose change it was; NULL for one of health */
	enum binding_reason reason; /* of a binding's change */
};

/* Told of every event of every path. */
typedef void path_event_handler(void *context, const struct path_event *event);

#endif
