/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* While nothing is outstanding a dead peer is noticed after IDLE + COUNT * INTERVAL seconds. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT 3

/*
 * No answer has an array with more elements. hiredis makes room for as many as a server says,
 * which may be gigabytes, before the first one has come.
 */
#define ELEMENTS_MAX (1 << 20)

struct question {
	STAILQ_ENTRY(question) next;
	redis_link_answer *answer;
	void *context;
	bool patient;
};

struct redis_connection {
	struct redis_connection_options options;
	redisContext *redis; /* owns the socket */
	ev_io readable;
	ev_io writable;
	ev_timer limit; /* to connect, to be answered, or at once: it has been given up */
	bool connected;
	char why[160]; /* it has been given up; "" as long as it has not */
	STAILQ_HEAD(, question) questions; /* in the order of their answers */
	size_t outstanding;
};

bool redis_connection_is_whole(const struct redis_connection *connection)
{
	return connection->why[0] == '\0';
}

size_t redis_connection_outstanding(const struct redis_connection *connection)
{
	return connection->outstanding;
}

static void set_limit(struct redis_connection *connection, uint64_t limit_ns)
{
	ev_timer_stop(connection->options.loop, &connection->limit);
	ev_timer_set(&connection->limit, (double)limit_ns / NS_PER_S, 0.);
	ev_timer_start(connection->options.loop, &connection->limit);
}

/* The loop has the loss to tell, so that it comes upon nobody who is in the middle of something. */
void redis_connection_give_up(struct redis_connection *connection, const char *why)
{
	if (!redis_connection_is_whole(connection))
		return;
	snprintf(connection->why, sizeof(connection->why), "%s", why[0] ? why : "it broke");
	ev_io_stop(connection->options.loop, &connection->readable);
	ev_io_stop(connection->options.loop, &connection->writable);
	set_limit(connection, 0);
}

/* The server answers in order; so how long the first one waits is how long it has been silent. */
static void expect_answer(struct redis_connection *connection)
{
	const struct question *first = STAILQ_FIRST(&connection->questions);
	uint64_t patience_ns = connection->options.patience_ns;

	if (first)
		set_limit(connection, first->patient ? 2 * patience_ns : patience_ns);
	else
		ev_timer_stop(connection->options.loop, &connection->limit);
}

static void answer_first(struct redis_connection *connection, const struct redisReply *reply)
{
	struct question *first = STAILQ_FIRST(&connection->questions);
	redis_link_answer *answer = first->answer;
	void *context = first->context;

	STAILQ_REMOVE_HEAD(&connection->questions, next);
	connection->outstanding--;
	free(first);
	answer(context, reply);
}

static void answer_all_with_nothing(struct redis_connection *connection)
{
	while (!STAILQ_EMPTY(&connection->questions))
		answer_first(connection, NULL);
}

static void take_answer(struct redis_connection *connection, const struct redisReply *reply)
{
	if (STAILQ_EMPTY(&connection->questions))
		redis_connection_give_up(connection, "it answers what it was not asked");
	else if (connection->options.admit(connection->options.context, reply))
		answer_first(connection, reply);
	else
		answer_first(connection, NULL);
}

static const char *what_broke(const struct redis_connection *connection)
{
	switch (connection->redis->err) {
	case REDIS_ERR_EOF:
		return "it closed the connection";
	case REDIS_ERR_PROTOCOL:
		return "it does not speak the protocol of Redis: is that its port?";
	case REDIS_ERR_OOM:
		return "it sends more at once than there is room for";
	default:
		return connection->redis->errstr;
	}
}

static void take_answers(struct redis_connection *connection)
{
	void *reply;

	while (redis_connection_is_whole(connection)) {
		if (redisGetReply(connection->redis, &reply) != REDIS_OK) {
			redis_connection_give_up(connection, what_broke(connection));
			return;
		}
		if (!reply)
			return;
		take_answer(connection, reply);
		freeReplyObject(reply);
		if (redis_connection_is_whole(connection))
			expect_answer(connection);
	}
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct redis_connection *connection = io->data;

	(void)loop;
	(void)events;
	if (redisBufferRead(connection->redis) == REDIS_OK)
		take_answers(connection);
	else
		redis_connection_give_up(connection, what_broke(connection));
}

static void on_connected(struct redis_connection *connection)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(connection->redis->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error) {
		redis_connection_give_up(connection, strerror(error));
		return;
	}
	connection->connected = true;
	expect_answer(connection);
	ev_io_start(connection->options.loop, &connection->readable);
	connection->options.connected(connection->options.context);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct redis_connection *connection = io->data;
	int done = 0;

	(void)events;
	if (!connection->connected)
		on_connected(connection);
	if (!redis_connection_is_whole(connection))
		return;
	if (redisBufferWrite(connection->redis, &done) != REDIS_OK)
		redis_connection_give_up(connection, what_broke(connection));
	else if (done)
		ev_io_stop(loop, io);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct redis_connection *connection = timer->data;

	(void)loop;
	(void)events;
	if (redis_connection_is_whole(connection)) {
		redis_connection_give_up(connection, connection->connected
							     ? "it does not answer any more"
							     : "it does not take the connection");
		return;
	}
	answer_all_with_nothing(connection);
	connection->options.lost(connection->options.context, connection->why);
}

