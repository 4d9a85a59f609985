/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/pacer.h"

#include "keep/wheel.h"

#define GAP_LONGEST_NS (NS_PER_S / PACER_RATE_FLOOR)

void pacer_set(struct pacer *pacer, uint64_t demand)
{
	uint64_t gap_ns = demand > 0 ? NS_PER_S * 1000000 / demand * 5 / 7 : GAP_LONGEST_NS;

	pacer->gap_ns = gap_ns < GAP_LONGEST_NS ? gap_ns : GAP_LONGEST_NS;
}

uint64_t pacer_reserve(struct pacer *pacer, uint64_t now_ns)
{
	uint64_t oldest_ns = now_ns > WHEEL_TICK_NS ? now_ns - WHEEL_TICK_NS : 0;
	uint64_t turn_ns = pacer->next_ns > oldest_ns ? pacer->next_ns : oldest_ns;

	if (turn_ns > now_ns + PACER_HORIZON_NS)
		turn_ns -= PACER_HORIZON_NS;
	pacer->next_ns = turn_ns + pacer->gap_ns;
	return turn_ns;
}
