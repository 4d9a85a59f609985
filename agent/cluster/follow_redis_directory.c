/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/follow_parts.h"
#include "cluster/redis_orders.h"

/* So many orders may wait until Redis says that it has them. */
#define ORDERS_MAX 4096

/* "node NAME has not been heard of for SECONDS s" */
#define SILENCE_MAX (NODE_NAME_MAX + 64)

/* An order that Redis has not said to have yet. */
struct pending {
	struct directory_question question;
	struct follow *follow;
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

/* Whoever shows it judges by the clock of the cluster; none can be from the future by that. */
static void date_back(const struct follow *follow, struct node *node, uint64_t now_ms)
{
	uint64_t silence_ms =
		view_node_silence_ns(follow->options.view, node->name, clock_now_ns()) / NS_PER_MS;

	if (node->beat_ms > now_ms)
		node->beat_ms = silence_ms < now_ms ? now_ms - silence_ms : 0;
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
	for (size_t i = 0; i < answer.node_count; i++)
		date_back(follow, &nodes[i], answer.now_ms);
	answered(asker, &answer);
	return 0;
}

static void order_answered(void *context, const struct redisReply *reply)
{
	cleanup_free struct pending *pending = context;
	struct directory_answer answer = { .now_ms = follow_clock_ms(pending->follow) };

	if (!reply) {
		answer.error = -ENOTCONN;
		answer.reason = "the cluster got out of reach";
	} else if (reply->type != REDIS_REPLY_STRING) {
		answer.error = -EIO;
		answer.reason =
			reply->type == REDIS_REPLY_ERROR ? reply->str : "its answer makes no sense";
	}
	questions_tell(&pending->question, &answer);
	questions_take(&pending->question);
}

/* Nobody would take it: whoever ordered is told at once. */
static void refuse(const struct follow *follow, struct span node, uint64_t silence_ns,
		   directory_answered *answered, void *asker)
{
	struct directory_answer answer = { .error = -EHOSTDOWN, .now_ms = follow_clock_ms(follow) };
	char reason[SILENCE_MAX];

	snprintf(reason, sizeof(reason), "node %.*s has not been heard of for %" PRIu64 " s",
		 (int)node.length, node.at, silence_ns / NS_PER_S);
	answer.reason = reason;
	answered(asker, &answer);
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
	return follow->orders.count < ORDERS_MAX ? 0 : -EBUSY;
}

static int write_order(struct follow *follow, struct span node, const struct order *wanted,
		       directory_answered *answered, void *asker)
{
	cleanup_free struct pending *pending = malloc(sizeof(*pending));
	struct order issued = *wanted;
	int error;

	if (!pending)
		return -ENOMEM;
	issued.issued_ms = follow_clock_ms(follow);
	pending->follow = follow;
	error = redis_orders_write(follow->reader, node, &issued, order_answered, pending);
	if (error)
		return error;
	questions_put(&follow->orders, &take_ptr(pending)->question, answered, asker);
	return 0;
}

static int order(void *context, struct span node, const struct order *wanted,
		 directory_answered *answered, void *asker)
{
	struct follow *follow = context;
	int error = can_order(follow, node, wanted);
	uint64_t silence_ns;

	if (error)
		return error;
	silence_ns = view_node_silence_ns(follow->options.view, node, clock_now_ns());
	if (silence_ns < NODE_DEAD_NS)
		return write_order(follow, node, wanted, answered, asker);
	refuse(follow, node, silence_ns, answered, asker);
	return 0;
}

static void forget(void *context, void *asker)
{
	struct follow *follow = context;

	questions_forget(&follow->orders, asker);
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
