/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "mutations.h"

#define TYPE_OFFSET (2 * ETHER_ADDR_LEN)
#define IP_OFFSET ((size_t)ETHER_HDR_LEN)

/* Mostly in the headers, where it matters. */
static size_t draw_position(struct chance *chance, const struct frame *frame)
{
	size_t headers = frame->headers + 16;
	size_t limit = chance_of(chance, 80) && headers < frame->length ? headers : frame->length;

	return TYPE_OFFSET + chance_below(chance, limit - TYPE_OFFSET);
}

static void flip_bits(struct chance *chance, struct frame *frame)
{
	for (size_t bits = 1 + chance_below(chance, 3); bits > 0; bits--)
		frame->bytes[draw_position(chance, frame)] ^=
			(uint8_t)(1 << chance_below(chance, 8));
}

/* Numbers at which something overflows, or begins to mean something else. */
static void write_extreme(struct chance *chance, struct frame *frame)
{
	static const uint32_t extremes[] = {
		0,      1,      7,       8,      0x7f,   0x80,   0xff,   0x7fff,     0x8000,
		0xfff8, 0xffff, 0x10000, 0x8100, 0x88a8, 0x0800, 0x86dd, 0x7fffffff, 0xffffffff
	};
	uint32_t extreme = chance_pick(chance, extremes);
	size_t size = (size_t)1 << chance_below(chance, 3);
	size_t position = draw_position(chance, frame);

	for (size_t i = 0; i < size && position + i < frame->length; i++)
		frame->bytes[position + i] = (uint8_t)(extreme >> 8 * (size - 1 - i));
}

static void truncate_frame(struct chance *chance, struct frame *frame)
{
	frame->length = draw_position(chance, frame);
}

/* Makes room for so many bytes, as far as there is any, and fills it with zeros. */
static uint8_t *insert(struct frame *frame, size_t position, size_t size)
{
	uint8_t *at = frame->bytes + position;

	if (position > frame->length || frame->length + size > MUTATIONS_LENGTH_MAX)
		return NULL;
	memmove(at + size, at, frame->length - position);
	memset(at, 0, size);
	frame->length += size;
	frame->headers += size;
	return at;
}

static void insert_bytes(struct chance *chance, struct frame *frame)
{
	size_t size = 4 + 4 * chance_below(chance, 4);
	uint8_t *at = insert(frame, draw_position(chance, frame), size);

	if (at && chance_of(chance, 50))
		memset(at, (int)chance_below(chance, 256), size);
}

static void delete_bytes(struct chance *chance, struct frame *frame)
{
	size_t position = draw_position(chance, frame), size = 1 + chance_below(chance, 16);

	if (position + size > frame->length)
		return;
	memmove(frame->bytes + position, frame->bytes + position + size,
		frame->length - position - size);
	frame->length -= size;
}

static void insert_tag(struct chance *chance, struct frame *frame)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100, 0x0806 };
	uint16_t type = htons(chance_pick(chance, types));
	uint8_t *at = insert(frame, TYPE_OFFSET, 4);

	if (at)
		memcpy(at, &type, sizeof(type));
}

/* An extension header as long as its length says, with every other length right as well. */
static void insert_extension(struct chance *chance, struct frame *frame)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS,
					 IPPROTO_FRAGMENT, IPPROTO_AH };
	uint8_t kind = chance_pick(chance, kinds), *ip = frame->bytes + IP_OFFSET, *at;
	size_t length = chance_of(chance, 80) ? chance_below(chance, 8) : chance_below(chance, 256);
	size_t size = 8;
	uint16_t payload;

	if (frame->length < IP_OFFSET + 40 || ip[0] >> 4 != 6)
		return;
	if (kind != IPPROTO_FRAGMENT)
		size += length * (kind == IPPROTO_AH ? 4 : 8);
	at = insert(frame, IP_OFFSET + 40, size);
	if (!at)
		return;
	at[0] = ip[6];
	at[1] = (uint8_t)length;
	at[3] = kind == IPPROTO_FRAGMENT && chance_of(chance, 20);
	ip[6] = kind;
	memcpy(&payload, ip + 4, sizeof(payload));
	payload = htons((uint16_t)(ntohs(payload) + size));
	memcpy(ip + 4, &payload, sizeof(payload));
}

/* The rest of the frame is what some other part of it is. */
static void splice(struct chance *chance, struct frame *frame)
{
	size_t to = draw_position(chance, frame), from = draw_position(chance, frame);

	if (frame->length + to - from > MUTATIONS_LENGTH_MAX || from > frame->length)
		return;
	memmove(frame->bytes + to, frame->bytes + from, frame->length - from);
	frame->length = frame->length + to - from;
}

/* Makes a frame longer than its IP packet says. */
static void append_bytes(struct chance *chance, struct frame *frame)
{
	size_t size = chance_below(chance, 64);

	if (frame->length + size > MUTATIONS_LENGTH_MAX)
		return;
	memset(frame->bytes + frame->length, (int)chance_below(chance, 256), size);
	frame->length += size;
}

void mutations_draw(struct chance *chance, struct frame *frame)
{
	static void (*const mutations[])(struct chance *, struct frame *) = {
		flip_bits,      flip_bits,    write_extreme,    write_extreme,
		truncate_frame, insert_bytes, delete_bytes,     insert_tag,
		append_bytes,   splice,       insert_extension, insert_extension,
	};

	for (size_t count = 1 + chance_below(chance, 3); count > 0; count--) {
		chance_pick(chance, mutations)(chance, frame);
		if (frame->length < MUTATIONS_LENGTH_MIN)
			frame->length = MUTATIONS_LENGTH_MIN;
	}
}
