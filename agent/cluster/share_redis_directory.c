/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/notation.h"
#include "cluster/redis_orders.h"
#include "cluster/share_redis_parts.h"

/* So many questions may wait for their answers. */
#define QUESTIONS_MAX 256

#define KEY_MAX (sizeof(NOTATION_AOR) + LOCATION_TEXT_MAX)

/* What has to be known of a node to tell which of its locations hold. */
struct known_node {
	char name[NODE_NAME_MAX + 1];
	uint64_t whole;
};

/* A question of share_redis_directory(): "asked" is its first member. */
struct question {
	struct directory_question asked;
	struct share_redis *share;
	struct known_node *nodes; /* of where */
	size_t node_count;
	size_t aor_length; /* of where */
	char aor[LOCATION_TEXT_MAX];
	struct order order; /* of order */
	char node[NODE_NAME_MAX + 1];
};

static struct question *new_question(struct share_redis *share, directory_answered *answered,
				     void *asker)
{
	struct question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	question->share = share;
	questions_put(&share->questions, &question->asked, answered, asker);
	return question;
}

/* Nobody is told anything: it could not be asked. */
static void free_question(struct question *question)
{
	questions_take(&question->asked);
	free(question->nodes);
	free(question);
}

/* Answers, and forgets the question. */
static void answer(struct question *question, const struct directory_answer *given)
{
	struct directory_answer full = *given;

	full.now_ms = share_redis_now_ms(question->share);
	if (!question->share->closing)
		questions_tell(&question->asked, &full);
	free_question(question);
}

static void answer_error(struct question *question, int error, const char *reason)
{
	answer(question, &(struct directory_answer){ .error = error, .reason = reason });
}

/* True if the reply is what was asked for; otherwise the question is answered with why not. */
static bool is_good(struct question *question, const struct redisReply *reply, int type)
{
	if (!reply)
		answer_error(question, -ENOTCONN, "the cluster got out of reach");
	else if (reply->type == REDIS_REPLY_ERROR)
		answer_error(question, -EIO, reply->str);
	else if (reply->type != type)
		answer_error(question, -EBADMSG, "what redis answers makes no sense");
	else
		return true;
	return false;
}

static int can_ask(const struct share_redis *share)
{
	if (!share->in_reach)
		return -ENOTCONN;
	return share->questions.count < QUESTIONS_MAX ? 0 : -EBUSY;
}

static int ask(struct question *question, const struct span *words, size_t count,
	       redis_link_answer *answered)
{
	return redis_link_ask(question->share->reports, words, count, false, answered, question);
}

static int ask_for_nodes(struct question *question, redis_link_answer *answered)
{
	return ask(question, (const struct span[]){ SPAN("HGETALL"), SPAN(NOTATION_NODES) }, 2,
		   answered);
}

/* Reads the nodes in a reply to HGETALL into an array of so many; returns how many there are. */
static size_t read_nodes(struct share_redis *share, const struct redisReply *reply,
			 struct node *nodes)
{
	size_t count = 0;

	for (size_t i = 0; i < redis_reply_pairs(reply); i++) {
		struct redis_pair pair = redis_reply_pair(reply, i);

		if (notation_read_node(pair.name, pair.value, &nodes[count]))
			count_up(share->options.counts, shared_garbage);
		else
			count++;
	}
	return count;
}

static struct node *new_nodes(const struct redisReply *reply)
{
	return calloc(redis_reply_pairs(reply) + 1, sizeof(struct node));
}

static void cluster_answered(void *context, const struct redisReply *reply)
{
	struct question *question = context;
	cleanup_free struct node *nodes = NULL;

	if (!is_good(question, reply, REDIS_REPLY_ARRAY))
		return;
	nodes = new_nodes(reply);
	if (!nodes) {
		answer_error(question, -ENOMEM, "out of memory");
		return;
	}
	answer(question, &(struct directory_answer){
				 .nodes = nodes,
				 .node_count = read_nodes(question->share, reply, nodes),
			 });
}

