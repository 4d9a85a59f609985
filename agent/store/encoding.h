/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encoding.h - a record as bytes, and back: of a binding, or of a request that waits for its
 * answer. Included by the store's files.
 *
 * Numbers are as this host writes them: a store is never carried to another one. A record says
 * how the wall clock stood when it was written: it can be read in another boot.
 */
#ifndef AGENT_STORE_ENCODING_H
#define AGENT_STORE_ENCODING_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "state/record.h"
#include "state/waiting.h"

/* Counted up when a stored record changes its shape. */
#define ENCODING_VERSION 4

/* The one that can be read, too, so that nothing is lost over an upgrade: it knew bindings only. */
#define ENCODING_VERSION_OLDER 3

#define ENCODING_BYTES_MAX 40000 /* of the largest record, generously */

/* The clocks of whoever writes or reads. */
struct encoding_clock {
	uint64_t now_ns; /* CLOCK_MONOTONIC, which begins anew with each boot */
	int64_t wall_offset_ns; /* wall time less monotonic time */
};

/* Writes a record and returns its length; 0 if a text is longer than RECORD_TEXT_MAX. */
size_t encoding_write(const struct record *record, const struct encoding_clock *clock,
		      char bytes[ENCODING_BYTES_MAX]);

/*
 * Reads a record, whose texts point into the bytes. If it was written in another boot its times
 * are converted by the wall clock, and 0 if they lie before this one. Whatever the bytes or a
 * clock say, nothing was accepted later than now, nor ends later than a binding of its kind that
 * began now.
 * -EBADMSG if the bytes are no record, -ESTALE if they were written later than it is now: the
 * wall clock is wrong, or was, and nothing can be made of their times.
 */
int encoding_read(struct span bytes, bool other_boot, const struct encoding_clock *clock,
		  struct record *record);

/* The same of a record of ENCODING_VERSION_OLDER. */
int encoding_read_older(struct span bytes, bool other_boot, const struct encoding_clock *clock,
			struct record *record);

/* True if the bytes are the record of a request, if they are one at all. */
bool encoding_is_request(struct span bytes);

/* As encoding_write(). */
size_t encoding_write_request(const struct waiting *waiting, const struct encoding_clock *clock,
			      char bytes[ENCODING_BYTES_MAX]);

/*
 * Reads a request that was written in this boot into *facts, whose texts point into the bytes,
 * and *waiting, which points to them. Neither time is later than now. Errors as encoding_read();
 * *facts is then worth nothing.
 */
int encoding_read_request(struct span bytes, const struct encoding_clock *clock,
			  struct facts *facts, struct waiting *waiting);

#endif
