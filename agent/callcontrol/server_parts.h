/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server_parts.h - what the files of the server share: server.c decides, answering.c answers,
 * relaying.c passes on, verifying.c has paths verified.
 */
#ifndef AGENT_CALLCONTROL_SERVER_PARTS_H
#define AGENT_CALLCONTROL_SERVER_PARTS_H

#include "base/hash.h"
#include "callcontrol/choice.h"
#include "callcontrol/memory.h"
#include "callcontrol/message.h"
#include "callcontrol/peers.h"
#include "callcontrol/reply.h"
#include "callcontrol/server.h"
#include "callcontrol/waiting.h"

/* What passing on adds to a message: a Via, a Route, and what it says of where it came from. */
#define SERVER_GROWTH 1024

struct server {
	struct server_options options;
	struct hash_key key;
	struct memory *memory;
	struct peers *peers;
	struct waiting *waiting;
	ev_timer expiry; /* of the request that waits longest */
	char output[MESSAGE_MAX + SERVER_GROWTH];
};

/* A request that is being decided on. */
struct request {
	const struct message *message;
	const struct passing_hop *from;
	uint64_t identity; /* see passing_identity() */
	uint64_t now_ns;
};

/* answering.c: an answer of our own, but to an ACK; one that cannot be sent is counted as dropped. */
void server_answer(struct server *server, const struct request *request, const struct reply *reply);

/* The same to a request that is not served. */
void server_refuse(struct server *server, const struct request *request, uint16_t status,
		   const char *reason);

/* 480: nobody is there. */
void server_refuse_unreachable(struct server *server, const struct request *request);

/* 302 with the nodes that were chosen. */
void server_redirect(struct server *server, const struct request *request,
		     const struct choice *choices, size_t count);

/* relaying.c: passes a request on to the first of the nodes, and remembers where it went. */
void server_forward(struct server *server, const struct request *request,
		    const struct choice *choices, size_t count);

/* Passes it on to where the request went that it belongs to; false if that is not known. */
bool server_relay_as_before(struct server *server, const struct request *request);

/*
 * Passes it on to where its Route, or in a dialog its Request-URI, leads, or refuses it. False
 * if it has no Route and is in no dialog.
 */
bool server_relay_by_route(struct server *server, const struct request *request);

/* Passes a response back. */
void server_return(struct server *server, const struct message *response,
		   const struct passing_hop *from, uint64_t now_ns);

/* verifying.c: its own part of the server. */
int verifying_begin(struct server *server);
void verifying_end(struct server *server);

/* True if the request waits for that path to be verified; then server_route() comes later. */
bool server_verify(struct server *server, const struct request *request,
		   const struct location *location);

/* True if it waits already: it was sent again. */
bool server_is_waiting(const struct server *server, const struct request *request);

/* Answers a request that waits, and its CANCEL; false if none does. */
bool server_stop_waiting(struct server *server, const struct request *cancel);

/* server.c: routes a request that has waited; "doubt" is the path that was not heard, or NULL. */
void server_route(struct server *server, const struct request *request,
		  const struct choice_doubt *doubt);

#endif
