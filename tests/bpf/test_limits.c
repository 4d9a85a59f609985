/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_limits.c - floods, full maps, and programs of another version. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"

#define FIRST_PATH 10000
#define FLOOD (8 * KERNEL_FLOWS)

static void trap_44_a_flood_evicts_no_path(void **state)
{
	struct path_entry entry = { .last_seen_ns = 7, .packets_in = 7 };
	struct kernel *kernel = *state;

	for (uint16_t i = 0; i < KERNEL_PATHS; i++)
		kernel_add_path(kernel, frame_flow4(FIRST_PATH + i), &entry);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct flow spoofed = frame_flow6((uint16_t)(i * 7));

		memcpy(spoofed.remote_addr + 4, &i, sizeof(i));
		assert_int_equal(kernel_receive(kernel, spoofed, "x"), XDP_PASS);
	}

	assert_int_equal(kernel_paths_held(kernel), KERNEL_PATHS);
	for (uint16_t i = 0; i < KERNEL_PATHS; i++) {
		struct path_entry after = kernel_path(kernel, frame_flow4(FIRST_PATH + i));

		assert_memory_equal(&after, &entry, sizeof(entry));
	}
	assert_in_range(kernel_flows_held(kernel), 1, KERNEL_FLOWS);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_in), FLOOD);
}

static void trap_44_a_full_map_refuses_the_new_path_not_an_old_one(void **state)
{
	struct path_entry entry = { .last_seen_ns = 7 };
	struct kernel *kernel = *state;

	for (uint16_t i = 0; i < KERNEL_PATHS; i++)
		kernel_add_path(kernel, frame_flow4(FIRST_PATH + i), &entry);
	assert_int_equal(kernel_try_path(kernel, frame_flow6(1), &entry), -E2BIG);
	assert_int_equal(kernel_paths_held(kernel), KERNEL_PATHS);
	for (uint16_t i = 0; i < KERNEL_PATHS; i++)
		assert_int_equal(kernel_path(kernel, frame_flow4(FIRST_PATH + i)).last_seen_ns, 7);
}

static void trap_45_a_full_ring_buffer_is_counted_and_heals(void **state)
{
	size_t flood = 2 * KERNEL_SIGHTINGS_BYTES / sizeof(MESSAGE_REGISTER);
	struct kernel *kernel = *state;
	uint64_t lost;

	for (size_t i = 0; i < flood; i++)
		assert_int_equal(kernel_receive(kernel, frame_flow4(40001), MESSAGE_REGISTER),
				 XDP_PASS);
	lost = kernel_count(kernel, COUNTER_sightings_lost);
	assert_in_range(lost, 1, flood - 1);
	assert_int_equal(kernel_count(kernel, COUNTER_sightings), flood - lost);
	assert_int_equal(kernel_sightings(kernel), flood - lost);

	kernel_receive(kernel, frame_flow4(40001), MESSAGE_REGISTER);
	assert_int_equal(kernel_sightings(kernel), 1);
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_lost), lost);
}

static void trap_47_the_abi_is_found_behind_each_program(void **state)
{
	static const char *const programs[] = { SIPPATH_PROGRAM_INGRESS, SIPPATH_PROGRAM_EGRESS,
						SIPPATH_PROGRAM_ACCEPT, SIPPATH_PROGRAM_PRESENT };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		assert_int_equal(kernel_abi_of(*state, programs[i]), SIPPATH_ABI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(trap_44_a_flood_evicts_no_path),
		KERNEL_TEST(trap_44_a_full_map_refuses_the_new_path_not_an_old_one),
		KERNEL_TEST(trap_45_a_full_ring_buffer_is_counted_and_heals),
		KERNEL_TEST(trap_47_the_abi_is_found_behind_each_program),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
