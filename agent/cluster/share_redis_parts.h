/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share_redis_parts.h - the share that goes through Redis, in pieces: beats and epochs
 * (share_redis.c), reports (share_redis_reports.c), orders (share_redis_orders.c) and questions
 * (share_redis_directory.c). Included by these only.
 */
#ifndef AGENT_CLUSTER_SHARE_REDIS_PARTS_H
#define AGENT_CLUSTER_SHARE_REDIS_PARTS_H

#include <hiredis/hiredis.h>

#include "cluster/node.h"
#include "cluster/questions.h"
#include "cluster/redis_reply.h"
#include "cluster/share_clock.h"
#include "cluster/share_parts.h"

struct share_redis {
	struct share share; /* first */
	struct share_options options;
	struct node self; /* what the beats say */
	struct redis_link *reports; /* beats and questions as well */
	struct redis_link *orders; /* its own, because reading them blocks on the server */
	ev_timer beat;
	struct share_clock clock;
	uint64_t beaten_ns; /* when the beat was sent that waits for its answer; 0: none does */
	bool beat_again; /* once it is answered: something else is to be said */
	bool closing;
	bool in_reach; /* the reports' link stands, and a beat over it was answered */
	bool met; /* a beat of this run was answered */
	bool drain_told; /* this run was told whether to drain */
	uint64_t twin_ns; /* when another agent last used our name; 0: none does */
	bool refused; /* Redis refuses what we write; logged */

	bool announced; /* whoever knows all bindings has put them all, up to announced_at */
	bool void_epoch; /* something was lost: the epoch will not become whole, another must begin */
	uint64_t announced_at; /* the count of asked_count then */
	uint64_t asked_count; /* reports that were ever sent */
	uint64_t answered_count; /* and of these, answered: in the same order */
	bool filled; /* there was no room for more, and nobody was told since that there is */
	uint64_t renew_ns; /* not before that may a void epoch be followed by the next one */
	uint64_t pause_ns; /* and how long after it the next but one */

	char orders_read[REDIS_STREAM_ID_MAX]; /* the id of the latest order that was read */
	bool reading;

	struct directory_questions questions; /* that wait for their answers */
};

static inline struct share_redis *share_redis_of(struct share *share)
{
	return (struct share_redis *)(void *)share;
}

/* The clock of the cluster in ms, now. */
uint64_t share_redis_now_ms(const struct share_redis *share);

/*
 * Says what this node is: at once, or as soon as the beat before is answered, so that a slow server
 * has no queue of them. Nothing if the cluster is out of reach.
 */
void share_redis_beat(struct share_redis *share);

/* Something that should have been written is not, or may not be. */
void share_redis_void_epoch(struct share_redis *share);

/* Redis has answered with an error. */
void share_redis_refused(struct share_redis *share, const struct redisReply *error);

/* Another report was sent, or answered: the epoch may be whole, and there may be room again. */
void share_redis_asked(struct share_redis *share);
void share_redis_progress(struct share_redis *share);

void share_redis_set_draining(struct share_redis *share, bool draining);

/* share_redis_reports.c: operations of the share. */
void share_redis_put(struct share *base, const struct share_report *report, uint64_t now_ns);
void share_redis_drop(struct share *base, const struct record *record);

/* share_redis_orders.c: reads the next orders, unless that goes on already. */
void share_redis_read_orders(struct share_redis *share);

/* share_redis_directory.c */
struct directory share_redis_directory(struct share_redis *share);

#endif
