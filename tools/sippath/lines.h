/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h - what the agent says, a line at a time, as it comes. */
#ifndef SIPPATH_LINES_H
#define SIPPATH_LINES_H

#include <stddef.h>

enum lines_result {
	LINES_LINE, /* there is one */
	LINES_ENDED, /* nothing more will come, and what came last was no whole line */
	LINES_LATE, /* nothing has come for too long */
	LINES_UNWANTED, /* whoever reads our output has left */
	LINES_FAILED, /* out of memory, or the line is absurdly long */
};

/* Visible because it is a value that its owner embeds; only lines.c touches the other members. */
struct lines {
	int fd; /* the owner's; all else is zero at first */
	char *bytes;
	size_t size;
	size_t used;
	size_t taken; /* bytes of lines that were handed out */
};

/*
 * The next line, without its end; good until the next call. Waits "patience_ms" for it; with
 * -1 for as long as somebody reads our output.
 */
enum lines_result lines_next(struct lines *lines, int patience_ms, const char **line,
			     size_t *length);

/* Frees the buffer. */
void lines_free(struct lines *lines);

#endif
