/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binding.h - one reason to keep a path open until a time: the noun between the
 * state rooms and the paths.
 *
 * A registration, a subscription, a dialog's leg and a connection embed one as their
 * first member. The room that made a binding owns it; the path it is attached to only
 * links it in.
 */
#ifndef AGENT_STATE_BINDING_H
#define AGENT_STATE_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "base/span.h"
#include "flow.h"
#include "state/reason.h"

struct path;

enum binding_kind {
	BINDING_REGISTRATION,
	BINDING_SUBSCRIPTION,
	BINDING_DIALOG, /* one leg of one: the device's side */
	BINDING_LINGERING, /* a dialog's leg that has ended a moment ago */
	BINDING_CONNECTION, /* a TCP connection that stands */
	BINDING_KIND_MAX
};

struct binding {
	uint64_t ends_ns; /* CLOCK_MONOTONIC; CLOCK_NEVER for a connection; see paths_set_end() */
	struct path *path; /* NULL while it is not attached */
	struct binding *next; /* the next one of the same path */
	struct binding **link; /* what points here; good while it is attached */
	uint64_t stored; /* its id in the store, 0 for none; owned by the pipeline */
	struct span target; /* a Contact URI to prompt; owned by its room, as aor; or absent */
	struct span aor; /* whose it is: "sip:user@host" */
	uint8_t kind; /* enum binding_kind; see paths_set_kind() */
	uint8_t expiry; /* enum binding_reason: what it means when ends_ns comes */
	bool behind_nat; /* see state/nat.h and paths_set_nat() */
};

/* What happened to one binding. */
enum binding_change_kind {
	BINDING_BEGINS, /* it is on no path: attach it to the path of "flow" */
	BINDING_RENEWED, /* same path, new end */
	BINDING_MOVED, /* it leaves its path for that of "flow" */
	BINDING_LINGERS, /* on its path it becomes BINDING_LINGERING until "ends_ns" */
	BINDING_ENDS, /* take it off its path; then its room forgets it */
};

struct binding_change {
	enum binding_change_kind kind;
	enum binding_reason reason;
	struct binding *binding;
	struct flow flow; /* of BEGINS and MOVED */
	uint64_t ends_ns; /* of LINGERS */
};

/* How a binding comes to be on the path of "flow": BINDING_BEGINS, RENEWED or MOVED. */
enum binding_change_kind binding_kept_on(const struct binding *binding, const struct flow *flow);

/* Counts what a room has written down: bindings_begun, renewed, moved or ended. */
void binding_count_change(struct counts *counts, enum binding_change_kind kind);

#endif
