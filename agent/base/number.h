/* SPDX-License-Identifier: GPL-2.0-or-later */
/* number.h - numbers from outside: digits only, all of them, within a range. */
#ifndef AGENT_BASE_NUMBER_H
#define AGENT_BASE_NUMBER_H

#include <stdint.h>

#include "base/span.h"

/*
 * Reads a decimal number that fills the whole span. -EINVAL for anything that is
 * not one or more digits, -ERANGE outside lowest..highest; *out is untouched then.
 */
int number_read(struct span digits, uint64_t lowest, uint64_t highest, uint64_t *out);

/*
 * Reads a duration such as "24s", "500ms", "2m" or "1h" into nanoseconds; a bare
 * number is seconds. Errors as number_read(); the bounds are in nanoseconds.
 */
int number_read_duration(struct span text, uint64_t lowest_ns, uint64_t highest_ns,
			 uint64_t *out_ns);

/* The room number_write_duration() needs, terminator included. */
#define NUMBER_DURATION_MAX 32

/* Writes a duration the way number_read_duration() reads it, in the largest unit that is exact. */
void number_write_duration(uint64_t ns, char out[NUMBER_DURATION_MAX]);

#endif
