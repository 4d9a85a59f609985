/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/share_clock.h"

#include "base/clock.h"

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

int64_t share_clock_learn(struct share_clock *clock, uint64_t cluster_ms, uint64_t sent_ns,
			  uint64_t received_ns)
{
	int64_t offset_ms = (int64_t)(cluster_ms - (sent_ns / 2 + received_ns / 2) / NS_PER_MS);
	int64_t round_ms = (int64_t)((received_ns - sent_ns) / NS_PER_MS);
	int64_t step_ms = offset_ms - clock->offset_ms;
	bool possible = distance(step_ms, 0) <= round_ms / 2 + clock->round_ms / 2 + 1;

	/* Clocks drift apart: what is believed grows less exact by less than this. */
	clock->round_ms++;
	if (clock->learnt && possible && round_ms > clock->round_ms)
		return 0;
	clock->offset_ms = offset_ms;
	clock->round_ms = round_ms;
	clock->learnt = true;
	if (!clock->sure) {
		clock->sure = true;
		return 0;
	}
	return distance(step_ms, 0) > SHARE_CLOCK_STEP_MS ? step_ms : 0;
}

void share_clock_doubt(struct share_clock *clock)
{
	clock->sure = false;
}

uint64_t share_clock_to_ms(const struct share_clock *clock, uint64_t at_ns)
{
	int64_t at_ms = (int64_t)(at_ns / NS_PER_MS) + clock->offset_ms;

	return at_ms > 0 ? (uint64_t)at_ms : 0;
}

uint64_t share_clock_to_ns(const struct share_clock *clock, uint64_t at_ms)
{
	/* The time is from outside: it may be any number. */
	uint64_t ms = at_ms - (uint64_t)clock->offset_ms;

	if ((int64_t)ms <= 0)
		return 0;
	return ms < CLOCK_NEVER / NS_PER_MS ? ms * NS_PER_MS : CLOCK_NEVER;
}
