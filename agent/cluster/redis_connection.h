/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_connection.h - one TCP connection on the event loop that speaks the protocol of Redis.
 *
 * hiredis writes the commands and reads the answers. The queue of those who wait for answers is
 * our own: hiredis' has an assertion that a server ends the process by, with an answer that
 * nobody has asked for. Included by the link only.
 */
#ifndef AGENT_CLUSTER_REDIS_CONNECTION_H
#define AGENT_CLUSTER_REDIS_CONNECTION_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "cluster/redis_link.h"

struct redis_connection;

/* A server that does not take the connection within so long is out of reach. */
#define REDIS_CONNECTION_CONNECT_NS (5 * UINT64_C(1000000000))

struct redis_connection_options {
	struct ev_loop *loop; /* outlives the connection */
	uint64_t patience_ns; /* see REDIS_LINK_PATIENCE_NS */
	void (*connected)(void *context);
	/* Sees every answer before whoever has asked: false if he is to be answered with NULL. */
	bool (*admit)(void *context, const struct redisReply *reply);
	/* Called once, from the loop, at the end; everything has been answered with NULL. */
	void (*lost)(void *context, const char *why);
	void *context;
};

/* Begins to connect; -errno. */
int redis_connection_open(const struct redis_connection_options *options,
			  const struct sockaddr *address, socklen_t length,
			  struct redis_connection **out);

/* See redis_link_close(). */
void redis_connection_close(struct redis_connection *connection);

/* See redis_link_ask(). */
int redis_connection_ask(struct redis_connection *connection, const struct span *words,
			 size_t count, bool patient, redis_link_answer *answer, void *context);

size_t redis_connection_outstanding(const struct redis_connection *connection);

/* Nothing is read or written any more, and "lost" will be called; the first reason given stands. */
void redis_connection_give_up(struct redis_connection *connection, const char *why);

/* True until it has been given up. */
bool redis_connection_is_whole(const struct redis_connection *connection);

#endif
