/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static enum log_level highest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	highest = level;
}

/* What stands in a line may come from outside: it makes no line of its own, and steers no terminal. */
static void blot_out_controls(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)text[i]))
			text[i] = '?';
}

/* One write() a line, so that lines of several processes never mix. */
static void write_line(enum log_level level, const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES];
	int used, more;

	if (level > highest)
		return;
	used = snprintf(line, sizeof(line), "%s: ", program_invocation_short_name);
	more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, arguments);
	if (more < 0)
		return;
	used += more;
	if (used > LINE_MAX_BYTES - 2)
		used = LINE_MAX_BYTES - 2;
	blot_out_controls(line, (size_t)used);
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)used) < 0)
		return; /* nowhere left to complain */
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(level, format, arguments);
	va_end(arguments);
}

int log_errno(int errno_value, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_LEVEL_ERROR, format, arguments);
	va_end(arguments);
	return -errno_value;
}
