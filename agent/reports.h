/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reports.h - tells the cluster of the bindings of this node: of each that changes, and of all
 * of them when the cluster asks for everything anew.
 *
 * A trunk's path carries thousands of bindings, so nothing is told path by path in one go, but as
 * the cluster has room for it.
 */
#ifndef AGENT_REPORTS_H
#define AGENT_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/share.h"
#include "state/binding.h"
#include "state/paths.h"

/* A path with no more bindings than this is told of at once. */
#define REPORTS_AT_ONCE 64

/* So many larger ones may be told of bit by bit; for more, the one that is at it longest gives way. */
#define REPORTS_RETOLD_MAX 32

/* How far the bindings of a path have been told of. */
struct reports_retold {
	struct flow flow;
	uint64_t heard_ns;
	uint32_t told;
};

/* Visible because it is a value that its owner embeds; only reports.c touches its members. */
struct reports {
	struct share *share; /* NULL: this node is alone */
	uint64_t epoch; /* the announcement that is under way, 0 for none */
	uint32_t cursor; /* its next path, see paths_walk() */
	uint32_t told; /* of the bindings of that path */
	struct reports_retold retold[REPORTS_RETOLD_MAX]; /* the oldest first */
	size_t retold_count;
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
 * Goes on with what is told bit by bit, and with the announcement that is wanted, as far as there
 * is room; true if there is still room, and more to tell.
 */
bool reports_turn(struct reports *reports, const struct paths *paths, uint64_t now_ns);

#endif
