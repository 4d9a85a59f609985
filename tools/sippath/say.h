/* SPDX-License-Identifier: GPL-2.0-or-later */
/* say.h - one line on standard error: why something was not done. */
#ifndef SIPPATH_SAY_H
#define SIPPATH_SAY_H

#include "command.h"

/* Writes "sippath: text\n" and returns the status, so that a caller says and returns at once. */
enum exit_status say(enum exit_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
