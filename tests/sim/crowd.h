/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd.h - a keeper and the phones of a large host, in simulated time: some of them behind
 * one address, the others each behind its own. All of them answer, after CROWD_RTT_NS, or
 * none does.
 *
 * The keeper is the real one. There is one crowd at a time.
 */
#ifndef TESTS_SIM_CROWD_H
#define TESTS_SIM_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/counts.h"
#include "keep/keeper.h"

#define CROWD_MAX 100000
#define CROWD_RTT_NS (20 * NS_PER_MS)

struct crowd_phone {
	struct binding binding;
	struct path_entry entry;
	uint32_t prompts; /* datagrams, repeats included */
	uint64_t spoke_ns;
	uint64_t most_quiet_ns; /* the longest silence that a prompt ended */
};

struct crowd_options {
	size_t phones;
	size_t together; /* so many of them, the first ones, behind one address */
	uint64_t threshold_ns;
	uint64_t spread_ns; /* they have last been heard within so long before the beginning */
	struct caps_limits caps;
};

struct crowd {
	uint64_t now_ns;
	bool mute; /* nobody answers */
	uint64_t threshold_ns;
	struct counts counts;
	struct keeper *keeper;
	size_t phone_count, together;
	struct crowd_phone phones[CROWD_MAX];
	uint64_t datagrams; /* all that left */
	uint64_t per_10ms_most; /* the most that left within one 10 ms */
	uint64_t together_most; /* the most that left for the one address in any second */
};

/* Begins a crowd whose paths are all kept; cmocka fails the test if it cannot. */
struct crowd *crowd_begin(const struct crowd_options *options);
void crowd_end(struct crowd *crowd);

/* The agent is killed, and another one takes up what sip_paths tells; no time passes. */
void crowd_restart(struct crowd *crowd);

/* Lets simulated time pass. */
void crowd_run(struct crowd *crowd, uint64_t duration_ns);

/* Forgets what has been measured so far, but not whom was prompted how often. */
void crowd_measure_anew(struct crowd *crowd);

#endif
