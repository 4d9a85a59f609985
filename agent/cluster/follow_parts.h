/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow_parts.h - what the parts of follow share. Nobody else includes it.
 *
 *     follow_redis.c            the two connections, and whether the view is as Redis has it
 *     follow_redis_changes.c    the stream of changes
 *     follow_redis_reading.c    a reading of everything
 *     follow_redis_nodes.c      the nodes, the clock, and how far the changes have come
 *     follow_redis_directory.c  questions and orders
 *
 * A reading asks first for the end of the stream, then for everything there is; meanwhile the
 * changes from that end on are followed. So nothing is missed, and what was read after it had
 * been changed is told from what was read before by view_read().
 */
#ifndef AGENT_CLUSTER_FOLLOW_PARTS_H
#define AGENT_CLUSTER_FOLLOW_PARTS_H

#include "cluster/follow.h"
#include "cluster/questions.h"
#include "cluster/redis_reply.h"
#include "cluster/share_clock.h"

/* How often the nodes are read, and how long they may not be before the view is blind. */
#define FOLLOW_TICK_S 0.5
#define FOLLOW_BLIND_NS (UINT64_C(1500) * 1000000)

/* A beat that lies so far ahead of the clock of the cluster is no sign of life. */
#define FOLLOW_AHEAD_MAX_MS 10000

/* Readings begin at least so far apart: changes that are missed come in bursts. */
#define FOLLOW_SETTLE_NS (UINT64_C(1000) * 1000000)

/* Where the stream of changes has been followed to. */
struct follow_changes {
	char id[REDIS_STREAM_ID_MAX]; /* of the latest entry */
	uint64_t sequence; /* of the latest change */
	uint64_t target; /* what the sequence was known to be when was last asked */
	bool is_placed; /* the two above it are known */
	bool is_asked;
	bool is_moved; /* placed anew since was asked: the answer is void */
};

enum follow_phase { FOLLOW_IDLE, FOLLOW_PLACING, FOLLOW_SCANNING };

struct follow_reading {
	enum follow_phase phase;
	bool is_wanted; /* once this one, if any, has ended */
	bool has_failed;
	size_t outstanding; /* answers */
	size_t locations; /* read so far, garbage included */
	uint64_t begun_ns; /* 0 if none has been since the connection was made */
};

struct follow_nodes {
	bool is_asked;
	uint64_t asked_ns;
	uint64_t read_ns; /* when they last were */
	uint64_t sequence; /* how far the changes had been followed when was asked */
	uint64_t written; /* how far they have been written, as far as is known */
};

struct follow {
	struct follow_options options;
	struct redis_link *reader; /* readings, nodes, orders */
	struct redis_link *listener; /* changes */
	struct follow_changes changes;
	struct follow_reading reading;
	struct follow_nodes nodes;
	struct share_clock clock;
	struct directory directory;
	struct directory_questions orders; /* those that are not answered yet */
	ev_timer tick;
	uint64_t ticks;
	uint64_t stale_ns; /* since when it is not current */
	bool is_current;
	bool is_whole; /* everything has been read, and no change missed since */
	bool is_blind;
	bool is_ready; /* said so */
	bool is_full; /* said so */
	bool is_slow; /* said so */
	bool is_refused; /* said so */
	bool is_quiet; /* said so */
	bool is_crowded; /* said so */
	bool knows_clock;
	bool is_closing;
};

/* Reads a location and hands it to the view; what cannot be is counted. -ENOMEM. */
int follow_take(struct follow *follow, struct span aor, struct span field, struct span value,
		bool is_change);

/* Takes note of whether the view is as Redis has it, after anything that may have changed that. */
void follow_judge(struct follow *follow);

/* Says once that Redis refuses something that is needed; and that it does so no more. */
void follow_refused(struct follow *follow, const char *what, const struct redisReply *reply);

/* Asks for the next changes, if they are not asked for already. */
void follow_ask_changes(struct follow *follow);

/* The changes go on from here. */
void follow_place_changes(struct follow *follow, struct span id, uint64_t sequence);

/* Something may have been missed: everything is read anew, as soon as may be. */
void follow_want_reading(struct follow *follow, const char *why);

/* Begins the reading that is wanted, if it can begin now. */
void follow_begin_reading(struct follow *follow);

/* The connection was lost in the midst of it. */
void follow_abandon_reading(struct follow *follow);

/* Asks for the nodes, if they are not asked for already. */
void follow_ask_nodes(struct follow *follow);

/* Whether the nodes can be read. */
void follow_set_blind(struct follow *follow, bool blind, uint64_t now_ns);

struct directory follow_make_directory(struct follow *follow);

#endif
