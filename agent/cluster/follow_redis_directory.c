/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/cleanup.h"
#include "cluster/follow_parts.h"
#include "cluster/notation.h"

/* So many orders may wait until Redis says that it has them. */
#define ORDERS_MAX 4096

/* Orders that nobody takes are kept for an hour, and so many of them. */
#define ORDERS_KEPT "10000"
#define ORDERS_LIFETIME_S "3600"

/* One that Redis has not said to have yet. */
struct follow_order {
	struct follow *follow;
	struct follow_order *next;
	struct follow_order **link; /* what points here */
	directory_answered *answered; /* NULL: whoever asked is gone */
	void *asker;
};

static int where(void *context, struct span aor, directory_answered *answered, void *asker)
{
	struct follow *follow = context;
	struct location locations[DIRECTORY_LOCATIONS_MAX];
	struct directory_answer answer = { .now_ms = follow_clock_ms(follow),
					   .locations = locations };

	answer.location_count = view_where(follow->options.view, aor, answer.now_ms, locations,
					   DIRECTORY_LOCATIONS_MAX);
	answered(asker, &answer);
	return 0;
}

static int cluster(void *context, directory_answered *answered, void *asker)
{
	struct follow *follow = context;
	struct directory_answer answer = { .now_ms = follow_clock_ms(follow) };
	cleanup_free struct node *nodes = calloc(VIEW_NODES_MAX, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	answer.nodes = nodes;
	answer.node_count = view_nodes(follow->options.view, nodes, VIEW_NODES_MAX);
	answered(asker, &answer);
	return 0;
}

static struct follow_order *new_order(struct follow *follow, directory_answered *answered,
				      void *asker)
{
	struct follow_order *pending = malloc(sizeof(*pending));

	if (!pending)
		return NULL;
	*pending = (struct follow_order){
		.follow = follow,
		.next = follow->orders,
		.link = &follow->orders,
		.answered = answered,
		.asker = asker,
	};
	if (pending->next)
		pending->next->link = &pending->next;
	follow->orders = pending;
	follow->order_count++;
	return pending;
}

static void free_order(struct follow_order *pending)
{
	*pending->link = pending->next;
	if (pending->next)
		pending->next->link = pending->link;
	pending->follow->order_count--;
	free(pending);
}

static void order_answered(void *context, const struct redisReply *reply)
{
	struct follow_order *pending = context;
	struct directory_answer answer = { .now_ms = follow_clock_ms(pending->follow) };

	if (!reply) {
		answer.error = -ENOTCONN;
		answer.reason = "the cluster got out of reach";
	} else if (reply->type != REDIS_REPLY_STRING) {
		answer.error = -EIO;
		answer.reason =
			reply->type == REDIS_REPLY_ERROR ? reply->str : "its answer makes no sense";
	}
	if (pending->answered)
		pending->answered(pending->asker, &answer);
	free_order(pending);
}

static void lifetime_answered(void *context, const struct redisReply *reply)
{
	(void)context;
	(void)reply;
}

static int write_order(struct follow_order *pending, struct span node, const struct order *order)
{
	char key_room[sizeof(NOTATION_ORDERS) + NODE_NAME_MAX], order_room[NOTATION_MAX];
	struct text key = TEXT_OVER(key_room), text = TEXT_OVER(order_room);
	struct redis_link *link = pending->follow->reader;
	int error;

	text_add(&key, SPAN(NOTATION_ORDERS));
	text_add(&key, node);
	notation_write_order(&text, order);
	if (key.overflow || text.overflow)
		return -E2BIG;
	error = redis_link_ask(link,
			       (const struct span[]){ SPAN("XADD"), text_span(&key), SPAN("MAXLEN"),
						      SPAN("~"), SPAN(ORDERS_KEPT), SPAN("*"),
						      SPAN("o"), text_span(&text) },
			       8, false, order_answered, pending);
	if (!error)
		(void)redis_link_ask(link,
				     (const struct span[]){ SPAN("EXPIRE"), text_span(&key),
							    SPAN(ORDERS_LIFETIME_S) },
				     3, false, lifetime_answered, NULL);
	return error;
}

/* "leave" is between the nodes. */
static int can_order(const struct follow *follow, struct span node, const struct order *order)
{
	if (order->kind == ORDER_leave)
		return -EINVAL;
	if (!redis_link_is_up(follow->reader))
		return -ENOTCONN;
	if (!view_find_node(follow->options.view, node))
		return -ENOENT;
	return follow->order_count < ORDERS_MAX ? 0 : -EBUSY;
}

static int order(void *context, struct span node, const struct order *wanted,
		 directory_answered *answered, void *asker)
{
	struct follow *follow = context;
	struct order issued = *wanted;
	struct follow_order *pending;
	int error = can_order(follow, node, wanted);

	if (error)
		return error;
	pending = new_order(follow, answered, asker);
	if (!pending)
		return -ENOMEM;
	issued.issued_ms = follow_clock_ms(follow);
	error = write_order(pending, node, &issued);
	if (error)
		free_order(pending);
	return error;
}

static void forget(void *context, void *asker)
{
	const struct follow *follow = context;

	for (struct follow_order *pending = follow->orders; pending; pending = pending->next)
		if (pending->asker == asker)
			pending->answered = NULL;
}

void follow_forget_orders(struct follow *follow)
{
	for (struct follow_order *pending = follow->orders; pending; pending = pending->next)
		pending->answered = NULL;
}

struct directory follow_make_directory(struct follow *follow)
{
	return (struct directory){
		.where = where,
		.cluster = cluster,
		.order = order,
		.forget = forget,
		.context = follow,
	};
}
