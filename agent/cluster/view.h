/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h - all that the proxies of the set have reported, in the memory of call control.
 *
 * Knows neither Redis nor SIP: follow.h fills it, callcontrol/choice.h asks it. What it was
 * told last it knows until it is told otherwise, or until that ends by itself; so it goes on
 * answering while the cluster is out of reach.
 *
 * Redis may be wiped, and a reading then finds nothing of nodes that live and will announce
 * everything anew. Therefore a living node is spared by a reading that ends while the node owes an
 * announcement: since its entry was missing, since view_lose(), or since it has begun one (begun
 * is greater than whole). What the reading has not found of it goes on to hold; until the node has
 * an announcement that is whole (what was not in there is gone then), is dead, or has been there
 * for NODE_DEAD_NS without beginning one: then it has lost nothing, and the reading was right.
 *
 * now_ns is CLOCK_MONOTONIC; times in ms are of the clock of the cluster.
 */
#ifndef AGENT_CLUSTER_VIEW_H
#define AGENT_CLUSTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/location.h"
#include "cluster/node.h"

/* No more nodes are known at a time. */
#define VIEW_NODES_MAX 1024

struct view;

/* A view of at most so many locations; NULL without memory or randomness. */
struct view *view_new(size_t limit);
void view_free(struct view *view);

/*
 * A change: a location was reported, or reported anew; texts are copied. -ENOSPC beyond the limit,
 * -E2BIG, -ENOMEM. One that is older (epoch, then accepted, then heard) than what is known of the
 * same node, kind and device changes nothing.
 */
int view_put(struct view *view, const struct location *location);

/*
 * A change: it is reported to be gone; the node, AOR, kind and device say which. -ENOMEM, -ENOSPC
 * while a reading is under way: the reading may bring it back, so it has to begin anew.
 */
int view_drop(struct view *view, const struct location *location);

/*
 * A reading: all locations there are will be read from now on; then what was neither read nor
 * reported is gone. A reading that begins anew before its end takes the place of the one before.
 *
 * Changes may be reported in between: all of them from before the beginning on, each once and in
 * their order. What is read may have been overtaken by them, so once a change of a location has
 * been reported the reading says nothing about it any more.
 */
void view_begin_reading(struct view *view);
int view_read(struct view *view, const struct location *location); /* errors as view_put() */
void view_end_reading(struct view *view, uint64_t now_ns);

/* Redis was wiped, or is another one: every node owes an announcement. */
void view_lose(struct view *view, uint64_t now_ns);

/*
 * What a node says of itself; it lives as long as its beat_ms goes on changing, the latest one
 * being from heard_ns (0 if it is no sign of life, whatever it says). One beyond VIEW_NODES_MAX
 * takes the place of one that was dead by then. -E2BIG, -ENOSPC if there is none, -ENOMEM.
 */
int view_put_node(struct view *view, const struct node *node, uint64_t heard_ns);

/* All nodes there are have been put since the last time: one that was not is missing. */
void view_end_nodes(struct view *view);

/*
 * After each view_end_nodes(), twice in a second: a node that is missing leaves once it is dead.
 *
 * If several nodes live and no beat of any is heard, it is the way to them that is lost and not
 * they (Redis answers, but lets nobody write): the view is quiet. Until a beat is heard all of
 * them are as they were; then each has NODE_DEAD_NS to be heard again.
 */
void view_judge_nodes(struct view *view, uint64_t now_ns);

/* For how long no node has been heard of; 0 while the view is not quiet. */
uint64_t view_quiet_ns(const struct view *view, uint64_t now_ns);

/*
 * Frees what has ended or is void, and what the latest reading did not find; some of it at each
 * call, all within a minute of calls each second.
 */
void view_expire(struct view *view, uint64_t now_ms);

/*
 * Whether the nodes can be heard at all; while they cannot, none is taken for dead that was not
 * dead before, and then each has NODE_DEAD_NS to be heard again.
 */
void view_set_blind(struct view *view, bool blind, uint64_t now_ns);

/* The node of that name; NULL if there is none. Good until the view changes. */
const struct node *view_find_node(const struct view *view, struct span name);

/* True if it has been heard of within NODE_DEAD_NS (while neither blind nor quiet). */
bool view_node_is_alive(const struct view *view, struct span name, uint64_t now_ns);

/* How long it was not heard of (while neither blind nor quiet); UINT64_MAX if there is none. */
uint64_t view_node_silence_ns(const struct view *view, struct span name, uint64_t now_ns);

/*
 * Writes the locations of an AOR that hold, newest accepted first, at most "limit" of them, and
 * returns how many. One holds until it ends, if its node is there and has not said everything
 * anew since. If there are more than "limit", registrations come before others, and newer ones
 * before older. Spans are the view's, good until it changes.
 */
size_t view_where(const struct view *view, struct span aor, uint64_t now_ms,
		  struct location *locations, size_t limit);

/* As view_where(), but only the registrations; how many others there are costs nothing. */
size_t view_registrations(const struct view *view, struct span aor, uint64_t now_ms,
			  struct location *locations, size_t limit);

/* Writes the nodes, at most "limit", and returns how many. */
size_t view_nodes(const struct view *view, struct node *nodes, size_t limit);

/* How many locations are in memory: until view_expire() has come by, those that are gone as well. */
size_t view_count(const struct view *view);

#endif
