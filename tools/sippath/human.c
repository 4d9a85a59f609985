/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "human.h"

#include <inttypes.h>
#include <stdio.h>

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* Writes "3 min 20 s": whole units, and what is left in the next smaller ones. */
static void write_pair(char out[HUMAN_MAX], uint64_t ms, uint64_t unit_ms, const char *unit,
		       uint64_t small_ms, const char *small)
{
	snprintf(out, HUMAN_MAX, "%" PRIu64 " %s %" PRIu64 " %s", ms / unit_ms, unit,
		 ms % unit_ms / small_ms, small);
}

/* Cut off, not rounded: nothing looks older than it is, and "60.0 s" cannot happen. */
static void write_tenths(char out[HUMAN_MAX], uint64_t count, uint64_t per_unit, const char *unit)
{
	snprintf(out, HUMAN_MAX, "%" PRIu64 ".%" PRIu64 " %s", count / per_unit,
		 count % per_unit / (per_unit / 10), unit);
}

void human_ms(uint64_t ms, char out[HUMAN_MAX])
{
	if (ms < SECOND_MS)
		snprintf(out, HUMAN_MAX, "%" PRIu64 " ms", ms);
	else if (ms < MINUTE_MS)
		write_tenths(out, ms, SECOND_MS, "s");
	else if (ms < HOUR_MS)
		write_pair(out, ms, MINUTE_MS, "min", SECOND_MS, "s");
	else if (ms < DAY_MS)
		write_pair(out, ms, HOUR_MS, "h", MINUTE_MS, "min");
	else
		write_pair(out, ms, DAY_MS, "d", HOUR_MS, "h");
}

void human_us(uint64_t us, char out[HUMAN_MAX])
{
	if (us < 1000)
		snprintf(out, HUMAN_MAX, "%" PRIu64 " us", us);
	else if (us < 1000 * SECOND_MS)
		write_tenths(out, us, 1000, "ms");
	else
		human_ms(us / 1000, out);
}
