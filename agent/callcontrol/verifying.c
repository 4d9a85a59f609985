/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "callcontrol/server_parts.h"

/* What has come of the path that a request waited for. */
enum outcome {
	OUTCOME_OPEN, /* it was heard */
	OUTCOME_DOUBTFUL, /* it was not, in the time that there was */
	OUTCOME_UNKNOWN, /* its node could not be asked */
};

static bool is_fresh(const struct location *location, uint64_t now_ms)
{
	return location->heard_ms + SERVER_FRESH_MS >= now_ms;
}

static uint64_t clock_ms(const struct server *server)
{
	return server->options.clock_ms(server->options.context);
}

static void set_expiry(struct server *server, uint64_t now_ns)
{
	const struct waiting_request *first = waiting_first(server->waiting);
	struct ev_loop *loop = server->options.loop;

	ev_timer_stop(loop, &server->expiry);
	if (!first)
		return;
	ev_timer_set(&server->expiry,
		     first->until_ns > now_ns ? (double)(first->until_ns - now_ns) / NS_PER_S : 0,
		     0);
	ev_timer_start(loop, &server->expiry);
}

/* It waits no longer; what it waited for is not answered any more. */
static void take(struct server *server, struct waiting_request *waiting)
{
	const struct directory *directory = server->options.directory;

	waiting_take(server->waiting, waiting);
	directory->forget(directory->context, waiting);
}

/* The bytes have been read before, so they can be again. */
static int read_again(const struct waiting_request *waiting, struct message *message)
{
	const char *reason;

	return message_read(waiting->bytes, message, &reason);
}

/* Routes a request that has waited, and frees it. */
static void settle(struct server *server, struct waiting_request *waiting, enum outcome outcome,
		   uint64_t now_ns)
{
	struct choice_doubt doubt = { .node = waiting->node, .flow = waiting->flow };
	struct message message;
	struct request request = {
		.message = &message,
		.from = &waiting->from,
		.identity = waiting->identity,
		.now_ns = now_ns,
	};

	take(server, waiting);
	if (outcome == OUTCOME_OPEN)
		count_up(server->options.counts, calls_verified);
	if (outcome == OUTCOME_DOUBTFUL)
		count_up(server->options.counts, calls_unverified);
	if (read_again(waiting, &message))
		count_up(server->options.counts, calls_dropped);
	else
		server_route(server, &request, outcome == OUTCOME_DOUBTFUL ? &doubt : NULL);
	free(waiting);
}

static void settle_path(struct server *server, struct span node, const struct flow *flow,
			enum outcome outcome, uint64_t now_ns)
{
	struct waiting_request *waiting;

	while ((waiting = waiting_find_path(server->waiting, node, flow)))
		settle(server, waiting, outcome, now_ns);
	set_expiry(server, now_ns);
}

static void on_expiry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct server *server = timer->data;
	uint64_t now_ns = clock_now_ns();
	struct waiting_request *waiting;

	(void)loop;
	(void)events;
	while ((waiting = waiting_first(server->waiting)) && waiting->until_ns <= now_ns)
		settle(server, waiting, OUTCOME_DOUBTFUL, now_ns);
	set_expiry(server, now_ns);
}

/* That the node was asked says nothing yet; that it could not be ends the wait. */
static void on_ordered(void *asker, const struct directory_answer *answer)
{
	const struct waiting_request *waiting = asker;
	char name[NODE_NAME_MAX];
	struct span node = { name, waiting->node.length };
	struct flow flow = waiting->flow;

	if (!answer->error)
		return;
	memcpy(name, waiting->node.at, waiting->node.length);
	settle_path(waiting->owner, node, &flow, OUTCOME_UNKNOWN, clock_now_ns());
}

/* Has the node prompt the path, unless it was told to for a request that waits already. */
static int ask(struct server *server, struct waiting_request *waiting, bool is_asked)
{
	const struct directory *directory = server->options.directory;
	struct order order = {
		.kind = ORDER_prompt,
		.issued_ms = clock_ms(server),
		.flow = waiting->flow,
	};

	if (is_asked)
		return 0;
	return directory->order(directory->context, waiting->node, &order, on_ordered, waiting);
}

static bool wait_for(struct server *server, const struct request *request,
		     const struct location *location)
{
	bool is_asked = waiting_find_path(server->waiting, location->node, &location->flow) != NULL;
	struct waiting_request wanted = {
		.identity = request->identity,
		.until_ns = request->now_ns + server->options.verify_ns,
		.from = *request->from,
		.flow = location->flow,
		.node = location->node,
		.bytes = request->message->bytes,
		.owner = server,
	};
	struct waiting_request *waiting = waiting_put(server->waiting, &wanted);

	if (!waiting)
		return false;
	if (ask(server, waiting, is_asked)) {
		waiting_take(server->waiting, waiting);
		free(waiting);
		return false;
	}
	set_expiry(server, request->now_ns);
	return true;
}

/* A path that is silent was prompted in vain, and there is no better one. */
bool server_verify(struct server *server, const struct request *request,
		   const struct location *location)
{
	if (server->options.verify_ns == 0 || choice_is_silent(location, NULL) ||
	    is_fresh(location, clock_ms(server)) || location->node.length > NODE_NAME_MAX)
		return false;
	return wait_for(server, request, location);
}

bool server_is_waiting(const struct server *server, const struct request *request)
{
	return waiting_find(server->waiting, request->identity) != NULL;
}

bool server_stop_waiting(struct server *server, const struct request *cancel)
{
	struct waiting_request *waiting = waiting_find(server->waiting, cancel->identity);
	struct reply terminated = { .status = 487, .reason = "Request Terminated" };
	struct reply done = { .status = 200, .reason = "OK" };
	struct message message;
	struct request request = *cancel;

	if (!waiting)
		return false;
	take(server, waiting);
	server_answer(server, cancel, &done);
	request.message = &message;
	request.from = &waiting->from;
	if (read_again(waiting, &message) == 0)
		server_answer(server, &request, &terminated);
	free(waiting);
	set_expiry(server, cancel->now_ns);
	return true;
}

void server_reported(struct server *server, const struct location *location, uint64_t now_ns)
{
	if (waiting_first(server->waiting) && is_fresh(location, clock_ms(server)))
		settle_path(server, location->node, &location->flow, OUTCOME_OPEN, now_ns);
}

int verifying_begin(struct server *server)
{
	ev_init(&server->expiry, on_expiry);
	server->expiry.data = server;
	server->waiting = waiting_new(SERVER_WAITING_MAX);
	return server->waiting ? 0 : -ENOMEM;
}

void verifying_end(struct server *server)
{
	struct waiting_request *waiting;

	ev_timer_stop(server->options.loop, &server->expiry);
	while (server->waiting && (waiting = waiting_first(server->waiting))) {
		take(server, waiting);
		free(waiting);
	}
	waiting_free(server->waiting);
}
