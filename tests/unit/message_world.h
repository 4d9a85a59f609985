/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message_world.h - messages of a call, where they come from, and how they are read, answered and
 * passed on, for tests of call control. Include cmocka first.
 */
#ifndef TESTS_UNIT_MESSAGE_WORLD_H
#define TESTS_UNIT_MESSAGE_WORLD_H

#include "base/address.h"
#include "callcontrol/passing.h"
#include "callcontrol/reply.h"

#define LINE "INVITE sip:bob@example.com SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;rport\r\n"
#define FROM "From: \"Alice\" <sip:alice@example.com>;tag=from1\r\n"
#define TO "To: <sip:bob@example.com>\r\n"
#define CALL_ID "Call-ID: call@10.0.0.5\r\n"
#define CSEQ "CSeq: 17 INVITE\r\n"
#define NEEDED VIA FROM TO CALL_ID CSEQ
#define END "\r\n"
#define INVITE LINE NEEDED "Content-Length: 0\r\n" END

/* Who calls, seen from us, and we. */
#define CALLER "198.51.100.7:40001"
#define LOCAL "192.0.2.1:5060"
#define LOCAL_TOO "192.0.2.9:5070"

#define PORT 5060

static const struct hash_key key = { { 1, 2 } };

static inline struct passing_hop hop_from(const char *remote, const char *local)
{
	struct passing_hop hop = { .flow.transport = FLOW_UDP };
	struct flow *flow = &hop.flow;

	assert_int_equal(address_read_port(span_of(remote), flow->remote_addr, &flow->remote_port),
			 0);
	assert_int_equal(address_read_port(span_of(local), flow->local_addr, &flow->local_port), 0);
	return hop;
}

static inline bool listens(const void *context, const uint8_t address[16], uint16_t port)
{
	static const char *const ours[] = { LOCAL, LOCAL_TOO };

	(void)context;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		struct passing_hop hop = hop_from(CALLER, ours[i]);

		if (memcmp(hop.flow.local_addr, address, sizeof(hop.flow.local_addr)) == 0 &&
		    hop.flow.local_port == port)
			return true;
	}
	return false;
}

static const struct passing_self self = { .domain = { "calls.example.com", 17 },
					  .listens = listens };

/* A message goes on from where it came in, less its Routes to us. */
static inline struct passing_way way_of(const struct message *message,
					const struct passing_hop *from, struct span route)
{
	struct passing_way way = { .local_port = from->flow.local_port,
				   .route = route,
				   .next_route = passing_next_route(message, &self) };

	memcpy(way.local_address, from->flow.local_addr, sizeof(way.local_address));
	return way;
}

static inline void read_message(struct span bytes, struct message *message)
{
	const char *reason = "none at all";

	if (message_read(bytes, message, &reason))
		fail_msg("%s: %.*s", reason, (int)bytes.length, bytes.at);
}

static inline void assert_span(struct span span, const char *expected)
{
	assert_non_null(span.at);
	if (!span_equal(span, span_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)span.length, span.at, expected);
}

static inline void assert_absent(struct span span)
{
	assert_null(span.at);
	assert_int_equal(span.length, 0);
}

/* True if a text stands in the bytes. */
static inline bool has(struct span bytes, const char *text)
{
	return memmem(bytes.at, bytes.length, text, strlen(text));
}

static inline void assert_has(struct span bytes, const char *text)
{
	if (!has(bytes, text))
		fail_msg("\"%s\" is not in: %.*s", text, (int)bytes.length, bytes.at);
}

static inline void assert_has_not(struct span bytes, const char *text)
{
	if (has(bytes, text))
		fail_msg("\"%s\" is in: %.*s", text, (int)bytes.length, bytes.at);
}

#endif
