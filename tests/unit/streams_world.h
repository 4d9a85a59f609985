/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams_world.h - a room of streams, and the messages that it told of, for tests of
 * streams. Include cmocka first.
 */
#ifndef TESTS_UNIT_STREAMS_WORLD_H
#define TESTS_UNIT_STREAMS_WORLD_H

#include <stdlib.h>

#include "base/clock.h"
#include "base/span.h"
#include "sip/streams.h"

#define LIMIT 4
#define TOLD_MAX 64

/* A message's header part, told apart by its Call-ID, and its body. */
#define HEADERS(id, length) \
	"REGISTER sip:example.com SIP/2.0\r\nCall-ID: " id "\r\nContent-Length: " length "\r\n\r" \
	"\n"
#define MESSAGE(id) HEADERS(id, "0")

struct world {
	struct counts counts;
	struct streams *streams;
	struct flow flow;
	enum sighting_direction direction;
	uint64_t when_ns;
	size_t told_count;
	struct sighting *told[TOLD_MAX]; /* copies */
};

static inline int setup_room(void **state, size_t limit)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->streams = streams_new(limit, &w->counts);
	w->flow = (struct flow){ .local_port = 5060, .remote_port = 40001, .transport = FLOW_TCP };
	w->when_ns = NS_PER_S;
	*state = w;
	return w->streams ? 0 : -1;
}

static inline int setup(void **state)
{
	return setup_room(state, LIMIT);
}

static inline void forget_told(struct world *w)
{
	while (w->told_count > 0)
		free(w->told[--w->told_count]);
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	streams_free(w->streams);
	forget_told(w);
	free(w);
	return 0;
}

static inline void hear(void *context, const struct sighting *message)
{
	struct world *w = context;
	struct sighting *copy = malloc(sizeof(*copy) + message->captured);

	assert_non_null(copy);
	assert_true(w->told_count < TOLD_MAX);
	memcpy(copy, message, sizeof(*copy) + message->captured);
	w->told[w->told_count++] = copy;
}

/* Shows a piece of which the first bytes alone were captured, in a heap block of just that size. */
static inline void show_cut(struct world *w, uint32_t sequence, struct span bytes, size_t captured)
{
	struct sighting *segment = malloc(sizeof(*segment) + captured);

	assert_non_null(segment);
	*segment = (struct sighting){
		.flow = w->flow,
		.when_ns = w->when_ns,
		.wire_length = (uint32_t)bytes.length,
		.captured = (uint16_t)captured,
		.direction = (uint8_t)w->direction,
		.kind = SIGHTING_SEGMENT,
		.sequence = sequence,
	};
	if (captured > 0)
		memcpy(segment->bytes, bytes.at, captured);
	streams_segment(w->streams, segment, hear, w);
	free(segment);
}

static inline void show(struct world *w, uint32_t sequence, struct span bytes)
{
	show_cut(w, sequence, bytes, bytes.length);
}

/* Shows so many bytes of a stream, which begins with sequence number "first". */
static inline void show_part(struct world *w, uint32_t first, struct span stream, size_t from,
			     size_t length)
{
	show(w, first + (uint32_t)from, (struct span){ stream.at + from, length });
}

static inline void assert_told(const struct world *w, size_t index, struct span headers,
			       uint32_t wire_length)
{
	const struct sighting *message;

	assert_true(index < w->told_count);
	message = w->told[index];
	if (!span_equal((struct span){ (const char *)message->bytes, message->captured }, headers))
		fail_msg("\"%.*s\" is not \"%.*s\"", message->captured,
			 (const char *)message->bytes, (int)headers.length, headers.at);
	assert_int_equal(message->wire_length, wire_length);
	assert_int_equal(message->kind, SIGHTING_MESSAGE);
	assert_int_equal(message->direction, w->direction);
	assert_memory_equal(&message->flow, &w->flow, sizeof(w->flow));
}

/* The only message told of since the last look is this one, without a body. */
static inline void assert_told_only(struct world *w, struct span message)
{
	assert_int_equal(w->told_count, 1);
	assert_told(w, 0, message, (uint32_t)message.length);
	forget_told(w);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
