/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/server_parts.h"

/* Room for a node's URI with the user of a request, every byte of it escaped. */
#define CONTACT_MAX 4096

/* What an unescaped user may have besides letters and digits (RFC 3261 section 25.1). */
static const char of_users[] = "-_.!~*'()&=+$,;?/%";

static void send_answer(struct server *server, const struct request *request,
			const struct reply *reply)
{
	struct passing_hop back = passing_back(request->message, request->from);
	struct text text = TEXT_OVER(server->output);
	size_t limit = back.stream ? 0 : reply_limit(request->message->bytes.length);

	if (reply_write(reply, request->message, &request->from->flow, &server->key, limit,
			&text) ||
	    ports_send(server->options.ports, &back, text_span(&text)))
		count_up(server->options.counts, calls_dropped);
}

void server_answer(struct server *server, const struct request *request, const struct reply *reply)
{
	if (!span_equal(request->message->method, SPAN("ACK")))
		send_answer(server, request, reply);
}

void server_refuse(struct server *server, const struct request *request, uint16_t status,
		   const char *reason)
{
	struct reply reply = { .status = status, .reason = reason };

	count_up(server->options.counts, calls_refused);
	server_answer(server, request, &reply);
}

static struct span after(struct span text, const char *at)
{
	return (struct span){ at + 1, text.length - (size_t)(at + 1 - text.at) };
}

/* The user of a URI as it is written, without a password; absent if there is none. */
static struct span user_of(struct span uri)
{
	const char *colon = memchr(uri.at, ':', uri.length);
	struct span rest = colon ? after(uri, colon) : uri;
	const char *at = memchr(rest.at, '@', rest.length), *password;

	if (!at)
		return (struct span){ NULL, 0 };
	rest.length = (size_t)(at - rest.at);
	password = memchr(rest.at, ':', rest.length);
	if (password)
		rest.length = (size_t)(password - rest.at);
	return rest;
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
static void write_contact(struct text *text, struct span user, struct span node_uri)
{
	const char *colon = memchr(node_uri.at, ':', node_uri.length);
	const char *at = memchr(node_uri.at, '@', node_uri.length);
	struct span host = after(node_uri, at ? at : colon);

	text_add(text, (struct span){ node_uri.at, (size_t)(colon + 1 - node_uri.at) });
	add_user(text, user);
	text_add(text, SPAN("@"));
	text_add(text, host);
}

void server_redirect(struct server *server, const struct request *request,
		     const struct choice *choices, size_t count)
{
	struct reply reply = { .status = 302, .reason = "Moved Temporarily" };
	struct span user = user_of(request->message->uri);
	char texts[REPLY_CONTACTS_MAX][CONTACT_MAX];

	for (size_t i = 0; i < count && reply.contact_count < REPLY_CONTACTS_MAX; i++) {
		struct text text = TEXT_OVER(texts[reply.contact_count]);
		struct span uri = choices[i].node->uri;

		if (uri.length == 0 || !memchr(uri.at, ':', uri.length))
			continue;
		write_contact(&text, user, uri);
		if (!text.overflow)
			reply.contacts[reply.contact_count++] = text_span(&text);
	}
	if (reply.contact_count == 0) {
		server_refuse_unreachable(server, request);
		return;
	}
	count_up(server->options.counts, calls_redirected);
	server_answer(server, request, &reply);
}

void server_refuse_unreachable(struct server *server, const struct request *request)
{
	struct reply reply = { .status = 480, .reason = "Temporarily Unavailable" };

	count_up(server->options.counts, calls_unreachable);
	server_answer(server, request, &reply);
}
