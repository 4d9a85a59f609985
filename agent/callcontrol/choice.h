/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * choice.h - through which proxies a call for an AOR goes, the best first: a pure decision.
 *
 * Only registrations are candidates: a dialog is no invitation. Each node stands in the list once,
 * by its best path, because it forks to all devices that are registered with it itself. In order:
 *
 *   - live and awaiting paths before silent ones
 *   - newest accepted before older
 *
 * Dead nodes are no candidates. A node that drains is one only if no other has a path that is
 * live, or none has any: no call goes down a path that is known to be dead while another is open.
 */
#ifndef AGENT_CALLCONTROL_CHOICE_H
#define AGENT_CALLCONTROL_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/view.h"

#define CHOICE_MAX 8

struct choice {
	struct location location; /* the path that speaks for the node; spans as view_where() */
	const struct node *node;
};

/* A path that was asked whether it is open and said nothing: it counts as silent. */
struct choice_doubt {
	struct span node;
	struct flow flow;
};

/*
 * Writes the choices for an AOR, at most CHOICE_MAX, and returns how many. "doubt" is NULL for
 * none. Everything is the view's, good until it changes.
 */
size_t choice_make(const struct view *view, struct span aor, const struct choice_doubt *doubt,
		   uint64_t now_ns, uint64_t now_ms, struct choice choices[CHOICE_MAX]);

/* True if it is one that a call is lost on as far as is known: silent, or in doubt. */
bool choice_is_silent(const struct location *location, const struct choice_doubt *doubt);

#endif
