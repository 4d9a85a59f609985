/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <hiredis/hiredis.h>

#include "base/clock.h"
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
	    follow->reading.phase != FOLLOW_PLACING)
		follow_want_reading(follow, "their sequence has begun anew");
}

/*
 * Whether a node that is new to us is dead already only its age says; of one that we know, whether
 * it goes on saying that it is there, which depends on no clock.
 */
static uint64_t heard_ns(const struct follow *follow, const struct node *node, uint64_t now_ns)
{
	uint64_t now_ms = follow_clock_ms(follow), age_ms;

	if (!follow->knows_clock || view_find_node(follow->options.view, node->name) ||
	    node->beat_ms >= now_ms)
		return now_ns;
	age_ms = now_ms - node->beat_ms;
	return age_ms < now_ns / NS_PER_MS ? now_ns - age_ms * NS_PER_MS : 0;
}

static void take_nodes(struct follow *follow, const struct redisReply *reply, uint64_t now_ns)
{
	struct node node;

	for (size_t i = 0; i < redis_reply_pairs(reply); i++) {
		struct redis_pair pair = redis_reply_pair(reply, i);

		if (notation_read_node(pair.name, pair.value, &node) ||
		    view_put_node(follow->options.view, &node, heard_ns(follow, &node, now_ns)))
			count_up(follow->options.counts, shared_garbage);
	}
	view_end_nodes(follow->options.view);
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
