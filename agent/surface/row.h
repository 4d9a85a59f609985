/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * row.h - builds one JSON object, member by member.
 *
 * Members keep their order. Failures (there is but one: no memory) are remembered,
 * so a caller checks once, at row_end().
 */
#ifndef AGENT_SURFACE_ROW_H
#define AGENT_SURFACE_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "flow.h"

struct row {
	json_t *object;
	bool failed;
};

struct row row_begin(void);

/* The finished object, the caller's; NULL if anything failed on the way. */
json_t *row_end(struct row *row);

/* Takes the value, whatever becomes of it; a value of NULL is a failure. */
void row_put(struct row *row, const char *name, json_t *value);

void row_put_null(struct row *row, const char *name);

/* A literal of this program. */
void row_put_word(struct row *row, const char *name, const char *word);

void row_put_flag(struct row *row, const char *name, bool flag);

/* Text from outside, as row_text(); an absent span is null. */
void row_put_text(struct row *row, const char *name, struct span text);

/* JSON numbers are signed here: more than INT64_MAX is shown as INT64_MAX. */
void row_put_number(struct row *row, const char *name, uint64_t number);

/* The same, where 0 stands for "not known": null. */
void row_put_known(struct row *row, const char *name, uint64_t number);

/* From one time until another in milliseconds, 0 if the second is the earlier one. */
void row_put_ms_between(struct row *row, const char *name, uint64_t from_ns, uint64_t until_ns);

/* "192.0.2.1:5060", "[2001:db8::1]:5060"; "udp 192.0.2.1:5060 198.51.100.7:40001". */
void row_put_address(struct row *row, const char *name, const uint8_t address[16], uint16_t port);
void row_put_flow(struct row *row, const char *name, const struct flow *flow);

/*
 * A JSON string of any bytes. What is not valid UTF-8 (RFC 3629), and NUL, becomes
 * U+FFFD: whoever registers chooses these bytes, and the document must stay one.
 */
json_t *row_text(struct span text);

#endif
