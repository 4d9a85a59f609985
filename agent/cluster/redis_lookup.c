/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define PORT_MAX sizeof("65535")
#define POLL_S 0.02
#define POLLS_MAX ((unsigned int)((double)REDIS_LOOKUP_PATIENCE_NS / NS_PER_S / POLL_S))

struct redis_lookup {
	struct ev_loop *loop;
	ev_timer poll;
	unsigned int polls;
	redis_lookup_found *found;
	void *context;
	struct redis_lookup *next; /* among the abandoned */
	/* The thread of the resolver reads and writes from here on. */
	struct gaicb request;
	struct addrinfo hints;
	char host[NI_MAXHOST];
	char port[PORT_MAX];
};

/*
 * Nobody waits for these, but the resolver is at work on them and still writes into them. They
 * belong to no loop, and are freed once it is through with them.
 */
static struct redis_lookup *abandoned;

static void free_finished(struct redis_lookup *lookup)
{
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
}

static void free_abandoned(void)
{
	struct redis_lookup **link = &abandoned;

	while (*link) {
		struct redis_lookup *lookup = *link;

		if (gai_error(&lookup->request) == EAI_INPROGRESS) {
			link = &lookup->next;
		} else {
			*link = lookup->next;
			free_finished(lookup);
		}
	}
}

void redis_lookup_cancel(struct redis_lookup *lookup)
{
	if (!lookup)
		return;
	ev_timer_stop(lookup->loop, &lookup->poll);
	if (gai_cancel(&lookup->request) == EAI_NOTCANCELED) {
		lookup->next = abandoned;
		abandoned = lookup;
	} else {
		free_finished(lookup);
	}
}

struct addrinfo *redis_lookup_number(const char *host, uint16_t port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *address = NULL;
	char port_text[PORT_MAX];

	snprintf(port_text, sizeof(port_text), "%u", port);
	return getaddrinfo(host, port_text, &hints, &address) == 0 ? address : NULL;
}

static void on_poll(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct redis_lookup *lookup = timer->data;
	redis_lookup_found *found = lookup->found;
	void *context = lookup->context;
	int error = gai_error(&lookup->request);
	struct addrinfo *addresses = NULL;
	const char *why = "nobody answers who knows the address of its name";

	(void)loop;
	(void)events;
	if (error == EAI_INPROGRESS && ++lookup->polls < POLLS_MAX)
		return;
	if (error == 0)
		addresses = take_ptr(lookup->request.ar_result);
	else if (error != EAI_INPROGRESS)
		why = gai_strerror(error);
	redis_lookup_cancel(lookup);
	found(context, addresses, addresses ? NULL : why);
}

static int begin(struct redis_lookup *lookup)
{
	struct gaicb *requests[] = { &lookup->request };

	switch (getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL)) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

int redis_lookup_begin(struct ev_loop *loop, const char *host, uint16_t port,
		       redis_lookup_found *found, void *context, struct redis_lookup **out)
{
	cleanup_free struct redis_lookup *lookup = calloc(1, sizeof(*lookup));
	int err;

	free_abandoned();
	if (!lookup)
		return -ENOMEM;
	lookup->loop = loop;
	lookup->found = found;
	lookup->context = context;
	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	snprintf(lookup->port, sizeof(lookup->port), "%u", port);
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->hints.ai_flags = AI_NUMERICSERV;
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_service = lookup->port;
	lookup->request.ar_request = &lookup->hints;
	err = begin(lookup);
	if (err)
		return err;
	ev_timer_init(&lookup->poll, on_poll, POLL_S, POLL_S);
	lookup->poll.data = lookup;
	ev_timer_start(loop, &lookup->poll);
	*out = take_ptr(lookup);
	return 0;
}
