/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/clocks.h"

#include "base/clock.h"

struct clock_reading clocks_read(void)
{
	return (struct clock_reading){
		.now_ns = clock_now_ns(),
		.boot_ns = clock_boot_ns(),
		.wall_ns = clock_wall_ns(),
	};
}

struct clocks_found clocks_compare(const struct clock_reading *before,
				   const struct clock_reading *after, uint64_t period_ns)
{
	uint64_t ran_ns = after->now_ns - before->now_ns;
	uint64_t passed_ns = after->boot_ns - before->boot_ns;
	int64_t stepped_ns = (int64_t)(after->wall_ns - before->wall_ns - passed_ns);
	struct clocks_found found = { 0 };

	if (stepped_ns > (int64_t)CLOCKS_STEP_NS || stepped_ns < -(int64_t)CLOCKS_STEP_NS)
		found.stepped_ns = stepped_ns;
	/* The clocks are read one after the other: they differ by a little however it is. */
	if (passed_ns > ran_ns + CLOCKS_SLEEP_NS)
		found.slept_ns = passed_ns - ran_ns;
	if (ran_ns > period_ns + CLOCKS_DELAY_NS)
		found.late_ns = ran_ns - period_ns;
	return found;
}
