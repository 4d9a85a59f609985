/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/framer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "sip/headers.h"
#include "sip/start_line.h"

static struct span header_part(const struct sighting *message)
{
	return (struct span){ (const char *)message->bytes, message->captured };
}

static void drop(struct span *bytes, size_t count)
{
	bytes->at += count;
	bytes->length -= count;
}

static void step_over_body(struct framer *framer, struct span *bytes)
{
	size_t count = bytes->length < framer->body_left ? bytes->length : framer->body_left;

	framer->body_left -= (uint32_t)count;
	drop(bytes, count);
}

/* A line that is no header is passed over: whether it spoils the message is for others to say. */
static uint32_t read_body_length(struct span headers)
{
	uint64_t length = 0, again;
	struct header header;
	bool stated = false;
	struct span line;
	int found;

	headers_line(&headers, &line);
	while ((found = headers_next(&headers, &header)) != 0) {
		if (found < 0 || header.name != HEADER_CONTENT_LENGTH)
			continue;
		if (number_read(header.value, 0, FRAMER_BODY_MAX, &again) ||
		    (stated && again != length))
			return 0;
		length = again;
		stated = true;
	}
	return (uint32_t)length;
}

static struct sighting *hand_over(struct framer *framer, uint32_t beyond)
{
	framer->message->wire_length = framer->message->captured + beyond;
	framer->line_at = 0;
	return take_ptr(framer->message);
}

/* Appends as many bytes as fit; false if some do not. */
static bool append(struct framer *framer, struct span *bytes, size_t count)
{
	struct sighting *message = framer->message;
	size_t room = SIGHTING_CAPTURE_MAX - message->captured;
	size_t taken = count < room ? count : room;

	memcpy(message->bytes + message->captured, bytes->at, taken);
	message->captured = (uint16_t)(message->captured + taken);
	drop(bytes, taken);
	return taken == count;
}

/* What does not fit is not kept, so nobody can tell where the next message begins. */
static int hand_over_cut(struct framer *framer, struct sighting **message)
{
	bool has_start_line = framer->line_at > 0;

	if (has_start_line)
		*message = hand_over(framer, 1);
	framer_lose(framer);
	return has_start_line;
}

static bool is_empty_line(struct span line)
{
	return span_equal(line, SPAN("\r\n")) || span_equal(line, SPAN("\n"));
}

/* Takes what there is of a line; 1 if it is the empty one, or if the message is full. */
static int take_line(struct framer *framer, struct span *bytes, struct sighting **message)
{
	const char *newline = memchr(bytes->at, '\n', bytes->length);
	size_t count = newline ? (size_t)(newline - bytes->at) + 1 : bytes->length;
	struct span line;

	if (!append(framer, bytes, count))
		return hand_over_cut(framer, message);
	line = header_part(framer->message);
	drop(&line, framer->line_at);
	if (framer->line_at == 0 && !start_line_begins(line))
		framer_lose(framer);
	else if (newline && is_empty_line(line)) {
		framer->body_left = read_body_length(header_part(framer->message));
		*message = hand_over(framer, framer->body_left);
		return 1;
	} else if (newline)
		framer->line_at = framer->message->captured;
	return 0;
}

static int begin_message(struct framer *framer)
{
	framer->message = malloc(sizeof(*framer->message) + SIGHTING_CAPTURE_MAX);
	if (!framer->message)
		return -ENOMEM;
	memset(framer->message, 0, sizeof(*framer->message));
	framer->line_at = 0;
	return 0;
}

int framer_next(struct framer *framer, struct span *bytes, struct sighting **message)
{
	int whole = 0;

	while (bytes->length > 0 && !whole && !framer->lost) {
		if (framer->body_left > 0)
			step_over_body(framer, bytes);
		else if (!framer->message && (bytes->at[0] == '\r' || bytes->at[0] == '\n'))
			drop(bytes, 1);
		else if (!framer->message && begin_message(framer))
			return -ENOMEM;
		else
			whole = take_line(framer, bytes, message);
	}
	return whole;
}

void framer_skip(struct framer *framer, uint32_t count)
{
	if (count > framer->body_left)
		framer_lose(framer);
	else
		framer->body_left -= count;
}

void framer_lose(struct framer *framer)
{
	free(framer->message);
	*framer = (struct framer){ .lost = true };
}
