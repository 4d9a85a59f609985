/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share_world.h - nodes that share what they keep through a Redis server of the test's own.
 *
 * A node here is as simple as one can be: it keeps a list of bindings, and announces it as the
 * share asks. All nodes are on one loop, and in one thread with the test.
 */
#ifndef TESTS_UNIT_SHARE_WORLD_H
#define TESTS_UNIT_SHARE_WORLD_H

#include "redis_world.h"

#include "base/clock.h"
#include "cluster/notation.h"
#include "cluster/share.h"
#include "state/binding.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Long after anything here has happened, and still an end. */
#define PATIENCE_S 30.0

#define LIFETIME_NS (3600 * NS_PER_S)

struct kept {
	struct record record;
	char aor[64], instance[64], target[64], call_id[32];
};

struct node_under_test {
	struct share *share;
	struct counts counts;
	char name[16], uri[40];
	enum share_move move;
	struct kept *kept;
	size_t kept_count;
	uint64_t epoch; /* that is being announced */
	size_t cursor; /* how far that has come */
	size_t room_exceeded; /* times that it was let put more than a window */
	bool mute; /* it does not announce, though asked to */
	unsigned int wakes;
	size_t room_at_wake; /* the latest one */
	unsigned int leaves; /* orders to leave, and any others */
	unsigned int others;
	struct order other; /* the latest one that is not to leave */
};

static struct redis_world redis;
static struct ev_loop *loop;
static struct node_under_test nodes[2];
static struct node_under_test *const one = &nodes[0], *const two = &nodes[1];

#define share_helper __attribute__((unused)) static

static void put_at(struct node_under_test *node, const struct kept *kept)
{
	struct share_report report = {
		.record = &kept->record,
		.seen_ns = kept->record.accepted_ns,
		.health = PATH_LIVE,
	};

	share_put(node->share, &report, clock_now_ns());
}

/* As an agent announces: all that it keeps, as far as there is room. */
static void announce(void *context)
{
	struct node_under_test *node = context;
	uint64_t wanted = share_epoch(node->share);
	size_t room = share_room(node->share);

	if (wanted != node->epoch)
		node->cursor = 0;
	node->epoch = wanted;
	node->room_exceeded += room > SHARE_WINDOW;
	node->wakes++;
	node->room_at_wake = room;
	if (wanted == 0 || node->mute)
		return;
	for (; room > 0 && node->cursor < node->kept_count; room--)
		put_at(node, &node->kept[node->cursor++]);
	if (node->cursor == node->kept_count)
		share_announced(node->share, wanted);
}

static uint32_t count_paths(void *context)
{
	const struct node_under_test *node = context;

	return (uint32_t)node->kept_count;
}

static bool is_device(const struct kept *kept, const struct order *order)
{
	char room[LOCATION_TEXT_MAX];
	struct text memory = TEXT_OVER(room);

	return kept->record.kind == BINDING_REGISTRATION &&
	       span_equal(kept->record.aor, order->aor) &&
	       span_equal(location_device(&kept->record, &memory), order->device);
}

/* Texts of a record are beside it. */
static void point(struct kept *kept)
{
	kept->record.aor = span_of(kept->aor);
	kept->record.instance = kept->instance[0] ? span_of(kept->instance) : (struct span){ 0 };
	kept->record.target = span_of(kept->target);
	kept->record.call_id = span_of(kept->call_id);
	kept->record.device_tag = SPAN("tag");
}

static void forget_at(struct node_under_test *node, size_t index)
{
	struct kept gone = node->kept[index];

	point(&gone);
	node->kept[index] = node->kept[--node->kept_count];
	point(&node->kept[index]);
	share_drop(node->share, &gone.record);
}

/* Whether two times are one that has been to the cluster's clock and back. */
static bool is_about(uint64_t a_ns, uint64_t b_ns)
{
	return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) <= 50 * NS_PER_MS;
}

static void take_order(void *context, const struct order *order, uint64_t accepted_ns)
{
	struct node_under_test *node = context;

	if (order->kind != ORDER_leave) {
		node->others++;
		node->other = *order;
		return;
	}
	node->leaves++;
	for (size_t i = 0; i < node->kept_count; i++)
		if (is_device(&node->kept[i], order) &&
		    is_about(node->kept[i].record.accepted_ns, accepted_ns)) {
			forget_at(node, i);
			return;
		}
}

