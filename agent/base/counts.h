/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counts.h - the agent's own counters, one for each name of SIPPATH_AGENT_COUNTERS. */
#ifndef AGENT_BASE_COUNTS_H
#define AGENT_BASE_COUNTS_H

#include <stdint.h>

#include "counters.h"

/* Owned by the pipeline; rooms that count are handed a pointer. */
struct counts {
	uint64_t value[AGENT_COUNTER_MAX];
};

/* Counts one more of what "name", a name of the list, stands for. */
#define count_up(counts, name) ((void)((counts)->value[COUNT_##name]++))

/* Counts so many more. */
#define count_many(counts, name, more) ((void)((counts)->value[COUNT_##name] += (more)))

#endif
