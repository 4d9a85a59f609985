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

/* The path that it waited for is asked for no longer once nobody waits for it. */
static void take(struct server *server, struct waiting_request *waiting)
{
	const struct directory *directory = server->options.directory;
	struct waiting_path *path = waiting->path;

	waiting_take(server->waiting, waiting);
	if (path->first)
		return;
	directory->forget(directory->context, path);
	waiting_end_path(path);
}

/* The bytes have been read before, so they can be again. */
static int read_again(const struct server *server, const struct waiting_request *waiting,
		      struct message *message, struct request *request)
{
	const char *reason;
	int error = message_read(waiting->bytes, message, &reason);

	*request = (struct request){ .message = message, .from = &waiting->from };
	if (!error)
		server_identify(server, request);
	return error;
}

/* Routes a request that has waited, and frees it. */
static void settle(struct server *server, struct waiting_request *waiting, enum outcome outcome,
		   uint64_t now_ns)
{
	char name[NODE_NAME_MAX];
	struct span node = waiting_node(waiting->path);
	struct choice_doubt doubt = { .node = { name, node.length }, .flow = waiting->path->flow };
	struct message message;
	struct request request;

	memcpy(name, node.at, node.length);
	take(server, waiting);
	if (outcome == OUTCOME_OPEN)
		count_up(server->options.counts, calls_verified);
	if (outcome == OUTCOME_DOUBTFUL)
		count_up(server->options.counts, calls_unverified);
	if (read_again(server, waiting, &message, &request)) {
		count_up(server->options.counts, calls_dropped);
	} else {
		request.now_ns = now_ns;
		server_route(server, &request, outcome == OUTCOME_DOUBTFUL ? &doubt : NULL);
	}
	free(waiting);
}

/* All that wait for the path; the last one takes it along. */
static void settle_path(struct server *server, struct waiting_path *path, enum outcome outcome,
			uint64_t now_ns)
{
	bool is_last = false;

	while (!is_last) {
		is_last = !path->first->next_of_path;
		settle(server, path->first, outcome, now_ns);
	}
	set_expiry(server, now_ns);
}

/*
 * A path that said nothing is in doubt only if its node was told to prompt it, and if it could
 * be heard here: else the cluster is slow, or out of reach.
 */
static enum outcome judge_silence(const struct server *server, const struct waiting_path *path)
{
	return path->is_ordered && server_can_see(server) ? OUTCOME_DOUBTFUL : OUTCOME_UNKNOWN;
}

static void on_expiry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct server *server = timer->data;
	uint64_t now_ns = clock_now_ns();
	struct waiting_request *waiting;

	(void)loop;
	(void)events;
	while ((waiting = waiting_first(server->waiting)) && waiting->until_ns <= now_ns)
		settle(server, waiting, judge_silence(server, waiting->path), now_ns);
	set_expiry(server, now_ns);
}

/* That it could not be ordered ends the wait. */
static void on_ordered(void *asker, const struct directory_answer *answer)
{
	struct waiting_path *path = asker;

	if (!answer->error)
		path->is_ordered = true;
	else
		settle_path(path->owner, path, OUTCOME_UNKNOWN, clock_now_ns());
}

static int order_prompt(struct server *server, struct waiting_path *path)
{
	const struct directory *directory = server->options.directory;
	struct order order = {
		.kind = ORDER_prompt,
		.issued_ms = clock_ms(server),
		.flow = path->flow,
	};

	return directory->order(directory->context, waiting_node(path), &order, on_ordered, path);
}

static bool wait_for_path(struct server *server, const struct request *request,
			  struct waiting_path *path)
{
	struct waiting_request wanted = {
		.identity = server_transaction(request),
		.until_ns = request->now_ns + server->options.verify_ns,
		.from = *request->from,
		.bytes = request->message->bytes,
	};

	return waiting_put(server->waiting, path, &wanted) != NULL;
}

/* Waits for a path that nobody waits for yet: its node is told to prompt it. */
static bool wait_for_new_path(struct server *server, const struct request *request,
			      const struct location *location)
{
	struct waiting_path *path =
		waiting_put_path(server->waiting, location->node, &location->flow, server);
	struct waiting_request *waiting;

	if (!path)
		return false;
	if (!wait_for_path(server, request, path)) {
		waiting_end_path(path);
		return false;
	}
	if (order_prompt(server, path) == 0)
		return true;
	waiting = path->first;
	waiting_take(server->waiting, waiting);
	waiting_end_path(path);
	free(waiting);
	return false;
}

static bool wait_for(struct server *server, const struct request *request,
		     const struct location *location)
{
	struct waiting_path *path =
		waiting_find_path(server->waiting, location->node, &location->flow);
	bool waits = path ? wait_for_path(server, request, path)
			  : wait_for_new_path(server, request, location);

	if (waits)
		set_expiry(server, request->now_ns);
	return waits;
}

/*
 * A path that is silent was prompted in vain, and there is no better one. A TCP connection cannot be
 * prompted, and its end is reported.
 */
bool server_verify(struct server *server, const struct request *request,
		   const struct location *location)
{
	if (server->options.verify_ns == 0 || choice_is_silent(location, NULL) ||
	    location->flow.transport == FLOW_TCP || is_fresh(location, clock_ms(server)) ||
	    !server_can_see(server))
		return false;
	return wait_for(server, request, location);
}

bool server_is_waiting(const struct server *server, const struct request *request)
{
	return waiting_find(server->waiting, server_transaction(request)) != NULL;
}

bool server_stop_waiting(struct server *server, const struct request *cancel)
{
	struct waiting_request *waiting = waiting_find(server->waiting, server_transaction(cancel));
	struct reply terminated = { .status = 487, .reason = "Request Terminated" };
	struct reply done = { .status = 200, .reason = "OK" };
	struct message message;
	struct request request;

	if (!waiting)
		return false;
	take(server, waiting);
	server_answer(server, cancel, &done);
	if (read_again(server, waiting, &message, &request) == 0)
		server_answer(server, &request, &terminated);
	free(waiting);
	set_expiry(server, cancel->now_ns);
	return true;
}

void server_reported(struct server *server, const struct location *location, uint64_t now_ns)
{
	struct waiting_path *path;

	if (!waiting_first(server->waiting) || !is_fresh(location, clock_ms(server)))
		return;
	path = waiting_find_path(server->waiting, location->node, &location->flow);
	if (path)
		settle_path(server, path, OUTCOME_OPEN, now_ns);
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
