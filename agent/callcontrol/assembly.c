/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/assembly.h"

#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "callcontrol/message.h"
#include "sip/headers.h"

/* Room for most messages. */
#define ROOM_FIRST 2048

static const char ping[] = "\r\n\r\n";

static void drop(struct span *bytes, size_t count)
{
	bytes->at += count;
	bytes->length -= count;
}

static int make_room(struct assembly *assembly, size_t wanted)
{
	size_t size = assembly->size ? assembly->size : ROOM_FIRST;
	char *grown;

	if (wanted > MESSAGE_MAX)
		return -E2BIG;
	if (wanted <= assembly->size)
		return 0;
	while (size < wanted)
		size *= 2;
	grown = realloc(assembly->held, size);
	if (!grown)
		return -ENOMEM;
	assembly->held = grown;
	assembly->size = size;
	return 0;
}

static int append(struct assembly *assembly, struct span *bytes, size_t count)
{
	int error = make_room(assembly, assembly->used + count);

	if (error)
		return error;
	memcpy(assembly->held + assembly->used, bytes->at, count);
	assembly->used += count;
	drop(bytes, count);
	return 0;
}

/* Steps over line ends between messages; true once they make a keepalive. */
static bool take_line_ends(struct assembly *assembly, struct span *bytes)
{
	while (bytes->length > 0 && (bytes->at[0] == '\r' || bytes->at[0] == '\n')) {
		char c = bytes->at[0];

		drop(bytes, 1);
		if (c == ping[assembly->line_ends])
			assembly->line_ends++;
		else
			assembly->line_ends = c == ping[0];
		if (assembly->line_ends < sizeof(ping) - 1)
			continue;
		assembly->line_ends = 0;
		return true;
	}
	return false;
}

/* Reads the Content-Length of a header part. */
static int read_body_length(struct span headers, size_t *length)
{
	uint64_t stated = 0;
	bool is_stated = false;
	struct header header;
	struct span line;
	int found;

	headers_line(&headers, &line);
	while ((found = headers_next(&headers, &header)) != 0) {
		if (found < 0 || header.name != HEADER_CONTENT_LENGTH)
			continue;
		if (is_stated || number_read(header.value, 0, UINT32_MAX, &stated))
			return -EBADMSG;
		is_stated = true;
	}
	*length = stated;
	return 0;
}

static int end_headers(struct assembly *assembly)
{
	size_t body;
	int error = read_body_length((struct span){ assembly->held, assembly->used }, &body);

	if (error)
		return error;
	if (body > MESSAGE_MAX - assembly->used)
		return -E2BIG;
	assembly->whole = assembly->used + body;
	return 0;
}

/* Takes what there is of one line of the header part. */
static int take_line(struct assembly *assembly, struct span *bytes)
{
	const char *newline = memchr(bytes->at, '\n', bytes->length);
	size_t count = newline ? (size_t)(newline - bytes->at) + 1 : bytes->length;
	int error = append(assembly, bytes, count);

	if (error || !newline)
		return error;
	if (headers_ended((struct span){ assembly->held + assembly->line_at,
					 assembly->used - assembly->line_at }))
		return end_headers(assembly);
	assembly->line_at = assembly->used;
	return 0;
}

static int take_body(struct assembly *assembly, struct span *bytes)
{
	size_t missing = assembly->whole - assembly->used;

	return append(assembly, bytes, bytes->length < missing ? bytes->length : missing);
}

static bool is_whole(const struct assembly *assembly)
{
	return assembly->whole > 0 && assembly->used == assembly->whole;
}

static void begin_anew(struct assembly *assembly)
{
	*assembly = (struct assembly){
		.held = assembly->held,
		.size = assembly->size,
		.line_ends = assembly->line_ends,
	};
}

int assembly_next(struct assembly *assembly, struct span *bytes, struct span *message)
{
	if (assembly->taken)
		begin_anew(assembly);
	if (assembly->used == 0 && take_line_ends(assembly, bytes))
		return ASSEMBLY_PING;
	while (bytes->length > 0) {
		int error = assembly->whole > 0 ? take_body(assembly, bytes)
						: take_line(assembly, bytes);

		if (error)
			return error;
		assembly->line_ends = 0;
		if (!is_whole(assembly))
			continue;
		assembly->taken = true;
		*message = (struct span){ assembly->held, assembly->used };
		return ASSEMBLY_MESSAGE;
	}
	return ASSEMBLY_HUNGRY;
}

bool assembly_is_amid(const struct assembly *assembly)
{
	return assembly->used > 0 && !assembly->taken;
}

void assembly_clear(struct assembly *assembly)
{
	free(assembly->held);
	*assembly = (struct assembly){ 0 };
}