static int cluster(void *context, directory_answered *answered, void *asker)
{
	struct share_redis *share = context;
	struct question *question;
	int error = can_ask(share);

	if (error)
		return error;
	question = new_question(share, answered, asker);
	if (!question)
		return -ENOMEM;
	error = ask_for_nodes(question, cluster_answered);
	if (error)
		free_question(question);
	return error;
}

/* A location holds until it ends, unless its node is gone or has announced itself without it. */
static bool holds(const struct question *question, const struct location *location, uint64_t now_ms)
{
	if (location->ends_ms <= now_ms)
		return false;
	for (size_t i = 0; i < question->node_count; i++)
		if (span_equal(span_of(question->nodes[i].name), location->node))
			return location->epoch >= question->nodes[i].whole;
	return false;
}

static size_t read_locations(struct question *question, const struct redisReply *reply,
			     struct location *locations)
{
	struct share_redis *share = question->share;
	uint64_t now_ms = share_redis_now_ms(share);
	struct location location;
	size_t count = 0;

	for (size_t i = 0; i < redis_reply_pairs(reply); i++) {
		struct redis_pair pair = redis_reply_pair(reply, i);

		if (notation_read_location(pair.name, pair.value, &location)) {
			count_up(share->options.counts, shared_garbage);
			continue;
		}
		location.aor = (struct span){ question->aor, question->aor_length };
		if (holds(question, &location, now_ms))
			locations[count++] = location;
	}
	return count;
}

/* Registrations first, and the newest of each first: with few that are shown, these are. */
static int compare(const void *left, const void *right)
{
	const struct location *a = left, *b = right;
	bool a_registered = a->kind == BINDING_REGISTRATION;
	bool b_registered = b->kind == BINDING_REGISTRATION;

	if (a_registered != b_registered)
		return b_registered - a_registered;
	return (a->accepted_ms < b->accepted_ms) - (a->accepted_ms > b->accepted_ms);
}

static void show_locations(struct question *question, const struct redisReply *reply)
{
	cleanup_free struct location *locations =
		calloc(redis_reply_pairs(reply) + 1, sizeof(*locations));
	size_t count;

	if (!locations) {
		answer_error(question, -ENOMEM, "out of memory");
		return;
	}
	count = read_locations(question, reply, locations);
	qsort(locations, count, sizeof(*locations), compare);
	answer(question,
	       &(struct directory_answer){
		       .locations = locations,
		       .location_count =
			       count < DIRECTORY_LOCATIONS_MAX ? count : DIRECTORY_LOCATIONS_MAX,
	       });
}

static void where_answered(void *context, const struct redisReply *reply)
{
	struct question *question = context;

	if (reply && redis_reply_is_mistyped(reply)) {
		count_up(question->share->options.counts, shared_garbage);
		answer(question, &(struct directory_answer){ .error = 0 });
	} else if (is_good(question, reply, REDIS_REPLY_ARRAY)) {
		show_locations(question, reply);
	}
}

static int know_nodes(struct question *question, const struct redisReply *reply)
{
	cleanup_free struct node *nodes = new_nodes(reply);
	size_t count;

	if (!nodes)
		return -ENOMEM;
	count = read_nodes(question->share, reply, nodes);
	question->nodes = calloc(count + 1, sizeof(*question->nodes));
	if (!question->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		memcpy(question->nodes[i].name, nodes[i].name.at, nodes[i].name.length);
		question->nodes[i].whole = nodes[i].whole;
	}
	question->node_count = count;
	return 0;
}

static int ask_for_locations(struct question *question)
{
	char room[KEY_MAX];
	struct text key = TEXT_OVER(room);

	text_add(&key, SPAN(NOTATION_AOR));
	text_add(&key, (struct span){ question->aor, question->aor_length });
	return ask(question, (const struct span[]){ SPAN("HGETALL"), text_span(&key) }, 2,
		   where_answered);
}

