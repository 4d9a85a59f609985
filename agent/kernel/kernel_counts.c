/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel_counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

int kernel_counts_read(int map_fd, uint64_t out[KERNEL_COUNTER_MAX])
{
	uint64_t sums[KERNEL_COUNTER_MAX] = { 0 };
	int cpus = libbpf_num_possible_cpus();
	cleanup_free uint64_t *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < KERNEL_COUNTER_MAX; i++) {
		int err = bpf_map_lookup_elem(map_fd, &i, values);

		if (err < 0)
			return err;
		for (int cpu = 0; cpu < cpus; cpu++)
			sums[i] += values[cpu];
	}
	memcpy(out, sums, sizeof(sums));
	return 0;
}
