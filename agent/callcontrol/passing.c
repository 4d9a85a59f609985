/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/passing.h"

#include <errno.h>
#include <inttypes.h>

#include "base/address.h"
#include "base/number.h"
#include "callcontrol/via.h"
#include "sip/uri.h"
#include "sip/values.h"

/* What branches begin with whose makers know RFC 3261 (section 8.1.1.7). */
#define MAGIC_COOKIE SPAN("z9hG4bK")

/* What ours begin with: another mark than that of prompts, see kernel_abi.h. */
#define BRANCH_MARK "z9hG4bK-call-control-"

/* A keyed hash is written in so many hex digits. */
#define HASH_DIGITS 16

/* Room for the parts of the longest URI that is read. */
#define URI_ROOM 8192

static uint64_t hash_span(struct span text, const struct hash_key *key)
{
	return hash_bytes(key, text.at, text.length);
}

static bool begins_with(struct span text, struct span start)
{
	return text.length >= start.length && memcmp(text.at, start.at, start.length) == 0;
}

/*
 * The To tag is not among what is hashed without a magic cookie, though section 16.11 names it:
 * the ACK to a refusal has one, its INVITE has none, and both must get the same branch.
 */
uint64_t passing_identity(const struct message *request, const struct hash_key *key)
{
	const struct message_via *via = &request->via;
	uint64_t by_branch[] = { hash_span(via->branch, key), hash_span(via->host, key),
				 via->port };
	uint64_t by_request[] = { hash_span(request->from_tag, key),
				  hash_span(request->call_id, key), request->cseq_number,
				  hash_span(request->uri, key), hash_span(via->value, key) };

	if (begins_with(via->branch, MAGIC_COOKIE))
		return hash_bytes(key, by_branch, sizeof(by_branch));
	return hash_bytes(key, by_request, sizeof(by_request));
}

struct passing_hop passing_back(const struct message *request, const struct passing_hop *from)
{
	struct passing_hop back = *from;

	if (!back.stream)
		back.flow.remote_port = via_answer_port(&request->via, &from->flow);
	return back;
}

/* What shows that the Via of this branch was put on a request that came from that hop. */
static uint64_t make_proof(struct span branch, const struct passing_hop *back,
			   const struct hash_key *key)
{
	const struct flow *flow = &back->flow;
	uint64_t parts[] = { hash_span(branch, key), back->stream, 0, 0 };

	if (!back->stream) {
		parts[2] = hash_bytes(key, flow->remote_addr, sizeof(flow->remote_addr));
		parts[3] = flow->remote_port;
	}
	return hash_bytes(key, parts, sizeof(parts));
}

/*
 * Reads a URI that may stand in angle brackets. Without them all of it is the URI, whose user may
 * have a ";" that is no parameter of a header.
 */
static int read_uri(struct span text, struct text *memory, struct uri *uri)
{
	struct address_value written = { .uri = text };
	int error;

	if (text.length > 0 && memchr(text.at, '<', text.length) &&
	    value_read_address(text, &written))
		return -EINVAL;
	error = uri_read(written.uri, memory, uri);
	if (error)
		return error == -ENOMEM ? error : -EINVAL;
	return memory->overflow ? -EINVAL : 0;
}

static int find_target(const struct uri *uri, uint8_t address[16], uint16_t *port)
{
	if (address_read(uri->host, address))
		return -EINVAL;
	*port = uri->port ? uri->port : VIA_PORT_DEFAULT;
	return 0;
}

int passing_target(struct span uri, uint8_t address[16], uint16_t *port)
{
	char buffer[URI_ROOM];
	struct text memory = TEXT_OVER(buffer);
	struct uri read;
	int error = read_uri(uri, &memory, &read);

	return error ? error : find_target(&read, address, port);
}

static bool is_ours(struct span route, const struct passing_self *self)
{
	char buffer[URI_ROOM];
	struct text memory = TEXT_OVER(buffer);
	uint8_t address[16];
	struct uri uri;
	uint16_t port;

	if (read_uri(route, &memory, &uri) || uri.host.length == 0)
		return false;
	return span_equal_nocase(uri.host, self->domain) ||
	       (find_target(&uri, address, &port) == 0 &&
		self->listens(self->context, address, port));
}

