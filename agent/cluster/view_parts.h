/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_parts.h - what the parts of the view share. Nobody else includes it.
 *
 *     view.c              the nodes
 *     view_life.c         which of them live, and what is kept for those that do
 *     view_locations.c    what is known of the locations
 *     view_index.c        where a location is found, in a time that no other one adds to
 *     view_where.c        questions
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
	uint64_t owes_ns; /* since when it owes an announcement, or was last found to be missing */
	size_t locations; /* how many speak of it: they keep it in memory */
	uint32_t round; /* of view_end_nodes() that it was last put in */
	uint32_t since; /* number of a reading: of its locations, what is of older ones is gone */
	bool owes; /* Redis has lost what it said: until it has said so again readings spare it */
	bool is_known; /* it has said something of itself, and has not left */
	char name[NODE_NAME_MAX];
	char uri[NODE_URI_MAX];
};

/*
 * One location: there are millions, so it is one allocation with its texts at its end.
 *
 * The locations of an AOR are a ring, which one of them leads: registrations first, the leader
 * being one if there is any. An AOR is found by its leader, and the others by all that tells them
 * apart, so each is in one table only; most AORs have but one location.
 */
struct view_location {
	struct table_node in; /* leaders, or followers */
	struct view_location *next; /* of the ring */
	struct view_location *previous;
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
	bool leads;
	char texts[]; /* the AOR, then the device */
};

struct view {
	struct table leaders; /* by the AOR */
	struct table followers; /* by the AOR, node, kind and device */
	struct table by_name;
	struct hash_key key;
	size_t limit;
	size_t gone; /* locations that are only remembered to be gone */
	size_t swept_leaders; /* the bucket that view_expire() comes to next */
	size_t swept_followers;
	size_t known; /* nodes */
	uint64_t blind_ns; /* since when it is blind */
	uint64_t heard_ns; /* when a beat of any node was last heard */
	uint64_t quiet_ns; /* since when it is quiet */
	uint64_t full_ns; /* for who was heard by then there is no room */
	uint32_t reading; /* number of the latest one */
	uint32_t whole; /* number of the latest one that has ended */
	uint32_t round; /* number of the reading of the nodes */
	bool is_blind;
	bool is_quiet; /* no node has been heard of lately, though they can be */
};

static inline struct view_node *view_node_in(struct table_node *in)
{
	return table_element(in, struct view_node, by_name);
}

/* The node of that name, made if there is none; NULL without memory. */
struct view_node *view_node_of(struct view *view, struct span name);

/* Frees a node that nothing speaks of any more. */
void view_node_release(struct view *view, struct view_node *node);

/* It has left; frees it unless locations speak of it. */
void view_node_leave(struct view *view, struct view_node *node);

/* For how long it has not been heard of, as view_node_silence_ns(). */
uint64_t view_silence_ns(const struct view *view, const struct view_node *node, uint64_t now_ns);
bool view_node_lives(const struct view *view, const struct view_node *node, uint64_t now_ns);

/* It owes nothing any more: what the latest reading has spared for its sake is gone. */
void view_node_settle(struct view *view, struct view_node *node);

/* The element of either table. */
static inline struct view_location *view_location_in(struct table_node *in)
{
	return table_element(in, struct view_location, in);
}

static inline struct span view_aor_of(const struct view_location *location)
{
	return (struct span){ location->texts, location->aor_length };
}

static inline struct span view_device_of(const struct view_location *location)
{
	return (struct span){ location->texts + location->aor_length, location->device_length };
}

/* The leader of the AOR's ring; NULL if it has no locations. */
struct view_location *view_index_first(const struct view *view, struct span aor);

/* The location of the same AOR, node, kind and device; NULL if there is none. */
struct view_location *view_index_find(const struct view *view, const struct location *one);

/* Puts in one whose texts, kind and node are written, and that is not there yet. -ENOMEM. */
int view_index_put(struct view *view, struct view_location *location);

/* Takes it out; returns who leads in its place, NULL if it did not lead or was the last one. */
struct view_location *view_index_take(struct view *view, struct view_location *location);

/* Takes it out and frees it; returns as view_index_take(). */
struct view_location *view_location_free(struct view *view, struct view_location *location);

/* Written down at all: neither reported to be gone, nor missed by a reading. */
bool view_location_is_there(const struct view_location *location);

/* Of an epoch of its node that a later one has made void. */
bool view_location_is_void(const struct view_location *location);

#endif
