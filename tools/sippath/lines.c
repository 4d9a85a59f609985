/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES_FIRST ((size_t)4096)

/* Many times the longest line of any agent. */
#define BYTES_MAX ((size_t)4 * 1024 * 1024)

/* Makes room behind what is there; false if that is not possible. */
static bool make_room(struct lines *lines)
{
	size_t size = lines->size ? 2 * lines->size : BYTES_FIRST;
	char *bytes;

	if (lines->taken > 0) {
		lines->used -= lines->taken;
		memmove(lines->bytes, lines->bytes + lines->taken, lines->used);
		lines->taken = 0;
	}
	if (lines->used < lines->size)
		return true;
	bytes = size <= BYTES_MAX ? realloc(lines->bytes, size) : NULL;
	if (!bytes)
		return false;
	lines->bytes = bytes;
	lines->size = size;
	return true;
}

/* LINES_LINE if there is something to read. */
static enum lines_result await(const struct lines *lines, int patience_ms)
{
	struct pollfd fds[] = {
		{ .fd = lines->fd, .events = POLLIN },
		/* Nothing is asked for, so only its end is told. */
		{ .fd = patience_ms < 0 ? STDOUT_FILENO : -1 },
	};
	int ready = poll(fds, 2, patience_ms);

	if (ready < 0)
		return errno == EINTR ? LINES_LINE : LINES_FAILED;
	if (ready == 0)
		return LINES_LATE;
	return fds[1].revents ? LINES_UNWANTED : LINES_LINE;
}

static enum lines_result receive(struct lines *lines, int patience_ms)
{
	enum lines_result result = await(lines, patience_ms);
	ssize_t length;

	if (result != LINES_LINE)
		return result;
	length = read(lines->fd, lines->bytes + lines->used, lines->size - lines->used);
	if (length < 0)
		return errno == EINTR ? LINES_LINE : LINES_ENDED;
	lines->used += (size_t)length;
	return length > 0 ? LINES_LINE : LINES_ENDED;
}

/* The end of the first line that has not been taken, NULL for none. */
static char *find_end(const struct lines *lines)
{
	if (lines->used == lines->taken)
		return NULL;
	return memchr(lines->bytes + lines->taken, '\n', lines->used - lines->taken);
}

enum lines_result lines_next(struct lines *lines, int patience_ms, const char **line,
			     size_t *length)
{
	enum lines_result result;
	char *end;

	while (!(end = find_end(lines))) {
		if (!make_room(lines))
			return LINES_FAILED;
		result = receive(lines, patience_ms);
		if (result != LINES_LINE)
			return result;
	}
	*line = lines->bytes + lines->taken;
	*length = (size_t)(end - *line);
	lines->taken += *length + 1;
	return LINES_LINE;
}

void lines_free(struct lines *lines)
{
	free(lines->bytes);
}
