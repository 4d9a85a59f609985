/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_add(struct text *text, struct span bytes)
{
	if (text->overflow || bytes.length >= text->size - text->used) {
		text->overflow = true;
		return;
	}
	if (bytes.length > 0)
		memcpy(text->buffer + text->used, bytes.at, bytes.length);
	text->used += bytes.length;
	text->buffer[text->used] = '\0';
}

void text_format(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->used;
	va_list arguments;
	int length;

	if (text->overflow)
		return;
	va_start(arguments, format);
	length = vsnprintf(text->buffer + text->used, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room) {
		if (room > 0)
			text->buffer[text->used] = '\0';
		text->overflow = true;
		return;
	}
	text->used += (size_t)length;
}
