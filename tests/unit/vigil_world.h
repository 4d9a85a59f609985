/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vigil_world.h - a vigil over a keeper, a store, counters and interfaces that are what the test
 * says. Include cmocka first, and include this in one file of a test.
 */
#ifndef TESTS_UNIT_VIGIL_WORLD_H
#define TESTS_UNIT_VIGIL_WORLD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel_counts.h"
#include "vigil.h"

#define COUNTER_MAP 77
#define THRESHOLD (24 * NS_PER_S)

/* What is found, and what the keeper was told. */
struct bench {
	struct ev_loop *loop;
	struct counts counts;
	struct vigil *vigil;
	struct clock_reading reading;
	uint64_t kernel[KERNEL_COUNTER_MAX];
	int kernel_error;
	struct attach_repair repair;
	bool mends; /* at once, when it is asked to */
	unsigned int mends_asked;
	bool store_behind, in_reach, helper_lives;
	size_t kept;
	bool blind;
	unsigned int blinded; /* how often */
	uint64_t slept_ns; /* as the keeper was told */
	unsigned int looks;
};

static struct bench bench;

int kernel_counts_read(int map_fd, uint64_t out[KERNEL_COUNTER_MAX])
{
	assert_int_equal(map_fd, COUNTER_MAP);
	if (!bench.kernel_error)
		memcpy(out, bench.kernel, sizeof(bench.kernel));
	return bench.kernel_error;
}

bool store_is_behind(const struct store *store)
{
	assert_non_null(store);
	return bench.store_behind;
}

size_t keeper_kept(const struct keeper *keeper)
{
	(void)keeper;
	return bench.kept;
}

uint64_t keeper_threshold_ns(const struct keeper *keeper)
{
	(void)keeper;
	return THRESHOLD;
}

void keeper_set_blind(struct keeper *keeper, bool blind, uint64_t now_ns)
{
	(void)keeper;
	assert_int_equal(now_ns, bench.reading.now_ns);
	bench.blind = blind;
	bench.blinded += blind;
}

void keeper_wake(struct keeper *keeper, uint64_t slept_ns, uint64_t now_ns)
{
	(void)keeper;
	assert_int_equal(now_ns, bench.reading.now_ns);
	bench.slept_ns = slept_ns;
}

static inline void mend(void *context, uint64_t now_ns)
{
	assert_ptr_equal(context, &bench);
	bench.mends_asked++;
	if (bench.mends)
		vigil_mended(bench.vigil, &bench.repair, now_ns);
}

static inline bool in_reach(void *context)
{
	assert_ptr_equal(context, &bench);
	return bench.in_reach;
}

static inline bool helper_lives(void *context)
{
	assert_ptr_equal(context, &bench);
	return bench.helper_lives;
}

static inline void on_looked(void *context, uint64_t now_ns)
{
	assert_ptr_equal(context, &bench);
	assert_int_equal(now_ns, bench.reading.now_ns);
	bench.looks++;
}

/* So much time passes, of which the host is awake for a part, before the next look. */
static inline void look_after(uint64_t awake_ns, uint64_t asleep_ns)
{
	bench.reading.now_ns += awake_ns;
	bench.reading.boot_ns += awake_ns + asleep_ns;
	bench.reading.wall_ns += awake_ns + asleep_ns;
	vigil_look(bench.vigil, &bench.reading);
}

static inline void look(void)
{
	look_after(VIGIL_PERIOD_NS, 0);
}

static inline const struct trouble_state *found(enum trouble which)
{
	return troubles_look(vigil_troubles(bench.vigil), which);
}

/* Nothing else is wrong. */
static inline void assert_only(enum trouble which)
{
	for (enum trouble other = 0; other < TROUBLE_MAX; other++)
		if (found(other)->present != (other == which))
			fail_msg("%s is %s", trouble_name(other),
				 other == which ? "not present" : found(other)->detail);
}

static inline void assert_healthy(void)
{
	assert_only(TROUBLE_MAX);
}

static inline void assert_detail(enum trouble which, const char *wanted)
{
	if (!strstr(found(which)->detail, wanted))
		fail_msg("expected \"%s\" in \"%s\"", wanted, found(which)->detail);
}

/* Events are over by then. */
static inline void let_events_end(void)
{
	for (uint64_t passed_ns = 0; passed_ns <= TROUBLES_EVENT_NS; passed_ns += VIGIL_PERIOD_NS)
		look();
}

static inline struct vigil_options agent_options(void)
{
	return (struct vigil_options){
		.loop = bench.loop,
		.in_reach = in_reach,
		.looked = on_looked,
		.context = &bench,
		.keeper = (struct keeper *)(void *)&bench, /* only has to be there */
		.counter_map = COUNTER_MAP,
		.store = (const struct store *)(const void *)&bench,
		.mend = mend,
		.helper_lives = helper_lives,
	};
}

static inline void watch(struct vigil_options options)
{
	vigil_watch(bench.vigil, &options);
	bench.reading = clocks_read();
	look();
	assert_healthy();
}

static inline int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	bench = (struct bench){ .loop = ev_loop_new(EVFLAG_AUTO) };
	bench.mends = bench.in_reach = bench.helper_lives = true;
	bench.repair.count = 2;
	strcpy(bench.repair.interfaces[0].name, "eth0");
	strcpy(bench.repair.interfaces[1].name, "eth1");
	return bench.loop ? vigil_open(&bench.counts, &bench.vigil) : -1;
}

static inline int tear_down(void **state)
{
	(void)state;
	vigil_unwatch(bench.vigil);
	vigil_close(bench.vigil);
	ev_loop_destroy(bench.loop);
	return 0;
}

#define VIGIL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
