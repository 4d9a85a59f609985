/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node.h - one proxy of the set, as it says that it is.
 *
 * A node announces all that it keeps whenever it cannot know what the cluster still knows of it:
 * each announcement is an epoch. Once one is whole, what the node has said in earlier epochs is
 * void; so nothing has to be taken back that could not be while the cluster was out of reach.
 */
#ifndef AGENT_CLUSTER_NODE_H
#define AGENT_CLUSTER_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define NODE_NAME_MAX 63 /* bytes: letters, digits, "." "-" "_" */
#define NODE_URI_MAX 255 /* bytes */

/* A node says so often that it is there, and is dead once it has not for so long. */
#define NODE_BEAT_NS UINT64_C(1000000000)
#define NODE_DEAD_NS (3 * UINT64_C(1000000000))

struct node {
	struct span name;
	struct span uri; /* where calls for it go: "sip:192.0.2.11:5060" */
	uint64_t incarnation; /* random, of this run of its agent */
	uint64_t beat_ms; /* when it last said that it is there, by the clock of the cluster */
	uint64_t begun; /* its latest epoch, at most 2^53 - 1 */
	uint64_t whole; /* its latest epoch that was announced to the end, 0 for none: <= begun */
	uint32_t paths;
	uint32_t lag_ms; /* from a change at the node until it was written, the latest one */
	bool draining; /* no new calls for it */
};

/* True for a name that a node may have. */
bool node_name_is_good(struct span name);

#endif
