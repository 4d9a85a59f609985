/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_opaque.c - which TCP connections are known to carry nothing that can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "messages.h"
#include "segment.h"

static bool turns_opaque(struct kernel *kernel, enum sighting_direction direction,
			 const char *payload, size_t length)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct connection_entry entry;

	kernel_connect(kernel, plan.flow);
	plan.direction = direction;
	pass(kernel, &plan, payload, length);
	assert_true(kernel_connection(kernel, plan.flow, &entry));
	assert_int_equal(kernel_sightings(kernel), entry.opaque ? 0 : 1);
	return entry.opaque;
}

static void tls_and_websockets_turn_a_connection_opaque(void **state)
{
	for (int type = 0x10; type <= 0x1b; type++) {
		for (int version = 0x0200; version <= 0x0405; version++) {
			const char record[] = { (char)type, (char)(version >> 8), (char)version, 0,
						5 };
			bool is_tls = type >= 0x14 && type <= 0x17 && version >= 0x0300 &&
				      version <= 0x0304;

			assert_int_equal(turns_opaque(*state, version % 2, record, sizeof(record)),
					 is_tls);
		}
	}
	assert_true(turns_opaque(*state, SIGHTING_FROM_DEVICE, "GET / HTTP/1.1\r\n", 16));
	assert_false(turns_opaque(*state, SIGHTING_FROM_DEVICE, "GETX", 4));
	assert_false(turns_opaque(*state, SIGHTING_FROM_DEVICE, "GET", 3));
	assert_false(turns_opaque(*state, SIGHTING_FROM_DEVICE, " GET / HTTP/1.1\r\n", 17));
}

/* A caller decides what stands in a body, and where a segment begins. */
static void what_carries_sip_never_turns_opaque(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct connection_entry entry;

	kernel_connect(*state, plan.flow);
	pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	pass(*state, &plan, "GET / HTTP/1.1\r\n", 16);
	pass(*state, &plan, "\x16\x03\x01\x00", 4);
	assert_int_equal(kernel_sightings(*state), 3);
	assert_true(kernel_connection(*state, plan.flow, &entry));
	assert_int_equal(entry.opaque, 0);
}

static void what_is_opaque_stays_so_and_is_stamped_all_the_same(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct path_entry path = { 0 };
	struct connection_entry entry;

	kernel_add_path(*state, plan.flow, &path);
	assert_true(turns_opaque(*state, SIGHTING_FROM_DEVICE, "\x16\x03\x01\x00", 4));
	for (int direction = 0; direction <= 1; direction++) {
		plan.direction = direction;
		pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	}
	assert_int_equal(kernel_sightings(*state), 0);
	assert_int_equal(kernel_path(*state, plan.flow).packets_in, 2);
	assert_int_equal(kernel_path(*state, plan.flow).packets_out, 1);
	assert_true(kernel_connection(*state, plan.flow, &entry));
	assert_int_equal(entry.opaque, 1);
	assert_int_equal(entry.opened_ns, 1);
}

/* Neither TLS nor HTTP: no SIP message is as long as what comes without one. */
static void what_shows_no_message_for_long_turns_opaque(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct connection_entry entry = { 0 };
	size_t reported = 0;
	char noise[1024];

	memset(noise, 'x', sizeof(noise));
	kernel_connect(*state, plan.flow);
	while (reported < 65536 && !entry.opaque) {
		pass(*state, &plan, noise, sizeof(noise));
		reported += kernel_sightings(*state) * sizeof(noise);
		assert_true(kernel_connection(*state, plan.flow, &entry));
	}
	assert_int_equal(reported, 65536 - sizeof(noise));
	assert_int_equal(entry.opaque, 1);
}

static void what_has_shown_a_message_is_read_however_long(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	struct connection_entry entry;
	char noise[1024];

	memset(noise, 'x', sizeof(noise));
	kernel_connect(*state, plan.flow);
	pass(*state, &plan, noise, sizeof(noise));
	pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_sightings(*state), 2);
	for (size_t i = 0; i < 128; i++) {
		pass(*state, &plan, noise, sizeof(noise));
		assert_int_equal(kernel_sightings(*state), 1);
	}
	assert_true(kernel_connection(*state, plan.flow, &entry));
	assert_int_equal(entry.opaque, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(tls_and_websockets_turn_a_connection_opaque),
		KERNEL_TEST(what_carries_sip_never_turns_opaque),
		KERNEL_TEST(what_shows_no_message_for_long_turns_opaque),
		KERNEL_TEST(what_has_shown_a_message_is_read_however_long),
		KERNEL_TEST(what_is_opaque_stays_so_and_is_stamped_all_the_same),
	};

	return cmocka_run_group_tests_name("opaque", tests, NULL, NULL);
}
