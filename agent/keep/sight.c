/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sight.c - the programs see nothing for a while, and see again: all goes on, and no burst. */
#include "keep/keeper_parts.h"

/* Answers reach the SIP server now: that none is seen says nothing. */
static void lose_sight(struct keeper *keeper)
{
	struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(keeper->openings.paths, &cursor)))
		if (path->prompt.tries > 0)
			keeper_forget_prompt(path);
}

/*
 * Those that became due meanwhile take their turns within the pacer's horizon, as their NATs
 * may be about to forget them; the others are looked at when they would have been.
 */
static void regain_sight(struct keeper *keeper, uint64_t now_ns)
{
	struct path *path;
	uint64_t due_ns, overdue = 0;
	uint32_t cursor = 0;

	pacer_set(&keeper->pacer, keeper->demand);
	while ((path = paths_walk(keeper->openings.paths, &cursor))) {
		if (!path->bindings || !keeper_is_resting(path))
			continue;
		due_ns = keeper_due_at(keeper, path);
		if (due_ns <= now_ns) {
			path->turns = 1;
			due_ns = pacer_fit(&keeper->pacer, now_ns, overdue++, keeper->kept);
		}
		keeper_look_at(keeper, path, due_ns);
	}
}

void keeper_set_blind(struct keeper *keeper, bool blind, uint64_t now_ns)
{
	keeper->blind = blind;
	if (blind)
		lose_sight(keeper);
	else
		regain_sight(keeper, now_ns);
}
