/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_world.h - a Redis server of the test's own on 127.0.0.1, and what happens to one.
 *
 * It keeps nothing on disk: a server that was restarted is empty. It dies with the process that
 * started it, however that ends.
 */
#ifndef TESTS_UNIT_REDIS_WORLD_H
#define TESTS_UNIT_REDIS_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <ev.h>
#include <hiredis/hiredis.h>

#define REDIS_WORLD_START_SECONDS 10
#define REDIS_WORLD_ANSWER_SECONDS 10

struct redis_world {
	pid_t pid; /* 0: none runs */
	uint16_t port;
	char directory[32];
	const char *password; /* NULL for none */
	redisContext *client; /* of redis_world_command() */
};

#define redis_world_helper __attribute__((unused)) static

static inline double redis_world_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A TCP socket bound to a free port of 127.0.0.1, which is written to *port. */
redis_world_helper int redis_world_bind(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A port of 127.0.0.1 on which nobody listens. */
redis_world_helper uint16_t redis_world_free_port(void)
{
	uint16_t port;
	int fd = redis_world_bind(&port);

	close(fd);
	return port;
}

static inline void redis_world_forget_client(struct redis_world *world)
{
	if (world->client)
		redisFree(world->client);
	world->client = NULL;
}

/* NULL if there is no connection to be had. */
static inline redisContext *redis_world_client(struct redis_world *world)
{
	struct timeval patience = { .tv_sec = REDIS_WORLD_ANSWER_SECONDS };
	redisContext *client;

	if (world->client)
		return world->client;
	client = redisConnectWithTimeout("127.0.0.1", world->port, patience);
	if (!client)
		return NULL;
	if (client->err || redisSetTimeout(client, patience) != REDIS_OK) {
		redisFree(client);
		return NULL;
	}
	world->client = client;
	if (world->password)
		freeReplyObject(redisCommand(client, "AUTH %s", world->password));
	return client;
}

/* Asks the server as redisCommand() does; the answer is the caller's to free. */
redis_world_helper redisReply *redis_world_command(struct redis_world *world, const char *format,
						   ...)
{
	redisContext *client = redis_world_client(world);
	redisReply *reply;
	va_list arguments;

	assert_non_null(client);
	va_start(arguments, format);
	reply = redisvCommand(client, format, arguments);
	va_end(arguments);
	if (!reply)
		redis_world_forget_client(world);
	assert_non_null(reply);
	return reply;
}

static inline bool redis_world_answers(struct redis_world *world)
{
	redisContext *client = redis_world_client(world);
	redisReply *reply = client ? redisCommand(client, "PING") : NULL;
	bool answers = reply && reply->type == REDIS_REPLY_STATUS;

	if (reply)
		freeReplyObject(reply);
	if (!answers)
		redis_world_forget_client(world);
	return answers;
}

/* In the child: becomes the server. */
static inline void redis_world_become_server(const struct redis_world *world, pid_t parent)
{
	char port[8];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(port, sizeof(port), "%d", world->port);
	execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir",
	       world->directory, "--save", "", "--appendonly", "no", "--daemonize", "no",
	       "--logfile", "redis.log", "--requirepass", world->password ? world->password : "",
	       (char *)NULL);
	_exit(127);
}

static inline void redis_world_reap(struct redis_world *world, int signal_number)
{
	redis_world_forget_client(world);
	if (world->pid <= 0)
		return;
	kill(world->pid, signal_number);
	kill(world->pid, SIGCONT);
	waitpid(world->pid, NULL, 0);
	world->pid = 0;
}

/* True once the server answers on world->port; false if it ended instead, or takes too long. */
static inline bool redis_world_launch(struct redis_world *world)
{
	double end = redis_world_now() + REDIS_WORLD_START_SECONDS;
	pid_t parent = getpid();

	world->pid = fork();
	assert_true(world->pid >= 0);
	if (world->pid == 0)
		redis_world_become_server(world, parent);
	while (!redis_world_answers(world)) {
		if (waitpid(world->pid, NULL, WNOHANG) == world->pid) {
			world->pid = 0;
			return false;
		}
		if (redis_world_now() > end) {
			redis_world_reap(world, SIGKILL);
			return false;
		}
		usleep(5000);
	}
	return true;
}

/* Starts a server that asks for this password; NULL: for none. */
redis_world_helper void redis_world_start_with(struct redis_world *world, const char *password)
{
	*world = (struct redis_world){ .directory = "/tmp/sippath-redis-XXXXXX",
				       .password = password };
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(world->directory));
	/* Somebody else may take the free port first. */
	for (int tries = 0; tries < 5; tries++) {
		world->port = redis_world_free_port();
		if (redis_world_launch(world))
			return;
	}
	fail_msg("redis-server does not start: is it installed? See %s/redis.log",
		 world->directory);
}

redis_world_helper void redis_world_start(struct redis_world *world)
{
	redis_world_start_with(world, NULL);
}

/* As a power cut ends it. */
redis_world_helper void redis_world_kill(struct redis_world *world)
{
	redis_world_reap(world, SIGKILL);
}

/* Starts it again on the same port, and empty; ends it first if it runs. */
redis_world_helper void redis_world_restart(struct redis_world *world)
{
	redis_world_reap(world, SIGKILL);
	assert_true(redis_world_launch(world));
}

/* Until redis_world_resume() it keeps its connections and answers nothing. */
redis_world_helper void redis_world_pause(struct redis_world *world)
{
	int status;

	assert_int_equal(kill(world->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(world->pid, &status, WUNTRACED), world->pid);
	assert_true(WIFSTOPPED(status));
}

redis_world_helper void redis_world_resume(struct redis_world *world)
{
	assert_int_equal(kill(world->pid, SIGCONT), 0);
}

/* Ends it, and removes what it has written. */
redis_world_helper void redis_world_stop(struct redis_world *world)
{
	char log[64];

	redis_world_reap(world, SIGTERM);
	snprintf(log, sizeof(log), "%s/redis.log", world->directory);
	unlink(log);
	assert_int_equal(rmdir(world->directory), 0);
}

/* Nothing but the wake-up: run_until looks at its condition then. */
static inline void redis_world_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

/* Runs the loop until the condition holds; false if it does not within so many seconds. */
redis_world_helper bool redis_world_run_until(struct ev_loop *loop, bool (*holds)(void *context),
					      void *context, double seconds)
{
	double end = redis_world_now() + seconds;
	bool held;
	ev_timer tick;

	ev_timer_init(&tick, redis_world_tick, 0.005, 0.005);
	ev_timer_start(loop, &tick);
	while (!(held = holds(context)) && redis_world_now() < end)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &tick);
	return held;
}

#endif
