/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reports.h - tells the cluster of the bindings of this node: of each that changes, and of all
 * of them when the cluster asks for everything anew.
 */
#ifndef AGENT_REPORTS_H
#define AGENT_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/share.h"
#include "state/binding.h"
#include "state/paths.h"

/* Visible because it is a value that its owner embeds; only reports.c touches its members. */
struct reports {
	struct share *share;
	uint64_t epoch; /* the announcement that is under way, 0 for none */
	uint32_t cursor; /* how far it has got, see paths_walk() */
};

/* A binding that is on a path has begun, changed, or been heard of at heard_ns. */
void reports_put(struct reports *reports, const struct binding *binding, uint64_t heard_ns,
		 uint64_t now_ns);

/* All bindings of a path: its health has changed, or somebody asked when it was heard. */
void reports_put_path(struct reports *reports, const struct path *path, uint64_t heard_ns,
		      uint64_t now_ns);

/* A binding is over. */
void reports_drop(struct reports *reports, const struct binding *binding);

/*
 * Goes on with the announcement that is wanted, if any is, as far as there is room; true if
 * there is still room, and more to announce.
 */
bool reports_turn(struct reports *reports, const struct paths *paths, uint64_t now_ns);

#endif
