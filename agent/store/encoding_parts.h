/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encoding_parts.h - what the records of all kinds have in common: a head, texts, and a
 * checksum. Included by encoding*.c.
 */
#ifndef AGENT_STORE_ENCODING_PARTS_H
#define AGENT_STORE_ENCODING_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "flow.h"
#include "state/binding.h"
#include "store/encoding.h"

/* The kind of a record that is no binding but a request which waits for its answer. */
#define ENCODING_REQUEST BINDING_KIND_MAX

/* What every record begins with. */
struct encoding_head {
	struct flow flow;
	uint64_t written_ns; /* CLOCK_MONOTONIC of the boot in which it was written */
	int64_t wall_offset_ns; /* as it was then */
	uint8_t kind; /* enum binding_kind, or ENCODING_REQUEST */
	uint8_t reserved[7];
};

_Static_assert(sizeof(struct encoding_head) == 64, "it is stored: no hidden padding");

/* Writes one thing after the other. */
struct encoding_writer {
	char *at; /* the next byte */
	bool failed; /* a text was too long */
};

struct encoding_head encoding_head(const struct flow *flow, uint8_t kind,
				   const struct encoding_clock *clock);

void encoding_put(struct encoding_writer *writer, const void *bytes, size_t length);
void encoding_put_text(struct encoding_writer *writer, struct span text);

/* Closes the record that begins at "bytes" with its checksum: its length, 0 if it failed. */
size_t encoding_seal(struct encoding_writer *writer, const char *bytes);

/* Takes the checksum off the end; false if it is not that of what is before it. */
bool encoding_unseal(struct span *bytes);

/* Takes what was put off the beginning; -EBADMSG if there is less. A text points into the bytes. */
int encoding_take(struct span *bytes, void *into, size_t length);
int encoding_take_text(struct span *bytes, struct span *text);

/* True for a transport that a flow can have. */
bool encoding_is_flow(const struct flow *flow);

/* True if the record was written later than it is now, by more than clocks are set. */
bool encoding_is_early(uint64_t written_ns, const struct encoding_clock *clock);

#endif
