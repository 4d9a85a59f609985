/* SPDX-License-Identifier: GPL-2.0-or-later */
/* follow_world.h - a Redis server, what nodes write there, and a view that follows it. */
#ifndef TESTS_FOLLOW_WORLD_H
#define TESTS_FOLLOW_WORLD_H

#include "redis_world.h"

#include "base/clock.h"
#include "cluster/follow.h"
#include "cluster/notation.h"

#define PATIENCE_SECONDS 20
#define LIMIT 200000

struct world {
	struct redis_world redis;
	struct ev_loop *loop;
	struct view *view;
	struct follow *follow;
	struct counts counts;
	uint64_t begun; /* of every node */
	uint64_t whole;
	bool is_ready;
	size_t changes;
	char changed[64]; /* the AOR of the latest change */
	/* What a condition waits for. */
	const char *aor;
	const char *nodes;
	const char *node;
	uint64_t count;
	struct directory_answer answer;
	size_t answers;
};

static inline int set_up(void **state)
{
	static struct world world;

	world = (struct world){
		.loop = ev_loop_new(0), .view = view_new(LIMIT), .begun = 1, .whole = 1
	};
	redis_world_start(&world.redis);
	*state = &world;
	return world.loop && world.view ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct world *world = *state;

	follow_close(world->follow);
	view_free(world->view);
	redis_world_stop(&world->redis);
	ev_loop_destroy(world->loop);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static inline void note_ready(void *context)
{
	struct world *world = context;

	assert_false(world->is_ready);
	world->is_ready = true;
}

static inline void note_change(void *context, const struct location *location)
{
	struct world *world = context;

	world->changes++;
	snprintf(world->changed, sizeof(world->changed), "%.*s", (int)location->aor.length,
		 location->aor.at);
}

static inline void begin_to_follow(struct world *world)
{
	struct follow_options options = {
		.loop = world->loop,
		.address = { .host = "127.0.0.1", .port = world->redis.port },
		.view = world->view,
		.counts = &world->counts,
		.ready = note_ready,
		.changed = note_change,
		.context = world,
	};

	assert_int_equal(follow_redis_open(&options, &world->follow), 0);
}

#define command(world, ...) freeReplyObject(redis_world_command(&(world)->redis, __VA_ARGS__))

static inline void run_until(struct world *world, bool (*holds)(void *context))
{
	assert_true(redis_world_run_until(world->loop, holds, world, PATIENCE_SECONDS));
}

static inline bool is_ready(void *context)
{
	return ((struct world *)context)->is_ready;
}

static inline bool is_current(void *context)
{
	return follow_is_current(((struct world *)context)->follow, NULL);
}

static inline bool is_not_current(void *context)
{
	return !is_current(context);
}

/* What a node says of itself: "serving" or "draining". */
static inline void write_node(struct world *world, const char *name, uint64_t beat_ms,
			      const char *service)
{
	char text[128];

	snprintf(text, sizeof(text), "1 7 %llu %llu %llu 10 5 %s sip:192.0.2.11:5060",
		 (unsigned long long)beat_ms, (unsigned long long)world->begun,
		 (unsigned long long)world->whole, service);
	command(world, "HSET " NOTATION_NODES " %s %s", name, text);
}

/* The clock of the server is that of this host. */
static inline uint64_t wall_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

static inline void tell_change(struct world *world, const char *aor, const char *field,
			       const char *value)
{
	redisReply *number = redis_world_command(&world->redis, "INCR " NOTATION_SEQUENCE);

	assert_int_equal(number->type, REDIS_REPLY_INTEGER);
	command(world, "XADD " NOTATION_CHANGES " * n %lld a %s f %s v %s", number->integer, aor,
		field, value);
	freeReplyObject(number);
}

/* Writes a registration of one phone at a node, without telling of it. */
static inline void write_quietly(struct world *world, const char *aor, const char *node,
				 char field[64], char value[160])
{
	uint64_t now_ms = wall_ms();

	snprintf(field, 64, "r %s <urn:uuid:1>#1", node);
	snprintf(value, 160, "1 %llu %llu %llu %llu live udp 192.0.2.11:5060 198.51.100.7:40001",
		 (unsigned long long)world->begun, (unsigned long long)now_ms,
		 (unsigned long long)now_ms + 3600000, (unsigned long long)now_ms);
	command(world, "HSET " NOTATION_AOR "%s %s %s", aor, field, value);
}

static inline void put_quietly(struct world *world, const char *aor, const char *node)
{
	char field[64], value[160];

	write_quietly(world, aor, node, field, value);
}

static inline void put(struct world *world, const char *aor, const char *node)
{
	char field[64], value[160];

	write_quietly(world, aor, node, field, value);
	tell_change(world, aor, field, value);
}

static inline void drop(struct world *world, const char *aor, const char *node)
{
	char field[64];

	snprintf(field, sizeof(field), "r %s <urn:uuid:1>#1", node);
	command(world, "HDEL " NOTATION_AOR "%s %s", aor, field);
	tell_change(world, aor, field, "");
}

/* The nodes where the AOR is, newest first: "b a". */
static inline const char *where(struct world *world, const char *aor)
{
	static char text[64];
	struct location found[8];
	size_t count =
		view_where(world->view, span_of(aor), follow_clock_ms(world->follow), found, 8);
	struct text out = TEXT_OVER(text);

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		text_format(&out, "%s%.*s", i > 0 ? " " : "", (int)found[i].node.length,
			    found[i].node.at);
	return text;
}

static inline bool is_where(void *context)
{
	struct world *world = context;

	return strcmp(where(world, world->aor), world->nodes) == 0;
}

static inline void run_until_where(struct world *world, const char *aor, const char *nodes)
{
	world->aor = aor;
	world->nodes = nodes;
	run_until(world, is_where);
}

/* Two nodes that live, and a view that is as Redis has it. */
static inline void follow_two_nodes(struct world *world)
{
	write_node(world, "a", wall_ms(), "serving");
	write_node(world, "b", wall_ms(), "serving");
	begin_to_follow(world);
	run_until(world, is_ready);
	run_until(world, is_current);
}

#endif
