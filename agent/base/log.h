/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - one line on standard error for whoever runs the agent.
 *
 * A line says what happened and, where something is wrong, what to do. It is
 * written where the knowledge is, on crossings (a path became silent), never on
 * every event.
 */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are not written; LOG_LEVEL_INFO until it is called. */
void log_set_level(enum log_level level);

/* Writes "PROGRAM: text\n"; a line is at most 1 KiB, longer text is cut. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * log_line() at LOG_LEVEL_ERROR, returning -errno_value: logs where the knowledge
 * is and returns in one statement.
 */
int log_errno(int errno_value, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
