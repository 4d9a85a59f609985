/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/notation.h"
#include "cluster/redis_orders.h"
#include "cluster/share_redis_parts.h"

/* So many orders are read at once, and Redis waits so long for the first one. */
#define ORDERS_MAX 60
#define ORDERS_MAX_WORD "60"
#define ORDERS_WAIT_MS "2000"

_Static_assert(ORDERS_MAX + 2 <= REDIS_LINK_WORDS_MAX, "they are deleted in one command");

static struct span key_of(const struct share_redis *share, char room[REDIS_ORDERS_KEY_MAX])
{
	return redis_orders_key(share->self.name, room);
}

/* "leave" holds for ever: what it says about the device stays true. */
static bool is_late(const struct share_redis *share, const struct order *order)
{
	return order->kind != ORDER_leave &&
	       order->issued_ms + ORDER_STALE_MS < share_redis_now_ms(share);
}

static void carry_out(struct share_redis *share, const struct order *order)
{
	uint64_t accepted_ns = 0;

	if (order->kind == ORDER_drain || order->kind == ORDER_undrain) {
		share_redis_set_draining(share, order->kind == ORDER_drain);
		return;
	}
	if (order->kind == ORDER_leave)
		accepted_ns = share_clock_to_ns(&share->clock, order->accepted_ms);
	share->options.ordered(share->options.context, order, accepted_ns);
}

static void take_order(struct share_redis *share, struct span text)
{
	struct counts *counts = share->options.counts;
	struct order order;

	if (notation_read_order(text, &order)) {
		count_up(counts, shared_garbage);
		count_up(counts, orders_ignored);
	} else if (is_late(share, &order)) {
		count_up(counts, orders_ignored);
	} else {
		count_up(counts, orders_taken);
		carry_out(share, &order);
	}
}

/* The value of the field "o"; absent without one. */
static struct span order_text(const struct redisReply *fields)
{
	for (size_t i = 0; i < redis_reply_pairs(fields); i++) {
		struct redis_pair pair = redis_reply_pair(fields, i);

		if (span_equal(pair.name, SPAN("o")))
			return pair.value;
	}
	return (struct span){ NULL, 0 };
}

static void deleted(void *context, const struct redisReply *reply)
{
	(void)context;
	(void)reply;
}

/* If that fails they are read again one day, and found to be late, or to be true already. */
static void delete_entries(struct share_redis *share, const struct redisReply *entries)
{
	struct span words[2 + ORDERS_MAX];
	char room[REDIS_ORDERS_KEY_MAX];

	words[0] = SPAN("XDEL");
	words[1] = key_of(share, room);
	for (size_t i = 0; i < entries->elements; i++)
		words[2 + i] = redis_reply_id(entries->element[i]);
	(void)redis_link_ask(share->orders, words, 2 + entries->elements, false, deleted, NULL);
}

static void take_entries(struct share_redis *share, const struct redisReply *entries)
{
	struct span last = redis_reply_id(entries->element[entries->elements - 1]);

	snprintf(share->orders_read, sizeof(share->orders_read), "%.*s", (int)last.length, last.at);
	for (size_t i = 0; i < entries->elements; i++)
		take_order(share, order_text(redis_reply_fields(entries->element[i])));
	delete_entries(share, entries);
}

/* The key is ours alone: what is no stream does not belong there. */
static void clear_away(struct share_redis *share)
{
	char room[REDIS_ORDERS_KEY_MAX];

	(void)redis_link_ask(share->orders,
			     (const struct span[]){ SPAN("DEL"), key_of(share, room) }, 2, false,
			     deleted, NULL);
}

/* After an error nothing is asked before the next beat: it may be there to stay. */
static void orders_answered(void *context, const struct redisReply *reply)
{
	struct share_redis *share = context;
	const struct redisReply *entries;

	share->reading = false;
	if (!reply || share->closing)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		count_up(share->options.counts, shared_garbage);
		log_debug("orders of node %s: %s", share->options.node, reply->str);
		if (redis_reply_is_mistyped(reply))
			clear_away(share);
		return;
	}
	if (reply->type != REDIS_REPLY_NIL) {
		entries = redis_reply_entries(reply);
		if (!entries || entries->elements > ORDERS_MAX) {
			redis_link_reset(share->orders, "what it sends as orders makes no sense");
			return;
		}
		take_entries(share, entries);
	}
	share_redis_read_orders(share);
}

/*
 * What is in our stream has not been read yet, because it is deleted as soon as it is. So the
 * stream is read from its beginning whenever the connection, or Redis, may be another one, and
 * nothing is missed that was ordered meanwhile.
 */
void share_redis_read_orders(struct share_redis *share)
{
	const char *after = share->orders_read[0] ? share->orders_read : REDIS_STREAM_BEGINNING;
	char room[REDIS_ORDERS_KEY_MAX];

	if (share->closing || share->reading || !share->in_reach ||
	    !redis_link_is_up(share->orders))
		return;
	share->reading = redis_link_ask(share->orders,
					(const struct span[]){
						SPAN("XREAD"),
						SPAN("COUNT"),
						SPAN(ORDERS_MAX_WORD),
						SPAN("BLOCK"),
						SPAN(ORDERS_WAIT_MS),
						SPAN("STREAMS"),
						key_of(share, room),
						span_of(after),
					},
					8, true, orders_answered, share) == 0;
}
