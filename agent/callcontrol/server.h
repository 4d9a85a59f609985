/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - what call control does with each message.
 *
 *   response                          passed on by its Vias, if it comes from a node of the set
 *   malformed                         400, or nothing if nobody can be answered
 *   what belongs to a request that    passed on where that went: a CANCEL, the ACK of a refusal,
 *   was passed on                     and retransmissions as long as that node lives
 *   Route, or in a dialog (To tag)    passed on to where the topmost Route that is not ours, or the
 *                                     Request-URI leads, if that is a node of the set, else 404/481
 *   any other ACK                     taken in: it was for an answer of our own
 *   any other CANCEL                  of a request that waits: 200, and 487 for that; else 481
 *   OPTIONS to ourselves (no user)    200: a peer asks whether we are there
 *   REGISTER                          405: devices register with the proxies
 *   any other, for an AOR             redirect: 302 with the proxies in the Contacts
 *                                     forward: to the best proxy
 *                                     nobody registered: 480; no node that lives: 480 as well
 *   any other                         404
 *
 * Before a call is routed its path may be verified: the node is ordered to prompt it, and the
 * request waits for the node's report, at most "verify" long; then the choice is made anew
 * with what is known by then, a path that has not been heard since counting as silent. A
 * bounded number of requests wait; beyond it none does, nor while nothing can be ordered.
 *
 * No answer that goes to the source of a datagram is larger than reply_limit() of its request.
 */
#ifndef AGENT_CALLCONTROL_SERVER_H
#define AGENT_CALLCONTROL_SERVER_H

#include <ev.h>
#include <stdint.h>

#include "base/counts.h"
#include "callcontrol/ports.h"
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
	const struct view *view;
	const struct directory *directory; /* takes the orders */
	struct ports *ports;
	struct counts *counts;
	uint64_t (*clock_ms)(void *context); /* the clock of the cluster */
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
