/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - what call control does with each message.
 *
 *   response                          passed on by its Vias, if it comes from a node of the set, or
 *                                     from where its request went
 *   from an address that is neither   dropped, if any networks are named
 *   in a named network nor a node's
 *   malformed                         400, or nothing if nobody can be answered
 *   from a node, with a Via of ours   482: it goes in circles
 *   REGISTER                          405: devices register with the proxies
 *   what belongs to a request that    passed on where that went: a CANCEL, the ACK of a refusal,
 *   was passed on                     and retransmissions as long as that node lives
 *   in a dialog (To tag)              passed on to where the topmost Route that is not ours, or the
 *                                     Request-URI leads, if that is a node of the set, else 481;
 *                                     methods that are none of a dialog: 405; the ACK of an answer
 *                                     of our own is taken in
 *   any other ACK                     taken in
 *   any other CANCEL                  of a request that waits: 200, and 487 for that; else 481
 *   OPTIONS to ourselves (no user)    200: a peer asks whether we are there
 *   any other, for an AOR             redirect: 302 with the proxies in the Contacts
 *                                     forward: to the best proxy; 420 if it wants more of a proxy
 *                                     nobody registered: 480; no node that lives: 480 as well
 *                                     not known yet who is where: 503 with Retry-After
 *   any other                         404; 416 of another scheme
 *
 * Outside of a dialog Routes are not heeded, nor passed on: a request goes where its AOR is. With a
 * domain, a number (tel:) and a user at an address of ours or of a node are AORs of that domain.
 *
 * Before a call is routed its path may be verified: the node is ordered to prompt it, and the
 * request waits for the node's report, at most "verify" long; then the choice is made anew
 * with what is known by then, a path that has not been heard since counting as silent if its
 * node was told to prompt it and could be heard here. A bounded number of requests wait; beyond it
 * none does, nor while nothing can be ordered or heard. A path over TCP needs no verification.
 *
 * No answer that goes to the source of a datagram is larger than reply_limit() of its request; all
 * that are passed back to it are at most six times what it sent, unless its network is named.
 */
#ifndef AGENT_CALLCONTROL_SERVER_H
#define AGENT_CALLCONTROL_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "base/hash.h"
#include "callcontrol/ports.h"
#include "callcontrol/trust.h"
#include "cluster/directory.h"
#include "cluster/view.h"

/* So many requests may wait for their paths to be verified. */
#define SERVER_WAITING_MAX 1024

/* A path heard so lately needs no verification. */
#define SERVER_FRESH_MS 2000

/* So many requests are remembered where they went. */
#define SERVER_MEMORY_MAX 262144

enum server_mode { SERVER_REDIRECT, SERVER_FORWARD };

struct server;

/* Everything that is pointed to outlives the server. */
struct server_options {
	struct ev_loop *loop;
	enum server_mode mode; /* SERVER_FORWARD needs a UDP port */
	uint64_t verify_ns; /* 0: not verified */
	const char *domain; /* of an address of ours and of numbers, in lower case; "" for none */
	const struct trust_network *trusted;
	size_t trusted_count; /* 0: anybody's requests are served */
	const struct hash_key
		*key; /* of all that is recognized later; that of another server if both
				       answer at one address */
	const struct view *view;
	const struct directory *directory; /* takes the orders */
	struct ports *ports;
	struct counts *counts;
	uint64_t (*clock_ms)(void *context); /* the clock of the cluster */
	bool (*knows)(void *context); /* who is where has been read once; NULL: always */
	bool (*follows)(void *context); /* what nodes report is heard of now; NULL: always */
	void *context;
};

/* -errno after one log line. */
int server_new(const struct server_options *options, struct server **out);
void server_free(struct server *server);

/* Messages are taken off the ports from now on. */
void server_serve(struct server *server);

/* A location was reported: the view knows it already. */
void server_reported(struct server *server, const struct location *location, uint64_t now_ns);

#endif
