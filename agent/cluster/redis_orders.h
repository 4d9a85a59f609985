/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redis_orders.h - the one place where orders to nodes are written by an agent; see notation.h. */
#ifndef AGENT_CLUSTER_REDIS_ORDERS_H
#define AGENT_CLUSTER_REDIS_ORDERS_H

#include "cluster/notation.h"
#include "cluster/redis_link.h"

/* Room for the key of a node's orders, terminator included. */
#define REDIS_ORDERS_KEY_MAX (sizeof(NOTATION_ORDERS) + NODE_NAME_MAX)

/* The key of a node's orders, written to "room". */
struct span redis_orders_key(struct span node, char room[REDIS_ORDERS_KEY_MAX]);

/*
 * Writes an order for a node. The answer is the id of its entry, a text, once Redis has it, or an
 * error, or NULL; -errno as redis_link_ask(), and nothing is answered then.
 */
int redis_orders_write(struct redis_link *link, struct span node, const struct order *order,
		       redis_link_answer *answered, void *context);

#endif
