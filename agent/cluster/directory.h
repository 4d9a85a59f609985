/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * directory.h - whom to ask where the devices of an AOR are, and what nodes there are: for
 * whoever shows it. An agent asks Redis for it, call control has it in memory.
 */
#ifndef AGENT_CLUSTER_DIRECTORY_H
#define AGENT_CLUSTER_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/location.h"
#include "cluster/node.h"
#include "cluster/order.h"

/* No AOR is shown with more locations. */
#define DIRECTORY_LOCATIONS_MAX 256

struct directory_answer {
	int error; /* 0, or -errno: then "reason" says why and there is nothing else */
	const char *reason;
	uint64_t now_ms; /* by the clock of the cluster */
	const struct location *locations; /* of where: in no order; only those that hold */
	size_t location_count;
	const struct node *nodes; /* of cluster: in no order */
	size_t node_count;
};

/* Called once for every question; good within the call. */
typedef void directory_answered(void *context, const struct directory_answer *answer);

struct directory {
	/*
	 * These return 0, and "answered" is called now or later, from the loop; or -errno, and it
	 * is not: -ENOTCONN while the cluster is out of reach, -ENOENT if there is none.
	 */
	int (*where)(void *context, struct span aor, directory_answered *answered, void *asker);
	int (*cluster)(void *context, directory_answered *answered, void *asker);
	/*
	 * Tells a node to do something; the answer has an error (-EHOSTDOWN for a node that is
	 * dead) or nothing. -ENOENT, -ENOTCONN.
	 */
	int (*order)(void *context, struct span node, const struct order *order,
		     directory_answered *answered, void *asker);
	/* Whoever asked is gone: nothing of theirs is answered any more. */
	void (*forget)(void *context, void *asker);
	/* Whether new calls go here: of an agent in a cluster, else NULL. */
	int (*drain)(void *context, bool draining); /* -errno */
	bool (*is_draining)(void *context);
	bool (*is_reachable)(void *context); /* the cluster, now; as the two before */
	void *context;
};

#endif
