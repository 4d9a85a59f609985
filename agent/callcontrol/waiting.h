/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting.h - the requests that wait for their paths to be verified, in the order in which they
 * came; all of them wait equally long. Those that wait for one path share it.
 *
 * Included by server.c and verifying.c.
 */
#ifndef AGENT_CALLCONTROL_WAITING_H
#define AGENT_CALLCONTROL_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/table.h"
#include "callcontrol/passing.h"
#include "cluster/node.h"

struct waiting;
struct waiting_request;

/* A path that was asked whether it is open; it is there as long as a request waits for it. */
struct waiting_path {
	struct table_node by_path; /* these two are owned by the room */
	struct waiting_request *first;
	struct waiting *waiting;
	struct flow flow;
	size_t node_length;
	char node[NODE_NAME_MAX];
	void *owner; /* whoever waits */
	bool is_ordered; /* the order to its node has been written */
};

struct waiting_request {
	struct table_node by_identity; /* these are owned by the room */
	struct waiting_request *earlier, *later;
	struct waiting_request *next_of_path;
	struct waiting_path *path;
	uint64_t identity; /* of a request and what is sent of it again */
	uint64_t until_ns;
	struct passing_hop from;
	struct span bytes; /* the request's own */
	char text[];
};

/* Room for so many; NULL without memory or randomness. */
struct waiting *waiting_new(size_t limit);

/* Frees the room and what is in it. */
void waiting_free(struct waiting *waiting);

/* The path that requests wait for, or NULL. */
struct waiting_path *waiting_find_path(const struct waiting *waiting, struct span node,
				       const struct flow *flow);

/* One that somebody is about to wait for; NULL without memory, or if the name is too long. */
struct waiting_path *waiting_put_path(struct waiting *waiting, struct span node,
				      const struct flow *flow, void *owner);

/* Takes out and frees a path that no request waits for. */
void waiting_end_path(struct waiting_path *path);

static inline struct span waiting_node(const struct waiting_path *path)
{
	return (struct span){ path->node, path->node_length };
}

/*
 * Puts a request in that comes after all others, and waits for that path; the members from
 * "identity" on are copied, with the bytes. NULL if there is no room or no memory.
 */
struct waiting_request *waiting_put(struct waiting *waiting, struct waiting_path *path,
				    const struct waiting_request *request);

/* Takes it out; it is the caller's to free, and so is its path if it was the last one. */
void waiting_take(struct waiting *waiting, struct waiting_request *request);

/* The request of that identity, the one that waits longest; or NULL. */
struct waiting_request *waiting_find(const struct waiting *waiting, uint64_t identity);
struct waiting_request *waiting_first(const struct waiting *waiting);

#endif
