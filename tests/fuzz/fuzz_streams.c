/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of TCP streams, as a tap sees them: the input is a list of pieces, each with a flow, a
 * place, a time, and whether its end was captured.
 */
#include "fuzz.h"

#include <string.h>

#include "base/clock.h"
#include "sip/reader.h"
#include "sip/streams.h"

#define STREAMS 4 /* fewer than there are flows and directions */
#define SEPARATOR "\n--\n" /* between pieces */

struct world {
	struct streams *streams;
	struct sip_reader *reader;
	struct counts counts;
	uint64_t now_ns;
	uint32_t next[16][2]; /* what a flow's next byte is, either way */
};

static void hear(void *context, const struct sighting *message)
{
	struct span bytes = { (const char *)message->bytes, message->captured };
	struct world *world = context;
	struct facts facts;

	fuzz_demand(message->kind == SIGHTING_MESSAGE);
	fuzz_demand(message->captured > 0 && message->captured <= SIGHTING_CAPTURE_MAX);
	fuzz_demand(message->wire_length >= message->captured);
	fuzz_demand(message->when_ns == world->now_ns);
	fuzz_touch(bytes);
	if (sip_reader_read(world->reader, bytes, &facts) == 0)
		fuzz_touch_facts(&facts);
}

/*
 * The first byte of a piece: flow and direction. The second one: how far from where the last piece
 * ended it stands, and whether seconds pass. The third one: bytes that were on the wire but
 * not captured.
 */
static void show(struct world *world, struct fuzz_input *piece)
{
	uint8_t which = fuzz_byte(piece), how = fuzz_byte(piece), lost = fuzz_byte(piece);
	struct span bytes = fuzz_bytes(piece, SIGHTING_CAPTURE_MAX);
	struct sighting *segment = calloc(1, sizeof(*segment) + bytes.length);
	uint32_t *next = &world->next[which % 16][which / 16 % 2];

	if (!segment)
		abort();
	world->now_ns += how & 1 ? (how >> 1 & 7) * NS_PER_S : NS_PER_MS;
	segment->flow = fuzz_flow((uint8_t)(which % 16));
	segment->flow.transport = FLOW_TCP;
	segment->kind = SIGHTING_SEGMENT;
	segment->direction = which / 16 % 2;
	segment->when_ns = world->now_ns;
	segment->captured = (uint16_t)bytes.length;
	segment->wire_length = (uint32_t)bytes.length + (lost > 0x80 ? lost : 0);
	segment->sequence = *next + (uint32_t)((how >> 4) - 8) * (how & 8 ? 97 : 0);
	*next = segment->sequence + segment->wire_length;
	memcpy(segment->bytes, bytes.at, bytes.length);
	streams_segment(world->streams, segment, hear, world);
	if (which & 0x40 && which & 0x80)
		streams_close(world->streams, &segment->flow);
	free(segment);
	fuzz_demand(streams_count(world->streams) <= STREAMS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .now_ns = NS_PER_S };

	world.streams = streams_new(STREAMS, &world.counts);
	world.reader = sip_reader_new();
	if (!world.streams || !world.reader)
		abort();
	memset(world.next, 0xff, sizeof(world.next)); /* sequence numbers wrap at once */
	while (input.left > 0) {
		struct span bytes = fuzz_piece(&input, SEPARATOR);
		struct fuzz_input piece = { (const uint8_t *)bytes.at, bytes.length };

		show(&world, &piece);
	}
	sip_reader_free(world.reader);
	streams_free(world.streams);
	return 0;
}