static void open_node(struct node_under_test *node)
{
	struct share_options options = {
		.loop = loop,
		.address = { .host = "127.0.0.1", .port = redis.port },
		.node = node->name,
		.uri = node->uri,
		.move = node->move,
		.counts = &node->counts,
		.paths = count_paths,
		.ordered = take_order,
		.wake = announce,
		.context = node,
	};

	node->epoch = 0;
	assert_int_equal(share_redis_open(&options, &node->share), 0);
}

static void close_node(struct node_under_test *node)
{
	share_close(node->share);
	node->share = NULL;
}

/* Adds a binding, which is not reported yet: number "device" of the node's flows. */
static struct kept *keep(struct node_under_test *node, enum binding_kind kind, size_t device)
{
	uint64_t now_ns = clock_now_ns();
	struct kept *kept;

	node->kept = realloc(node->kept, (node->kept_count + 1) * sizeof(*node->kept));
	assert_non_null(node->kept);
	kept = &node->kept[node->kept_count++];
	*kept = (struct kept){ .record = {
				       .kind = (uint8_t)kind,
				       .reg_id = 1,
				       .accepted_ns = now_ns,
				       .ends_ns = now_ns + LIFETIME_NS,
				       .flow = { .transport = FLOW_UDP,
						 .local_port = node == one ? 5061 : 5062,
						 .remote_port = (uint16_t)(1024 + device) },
			       } };
	memcpy(kept->record.flow.local_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	memcpy(kept->record.flow.remote_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\1", 16);
	snprintf(kept->aor, sizeof(kept->aor), "sip:device%zu@example.org", device);
	snprintf(kept->instance, sizeof(kept->instance), "<urn:uuid:%08zx>", device);
	snprintf(kept->target, sizeof(kept->target), "sip:device%zu@198.51.100.1", device);
	snprintf(kept->call_id, sizeof(kept->call_id), "call%zu", device);
	for (size_t i = 0; i < node->kept_count; i++)
		point(&node->kept[i]);
	return kept;
}

/* The same, and reported. */
share_helper struct kept *begin_binding(struct node_under_test *node, enum binding_kind kind,
					size_t device)
{
	struct kept *kept = keep(node, kind, device);

	put_at(node, kept);
	return kept;
}

/* A registration that was accepted before any that begins now, by more than clocks can be apart. */
share_helper struct kept *keep_earlier(struct node_under_test *node, size_t device)
{
	struct kept *kept = keep(node, BINDING_REGISTRATION, device);

	kept->record.accepted_ns -= 2 * NS_PER_S;
	return kept;
}

share_helper void keep_many(struct node_under_test *node, size_t count)
{
	node->kept = calloc(count, sizeof(*node->kept));
	assert_non_null(node->kept);
	for (size_t i = 0; i < count; i++) {
		struct node_under_test single = { 0 };

		keep(&single, BINDING_REGISTRATION, i);
		node->kept[i] = single.kept[0];
		point(&node->kept[i]);
		free(single.kept);
	}
	node->kept_count = count;
}

static bool run_until(bool (*holds)(void *context), void *context)
{
	return redis_world_run_until(loop, holds, context, PATIENCE_S);
}

/* Redis as it is now, read beside the nodes. */
share_helper long long number_in_redis(const char *command)
{
	redisReply *reply = redis_world_command(&redis, command);
	long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;

	freeReplyObject(reply);
	return number;
}

share_helper void do_in_redis(const char *command)
{
	redisReply *reply = redis_world_command(&redis, command);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* What Redis has of a node; its texts are in "room". */
static bool read_node(const char *name, char room[NOTATION_MAX], struct node *out)
{
	redisReply *reply = redis_world_command(&redis, "HGET " NOTATION_NODES " %s", name);
	bool is_there = reply->type == REDIS_REPLY_STRING && reply->len < NOTATION_MAX;

	if (is_there) {
		memcpy(room, reply->str, reply->len + 1);
		is_there = notation_read_node(span_of(name), (struct span){ room, reply->len },
					      out) == 0;
	}
	freeReplyObject(reply);
	return is_there;
}

/* True once everything the node keeps is announced, and Redis says so. */
static bool is_whole(void *context)
{
	const struct node_under_test *node = context;
	char room[NOTATION_MAX];
	struct node said;

	return read_node(node->name, room, &said) && said.whole > 0 && said.whole == said.begun &&
	       share_epoch(node->share) == 0 && share_room(node->share) == SHARE_WINDOW;
}

share_helper uint64_t whole_of(const struct node_under_test *node)
{
	char room[NOTATION_MAX];
	struct node said = { 0 };

	read_node(node->name, room, &said);
	return said.whole;
}

static void start_node(struct node_under_test *node)
{
	open_node(node);
	assert_true(run_until(is_whole, node));
}

share_helper bool has_left(void *context)
{
	const struct node_under_test *node = context;

	return node->leaves > 0;
}

share_helper bool is_settled(void *context)
{
	const struct node_under_test *node = context;

	return share_room(node->share) == SHARE_WINDOW;
}

share_helper bool announced_twice(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_announcements] == 2 && is_whole(context);
}

/* True if Redis has one location of this binding, and says of it what the node does. */
static bool is_in_redis(const struct node_under_test *node, const struct kept *kept)
{
	redisReply *reply = redis_world_command(&redis, "HGETALL " NOTATION_AOR "%s", kept->aor);
	struct location location;
	bool is_there = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
			notation_read_location(
				(struct span){ reply->element[0]->str, reply->element[0]->len },
				(struct span){ reply->element[1]->str, reply->element[1]->len },
				&location) == 0 &&
			span_equal(location.node, span_of(node->name)) &&
			location.kind == kept->record.kind && location.epoch == whole_of(node) &&
			memcmp(&location.flow, &kept->record.flow, sizeof(location.flow)) == 0;

	freeReplyObject(reply);
	return is_there;
}

share_helper void assert_all_in_redis(const struct node_under_test *node)
{
	for (size_t i = 0; i < node->kept_count; i++)
		assert_true(is_in_redis(node, &node->kept[i]));
}

/* What was asked, and answered. */
struct question_asked {
	bool answered;
	int error;
	char reason[128];
	size_t location_count, node_count;
	char nodes[8][16]; /* the names, of locations or of nodes */
	uint8_t kinds[8];
	struct node node; /* the last one; without its texts */
	struct location location; /* likewise */
	uint64_t now_ms;
};

static void note_name(struct question_asked *asked, size_t index, struct span name)
{
	if (index < COUNT(asked->nodes))
		snprintf(asked->nodes[index], sizeof(asked->nodes[0]), "%.*s", (int)name.length,
			 name.at);
}

static void note_answer(void *asker, const struct directory_answer *answer)
{
	struct question_asked *asked = asker;

	assert_false(asked->answered);
	asked->answered = true;
	asked->error = answer->error;
	asked->now_ms = answer->now_ms;
	if (answer->error) {
		assert_non_null(answer->reason);
		snprintf(asked->reason, sizeof(asked->reason), "%s", answer->reason);
		return;
	}
	asked->location_count = answer->location_count;
	asked->node_count = answer->node_count;
	for (size_t i = 0; i < answer->location_count; i++) {
		note_name(asked, i, answer->locations[i].node);
		if (i < COUNT(asked->kinds))
			asked->kinds[i] = answer->locations[i].kind;
		asked->location = answer->locations[i];
	}
	for (size_t i = 0; i < answer->node_count; i++) {
		note_name(asked, i, answer->nodes[i].name);
		asked->node = answer->nodes[i];
	}
}

static bool is_answered(void *context)
{
	const struct question_asked *asked = context;

	return asked->answered;
}

/* Where the devices of an AOR are, asked at a node. */
share_helper struct question_asked where(struct node_under_test *node, const char *aor)
{
	const struct directory *directory = share_directory(node->share);
	struct question_asked asked = { 0 };

	assert_int_equal(directory->where(directory->context, span_of(aor), note_answer, &asked),
			 0);
	assert_true(run_until(is_answered, &asked));
	return asked;
}

static int begin(void **state)
{
	(void)state;
	redis_world_start(&redis);
	loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(loop);
	*one = (struct node_under_test){ .name = "one", .uri = "sip:192.0.2.1:5060" };
	*two = (struct node_under_test){ .name = "two", .uri = "sip:192.0.2.2:5060" };
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nodes); i++) {
		if (nodes[i].share)
			close_node(&nodes[i]);
		free(nodes[i].kept);
	}
	ev_loop_destroy(loop);
	redis_world_stop(&redis);
	return 0;
}

#define SHARE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
