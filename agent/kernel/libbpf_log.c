/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/libbpf_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/span.h"

#define LIBRARY_SAYS "libbpf: "
#define KERNEL_SAYS "Kernel error message: "
#define VERIFIER_BEGINS "-- BEGIN PROG LOAD LOG --"
#define VERIFIER_ENDS "-- END PROG LOAD LOG --"
#define VERIFIER_STATISTICS "processed "

static char reason[256];

static void keep_reason(struct span text)
{
	const size_t prefix = strlen(LIBRARY_SAYS);

	text = span_trim(text);
	if (text.length == 0)
		return;
	if (text.length > prefix && strncmp(text.at, LIBRARY_SAYS, prefix) == 0)
		text = (struct span){ text.at + prefix, text.length - prefix };
	snprintf(reason, sizeof(reason), "%.*s", (int)text.length, text.at);
}

/* The last line of the verifier's log is the complaint; only its statistics may follow. */
static struct span last_complaint(struct span log)
{
	struct span last = { NULL, 0 };
	const char *at = log.at, *end = log.at + log.length;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		if (length > 0 &&
		    strncmp(at, VERIFIER_STATISTICS, strlen(VERIFIER_STATISTICS)) != 0)
			last = (struct span){ at, length };
		at += length + 1;
	}
	return last;
}

/*
 * The first warning is the most exact one, those after it only say what failed in
 * consequence; but what the kernel itself said is better than either.
 */
static void note(const char *text)
{
	const char *kernel = strstr(text, KERNEL_SAYS);
	const char *begin = strstr(text, VERIFIER_BEGINS);
	const char *end = begin ? strstr(begin, VERIFIER_ENDS) : NULL;

	if (kernel) {
		keep_reason(span_of(kernel + strlen(KERNEL_SAYS)));
	} else if (end) {
		begin += strlen(VERIFIER_BEGINS);
		keep_reason(last_complaint((struct span){ begin, (size_t)(end - begin) }));
	} else if (reason[0] == '\0') {
		keep_reason(span_of(text));
	}
}

static void debug_lines(char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_debug("%s", line);
}

/* Texts of the level LIBBPF_DEBUG are not even formatted: there are hundreds of them. */
__attribute__((format(printf, 2, 0))) static int take_text(enum libbpf_print_level level,
							   const char *format, va_list arguments)
{
	cleanup_free char *text = NULL;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	length = vasprintf(&text, format, arguments);
	if (length < 0) {
		text = NULL;
		return 0;
	}
	if (level == LIBBPF_WARN)
		note(text);
	debug_lines(text);
	return length;
}

void libbpf_log_begin(void)
{
	reason[0] = '\0';
	libbpf_set_print(take_text);
}

const char *libbpf_log_reason(void)
{
	return reason;
}
