/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_parts.h - what the halves of the view share: view.c has the nodes, view_locations.c the
 * locations. Nobody else includes it.
 */
#ifndef AGENT_CLUSTER_VIEW_PARTS_H
#define AGENT_CLUSTER_VIEW_PARTS_H

#include "base/hash.h"
#include "base/table.h"
#include "cluster/view.h"

/* A node that has said something of itself, or that only locations speak of. */
struct view_node {
	struct table_node by_name;
	struct node node; /* its spans point to the texts below */
	uint64_t heard_ns; /* when its beat was last seen to have changed */
	size_t locations; /* how many speak of it: they keep it in memory */
	uint32_t round; /* of view_end_nodes() that it was last put in */
	bool is_known; /* it has said something of itself, and has not left */
	char name[NODE_NAME_MAX];
	char uri[NODE_URI_MAX];
};

/* One location: there are millions, so it is one allocation with its texts at its end. */
struct view_location {
	struct table_node by_aor;
	struct view_node *node;
	uint64_t accepted_ms;
	uint64_t ends_ms;
	uint64_t heard_ms;
	uint64_t epoch;
	struct flow flow;
	uint32_t reading; /* number of the one that it was last read or reported in */
	uint16_t aor_length;
	uint16_t device_length;
	uint8_t kind;
	uint8_t health;
	bool is_reported; /* in that reading: what is read does not count any more */
	bool is_gone; /* reported to be, in that reading */
	char texts[]; /* the AOR, then the device */
};

struct view {
	struct table by_aor;
	struct table by_name;
	struct hash_key key;
	size_t limit;
	size_t gone; /* locations that are only remembered to be gone */
	size_t swept; /* the bucket that view_expire() comes to next */
	size_t known; /* nodes */
	uint64_t blind_ns; /* since when it is blind */
	uint32_t reading; /* number of the latest one */
	uint32_t whole; /* number of the latest one that has ended: what is older is gone */
	uint32_t round; /* number of the reading of the nodes */
	bool is_blind;
};

/* The node of that name, made if there is none; NULL without memory. */
struct view_node *view_node_of(struct view *view, struct span name);

/* Frees a node that nothing speaks of any more. */
void view_node_release(struct view *view, struct view_node *node);

void view_location_free(struct view *view, struct view_location *location);

#endif
