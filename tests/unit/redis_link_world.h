/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_link_world.h - a link under test: what it tells, what it logs, and servers that are
 * nothing like Redis.
 */
#ifndef TESTS_UNIT_REDIS_LINK_WORLD_H
#define TESTS_UNIT_REDIS_LINK_WORLD_H

#include "redis_world.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "cluster/redis_link.h"

/* No condition takes that long, unless something is wrong. */
#define PATIENTLY 20.0

/* A server that answers nothing is given up after so long. */
#define PATIENCE_NS (500 * NS_PER_MS)

struct link_world {
	struct redis_world redis;
	struct ev_loop *loop;
	struct redis_address address;
	struct redis_link_options options;
	struct redis_link *link;
	int ups;
	int downs;
	int log; /* memory that standard error goes to */
	int standard_error;
};

/* Somebody who asks, and what has come of it. */
struct asker {
	struct redis_link *link;
	int answers;
	int nothings; /* of the answers */
	char text[128]; /* of the latest */
};

/* A server on 127.0.0.1 that sends whoever connects the same, whatever he says. */
struct fake {
	struct ev_loop *loop;
	ev_io listener;
	const char *greeting;
	bool closes;
	int connections;
	int latest;
};

static inline void on_up(void *context)
{
	struct link_world *world = context;

	world->ups++;
	assert_int_equal(world->ups, world->downs + 1);
	assert_true(redis_link_is_up(world->link));
}

static inline void on_down(void *context)
{
	struct link_world *world = context;

	world->downs++;
	assert_int_equal(world->ups, world->downs);
	assert_false(redis_link_is_up(world->link));
	assert_int_equal(redis_link_outstanding(world->link), 0);
}

static inline void on_answer(void *context, const struct redisReply *reply)
{
	struct asker *asker = context;

	asker->answers++;
	asker->nothings += !reply;
	if (reply && reply->str)
		snprintf(asker->text, sizeof(asker->text), "%s", reply->str);
}

/* Everything is made but the link, and nothing is logged to where a person looks. */
static inline struct link_world *world_make(const char *password)
{
	struct link_world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	redis_world_start_with(&world->redis, password);
	world->loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(world->loop);
	strcpy(world->address.host, "127.0.0.1");
	world->address.port = world->redis.port;
	world->options = (struct redis_link_options){ .loop = world->loop,
						      .address = &world->address,
						      .patience_ns = PATIENCE_NS,
						      .purpose = "tests",
						      .up = on_up,
						      .down = on_down,
						      .context = world };
	world->log = memfd_create("log", MFD_CLOEXEC);
	world->standard_error = dup(STDERR_FILENO);
	assert_true(world->log >= 0 && world->standard_error >= 0);
	dup2(world->log, STDERR_FILENO);
	return world;
}

static inline void world_open(struct link_world *world)
{
	assert_int_equal(redis_link_open(&world->options, &world->link), 0);
}

/* The link, which is the caller's to close from here on. */
static inline struct redis_link *take_link(struct link_world *world)
{
	struct redis_link *link = world->link;

	world->link = NULL;
	return link;
}

static inline void world_free(struct link_world *world)
{
	redis_link_close(world->link);
	dup2(world->standard_error, STDERR_FILENO);
	close(world->standard_error);
	close(world->log);
	ev_loop_destroy(world->loop);
	redis_world_stop(&world->redis);
	free(world);
}

/* In how many lines the log has the text so far. */
static inline int logged(const struct link_world *world, const char *text)
{
	char log[16384];
	ssize_t length = pread(world->log, log, sizeof(log) - 1, 0);
	int lines = 0;

	assert_in_range(length, 0, sizeof(log) - 1);
	log[length] = '\0';
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		lines += strstr(line, text) != NULL;
	return lines;
}

static inline bool is_up(void *context)
{
	struct link_world *world = context;

	return redis_link_is_up(world->link);
}

static inline bool is_down(void *context)
{
	return !is_up(context);
}

static inline bool is_logged_lost(void *context)
{
	return logged(context, "out of reach") > 0;
}

static inline bool is_logged_back(void *context)
{
	return logged(context, "is back for") > 0;
}

static inline void wait_until(struct link_world *world, bool (*holds)(void *context))
{
	assert_true(redis_world_run_until(world->loop, holds, world, PATIENTLY));
}

static inline void world_open_up(struct link_world *world)
{
	world_open(world);
	wait_until(world, is_up);
}

/* Asks for a command whose words are separated by one blank each. */
static inline int ask_as(struct link_world *world, const char *command, bool patient,
			 redis_link_answer *answer, void *context)
{
	struct span words[REDIS_LINK_WORDS_MAX];
	char copy[256];
	size_t count = 0;

	snprintf(copy, sizeof(copy), "%s", command);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = span_of(word);
	return redis_link_ask(world->link, words, count, patient, answer, context);
}

static inline int ask(struct link_world *world, const char *command, struct asker *asker)
{
	return ask_as(world, command, false, on_answer, asker);
}

static inline bool is_answered(void *context)
{
	struct asker *asker = context;

	return asker->answers > 0;
}

/* Asks, and waits for what is answered; NULL if the link was lost. Good until it is called again. */
static inline const char *answer_to(struct link_world *world, const char *command)
{
	static struct asker asker;

	asker = (struct asker){ 0 };
	assert_int_equal(ask(world, command, &asker), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &asker, PATIENTLY));
	return asker.nothings ? NULL : asker.text;
}

/* Runs beat.lua for a node of that name; false if the link was lost instead. */
static inline bool beat(struct link_world *world, const char *node)
{
	const struct span words[] = { SPAN("sippath:nodes"), span_of(node), SPAN("1 7"),
				      SPAN("1 1 0 0 serving sip:192.0.2.1:5060"), SPAN("") };
	struct asker asker = { 0 };

	assert_int_equal(
		redis_link_run(world->link, REDIS_SCRIPT_BEAT, words, 1, 5, on_answer, &asker), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &asker, PATIENTLY));
	return !asker.nothings;
}

/* Gives the server a command by another connection, which it must do. */
static inline void server_does(struct link_world *world, const char *command)
{
	redisReply *reply = redis_world_command(&world->redis, command);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

static inline void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct fake *fake = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)loop;
	(void)events;
	assert_true(fd >= 0);
	fake->connections++;
	if (fake->greeting)
		assert_true(write(fd, fake->greeting, strlen(fake->greeting)) > 0);
	if (fake->latest >= 0)
		close(fake->latest);
	fake->latest = fake->closes ? -1 : fd;
	if (fake->closes)
		close(fd);
}

/* From now on the address of the link is that of the fake. */
static inline void fake_start(struct fake *fake, struct link_world *world)
{
	int fd = redis_world_bind(&world->address.port);

	fake->loop = world->loop;
	fake->latest = -1;
	assert_int_equal(listen(fd, 8), 0);
	ev_io_init(&fake->listener, on_connection, fd, EV_READ);
	fake->listener.data = fake;
	ev_io_start(fake->loop, &fake->listener);
}

static inline void fake_stop(struct fake *fake)
{
	ev_io_stop(fake->loop, &fake->listener);
	close(fake->listener.fd);
	if (fake->latest >= 0)
		close(fake->latest);
}

#endif