static void where_nodes_answered(void *context, const struct redisReply *reply)
{
	struct question *question = context;
	int error;

	if (!is_good(question, reply, REDIS_REPLY_ARRAY))
		return;
	error = know_nodes(question, reply);
	if (!error)
		error = ask_for_locations(question);
	if (error)
		answer_error(question, error, strerror(-error));
}

static int where(void *context, struct span aor, directory_answered *answered, void *asker)
{
	struct share_redis *share = context;
	struct question *question;
	int error = can_ask(share);

	if (error)
		return error;
	if (aor.length > LOCATION_TEXT_MAX)
		return -ENAMETOOLONG;
	question = new_question(share, answered, asker);
	if (!question)
		return -ENOMEM;
	question->aor_length = aor.length;
	memcpy(question->aor, aor.at, aor.length);
	error = ask_for_nodes(question, where_nodes_answered);
	if (error)
		free_question(question);
	return error;
}

static void order_written(void *context, const struct redisReply *reply)
{
	struct question *question = context;

	if (is_good(question, reply, REDIS_REPLY_STRING))
		answer(question, &(struct directory_answer){ .error = 0 });
}

/* True for a node that would carry an order out; otherwise the question is answered. */
static bool is_heard(struct question *question, const struct redisReply *reply)
{
	uint64_t now_ms = share_redis_now_ms(question->share);
	char reason[NODE_NAME_MAX + 64];
	struct node node;

	if (notation_read_node(span_of(question->node), redis_reply_text(reply), &node)) {
		count_up(question->share->options.counts, shared_garbage);
		answer_error(question, -ENOENT, "there is no such node");
		return false;
	}
	if (now_ms <= node.beat_ms || now_ms - node.beat_ms <= NODE_DEAD_NS / NS_PER_MS)
		return true;
	snprintf(reason, sizeof(reason), "node %s has not been heard of for %" PRIu64 " s",
		 question->node, (now_ms - node.beat_ms) / 1000);
	answer_error(question, -EHOSTDOWN, reason);
	return false;
}

static void node_looked_up(void *context, const struct redisReply *reply)
{
	struct question *question = context;
	int error;

	if (reply && reply->type == REDIS_REPLY_NIL) {
		answer_error(question, -ENOENT, "there is no such node");
		return;
	}
	if (!is_good(question, reply, REDIS_REPLY_STRING) || !is_heard(question, reply))
		return;
	error = redis_orders_write(question->share->reports, span_of(question->node),
				   &question->order, order_written, question);
	if (error)
		answer_error(question, error, strerror(-error));
}

/* Only what needs no texts can be asked for: "leave" is between the nodes. */
static int order(void *context, struct span node, const struct order *wanted,
		 directory_answered *answered, void *asker)
{
	struct share_redis *share = context;
	struct question *question;
	int error = can_ask(share);

	if (error)
		return error;
	if (!node_name_is_good(node))
		return -ENOENT;
	if (wanted->kind == ORDER_leave)
		return -EINVAL;
	question = new_question(share, answered, asker);
	if (!question)
		return -ENOMEM;
	question->order = *wanted;
	question->order.issued_ms = share_redis_now_ms(share);
	memcpy(question->node, node.at, node.length);
	error = ask(question, (const struct span[]){ SPAN("HGET"), SPAN(NOTATION_NODES), node }, 3,
		    node_looked_up);
	if (error)
		free_question(question);
	return error;
}

static void forget(void *context, void *asker)
{
	struct share_redis *share = context;

	questions_forget(&share->questions, asker);
}

static int drain(void *context, bool draining)
{
	share_redis_set_draining(context, draining);
	return 0;
}

static bool is_draining(void *context)
{
	const struct share_redis *share = context;

	return share->self.draining;
}

static bool is_reachable(void *context)
{
	const struct share_redis *share = context;

	return share->in_reach;
}

struct directory share_redis_directory(struct share_redis *share)
{
	return (struct directory){
		.where = where,
		.cluster = cluster,
		.order = order,
		.forget = forget,
		.drain = drain,
		.is_draining = is_draining,
		.is_reachable = is_reachable,
		.context = share,
	};
}
