/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subject.h - what the commands show and steer, handed to each of them. */
#ifndef AGENT_SURFACE_SUBJECT_H
#define AGENT_SURFACE_SUBJECT_H

#include "surface/control.h"
#include "surface/events.h"

struct subject {
	struct control_options options;
	struct keeper *keeper; /* NULL: this is call control */
	struct events *events;
	uint64_t started_ns;
};

#endif
