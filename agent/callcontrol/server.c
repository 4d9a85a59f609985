/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "callcontrol/server_parts.h"

/* The methods that find their way through call control. */
#define METHODS \
	"INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO, UPDATE, " \
	"PRACK, PUBLISH"

static bool is_method(const struct request *request, const char *method)
{
	return span_equal(request->message->method, span_of(method));
}

/* Routes a call by what is known now. */
static void route(struct server *server, const struct request *request,
		  const struct choice_doubt *doubt, bool may_verify)
{
	const struct server_options *options = &server->options;
	struct choice choices[CHOICE_MAX];
	char buffer[LOCATION_TEXT_MAX];
	struct span aor = message_aor(request->message, buffer, sizeof(buffer));
	size_t count = aor.at ? choice_make(options->view, aor, doubt, request->now_ns,
					    options->clock_ms(options->context), choices)
			      : 0;

	if (!aor.at)
		server_refuse(server, request, 404, "Not Found");
	else if (count == 0)
		server_refuse_unreachable(server, request);
	else if (may_verify && server_verify(server, request, &choices[0].location))
		return;
	else if (options->mode == SERVER_REDIRECT)
		server_redirect(server, request, choices, count);
	else
		server_forward(server, request, choices, count);
}

void server_route(struct server *server, const struct request *request,
		  const struct choice_doubt *doubt)
{
	route(server, request, doubt, false);
}

static void answer_options(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 200, .reason = "OK", .allow = METHODS };

	server_answer(server, request, &reply);
}

static void refuse_register(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 405, .reason = "Method Not Allowed", .allow = METHODS };

	count_up(server->options.counts, calls_refused);
	server_answer(server, request, &reply);
}

static bool has_user(const struct message *message)
{
	return message->uri.length > 0 && memchr(message->uri.at, '@', message->uri.length);
}

/* The table of server.h, from its third line on. */
static void decide(struct server *server, const struct request *request)
{
	if (server_relay_as_before(server, request) || server_relay_by_route(server, request) ||
	    is_method(request, "ACK"))
		return;
	if (is_method(request, "CANCEL")) {
		if (!server_stop_waiting(server, request))
			server_refuse(server, request, 481, "Call/Transaction Does Not Exist");
	} else if (is_method(request, "REGISTER"))
		refuse_register(server, request);
	else if (is_method(request, "OPTIONS") && !has_user(request->message))
		answer_options(server, request);
	else if (!server_is_waiting(server, request))
		route(server, request, NULL, true);
}

static void refuse_malformed(struct server *server, const struct request *request,
			     const char *reason)
{
	struct reply reply = { .status = 400, .reason = reason };

	count_up(server->options.counts, calls_malformed);
	server_answer(server, request, &reply);
}

static void take_request(struct server *server, const struct message *message, int error,
			 const char *reason, const struct passing_hop *from, uint64_t now_ns)
{
	struct request request = { .message = message, .from = from, .now_ns = now_ns };

	count_up(server->options.counts, calls_requests);
	if (error) {
		refuse_malformed(server, &request, reason);
		return;
	}
	request.identity = passing_identity(message, &server->key);
	decide(server, &request);
}

static void take_message(void *context, struct span bytes, const struct passing_hop *from,
			 uint64_t now_ns)
{
	struct server *server = context;
	struct message message;
	const char *reason;
	int error = message_read(bytes, &message, &reason);

	if (error && error != -EPROTO)
		count_up(server->options.counts, calls_dropped);
	else if (message.is_request)
		take_request(server, &message, error, reason, from, now_ns);
	else
		server_return(server, &message, from, now_ns);
}

void server_serve(struct server *server)
{
	ports_serve(server->options.ports, take_message, server);
}

static int prepare(struct server *server)
{
	int error = verifying_begin(server);

	if (error)
		return error;
	server->memory = memory_new(SERVER_MEMORY_MAX);
	server->peers = peers_new(server->options.view);
	if (!server->memory || !server->peers)
		return -ENOMEM;
	return hash_key_make(&server->key);
}

int server_new(const struct server_options *options, struct server **out)
{
	struct server *server = calloc(1, sizeof(*server));
	int error;

	if (!server)
		return log_errno(ENOMEM, "no memory for call control");
	server->options = *options;
	error = prepare(server);
	if (error) {
		server_free(server);
		return log_errno(-error, "cannot begin call control: %s", strerror(-error));
	}
	*out = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	verifying_end(server);
	memory_free(server->memory);
	peers_free(server->peers);
	free(server);
}
