/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encoding.h - a record as bytes, and back. Included by store.c.
 *
 * Numbers are as this host writes them: a store is never carried to another one. Times are
 * both monotonic and of the wall clock, so that a record can be read in another boot.
 */
#ifndef AGENT_STORE_ENCODING_H
#define AGENT_STORE_ENCODING_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "state/record.h"

/* Counted up when a stored record changes its shape. */
#define ENCODING_VERSION 1

#define ENCODING_BYTES_MAX 40000 /* of the largest record, generously */

/* How the wall clock stands to CLOCK_MONOTONIC: wall time less monotonic time. */
struct encoding_times {
	int64_t wall_offset_ns;
};

/* Writes a record and returns its length; 0 if a text is longer than RECORD_TEXT_MAX. */
size_t encoding_write(const struct record *record, const struct encoding_times *times,
		      char bytes[ENCODING_BYTES_MAX]);

/*
 * Reads a record, whose texts point into the bytes. If it was written in another boot its
 * times are made from those of the wall clock; what lies before this boot is 0. -EBADMSG if the
 * bytes are no record.
 */
int encoding_read(struct span bytes, bool other_boot, const struct encoding_times *times,
		  struct record *record);

#endif
