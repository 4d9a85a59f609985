/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

enum exit_status say(enum exit_status status, const char *format, ...)
{
	va_list arguments;

	fputs("sippath: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return status;
}
