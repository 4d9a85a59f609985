/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock.h - the agent's time: monotonic nanoseconds, the clock of the BPF programs.
 *
 * Time is read once per wake-up, by the loop, and handed down as "now_ns"; no
 * room below the pipeline reads a clock itself, so tests and simulations choose
 * the time. Expiries are kept on this clock too: a step of the wall clock moves
 * none of them (trap 12).
 */
#ifndef AGENT_BASE_CLOCK_H
#define AGENT_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* No time at all: nothing is due, nothing ends. */
#define CLOCK_NEVER UINT64_MAX

/* CLOCK_MONOTONIC now, in nanoseconds. */
uint64_t clock_now_ns(void);

/* CLOCK_BOOTTIME now: as clock_now_ns(), but it goes on while the host is suspended. */
uint64_t clock_boot_ns(void);

/* CLOCK_REALTIME now, in nanoseconds since 1970: to show it, and to outlive a boot; never to wait for. */
uint64_t clock_wall_ns(void);

/* By how much a stamp of the coarse clock may lag behind, in nanoseconds: two kernel ticks. */
uint64_t clock_coarse_lag_ns(void);

#endif
