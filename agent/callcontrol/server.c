/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "callcontrol/server_parts.h"
#include "sip/values.h"

/* The methods that are passed on in dialogs, and all that find their way through call control. */
#define DIALOG_METHODS \
	"INVITE, ACK, CANCEL, BYE, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO, UPDATE, PRACK, " \
	"PUBLISH"
#define METHODS DIALOG_METHODS ", OPTIONS"

static bool is_method(const struct request *request, const char *method)
{
	return span_equal(request->message->method, span_of(method));
}

static bool is_dialog_method(const struct request *request)
{
	struct span list = SPAN(DIALOG_METHODS), method;

	while (value_next(&list, &method) > 0)
		if (span_equal(request->message->method, method))
			return true;
	return false;
}

static const char *reason_of(uint16_t status)
{
	return status == 416   ? "Unsupported URI Scheme"
	       : status == 414 ? "Request-URI Too Long"
			       : "Not Found";
}

/* Nothing that a proxy may be asked for is supported here. */
static bool refuse_extensions(struct server *server, const struct request *request)
{
	const struct message *message = request->message;

	if (is_method(request, "ACK") || is_method(request, "CANCEL"))
		return false;
	for (size_t i = 0; i < message->line_count; i++) {
		if (!message_line_is(&message->lines[i], "Proxy-Require"))
			continue;
		server_refuse_extension(server, request, message->lines[i].value);
		return true;
	}
	return false;
}

bool server_can_see(const struct server *server)
{
	const struct server_options *options = &server->options;

	return !options->follows || options->follows(options->context);
}

bool server_trusts(struct server *server, const uint8_t address[16], uint64_t now_ns)
{
	const struct server_options *options = &server->options;

	return trust_has(options->trusted, options->trusted_count, address) ||
	       peers_has_address(server->peers, address, now_ns);
}

/* Routes a call to an AOR by what is known now. */
static void route_to(struct server *server, const struct request *request,
		     const struct addressee *addressee, const struct choice_doubt *doubt,
		     bool may_verify)
{
	const struct server_options *options = &server->options;
	struct choice choices[CHOICE_MAX];
	size_t count = choice_make(options->view, addressee->aor, doubt, request->now_ns,
				   options->clock_ms(options->context), choices);

	if (count == 0)
		server_refuse_unreachable(server, request);
	else if (may_verify && server_verify(server, request, &choices[0].location))
		return;
	else if (options->mode == SERVER_REDIRECT)
		server_redirect(server, request, addressee, choices, count);
	else
		server_forward(server, request, addressee, choices, count);
}

static void route(struct server *server, const struct request *request,
		  const struct choice_doubt *doubt, bool may_verify)
{
	const struct server_options *options = &server->options;
	struct addressee addressee;
	uint16_t status = server_address(server, request, &addressee);

	if (status)
		server_refuse(server, request, status, reason_of(status));
	else if (options->knows && !options->knows(options->context))
		server_refuse_for_now(server, request);
	else if (options->mode == SERVER_REDIRECT || !refuse_extensions(server, request))
		route_to(server, request, &addressee, doubt, may_verify);
}

void server_route(struct server *server, const struct request *request,
		  const struct choice_doubt *doubt)
{
	route(server, request, doubt, false);
}

static void relay_in_dialog(struct server *server, const struct request *request)
{
	if (!is_dialog_method(request))
		server_refuse_method(server, request, DIALOG_METHODS);
	else if (!refuse_extensions(server, request))
		server_relay_in_dialog(server, request);
}

static void answer_options(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 200, .reason = "OK", .allow = METHODS };

	server_answer(server, request, &reply);
}

static bool is_for_ourselves(const struct message *message)
{
	return message->uri.length > 0 && !memchr(message->uri.at, '@', message->uri.length) &&
	       strncasecmp(message->uri.at, "sip", strlen("sip")) == 0;
}

/* The table of server.h, from "any other ACK" on. */
static void decide_outside(struct server *server, const struct request *request)
{
	if (is_method(request, "ACK"))
		return;
	if (is_method(request, "CANCEL")) {
		if (!server_stop_waiting(server, request))
			server_refuse(server, request, 481, "Call/Transaction Does Not Exist");
	} else if (is_method(request, "OPTIONS") && is_for_ourselves(request->message))
		answer_options(server, request);
	else if (!server_is_waiting(server, request))
		route(server, request, NULL, true);
}

static bool is_loop(struct server *server, const struct request *request)
{
	return peers_has_address(server->peers, request->from->flow.remote_addr, request->now_ns) &&
	       passing_is_loop(request->message, &server->self);
}

/* The table of server.h, from the loops on. */
static void decide(struct server *server, const struct request *request)
{
	if (is_loop(server, request))
		server_refuse(server, request, 482, "Loop Detected");
	else if (is_method(request, "REGISTER"))
		server_refuse_method(server, request, METHODS);
	else if (server_relay_as_before(server, request))
		return;
	else if (request->message->to_tag.at)
		relay_in_dialog(server, request);
	else
		decide_outside(server, request);
}

static void refuse_malformed(struct server *server, const struct request *request,
			     const char *reason)
{
	struct reply reply = { .status = 400, .reason = reason };

	count_up(server->options.counts, calls_malformed);
	server_answer(server, request, &reply);
}

void server_identify(const struct server *server, struct request *request)
{
	const struct hash_key *key = server->options.key;
	const struct message *message = request->message;
	uint64_t wanted[] = { hash_bytes(key, message->uri.at, message->uri.length),
			      message->cseq_number };

	request->key.identity = passing_identity(message, key);
	request->key.wanted = hash_bytes(key, wanted, sizeof(wanted));
}

static bool is_served(struct server *server, const struct request *request)
{
	return server->options.trusted_count == 0 ||
	       server_trusts(server, request->from->flow.remote_addr, request->now_ns);
}

static void take_request(struct server *server, struct message *message, int error,
			 const char *reason, const struct passing_hop *from, uint64_t now_ns)
{
	struct request request = { .message = message, .from = from, .now_ns = now_ns };

	count_up(server->options.counts, calls_requests);
	if (!is_served(server, &request)) {
		count_up(server->options.counts, calls_refused);
	} else if (error) {
		refuse_malformed(server, &request, reason);
	} else {
		server_identify(server, &request);
		decide(server, &request);
	}
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

static bool listens(const void *context, const uint8_t address[16], uint16_t port)
{
	return ports_listens(context, address, port);
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
	return 0;
}

int server_new(const struct server_options *options, struct server **out)
{
	struct server *server = calloc(1, sizeof(*server));
	int error;

	if (!server)
		return log_errno(ENOMEM, "no memory for call control");
	server->options = *options;
	server->self = (struct passing_self){
		.domain = span_of(options->domain),
		.listens = listens,
		.context = options->ports,
	};
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