/* What was asked last goes out, as far as it can at once. */
static void send_last_words(struct redis_connection *connection)
{
	if (connection->connected && redis_connection_is_whole(connection))
		(void)redisBufferWrite(connection->redis, NULL);
}

void redis_connection_close(struct redis_connection *connection)
{
	if (!connection)
		return;
	send_last_words(connection);
	redis_connection_give_up(connection, "it is closed");
	ev_timer_stop(connection->options.loop, &connection->limit);
	answer_all_with_nothing(connection);
	redisFree(connection->redis);
	free(connection);
}

static void set_options(int fd)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

static redisReplyObjectFunctions of_hiredis;

static void *create_array(const redisReadTask *task, int elements)
{
	return elements > ELEMENTS_MAX ? NULL : of_hiredis.createArray(task, elements);
}

/* Replies are made as hiredis does, but for arrays. */
static void limit_arrays(redisReader *reader)
{
	static redisReplyObjectFunctions functions;

	of_hiredis = functions = *reader->fn;
	functions.createArray = create_array;
	reader->fn = &functions;
}

/* hiredis connects only after a look-up that may wait, and takes a socket for one that waits. */
static int connect_to(const struct sockaddr *address, socklen_t length, redisContext **out)
{
	cleanup_close int fd =
		socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	redisContext *redis;

	if (fd < 0)
		return -errno;
	set_options(fd);
	if (connect(fd, address, length) < 0 && errno != EINPROGRESS)
		return -errno;
	redis = redisConnectFd(fd);
	if (!redis)
		return -ENOMEM;
	redis->flags &= ~REDIS_BLOCK;
	limit_arrays(redis->reader);
	(void)take_fd(fd);
	*out = redis;
	return 0;
}

int redis_connection_open(const struct redis_connection_options *options,
			  const struct sockaddr *address, socklen_t length,
			  struct redis_connection **out)
{
	cleanup_free struct redis_connection *connection = calloc(1, sizeof(*connection));
	int err;

	if (!connection)
		return -ENOMEM;
	connection->options = *options;
	STAILQ_INIT(&connection->questions);
	err = connect_to(address, length, &connection->redis);
	if (err)
		return err;
	ev_io_init(&connection->readable, on_readable, connection->redis->fd, EV_READ);
	ev_io_init(&connection->writable, on_writable, connection->redis->fd, EV_WRITE);
	ev_timer_init(&connection->limit, on_limit, 0., 0.);
	/* After a stop of this process, what has come meanwhile is read first. */
	ev_set_priority(&connection->limit, EV_MINPRI);
	connection->readable.data = connection->writable.data = connection;
	connection->limit.data = connection;
	ev_io_start(options->loop, &connection->writable);
	set_limit(connection, REDIS_CONNECTION_CONNECT_NS);
	*out = take_ptr(connection);
	return 0;
}

static int append_command(struct redis_connection *connection, const struct span *words,
			  size_t count)
{
	const char *at[REDIS_LINK_WORDS_MAX];
	size_t lengths[REDIS_LINK_WORDS_MAX];

	for (size_t i = 0; i < count; i++) {
		at[i] = words[i].at ? words[i].at : "";
		lengths[i] = words[i].length;
	}
	if (redisAppendCommandArgv(connection->redis, (int)count, at, lengths) == REDIS_OK)
		return 0;
	redis_connection_give_up(connection, "there is no memory left for commands");
	return -ENOMEM;
}

int redis_connection_ask(struct redis_connection *connection, const struct span *words,
			 size_t count, bool patient, redis_link_answer *answer, void *context)
{
	cleanup_free struct question *question = NULL;
	bool first = STAILQ_EMPTY(&connection->questions);

	if (!redis_connection_is_whole(connection))
		return -ENOTCONN;
	if (count == 0 || count > REDIS_LINK_WORDS_MAX)
		return -E2BIG;
	question = malloc(sizeof(*question));
	if (!question || append_command(connection, words, count))
		return -ENOMEM;
	*question = (struct question){ .answer = answer, .context = context, .patient = patient };
	STAILQ_INSERT_TAIL(&connection->questions, question, next);
	(void)take_ptr(question);
	connection->outstanding++;
	ev_io_start(connection->options.loop, &connection->writable);
	if (first && connection->connected)
		expect_answer(connection);
	return 0;
}
