/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waking.c - begins again after a sleep of the host: every path is due (trap 12), and no burst.
 *
 * The NATs did not sleep, so paths are prompted in the order in which they will be forgotten, one
 * after the other at the pacer's rate. Those that are forgotten already come last.
 */
#include "keep/keeper_parts.h"

/* Paths of about the same time share a rank; the last one is of those that are forgotten. */
#define RANKS 256
#define RANK_FORGOTTEN (RANKS - 1)

/* What is known of one sleep. */
struct waking {
	struct keeper *keeper;
	uint64_t now_ns;
	uint64_t slept_ns;
	uint64_t rank_ns; /* how much time is of one rank */
	uint64_t places[RANKS]; /* paths of each rank; then the place of its next one */
};

static bool is_prompted(const struct path *path)
{
	return path->bindings && tenancy_demand(path) > 0;
}

/*
 * When its NAT forgets a path, on a clock that has gone on: the entry knows best when it was
 * heard.
 */
static uint64_t forgotten_at(const struct waking *waking, const struct path *path)
{
	uint64_t heard_ns = path->last_seen_ns, forgotten_ns;
	struct path_entry entry;

	if (!keeper_read_entry(waking->keeper, path, &entry) && entry.last_seen_ns > heard_ns)
		heard_ns = entry.last_seen_ns;
	forgotten_ns = policy_forgotten_ns(path, heard_ns);
	return forgotten_ns > waking->slept_ns ? forgotten_ns - waking->slept_ns : 0;
}

static unsigned int rank_of(const struct waking *waking, uint64_t forgotten_ns)
{
	uint64_t rank;

	if (forgotten_ns <= waking->now_ns)
		return RANK_FORGOTTEN;
	rank = (forgotten_ns - waking->now_ns) / waking->rank_ns;
	return rank < RANK_FORGOTTEN ? (unsigned int)rank : RANK_FORGOTTEN - 1;
}

/* For now a path is on the wheel for when it is forgotten: so that is remembered. */
static void rank_all(struct waking *waking)
{
	struct keeper *keeper = waking->keeper;
	struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(keeper->openings.paths, &cursor))) {
		if (!is_prompted(path))
			continue;
		keeper_forget_prompt(path);
		wheel_set(keeper->wheel, path, forgotten_at(waking, path));
		waking->places[rank_of(waking, path->due.due_ns)]++;
	}
}

/* From how many there are to where they begin. */
static void line_up(struct waking *waking)
{
	uint64_t place = 0;

	for (unsigned int i = 0; i < RANKS; i++) {
		uint64_t count = waking->places[i];

		waking->places[i] = place;
		place += count;
	}
}

/* Where so many are about to be forgotten that its place is too late, a path asks at once. */
static void place_path(struct waking *waking, struct path *path)
{
	uint64_t forgotten_ns = path->due.due_ns;
	unsigned int rank = rank_of(waking, forgotten_ns);
	uint64_t turn_ns =
		pacer_place(&waking->keeper->pacer, waking->now_ns, waking->places[rank]++);
	bool late = rank != RANK_FORGOTTEN && turn_ns >= forgotten_ns;

	path->turns = late ? 0 : 1;
	keeper_look_at(waking->keeper, path, late ? waking->now_ns : turn_ns);
}

static void place_all(struct waking *waking)
{
	struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(waking->keeper->openings.paths, &cursor)))
		if (is_prompted(path))
			place_path(waking, path);
}

void keeper_wake(struct keeper *keeper, uint64_t slept_ns, uint64_t now_ns)
{
	struct waking waking = {
		.keeper = keeper,
		.now_ns = now_ns,
		.slept_ns = slept_ns,
		.rank_ns = keeper_threshold_ns(keeper) * 5 / 4 / RANK_FORGOTTEN + 1,
	};

	keeper->policy.woke_ns = now_ns;
	pacer_set(&keeper->pacer, keeper->demand);
	rank_all(&waking);
	line_up(&waking);
	place_all(&waking);
}
