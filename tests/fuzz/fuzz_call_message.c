/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes to call control: bytes of a stream are put together to messages, as datagrams each is
 * one; a message is read, answered, passed on, and the answer to what was passed on is returned.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "callcontrol/assembly.h"
#include "callcontrol/passing.h"
#include "callcontrol/reply.h"
#include "callcontrol/via.h"

static const struct hash_key key = { { 1, 2 } };
static char output[2 * MESSAGE_MAX];

static bool listens(const void *context, const uint8_t address[16], uint16_t port)
{
	const struct flow *flow = context;

	return memcmp(flow->local_addr, address, 16) == 0 && port == flow->local_port;
}

static void touch_via(const struct message_via *via)
{
	fuzz_touch(via->value);
	fuzz_touch(via->transport);
	fuzz_touch(via->host);
	fuzz_touch(via->branch);
	fuzz_touch(via->received);
	fuzz_touch(via->rport);
	fuzz_touch(via->parameters);
}

static void touch(const struct message *message)
{
	const struct span spans[] = {
		message->start_line, message->method, message->uri,      message->body,
		message->next_via,   message->from,   message->to,       message->call_id,
		message->cseq,       message->to_tag, message->from_tag, message->route,
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		fuzz_touch(spans[i]);
	fuzz_demand(message->line_count <= MESSAGE_LINES_MAX);
	for (size_t i = 0; i < message->line_count; i++) {
		fuzz_touch(message->lines[i].name);
		fuzz_touch(message->lines[i].value);
		fuzz_touch(message->lines[i].whole);
	}
	touch_via(&message->via);
}

/* Whatever is written is a message that can be read. */
static void read_back(struct span bytes, struct message *message)
{
	char *copy = fuzz_copy(bytes);
	const char *reason = NULL;
	int error = message_read((struct span){ copy, bytes.length }, message, &reason);

	fuzz_demand(error == 0 || error == -EPROTO || error == -EBADMSG);
	if (error != -EBADMSG)
		touch(message);
	free(copy);
}

static void answer(const struct message *request, const struct passing_hop *from)
{
	static struct message written;
	struct text text = TEXT_OVER(output);
	const struct reply reply = { .status = 302,
				     .reason = "Moved Temporarily",
				     .contacts = { SPAN("sip:bob@192.0.2.1") },
				     .contact_count = 1,
				     .unsupported = SPAN("gruu") };
	size_t limit = reply_limit(request->bytes.length);

	if (reply_write(&reply, request, &from->flow, &key, limit, &text))
		return;
	fuzz_demand(text.used <= limit && !text.overflow);
	read_back(text_span(&text), &written);
}

/* The request goes on, and what is passed on comes back as if it were its own answer. */
static void pass_on(const struct message *request, const struct passing_hop *from)
{
	const struct passing_self self = { .domain = SPAN("example.com"),
					   .listens = listens,
					   .context = &from->flow };
	struct passing_way way = { .local_port = from->flow.local_port,
				   .route = SPAN("sip:192.0.2.11:5060"),
				   .next_route = passing_next_route(request, &self) };
	struct text text = TEXT_OVER(output);
	static struct message written;
	uint8_t address[16];
	uint16_t port;

	memcpy(way.local_address, from->flow.local_addr, sizeof(way.local_address));
	fuzz_touch(way.next_route);
	(void)passing_target(way.next_route, address, &port);
	(void)passing_target(request->uri, address, &port);
	if (passing_is_loop(request, &self) ||
	    passing_write_request(request, from, &way, &key, &text))
		return;
	fuzz_demand(!text.overflow && text.used > 0);
	read_back(text_span(&text), &written);
}

static void give_back(const struct message *response, const struct passing_hop *from)
{
	struct text text = TEXT_OVER(output);
	struct passing_hop to = { .stream = 0 };
	static struct message written;

	if (passing_write_response(response, from->flow.local_addr, from->flow.local_port, &key,
				   &to, &text))
		return;
	fuzz_demand(!text.overflow && text.used <= response->bytes.length);
	read_back(text_span(&text), &written);
}

static void take(struct span bytes, const struct passing_hop *from)
{
	static struct message message;
	char aor[1024], *copy = fuzz_copy(bytes);
	const char *reason = NULL;
	int error = message_read((struct span){ copy, bytes.length }, &message, &reason);

	fuzz_demand(error == 0 || error == -EBADMSG || (error == -EPROTO && reason));
	if (error != -EBADMSG) {
		touch(&message);
		answer(&message, from);
	}
	if (error == 0 && message.is_request) {
		fuzz_touch(message_aor(&message, aor, sizeof(aor)));
		pass_on(&message, from);
	}
	if (error == 0 && !message.is_request)
		give_back(&message, from);
	free(copy);
}

/* The pieces of a stream are as long as its first byte says, each. */
static void take_stream(struct fuzz_input *input, const struct passing_hop *from)
{
	size_t length = fuzz_byte(input) * 4 + 1U;
	struct assembly assembly = { .held = NULL };
	int result = 0;

	while (input->left > 0 && result >= 0) {
		struct span bytes = fuzz_bytes(input, length), message;

		while ((result = assembly_next(&assembly, &bytes, &message)) > ASSEMBLY_HUNGRY)
			if (result == ASSEMBLY_MESSAGE)
				take(message, from);
	}
	assembly_clear(&assembly);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_byte(&input);
	const struct passing_hop from = { .flow = fuzz_flow(how >> 4), .stream = how >> 1 & 1 };

	if (how & 1)
		take_stream(&input, &from);
	else
		take(fuzz_bytes(&input, MESSAGE_MAX), &from);
	return 0;
}
