/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows.h - the kernel's map of paths, and devices behind it that answer prompts or do not, for
 * the flows of fuzz_flow(). It is the world of tests/sim/seam.h for fuzz_pipeline.c.
 */
#ifndef TESTS_FUZZ_FLOWS_H
#define TESTS_FUZZ_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

#define FUZZ_FLOWS 16 /* fuzz_flow() makes so many */

/* No flow has been seen, and no path is in the map. */
void fuzz_flows_begin(void);

/* Something came over the flow of a number; its device answers prompts from now on, or does not. */
void fuzz_flows_hear(uint8_t number, uint64_t now_ns, bool answers);

bool fuzz_flows_has_entry(const struct flow *flow);

#endif
