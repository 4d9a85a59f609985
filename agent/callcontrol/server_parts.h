/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server_parts.h - what the files of the server share: server.c decides, addressing.c reads whom a
 * request is for, answering.c answers, relaying.c passes requests on and returning.c responses
 * back, verifying.c has paths verified.
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

/* No longer Request-URI is written. */
#define SERVER_START_LINE_MAX 8192

struct server {
	struct server_options options;
	struct passing_self self;
	struct memory *memory;
	struct peers *peers;
	struct waiting *waiting;
	ev_timer expiry; /* of the request that waits longest */
	uint64_t large_logged_ns; /* when an answer was last said to be too large; 0: never */
	char output[MESSAGE_MAX + SERVER_GROWTH];
};

/* A request that is being decided on. */
struct request {
	struct message *message;
	const struct passing_hop *from;
	struct memory_key key;
	uint64_t now_ns;
};

/* server.c: the key of a request that has been read. */
void server_identify(const struct server *server, struct request *request);

/* What tells a request, its retransmissions, CANCEL and ACK from all others. */
static inline uint64_t server_transaction(const struct request *request)
{
	return request->key.identity ^ request->key.wanted; /* both are keyed hashes */
}

/* True while what the nodes report is heard of. */
bool server_can_see(const struct server *server);

/* True if the address is a node's, or one that the operator has named. */
bool server_trusts(struct server *server, const uint8_t address[16], uint64_t now_ns);

/* Whom a request is for; the spans point in here, or into the request. */
struct addressee {
	struct span user; /* as written, without password */
	struct span aor;
	struct span
		start_line; /* with the domain in place of an address or a number; else absent */
	bool is_phone; /* ";user=phone" */
	char aor_text[LOCATION_TEXT_MAX];
	char number[LOCATION_TEXT_MAX];
	char line[SERVER_START_LINE_MAX];
};

/* addressing.c: 0, or the status that it is refused with. */
uint16_t server_address(struct server *server, const struct request *request,
			struct addressee *addressee);

/*
 * answering.c: an answer of our own, but to an ACK. False if it cannot be sent, which is counted as
 * dropped.
 */
bool server_answer(struct server *server, const struct request *request, const struct reply *reply);

/* The same to a request that is not served. */
void server_refuse(struct server *server, const struct request *request, uint16_t status,
		   const char *reason);

/* 480: nobody is there. */
void server_refuse_unreachable(struct server *server, const struct request *request);

/* 503: it is not known yet who is where. */
void server_refuse_for_now(struct server *server, const struct request *request);

/* 405: there are methods that are served. */
void server_refuse_method(struct server *server, const struct request *request,
			  const char *methods);

/* 420: Proxy-Require names what nobody here can do. */
void server_refuse_extension(struct server *server, const struct request *request,
			     struct span extensions);

/* 302 with the nodes that were chosen. */
void server_redirect(struct server *server, const struct request *request,
		     const struct addressee *addressee, const struct choice *choices, size_t count);

/* relaying.c: passes a request on to the first of the nodes, and remembers where it went. */
void server_forward(struct server *server, const struct request *request,
		    const struct addressee *addressee, const struct choice *choices, size_t count);

/* Passes it on to where the request went that it belongs to; false if that is not known. */
bool server_relay_as_before(struct server *server, const struct request *request);

/* Passes a request of a dialog on to where its Route, or its Request-URI, leads, or refuses it. */
void server_relay_in_dialog(struct server *server, const struct request *request);

/* returning.c: passes a response back. */
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
