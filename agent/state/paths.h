/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.h - the table of all paths that are kept, and which bindings are on which.
 *
 * Owns the paths, not the bindings. A path's address and index are stable while it
 * lives, so a walk may stop and go on after paths have come and gone.
 */
#ifndef AGENT_STATE_PATHS_H
#define AGENT_STATE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/path.h"

struct paths;

/* A room for at most "limit" paths; NULL without memory or randomness. */
struct paths *paths_new(size_t limit);
void paths_free(struct paths *paths);

/* The path of a flow, or NULL. */
struct path *paths_find(const struct paths *paths, const struct flow *flow);

/*
 * Adds the path of a flow that has none yet; everything but the flow, the index
 * and opened_ns is zero. NULL with errno ENOSPC if the room is full, or ENOMEM.
 */
struct path *paths_add(struct paths *paths, const struct flow *flow, uint64_t now_ns);

/* Frees a path that has no binding and is off the schedule. */
void paths_drop(struct paths *paths, struct path *path);

/* Puts a binding that is on no path onto this one, or takes it off the one it is on. */
void paths_attach(struct path *path, struct binding *binding);
void paths_detach(struct binding *binding);

/* Gives a binding a new end, and lets its path know if it is on one. */
void paths_set_end(struct binding *binding, uint64_t ends_ns);

/* Makes a binding one of another kind, or says anew whether it is behind a NAT. */
void paths_set_kind(struct binding *binding, enum binding_kind kind);
void paths_set_nat(struct binding *binding, bool behind_nat);

/*
 * Walks: the first path with an index of *cursor or more, moving *cursor past it;
 * NULL at the end. A walk starts with a cursor of 0.
 */
struct path *paths_walk(const struct paths *paths, uint32_t *cursor);

size_t paths_count(const struct paths *paths);

#endif
