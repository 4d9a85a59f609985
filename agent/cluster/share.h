/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share.h - what this node tells the other proxies of the set, and is told by them.
 *
 * share_redis.c does it through Redis; share_none.c is for a single host: it takes everything
 * and does nothing. Nothing here ever waits, or holds anything back that this node keeps: while
 * the cluster is out of reach the node goes on as if it were alone, and announces everything
 * once it is back. All that is ever queued is bounded.
 */
#ifndef AGENT_CLUSTER_SHARE_H
#define AGENT_CLUSTER_SHARE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "cluster/directory.h"
#include "cluster/order.h"
#include "cluster/redis_link.h"
#include "state/record.h"

/*
 * So many reports of an announcement may wait for their answers. It is small, because the beats
 * queue behind them: a node must not seem to be dead while it announces.
 */
#define SHARE_WINDOW 256

/* What becomes of a registration when its device registers through another node. */
enum share_move { SHARE_MOVE_STOP, SHARE_MOVE_KEEP };

struct share;

struct share_options {
	struct ev_loop *loop; /* outlives the share, as all that is pointed to */
	struct redis_address address;
	const char *node; /* see node_name_is_good() */
	const char *uri; /* where calls for this node go */
	enum share_move move;
	struct counts *counts;
	uint32_t (*paths)(void *context); /* how many are kept now */
	/*
	 * Told to do something. "leave", by an order or because a report was stale, is about the
	 * registration that was accepted at accepted_ns here, to some milliseconds, and no other.
	 */
	void (*ordered)(void *context, const struct order *order, uint64_t accepted_ns);
	/* There is something to announce, or room again after there was none: see share_room(). */
	void (*wake)(void *context);
	void *context;
	/* The clock of the cluster in ms, for simulations; NULL: that of the Redis server. */
	uint64_t (*clock_ms)(void *context);
};

/* A binding and the path that it is on. */
struct share_report {
	const struct record *record;
	uint64_t seen_ns; /* when the path was last heard */
	uint8_t health; /* enum path_health */
};

/* A share of a single host; never fails, costs nothing. */
struct share *share_none(void);

/* Begins to reach the cluster; -errno after one log line. */
int share_redis_open(const struct share_options *options, struct share **out);

/* Frees the share. Calls go to this node until it counts as dead: one that starts again misses none. */
void share_close(struct share *share);

/*
 * A binding has begun, was renewed or has moved, or its path has become silent or live. If it
 * cannot be told now, all will be announced anew. Texts are copied. A binding longer than
 * LOCATION_TEXT_MAX stays with this node (counted: shared_oversized).
 */
void share_put(struct share *share, const struct share_report *report, uint64_t now_ns);

/* A binding has ended. */
void share_drop(struct share *share, const struct record *record);

/*
 * The announcement that is wanted: 0 for none. When the number changes, whoever knows all
 * bindings begins to share_put() every one of them, as many at a time as share_room() says, and
 * says share_announced() at the end. Whatever changes meanwhile is share_put() as ever.
 */
uint64_t share_epoch(const struct share *share);
void share_announced(struct share *share, uint64_t epoch);

/*
 * How much may be told now of what can wait. After it was 0, wake() is called once half of
 * SHARE_WINDOW is free, whether an announcement is wanted or not.
 */
size_t share_room(const struct share *share);

/* For whoever shows the cluster. */
const struct directory *share_directory(struct share *share);

#endif
