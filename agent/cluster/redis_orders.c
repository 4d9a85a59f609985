/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_orders.h"

#include <errno.h>

/* Orders that nobody reads are kept for an hour, and about so many of them; put.lua does the same. */
#define LIFETIME_S "3600"
#define KEPT "10000"

struct span redis_orders_key(struct span node, char room[REDIS_ORDERS_KEY_MAX])
{
	struct text key = { .buffer = room, .size = REDIS_ORDERS_KEY_MAX };

	text_add(&key, SPAN(NOTATION_ORDERS));
	text_add(&key, node);
	return text_span(&key);
}

/* If that fails the order is there all the same, and the next one makes up for it. */
static void lifetime_set(void *context, const struct redisReply *reply)
{
	(void)context;
	(void)reply;
}

int redis_orders_write(struct redis_link *link, struct span node, const struct order *order,
		       redis_link_answer *answered, void *context)
{
	char key_room[REDIS_ORDERS_KEY_MAX], room[NOTATION_MAX];
	struct text text = TEXT_OVER(room);
	struct span key;
	int error;

	if (node.length > NODE_NAME_MAX)
		return -E2BIG;
	key = redis_orders_key(node, key_room);
	notation_write_order(&text, order);
	if (text.overflow)
		return -E2BIG;
	error = redis_link_ask(link,
			       (const struct span[]){ SPAN("XADD"), key, SPAN("MAXLEN"), SPAN("~"),
						      SPAN(KEPT), SPAN("*"), SPAN("o"),
						      text_span(&text) },
			       8, false, answered, context);
	if (!error)
		(void)redis_link_ask(link,
				     (const struct span[]){ SPAN("EXPIRE"), key, SPAN(LIFETIME_S) },
				     3, false, lifetime_set, NULL);
	return error;
}
