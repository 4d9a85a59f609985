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

	world = (struct world){ .loop = ev_loop_new(0), .view = view_new(LIMIT) };
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

/* The beat of a node, such as "serving" or "draining". */
static inline void write_node(struct world *world, const char *name, uint64_t beat_ms,
			      const char *state)
{
	command(world, "HSET sippath:nodes %s %s", name,
		redis_world_text("1 7 %llu 1 1 10 5 %s sip:192.0.2.11:5060",
				 (unsigned long long)beat_ms, state));
}

#endif
