/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/share_clock.h"

#include "base/clock.h"

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static const struct share_clock_sample *best_sample(const struct share_clock *clock)
{
	size_t held = clock->count < SHARE_CLOCK_SAMPLES ? clock->count : SHARE_CLOCK_SAMPLES;
	const struct share_clock_sample *best = NULL;

	for (size_t i = 0; i < held; i++)
		if (!best || clock->samples[i].round_ms < best->round_ms)
			best = &clock->samples[i];
	return best;
}

/* True if no one clock can have said both. */
static bool contradicts(const struct share_clock_sample *a, const struct share_clock_sample *b)
{
	return distance(a->offset_ms, b->offset_ms) >
	       SHARE_CLOCK_STEP_MS + (a->round_ms + b->round_ms) / 2;
}

int64_t share_clock_learn(struct share_clock *clock, uint64_t cluster_ms, uint64_t sent_ns,
			  uint64_t received_ns)
{
	struct share_clock_sample sample = {
		.offset_ms = (int64_t)(cluster_ms - (sent_ns / 2 + received_ns / 2) / NS_PER_MS),
		.round_ms = (int64_t)((received_ns - sent_ns) / NS_PER_MS),
	};
	const struct share_clock_sample *best = best_sample(clock);
	int64_t step_ms;

	if (best && contradicts(best, &sample))
		clock->count = 0;
	clock->samples[clock->count++ % SHARE_CLOCK_SAMPLES] = sample;
	best = best_sample(clock);
	step_ms = clock->known ? best->offset_ms - clock->offset_ms : 0;
	clock->offset_ms = best->offset_ms;
	clock->known = true;
	return distance(step_ms, 0) > SHARE_CLOCK_STEP_MS ? step_ms : 0;
}

void share_clock_doubt(struct share_clock *clock)
{
	clock->count = 0;
	clock->known = false;
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
