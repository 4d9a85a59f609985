/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spoofed.c - segments in a device's name by somebody who does not see its connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "messages.h"
#include "segment.h"

#define ACKNOWLEDGED 0x7fffff00
#define REACH (256 * 1024)

/* The device's segment, which fits; its connection is written down. */
static struct frame_plan device_plan(struct kernel *kernel)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct connection_entry entry = {
		.opened_ns = 1,
		.from_device = SEQUENCE,
		.to_device = ACKNOWLEDGED,
	};

	kernel_connect_as(kernel, plan.flow, &entry);
	plan.tcp_acknowledged = ACKNOWLEDGED;
	return plan;
}

static size_t reported(struct kernel *kernel, const struct frame_plan *plan)
{
	pass(kernel, plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	return kernel_sightings(kernel);
}

static void trap_44_a_guessed_segment_is_neither_reported_nor_believed(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\x05hello";
	struct frame_plan device = device_plan(*state), spoofed = device;
	struct connection_entry before, after;

	assert_true(kernel_connection(*state, device.flow, &before));
	for (uint32_t guess = 1; guess < 1000; guess++) {
		spoofed.tcp_sequence = device.tcp_sequence + guess * 4294967;
		spoofed.tcp_acknowledged = device.tcp_acknowledged;
		pass(*state, &spoofed, hello, sizeof(hello) - 1);
		spoofed.tcp_sequence = device.tcp_sequence;
		spoofed.tcp_acknowledged = device.tcp_acknowledged + guess * 4294967;
		pass(*state, &spoofed, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	}
	assert_int_equal(kernel_sightings(*state), 0);
	assert_int_equal(kernel_count(*state, COUNTER_segments_refused), 2 * 999);
	assert_true(kernel_connection(*state, device.flow, &after));
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(reported(*state, &device), 1);
}

static void what_is_as_far_as_a_window_fits(void **state)
{
	static const struct {
		int64_t sequence, acknowledged;
		size_t fits;
	} cases[] = {
		{ -REACH, 0, 1 }, { -REACH - 1, 0, 0 }, { REACH, 0, 1 }, { REACH + 1, 0, 0 },
		{ 0, -REACH, 1 }, { 0, -REACH - 1, 0 }, { 0, REACH, 1 }, { 0, REACH + 1, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame_plan plan = device_plan(*state);

		plan.tcp_sequence += (uint32_t)cases[i].sequence;
		plan.tcp_acknowledged += (uint32_t)cases[i].acknowledged;
		assert_int_equal(reported(*state, &plan), cases[i].fits);
	}
}

/* Many times around the numbers, with the server's answers seen or not. */
static void a_connection_is_followed_however_long_it_is(void **state)
{
	struct frame_plan device = device_plan(*state), server = device;
	struct path_entry entry = { 0 };

	kernel_add_path(*state, device.flow, &entry);
	server.direction = SIGHTING_TO_DEVICE;
	for (uint32_t i = 0; i < 100000; i++) {
		assert_int_equal(reported(*state, &device), 1);
		device.tcp_sequence += REACH / 2;
		device.tcp_acknowledged += REACH / 2;
		if (i % 5 != 0)
			continue;
		server.tcp_sequence = device.tcp_acknowledged - REACH / 4;
		server.tcp_acknowledged = device.tcp_sequence;
		assert_int_equal(reported(*state, &server), 1);
	}
}

/* What is sent again, by either side, leaves the connection where it is. */
static void what_is_sent_again_does_not_move_a_connection_back(void **state)
{
	struct frame_plan device = device_plan(*state), again = device;

	for (int i = 0; i < 3; i++) {
		again.tcp_sequence = device.tcp_sequence - REACH / 2;
		again.tcp_acknowledged = device.tcp_acknowledged - REACH / 2;
		assert_int_equal(reported(*state, &again), 1);
		again.direction = SIGHTING_TO_DEVICE;
		again.tcp_sequence = device.tcp_acknowledged - REACH / 2;
		again.tcp_acknowledged = device.tcp_sequence;
		assert_int_equal(reported(*state, &again), 1);
		again.direction = SIGHTING_FROM_DEVICE;
	}
	device.tcp_sequence += REACH - 1000;
	device.tcp_acknowledged += REACH;
	assert_int_equal(reported(*state, &device), 1);
}

static void data_without_a_connection_is_counted(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));

	pass(*state, &plan, "", 0);
	assert_int_equal(kernel_count(*state, COUNTER_segments_refused), 0);
	assert_int_equal(reported(*state, &plan), 0);
	assert_int_equal(kernel_count(*state, COUNTER_segments_refused), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(trap_44_a_guessed_segment_is_neither_reported_nor_believed),
		KERNEL_TEST(what_is_as_far_as_a_window_fits),
		KERNEL_TEST(a_connection_is_followed_however_long_it_is),
		KERNEL_TEST(what_is_sent_again_does_not_move_a_connection_back),
		KERNEL_TEST(data_without_a_connection_is_counted),
	};

	return cmocka_run_group_tests_name("spoofed", tests, NULL, NULL);
}
