/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rows.h - the agent's nouns as JSON objects, one function for each kind of row.
 *
 * The members of a row are always the same, whatever is known: what is not known is
 * null. Times are given relative to now_ns, in milliseconds. Every function
 * returns a new object, the caller's, or NULL without memory.
 */
#ifndef AGENT_SURFACE_ROWS_H
#define AGENT_SURFACE_ROWS_H

#include <jansson.h>

#include "base/counts.h"
#include "cluster/location.h"
#include "cluster/node.h"
#include "kernel/attach.h"
#include "path_entry.h"
#include "state/path.h"

/*
 * The bindings within the row of one path stop at so many bytes of JSON; the rest
 * is counted in "bindings_omitted". One flow can carry thousands: those of a
 * gateway, or of another proxy's clients.
 */
#define ROWS_BINDINGS_BYTES_MAX 32768

/* No row is longer than this as text. */
#define ROWS_ROW_BYTES_MAX 61440

/* A path and its entries in the kernel's maps. */
struct rows_path {
	const struct path *path;
	const struct path_entry *entry; /* NULL if it cannot be read */
	const struct connection_entry *connection; /* NULL if it has none, or none can be read */
};

/* A path, as "paths" lists it. */
json_t *rows_path(const struct rows_path *shown, uint64_t now_ns);

/* The same with its "bindings" and its "entry". */
json_t *rows_path_in_full(const struct rows_path *shown, uint64_t now_ns);

/* A binding that is on a path, of any kind. */
json_t *rows_binding(const struct binding *binding, uint64_t now_ns);

/* One number for each counter of the programs and of the agent, and the number of paths. */
json_t *rows_counts(const uint64_t kernel[KERNEL_COUNTER_MAX], const struct counts *agent,
		    uint64_t paths);

/*
 * A node of the set at a time by the clock of the cluster. Whether it is alive cannot be told
 * (null) while what is known of it is not current.
 */
json_t *rows_node(const struct node *node, bool current, uint64_t now_ms);

/*
 * One path of an AOR, made of all of its locations: of the first one of these, and of all others
 * of the same node and flow.
 */
json_t *rows_locations(const struct location *locations, size_t count, uint64_t now_ms);

/* True if both are on one path: what the same node calls by the same flow. */
bool rows_on_one_path(const struct location *a, const struct location *b);

/* The interfaces, as an array. */
json_t *rows_interfaces(const struct attach_interface *interfaces, size_t count);

#endif
