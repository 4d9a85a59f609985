/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_counts.h - the programs' counters, summed over the processors. */
#ifndef AGENT_KERNEL_KERNEL_COUNTS_H
#define AGENT_KERNEL_KERNEL_COUNTS_H

#include <stdint.h>

#include "counters.h"

/* Reads all counters of sip_counters; -errno and *out untouched on failure. */
int kernel_counts_read(int map_fd, uint64_t out[KERNEL_COUNTER_MAX]);

#endif
