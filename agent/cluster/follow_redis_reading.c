/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow_redis_reading.c - a reading of everything there is.
 *
 * The next page of keys is asked for before what is under those of this one: the server has
 * always something to do, and never more than two pages are outstanding.
 */
#include <errno.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/follow_parts.h"
#include "cluster/notation.h"

#define KEYS_AT_ONCE "512"

/* What was asked for an AOR. */
struct question {
	struct follow *follow;
	size_t length;
	char aor[];
};

static void scan(struct follow *follow, struct span cursor);

static void end_if_answered(struct follow *follow)
{
	struct follow_reading *reading = &follow->reading;

	if (reading->outstanding > 0)
		return;
	reading->phase = FOLLOW_IDLE;
	if (reading->has_failed) {
		reading->is_wanted = true;
		return;
	}
	view_end_reading(follow->options.view, clock_now_ns());
	follow->is_refused = false;
	if (!reading->is_wanted && !follow->is_whole) {
		follow->is_whole = true;
		log_info("everything in the cluster has been read: %zu locations",
			 reading->locations);
	}
	follow_judge(follow);
	if (!follow->is_ready) {
		follow->is_ready = true;
		follow->options.ready(follow->options.context);
	}
}

static int ask(struct follow *follow, const struct span *words, size_t count,
	       redis_link_answer *answered, void *context)
{
	int error = redis_link_ask(follow->reader, words, count, false, answered, context);

	if (error)
		follow->reading.has_failed = true;
	else
		follow->reading.outstanding++;
	return error;
}

static void take_locations(struct follow *follow, struct span aor, const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY) {
		count_up(follow->options.counts, shared_garbage);
		return;
	}
	follow->reading.locations += redis_reply_pairs(reply);
	for (size_t i = 0; i < redis_reply_pairs(reply); i++) {
		struct redis_pair pair = redis_reply_pair(reply, i);

		if (follow_take(follow, aor, pair.name, pair.value, false))
			follow->reading.has_failed = true;
	}
}

static void locations_answered(void *context, const struct redisReply *reply)
{
	cleanup_free struct question *question = context;
	struct follow *follow = question->follow;

	if (!reply || follow->is_closing)
		return;
	follow->reading.outstanding--;
	take_locations(follow, (struct span){ question->aor, question->length }, reply);
	end_if_answered(follow);
}

static void ask_for_locations(struct follow *follow, struct span key)
{
	struct span aor = notation_aor_of(key);
	cleanup_free struct question *question = NULL;

	if (!aor.at) {
		count_up(follow->options.counts, shared_garbage);
		return;
	}
	question = malloc(sizeof(*question) + aor.length);
	if (!question) {
		follow->reading.has_failed = true;
		return;
	}
	question->follow = follow;
	question->length = aor.length;
	memcpy(question->aor, aor.at, aor.length);
	if (!ask(follow, (const struct span[]){ SPAN("HGETALL"), key }, 2, locations_answered,
		 question))
		(void)take_ptr(question);
}

static bool is_page(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	       reply->element[0]->type == REDIS_REPLY_STRING &&
	       reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static void keys_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;
	const struct redisReply *keys;
	struct span cursor;

	if (!reply || follow->is_closing)
		return;
	follow->reading.outstanding--;
	if (!is_page(reply)) {
		follow_refused(follow, "what keys it has", reply);
		follow->reading.has_failed = true;
		end_if_answered(follow);
		return;
	}
	cursor = redis_reply_text(reply->element[0]);
	keys = reply->element[1];
	if (!span_equal(cursor, SPAN("0")))
		scan(follow, cursor);
	for (size_t i = 0; i < keys->elements; i++)
		ask_for_locations(follow, redis_reply_text(keys->element[i]));
	end_if_answered(follow);
}

static void scan(struct follow *follow, struct span cursor)
{
	(void)ask(follow,
		  (const struct span[]){
			  SPAN("SCAN"),
			  cursor,
			  SPAN("MATCH"),
			  SPAN(NOTATION_AOR "*"),
			  SPAN("COUNT"),
			  SPAN(KEYS_AT_ONCE),
			  SPAN("TYPE"),
			  SPAN("hash"),
		  },
		  8, keys_answered, follow);
}

/* Where the changes end, from { SEQUENCE, { the last entry, if there is any } }; -EBADMSG. */
static int place(struct follow *follow, const struct redisReply *reply)
{
	struct span id = SPAN(REDIS_STREAM_BEGINNING);
	const struct redisReply *entries;
	uint64_t sequence = 0;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY)
		return -EBADMSG;
	entries = reply->element[1];
	if (entries->elements > 0 && !redis_reply_is_entry(entries->element[0]))
		return -EBADMSG;
	if (entries->elements > 0)
		id = redis_reply_id(entries->element[0]);
	/* None, or garbage: put.lua begins anew with 1. */
	(void)redis_reply_number(reply->element[0], 1, UINT64_MAX - 1, &sequence);
	if (sequence < follow->changes.sequence)
		view_lose(follow->options.view, clock_now_ns());
	follow_place_changes(follow, id, sequence);
	return 0;
}

static void place_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;

	if (!reply || follow->is_closing)
		return;
	follow->reading.outstanding--;
	if (place(follow, reply)) {
		follow_refused(follow, "what changed last", reply);
		follow->reading.has_failed = true;
	} else {
		view_begin_reading(follow->options.view);
		follow->reading.phase = FOLLOW_SCANNING;
		scan(follow, SPAN("0"));
	}
	end_if_answered(follow);
}

static void queued(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;

	if (reply && !follow->is_closing)
		follow->reading.outstanding--;
}

/* In one transaction: what is asked for is of one moment. */
static void ask_for_place(struct follow *follow)
{
	if (ask(follow, (const struct span[]){ SPAN("MULTI") }, 1, queued, follow) ||
	    ask(follow, (const struct span[]){ SPAN("GET"), SPAN(NOTATION_SEQUENCE) }, 2, queued,
		follow) ||
	    ask(follow,
		(const struct span[]){ SPAN("XREVRANGE"), SPAN(NOTATION_CHANGES), SPAN("+"),
				       SPAN("-"), SPAN("COUNT"), SPAN("1") },
		6, queued, follow) ||
	    ask(follow, (const struct span[]){ SPAN("EXEC") }, 1, place_answered, follow))
		redis_link_reset(follow->reader, "there is no memory to ask");
}

void follow_begin_reading(struct follow *follow)
{
	struct follow_reading *reading = &follow->reading;
	uint64_t now_ns = clock_now_ns();

	if (!reading->is_wanted || reading->phase != FOLLOW_IDLE ||
	    !redis_link_is_up(follow->reader) ||
	    (reading->begun_ns && now_ns - reading->begun_ns < FOLLOW_SETTLE_NS))
		return;
	*reading = (struct follow_reading){ .phase = FOLLOW_PLACING, .begun_ns = now_ns };
	ask_for_place(follow);
}

void follow_want_reading(struct follow *follow, const char *why)
{
	if (follow->is_whole)
		log_info("changes in the cluster were missed, so everything is read anew: %s", why);
	follow->is_whole = false;
	follow->reading.is_wanted = true;
	follow_judge(follow);
	follow_begin_reading(follow);
}

void follow_abandon_reading(struct follow *follow)
{
	follow->reading = (struct follow_reading){ .is_wanted = true };
}
