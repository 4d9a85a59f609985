/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_kernel_counts.c - the programs' counters, summed over the processors. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/kernel_counts.h"

static int make_counters(uint32_t room)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "sip_counters", sizeof(uint32_t),
				sizeof(uint64_t), room, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* Gives each processor its own share, so that a sum over too few of them is wrong. */
static uint64_t set_counter(int fd, uint32_t counter)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *shares = calloc((size_t)cpus, sizeof(*shares)), sum = 0;

	assert_non_null(shares);
	for (int cpu = 0; cpu < cpus; cpu++) {
		shares[cpu] = (UINT64_C(1) << 40) + counter * 100 + (uint64_t)cpu;
		sum += shares[cpu];
	}
	assert_int_equal(bpf_map_update_elem(fd, &counter, shares, BPF_ANY), 0);
	free(shares);
	return sum;
}

static void every_counter_is_the_sum_over_all_processors(void **state)
{
	int fd = make_counters(KERNEL_COUNTER_MAX);
	uint64_t expected[KERNEL_COUNTER_MAX], counts[KERNEL_COUNTER_MAX];

	(void)state;
	for (uint32_t i = 0; i < KERNEL_COUNTER_MAX; i++)
		expected[i] = set_counter(fd, i);
	assert_int_equal(kernel_counts_read(fd, counts), 0);
	assert_memory_equal(counts, expected, sizeof(counts));
	close(fd);
}

static void a_map_with_too_few_counters_leaves_the_result_untouched(void **state)
{
	int fd = make_counters(KERNEL_COUNTER_MAX - 1);
	uint64_t counts[KERNEL_COUNTER_MAX] = { 77 };

	(void)state;
	set_counter(fd, 0);
	assert_int_equal(kernel_counts_read(fd, counts), -ENOENT);
	assert_int_equal(counts[0], 77);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_is_the_sum_over_all_processors),
		cmocka_unit_test(a_map_with_too_few_counters_leaves_the_result_untouched),
	};

	return cmocka_run_group_tests_name("kernel_counts", tests, NULL, NULL);
}
