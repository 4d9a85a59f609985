/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clocks.h - compares the host's clocks from time to time: a step of one that the others do not
 * make tells that the wall clock was set, that the host was suspended, or that we did not run.
 */
#ifndef AGENT_HEALTH_CLOCKS_H
#define AGENT_HEALTH_CLOCKS_H

#include <stdint.h>

/* All clocks at one time, in nanoseconds. */
struct clock_reading {
	uint64_t now_ns; /* CLOCK_MONOTONIC: stands still while the host is suspended */
	uint64_t boot_ns; /* CLOCK_BOOTTIME: does not */
	uint64_t wall_ns; /* CLOCK_REALTIME: can be set */
};

/* Less than this is no step, no sleep and no delay. */
#define CLOCKS_STEP_NS UINT64_C(2000000000)
#define CLOCKS_SLEEP_NS UINT64_C(500000000)
#define CLOCKS_DELAY_NS UINT64_C(2000000000)

/* What has happened between two readings; 0 for nothing. */
struct clocks_found {
	int64_t stepped_ns; /* the wall clock was set so much forward, or back */
	uint64_t slept_ns; /* the host was suspended for so long */
	uint64_t late_ns; /* the second reading came so much later than it should have */
};

struct clock_reading clocks_read(void);

/* Compares two readings, of which the later one was meant to be period_ns after the other. */
struct clocks_found clocks_compare(const struct clock_reading *before,
				   const struct clock_reading *after, uint64_t period_ns);

#endif
