/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - the one way to build text: a bounded builder over a caller's buffer.
 *
 * Once something did not fit, "overflow" stays set and the text must not be
 * used; so a caller checks once, at the end.
 */
#ifndef AGENT_BASE_TEXT_H
#define AGENT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct text {
	char *buffer; /* the caller's; always terminated while size > 0 */
	size_t size;
	size_t used;
	bool overflow;
};

/* A builder over "array", which must be an array and outlive it. */
#define TEXT_OVER(array) ((struct text){ .buffer = (array), .size = sizeof(array) })

/* Appends the bytes of a span. */
void text_add(struct text *text, struct span bytes);

/* Appends as printf does. */
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What has been built so far. */
static inline struct span text_span(const struct text *text)
{
	return (struct span){ text->buffer, text->used };
}

#endif
