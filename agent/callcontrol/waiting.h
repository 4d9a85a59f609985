/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting.h - the requests that wait for their paths to be verified, in the order in which they
 * came; all of them wait equally long.
 *
 * Included by server.c and verifying.c.
 */
#ifndef AGENT_CALLCONTROL_WAITING_H
#define AGENT_CALLCONTROL_WAITING_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/table.h"
#include "callcontrol/passing.h"
#include "cluster/node.h"

/* A request, and the path that was asked whether it is open. */
struct waiting_request {
	struct table_node by_identity; /* these three are owned by the room */
	struct table_node by_path;
	struct waiting_request *earlier, *later;
	uint64_t identity; /* see passing_identity() */
	uint64_t until_ns;
	struct passing_hop from;
	struct flow flow;
	struct span node; /* the request's own, as its bytes */
	struct span bytes;
	void *owner; /* whoever waits */
	char texts[];
};

struct waiting;

/* Room for so many; NULL without memory or randomness. */
struct waiting *waiting_new(size_t limit);

/* Frees the room and what is in it. */
void waiting_free(struct waiting *waiting);

/*
 * Puts a request in that comes after all others; the members from "identity" on are copied, with
 * texts and bytes. NULL if there is no room or no memory.
 */
struct waiting_request *waiting_put(struct waiting *waiting, const struct waiting_request *request);

/* Takes it out; it is the caller's to free. */
void waiting_take(struct waiting *waiting, struct waiting_request *request);

/* The request of that identity, one that waits for that path, the one that waits longest; or NULL. */
struct waiting_request *waiting_find(const struct waiting *waiting, uint64_t identity);
struct waiting_request *waiting_find_path(const struct waiting *waiting, struct span node,
					  const struct flow *flow);
struct waiting_request *waiting_first(const struct waiting *waiting);

#endif
