/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * growth.h - troubles that show in counters: some must not grow, and one must not stand still.
 */
#ifndef AGENT_HEALTH_GROWTH_H
#define AGENT_HEALTH_GROWTH_H

#include <stdint.h>

#include "base/counts.h"
#include "health/troubles.h"

/* Packets are waited for while at least so many prompts were sent in vain. */
#define GROWTH_PROMPTS_IN_VAIN 3

/* What the counters were; all zero at first. Only growth.c touches its members. */
struct growth {
	uint64_t agent[AGENT_COUNTER_MAX];
	uint64_t kernel[KERNEL_COUNTER_MAX];
	uint64_t heard_ns; /* when a packet was last found counted */
	uint64_t prompts; /* sent by then */
};

/* Notes what the agent's own counters tell that have grown since the last time. */
void growth_look(struct growth *growth, const struct counts *counts, struct troubles *troubles,
		 uint64_t now_ns);

/*
 * The same of the programs' counters, which may have been there long before us: the first time
 * nothing is told of growth.
 */
void growth_look_kernel(struct growth *growth, const uint64_t kernel[KERNEL_COUNTER_MAX],
			struct troubles *troubles, uint64_t now_ns);

/*
 * Trap 11: nothing was counted for "patience_ns", though prompts were sent in the meantime. To be
 * called after the other two. All is well without paths.
 */
void growth_look_for_silence(const struct growth *growth, uint64_t patience_ns, uint64_t paths,
			     struct troubles *troubles, uint64_t now_ns);

#endif
