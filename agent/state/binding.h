/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binding.h - one reason to keep a path open until a time: the noun between the
 * state rooms and the paths.
 *
 * A registration embeds one as its first member (so will subscriptions and
 * dialogs). The room that made a binding owns it; the path it is attached to only
 * links it in.
 */
#ifndef AGENT_STATE_BINDING_H
#define AGENT_STATE_BINDING_H

#include <stdint.h>

#include "base/span.h"
#include "flow.h"

struct path;

enum binding_kind {
	BINDING_REGISTRATION,
	BINDING_SUBSCRIPTION,
	BINDING_DIALOG,
	BINDING_LINGERING,
	BINDING_KIND_MAX
};

struct binding {
	enum binding_kind kind;
	uint64_t ends_ns; /* CLOCK_MONOTONIC; CLOCK_NEVER is not used; see paths_set_end() */
	struct path *path; /* NULL while it is not attached */
	struct binding *next; /* the next one of the same path */
	struct binding **link; /* what points here; good while it is attached */
	struct span target; /* a Contact URI to prompt, owned by the binding's room */
};

/* What an accepted transaction did to one binding. */
enum binding_change_kind {
	BINDING_BEGINS, /* it is on no path: attach it to the path of "flow" */
	BINDING_RENEWED, /* same path, new end */
	BINDING_MOVED, /* it leaves its path for that of "flow" */
	BINDING_ENDS, /* take it off its path; then registrations_forget() */
};

struct binding_change {
	enum binding_change_kind kind;
	struct binding *binding;
	struct flow flow; /* of BEGINS and MOVED */
};

#endif