struct span passing_next_route(const struct message *request, const struct passing_self *self)
{
	struct span list, value;
	size_t own = 0;

	for (size_t i = 0; i < request->line_count; i++) {
		if (!message_line_is(&request->lines[i], "Route"))
			continue;
		list = request->lines[i].value;
		while (value_next(&list, &value) > 0)
			if (own++ == PASSING_SELF_MAX || !is_ours(value, self))
				return value;
	}
	return (struct span){ NULL, 0 };
}

/* The sent-by of a Via with our mark, which other call controls have as well. */
static bool read_marked(const struct message_via *via, uint8_t host[16], uint16_t *port)
{
	*port = via->port ? via->port : VIA_PORT_DEFAULT;
	return via->branch.length == strlen(BRANCH_MARK) + HASH_DIGITS &&
	       begins_with(via->branch, SPAN(BRANCH_MARK)) && address_read(via->host, host) == 0;
}

bool passing_is_loop(const struct message *request, const struct passing_self *self)
{
	struct message_via via;
	struct span list, value;
	uint8_t host[16];
	uint16_t port;
	size_t marked = 0, rounds = 0;

	for (size_t i = 0; i < request->line_count; i++) {
		if (!message_line_is(&request->lines[i], "Via"))
			continue;
		list = request->lines[i].value;
		while (value_next(&list, &value) > 0)
			if (via_read(value, &via) == 0 && read_marked(&via, host, &port)) {
				if (marked++ == PASSING_SELF_MAX)
					return true;
				rounds += self->listens(self->context, host, port);
			}
	}
	return rounds >= PASSING_ROUNDS_MAX;
}

static void write_own_via(const struct message *request, const struct passing_hop *from,
			  const struct passing_way *way, const struct hash_key *key,
			  struct text *out)
{
	struct passing_hop back = passing_back(request, from);
	char buffer[sizeof(BRANCH_MARK) + HASH_DIGITS];
	struct text branch = TEXT_OVER(buffer);

	text_format(&branch, BRANCH_MARK "%0*" PRIx64, HASH_DIGITS, passing_identity(request, key));
	text_add(out, SPAN("Via: SIP/2.0/UDP "));
	address_write_port(out, way->local_address, way->local_port);
	text_format(out, ";branch=%s", buffer);
	if (back.stream)
		text_format(out, ";stream=%" PRIu64, back.stream);
	text_format(out, ";proof=%0*" PRIx64 "\r\n", HASH_DIGITS,
		    make_proof(text_span(&branch), &back, key));
}

/* The parameters of a URI: what follows its host. */
static struct span uri_parameters(struct span uri)
{
	const char *at = uri.length > 0 ? memchr(uri.at, '@', uri.length) : NULL;
	const char *start = at ? at : uri.at;
	size_t left = uri.length - (size_t)(start - uri.at);
	const char *semicolon = left > 0 ? memchr(start, ';', left) : NULL;

	if (!semicolon)
		return (struct span){ NULL, 0 };
	return (struct span){ semicolon, uri.length - (size_t)(semicolon - uri.at) };
}

static void write_route(struct span uri, struct text *out)
{
	struct span parameters = uri_parameters(uri), loose;

	text_add(out, SPAN("Route: <"));
	text_add(out, uri);
	if (value_find_parameter(parameters, SPAN("lr"), &loose) || !loose.at)
		text_add(out, SPAN(";lr"));
	text_add(out, SPAN(">\r\n"));
}

static bool holds(struct span text, struct span part)
{
	return part.at >= text.at && part.at < text.at + text.length;
}

/* Writes the values of a Route line from "next" on, which may stand in it or in one before it. */
static void write_route_line(const struct message_line *line, struct span next, struct text *out)
{
	const char *end = line->whole.at + line->whole.length;

	if (!next.at || end <= next.at)
		return;
	if (!holds(line->whole, next)) {
		message_write_lines(line->whole, out);
		return;
	}
	text_add(out, SPAN("Route: "));
	message_write_lines((struct span){ next.at, (size_t)(end - next.at) }, out);
}

