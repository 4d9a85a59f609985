/* SPDX-License-Identifier: GPL-2.0-or-later */
/* span.h - a piece of somebody else's bytes: where it starts and how long it is. */
#ifndef AGENT_BASE_SPAN_H
#define AGENT_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Not terminated, not owned. An absent value is {NULL, 0}; an empty one has at != NULL. */
struct span {
	const char *at;
	size_t length;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* A span over a terminated string; NULL gives the absent span. */
static inline struct span span_of(const char *string)
{
	return (struct span){ string, string ? strlen(string) : 0 };
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* The same without regard to ASCII case. */
static inline bool span_equal_nocase(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || strncasecmp(a.at, b.at, a.length) == 0);
}

static inline bool span_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The span without blanks, tabs and line ends at either end. */
static inline struct span span_trim(struct span s)
{
	while (s.length > 0 && span_is_blank(s.at[0])) {
		s.at++;
		s.length--;
	}
	while (s.length > 0 && span_is_blank(s.at[s.length - 1]))
		s.length--;
	return s;
}

#endif
