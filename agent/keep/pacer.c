/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/pacer.h"

#include "keep/wheel.h"

#define GAP_LONGEST_NS (NS_PER_S / PACER_RATE_FLOOR)

void pacer_set(struct pacer *pacer, uint64_t demand)
{
	uint64_t gap_ns = demand > 0 ? NS_PER_S * 1000000 / demand * 5 / 7 : GAP_LONGEST_NS;

	pacer->gap_ns = gap_ns < GAP_LONGEST_NS ? gap_ns : GAP_LONGEST_NS;
}

/* Back to the usual pace, step by step. */
static void recover(struct pacer *pacer, uint64_t now_ns)
{
	while (pacer->slowness > 0 && now_ns - pacer->crowded_ns >= PACER_CROWDED_NS) {
		pacer->slowness--;
		pacer->crowded_ns += PACER_CROWDED_NS;
	}
}

void pacer_slow(struct pacer *pacer, uint64_t now_ns)
{
	recover(pacer, now_ns);
	if (pacer->slowness < PACER_SLOWNESS_MAX && pacer->crowded_ns != now_ns)
		pacer->slowness++;
	pacer->crowded_ns = now_ns;
}

uint64_t pacer_place(const struct pacer *pacer, uint64_t now_ns, uint64_t n)
{
	return now_ns + (n + 1) * pacer->gap_ns;
}

uint64_t pacer_fit(const struct pacer *pacer, uint64_t now_ns, uint64_t n, uint64_t count)
{
	uint64_t even_ns = PACER_HORIZON_NS / (count + 1);
	uint64_t gap_ns = pacer->gap_ns < even_ns ? pacer->gap_ns : even_ns;

	return now_ns + (n + 1) * gap_ns;
}

uint64_t pacer_reserve(struct pacer *pacer, uint64_t now_ns)
{
	uint64_t oldest_ns = now_ns > WHEEL_TICK_NS ? now_ns - WHEEL_TICK_NS : 0;
	uint64_t turn_ns = pacer->next_ns > oldest_ns ? pacer->next_ns : oldest_ns;

	recover(pacer, now_ns);
	if (turn_ns > now_ns + PACER_HORIZON_NS)
		turn_ns -= PACER_HORIZON_NS;
	pacer->next_ns = turn_ns + (pacer->gap_ns << pacer->slowness);
	return turn_ns;
}
