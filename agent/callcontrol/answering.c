/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/server_parts.h"

/* Room for a node's URI with the user of a request, every byte of it escaped. */
#define CONTACT_MAX 4096

/* Whoever is refused because nothing is known yet may come again after so long. */
#define RETRY_AFTER_S 5

/* What an unescaped user may have besides letters and digits (RFC 3261 section 25.1). */
static const char of_users[] = "-_.!~*'()&=+$,;?/%";

static bool send_answer(struct server *server, const struct request *request,
			const struct reply *reply)
{
	struct passing_hop back = passing_back(request->message, request->from);
	struct text text = TEXT_OVER(server->output);
	size_t limit = back.stream ? 0 : reply_limit(request->message->bytes.length);

	if (reply_write(reply, request->message, &request->from->flow, server->options.key, limit,
			&text) == 0 &&
	    ports_send(server->options.ports, &back, text_span(&text)) == 0)
		return true;
	count_up(server->options.counts, calls_dropped);
	return false;
}

bool server_answer(struct server *server, const struct request *request, const struct reply *reply)
{
	return span_equal(request->message->method, SPAN("ACK")) ||
	       send_answer(server, request, reply);
}

static void refuse(struct server *server, const struct request *request, const struct reply *reply)
{
	count_up(server->options.counts, calls_refused);
	server_answer(server, request, reply);
}

void server_refuse(struct server *server, const struct request *request, uint16_t status,
		   const char *reason)
{
	struct reply reply = { .status = status, .reason = reason };

	refuse(server, request, &reply);
}

void server_refuse_for_now(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 503,
			       .reason = "Service Unavailable",
			       .retry_after_s = RETRY_AFTER_S };

	refuse(server, request, &reply);
}

void server_refuse_method(struct server *server, const struct request *request, const char *methods)
{
	struct reply reply = { .status = 405, .reason = "Method Not Allowed", .allow = methods };

	refuse(server, request, &reply);
}

void server_refuse_extension(struct server *server, const struct request *request,
			     struct span extensions)
{
	struct reply reply = { .status = 420,
			       .reason = "Bad Extension",
			       .unsupported = extensions };

	refuse(server, request, &reply);
}

static struct span after(struct span text, const char *at)
{
	return (struct span){ at + 1, text.length - (size_t)(at + 1 - text.at) };
}

static bool is_of_users(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr(of_users, c));
}

/* Nothing of it can end the URI that it is put into. */
static void add_user(struct text *text, struct span user)
{
	for (size_t i = 0; i < user.length; i++) {
		if (is_of_users(user.at[i]))
			text_add(text, (struct span){ user.at + i, 1 });
		else
			text_format(text, "%%%02X", (unsigned char)user.at[i]);
	}
}

/* "sip:192.0.2.11:5060" and "alice" make "sip:alice@192.0.2.11:5060". */
static void write_contact(struct text *text, const struct addressee *addressee,
			  struct span node_uri)
{
	const char *colon = memchr(node_uri.at, ':', node_uri.length);
	const char *at = memchr(node_uri.at, '@', node_uri.length);
	struct span host = after(node_uri, at ? at : colon);

	text_add(text, (struct span){ node_uri.at, (size_t)(colon + 1 - node_uri.at) });
	add_user(text, addressee->user);
	text_add(text, SPAN("@"));
	text_add(text, host);
	if (addressee->is_phone)
		text_add(text, SPAN(";user=phone"));
}

void server_redirect(struct server *server, const struct request *request,
		     const struct addressee *addressee, const struct choice *choices, size_t count)
{
	struct reply reply = { .status = 302, .reason = "Moved Temporarily" };
	char texts[REPLY_CONTACTS_MAX][CONTACT_MAX];

	for (size_t i = 0; i < count && reply.contact_count < REPLY_CONTACTS_MAX; i++) {
		struct text text = TEXT_OVER(texts[reply.contact_count]);
		struct span uri = choices[i].node->uri;

		if (uri.length == 0 || !memchr(uri.at, ':', uri.length))
			continue;
		write_contact(&text, addressee, uri);
		if (!text.overflow)
			reply.contacts[reply.contact_count++] = text_span(&text);
	}
	if (reply.contact_count == 0) {
		server_refuse_unreachable(server, request);
		return;
	}
	if (server_answer(server, request, &reply))
		count_up(server->options.counts, calls_redirected);
}

void server_refuse_unreachable(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 480, .reason = "Temporarily Unavailable" };

	count_up(server->options.counts, calls_unreachable);
	server_answer(server, request, &reply);
}
