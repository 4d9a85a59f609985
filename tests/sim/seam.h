/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seam.h - where the real pipeline meets a simulated world: its clocks, the kernel's maps
 * and the network.
 *
 * seam.c stands in for kernel/path_map, kernel/flow_map and keep/wire: a test links its
 * functions instead of the real ones. Each is handed on to the world that is on.
 */
#ifndef TESTS_SIM_SEAM_H
#define TESTS_SIM_SEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "flow.h"
#include "path_entry.h"
#include "pipeline.h"

/* The kernel's tick: its coarse clock shows the time of the latest one. */
#define SEAM_TICK_NS (4 * NS_PER_MS)

/* What a world does in place of the rooms; each as the function of that room says. */
struct seam {
	int (*read)(const struct flow *flow, struct path_entry *entry);
	int (*insert)(const struct flow *flow, uint64_t last_seen_ns);
	int (*erase)(const struct flow *flow);
	void (*erase_all)(void);
	int (*flow_last_seen)(const struct flow *flow, uint64_t *last_seen_ns);
	bool (*holds)(const struct flow *flow);
	int (*send)(const struct flow *flow, uint64_t token); /* a prompt with this token */
	void (*flush)(void);
};

/* Puts a world on, NULL: takes it off. */
void seam_set(const struct seam *seam);

/* The payloads of all datagrams that were sent into the world that is on. */
uint64_t seam_bytes_sent(void);

/* The network refuses a datagram that it had taken; "congested": for want of room. */
void seam_refuse(const struct flow *flow, bool congested);

/* Hands the pipeline a SIP message, as the programs would report it. */
void seam_see(struct pipeline *pipeline, const struct flow *flow, uint64_t when_ns,
	      bool from_device, const char *message);

/* What the programs make of an entry: a prompt leaves, its answer comes. */
void seam_stamp_prompt(struct path_entry *entry, uint64_t token, uint64_t now_ns);
void seam_stamp_answer(struct path_entry *entry, uint64_t token, uint16_t status, uint64_t now_ns);

/* The coarse clock. */
uint64_t seam_coarse_ns(uint64_t now_ns);

/*
 * While the clocks are watched, whoever asks the C library for a time is counted, and is told
 * a wall clock that "wall_step_ns" has stepped away from the true one.
 */
void seam_watch_clocks(bool watch);
void seam_step_wall_clock(int64_t step_ns);
uint64_t seam_clock_readings(void);

#endif
