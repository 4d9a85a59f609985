/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - one client of the control socket: its lines, in and out.
 *
 * Both directions have a buffer of fixed size. While an answer is being given,
 * nothing more is read; while the client does not take what is there, nothing more
 * is made. So a client, however fast or slow, costs a bounded amount of memory, and
 * at most CLIENT_STEPS steps of work in one turn of the loop.
 *
 * A client that listens to events has nothing else to ask on its connection, and is gone
 * when it closes its side.
 */
#ifndef AGENT_SURFACE_CLIENT_H
#define AGENT_SURFACE_CLIENT_H

#include <stdbool.h>

#include "surface/subject.h"

#define CLIENT_STEPS 64

struct client;

/* Called once when the client has gone; it must then be freed, and may be at once. */
typedef void client_gone_handler(void *context, struct client *client);

/* A client that is served from now on. Takes the descriptor, but not if it returns NULL. */
struct client *client_new(int fd, const struct subject *subject, client_gone_handler *gone,
			  void *context);

/* Something has happened: true if the client listens, and then it will look at it soon. */
bool client_wake(struct client *client);

/* Since when it has been owed no answer and has sent nothing; CLOCK_NEVER if it is owed one. */
uint64_t client_idle_since(const struct client *client);

/* How long it has taken nothing of what waits to be written; 0 if nothing waits. */
uint64_t client_stuck_for(const struct client *client, uint64_t now_ns);

/* Closes the connection. */
void client_free(struct client *client);

#endif
