/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/follow_parts.h"
#include "cluster/notation.h"

void follow_set_blind(struct follow *follow, bool blind, uint64_t now_ns)
{
	view_set_blind(follow->options.view, blind, now_ns);
	follow->is_blind = blind;
	follow_judge(follow);
}

static void time_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;
	uint64_t seconds, us;

	if (!reply || follow->is_closing || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 2 ||
	    redis_reply_number(reply->element[0], 0, UINT32_MAX, &seconds) ||
	    redis_reply_number(reply->element[1], 0, 999999, &us))
		return;
	(void)share_clock_learn(&follow->clock, seconds * 1000 + us / 1000, follow->nodes.asked_ns,
				clock_now_ns());
	follow->knows_clock = true;
}

/*
 * A number smaller than what had been followed to is that of another sequence: Redis was wiped,
 * or is another one. While the place is being taken anew that is known already.
 */
static void sequence_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;
	uint64_t written = 0;

	if (!reply || follow->is_closing || reply->type == REDIS_REPLY_ERROR)
		return;
	(void)redis_reply_number(reply, 1, UINT64_MAX - 1, &written); /* none: 0 */
	follow->nodes.written = written;
	if (written < follow->nodes.sequence && follow->changes.is_placed &&
	    follow->reading.phase != FOLLOW_PLACING) {
		view_lose(follow->options.view, clock_now_ns());
		follow_want_reading(follow, "their sequence has begun anew");
	}
}

/*
 * Whether a node that is new to us is dead already only its age says; of one that we know, whether
 * it goes on saying that it is there, which depends on no clock. What lies far in the future was
 * not written by beat.lua.
 */
static uint64_t heard_ns(const struct follow *follow, const struct node *node, uint64_t now_ns)
{
	uint64_t now_ms = follow_clock_ms(follow), age_ms;

	if (!follow->knows_clock)
		return now_ns;
	if (node->beat_ms > now_ms + FOLLOW_AHEAD_MAX_MS)
		return 0;
	if (view_find_node(follow->options.view, node->name) || node->beat_ms >= now_ms)
		return now_ns;
	age_ms = now_ms - node->beat_ms;
	return age_ms < now_ns / NS_PER_MS ? now_ns - age_ms * NS_PER_MS : 0;
}

static int take_node(struct follow *follow, const struct redis_pair *pair, uint64_t now_ns)
{
	struct node node;
	int error = notation_read_node(pair->name, pair->value, &node);

	if (!error)
		error = view_put_node(follow->options.view, &node, heard_ns(follow, &node, now_ns));
	if (error)
		count_up(follow->options.counts, shared_garbage);
	return error;
}

static void say_crowded(struct follow *follow, bool is_crowded)
{
	if (is_crowded && !follow->is_crowded)
		log_error("more than %d nodes are in " NOTATION_NODES ": some are not known, those"
			  " that are dead first; delete what does not belong there",
			  VIEW_NODES_MAX);
	follow->is_crowded = is_crowded;
}

static void take_nodes(struct follow *follow, const struct redisReply *reply, uint64_t now_ns)
{
	bool is_crowded = false;

	for (size_t i = 0; i < redis_reply_pairs(reply); i++) {
		struct redis_pair pair = redis_reply_pair(reply, i);

		is_crowded = take_node(follow, &pair, now_ns) == -ENOSPC || is_crowded;
	}
	say_crowded(follow, is_crowded);
	view_end_nodes(follow->options.view);
	view_judge_nodes(follow->options.view, now_ns);
}

static void say_quiet(struct follow *follow, uint64_t now_ns)
{
	uint64_t quiet_ns = view_quiet_ns(follow->options.view, now_ns);

	if (quiet_ns >= NODE_DEAD_NS && !follow->is_quiet) {
		log_warning("no proxy is heard of any more, though redis answers: see whether it"
			    " takes writes; they are taken to be as they were last");
		follow->is_quiet = true;
	} else if (quiet_ns == 0 && follow->is_quiet) {
		log_info("proxies are heard of again");
		follow->is_quiet = false;
	}
}

static void nodes_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;
	uint64_t now_ns = clock_now_ns();

	follow->nodes.is_asked = false;
	if (!reply || follow->is_closing)
		return;
	if (reply->type != REDIS_REPLY_ARRAY) {
		follow_refused(follow, "what nodes there are", reply);
		return;
	}
	follow->nodes.read_ns = now_ns;
	follow->is_slow = follow->is_slow && now_ns - follow->nodes.asked_ns >= FOLLOW_BLIND_NS;
	follow_set_blind(follow, false, now_ns);
	take_nodes(follow, reply, now_ns);
	say_quiet(follow, now_ns);
}

static int ask(struct follow *follow, const struct span *words, size_t count,
	       redis_link_answer *answered)
{
	return redis_link_ask(follow->reader, words, count, false, answered, follow);
}

void follow_ask_nodes(struct follow *follow)
{
	struct follow_nodes *nodes = &follow->nodes;

	if (nodes->is_asked || !redis_link_is_up(follow->reader))
		return;
	nodes->asked_ns = clock_now_ns();
	nodes->sequence = follow->changes.sequence;
	nodes->is_asked =
		!ask(follow, (const struct span[]){ SPAN("TIME") }, 1, time_answered) &&
		!ask(follow, (const struct span[]){ SPAN("GET"), SPAN(NOTATION_SEQUENCE) }, 2,
		     sequence_answered) &&
		!ask(follow, (const struct span[]){ SPAN("HGETALL"), SPAN(NOTATION_NODES) }, 2,
		     nodes_answered);
}