/* The body, and its length if nobody has said it: what comes in over a stream may go out over none. */
static void write_end(const struct message *message, struct text *out)
{
	bool stated = false;

	for (size_t i = 0; i < message->line_count; i++)
		stated |= message_line_is(&message->lines[i], "Content-Length");
	if (!stated)
		text_format(out, "Content-Length: %zu\r\n", message->body.length);
	text_add(out, SPAN("\r\n"));
	text_add(out, message->body);
}

/* What did not fit is taken back. */
static int finish(struct text *out, struct text before)
{
	if (!out->overflow)
		return 0;
	message_take_back(out, before);
	return -E2BIG;
}

static void write_request_lines(const struct message *request, const struct flow *flow,
				struct span next_route, struct text *out)
{
	for (size_t i = 0; i < request->line_count; i++) {
		const struct message_line *line = &request->lines[i];

		if (message_line_is(line, "Route"))
			write_route_line(line, next_route, out);
		else if (message_line_is(line, "Max-Forwards"))
			text_format(out, "Max-Forwards: %u\r\n", request->max_forwards - 1);
		else
			via_write_line(request, line, flow, out);
	}
}

int passing_write_request(const struct message *request, const struct passing_hop *from,
			  const struct passing_way *way, const struct hash_key *key,
			  struct text *out)
{
	struct text before = *out;

	if (request->has_max_forwards && request->max_forwards == 0)
		return -ELOOP;
	message_write_lines(request->start_line, out);
	write_own_via(request, from, way, key, out);
	if (way->route.at)
		write_route(way->route, out);
	if (!request->has_max_forwards)
		text_format(out, "Max-Forwards: %u\r\n", request->max_forwards);
	write_request_lines(request, &from->flow, way->next_route, out);
	write_end(request, out);
	return finish(out, before);
}

/* Where the answer goes that came with our Via on top: *to, which "proof" must vouch for. */
static int find_way_back(const struct message *response, const struct hash_key *key,
			 struct passing_hop *to)
{
	struct span stream, proof;
	struct message_via next;
	char expected[HASH_DIGITS + 1];
	struct text text = TEXT_OVER(expected);

	if (!response->next_via.at || via_read(response->next_via, &next) ||
	    via_target(&next, to->flow.remote_addr, &to->flow.remote_port) ||
	    value_find_parameter(response->via.parameters, SPAN("stream"), &stream) ||
	    value_find_parameter(response->via.parameters, SPAN("proof"), &proof) ||
	    (stream.at && number_read(stream, 1, UINT64_MAX, &to->stream)))
		return -EBADMSG;
	to->flow.transport = to->stream ? FLOW_TCP : FLOW_UDP;
	text_format(&text, "%0*" PRIx64, HASH_DIGITS, make_proof(response->via.branch, to, key));
	return span_equal(proof, text_span(&text)) ? 0 : -EBADMSG;
}

static bool is_own_via(const struct message_via *via, const uint8_t local_address[16],
		       uint16_t local_port)
{
	uint16_t port;
	uint8_t host[16];

	return read_marked(via, host, &port) && port == local_port &&
	       memcmp(host, local_address, sizeof(host)) == 0;
}

/* Writes the lines from the second value of Via on; nothing is above it but the topmost. */
static void write_response_lines(const struct message *response, struct text *out)
{
	struct span next = response->next_via;

	for (size_t i = 0; i < response->line_count; i++) {
		struct span whole = response->lines[i].whole;
		const char *end = whole.at + whole.length;

		if (holds(whole, next)) {
			text_add(out, SPAN("Via: "));
			whole = (struct span){ next.at, (size_t)(end - next.at) };
		} else if (holds(whole, response->via.value)) {
			continue;
		}
		message_write_lines(whole, out);
	}
}

int passing_write_response(const struct message *response, const uint8_t local_address[16],
			   uint16_t local_port, const struct hash_key *key, struct passing_hop *to,
			   struct text *out)
{
	struct passing_hop back = { .flow.local_port = local_port };
	struct text before = *out;
	int error;

	if (response->is_request || !is_own_via(&response->via, local_address, local_port) ||
	    find_way_back(response, key, &back))
		return -EBADMSG;
	memcpy(back.flow.local_addr, local_address, sizeof(back.flow.local_addr));
	message_write_lines(response->start_line, out);
	write_response_lines(response, out);
	write_end(response, out);
	error = finish(out, before);
	if (!error)
		*to = back;
	return error;
}
