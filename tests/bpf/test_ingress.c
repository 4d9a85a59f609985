/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ingress.c - what is stamped and reported of the packets that devices send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"

static void known_path_is_stamped_in_place(void **state)
{
	struct path_entry before = { .last_seen_ns = 1, .packets_in = 41, .last_sent_ns = 3 };
	struct kernel *kernel = *state;
	struct path_entry after;
	struct flow_entry stranger;

	kernel_add_path(kernel, frame_flow4(40001), &before);
	assert_int_equal(kernel_receive(kernel, frame_flow4(40001), "\r\n\r\n"), XDP_PASS);
	after = kernel_path(kernel, frame_flow4(40001));
	assert_in_range(after.last_seen_ns, 2, kernel_now_ns());
	assert_int_equal(after.packets_in, 42);

	/* Nothing else in the entry changes, and the flow is in one map only. */
	after.last_seen_ns = before.last_seen_ns;
	after.packets_in = before.packets_in;
	assert_memory_equal(&after, &before, sizeof(before));
	assert_false(kernel_flow(kernel, frame_flow4(40001), &stranger));
	assert_int_equal(kernel_count(kernel, COUNTER_packets_in), 1);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_on_paths), 1);
}

static void unknown_flow_is_stamped_in_sip_flows(void **state)
{
	struct flow_entry first, second;
	struct kernel *kernel = *state;

	kernel_receive(kernel, frame_flow6(40001), "hello");
	assert_true(kernel_flow(kernel, frame_flow6(40001), &first));
	assert_in_range(first.first_seen_ns, 1, kernel_now_ns());
	assert_int_equal(first.last_seen_ns, first.first_seen_ns);
	assert_int_equal(first.packets_in, 1);

	kernel_receive(kernel, frame_flow6(40001), "hello");
	assert_true(kernel_flow(kernel, frame_flow6(40001), &second));
	assert_int_equal(second.first_seen_ns, first.first_seen_ns);
	assert_true(second.last_seen_ns >= first.last_seen_ns);
	assert_int_equal(second.packets_in, 2);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_in), 2);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_on_paths), 0);
}

static void programs_never_make_a_path(void **state)
{
	struct kernel *kernel = *state;

	kernel_receive(kernel, frame_flow4(40001), MESSAGE_REGISTER);
	kernel_send(kernel, frame_flow4(40001), MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER"), 0);
	kernel_send(kernel, frame_flow4(40001), MESSAGE_PROMPT("0123456789abcdef"),
		    SIPPATH_MARK_DEFAULT);
	kernel_receive(kernel, frame_flow4(40001), MESSAGE_ANSWER("200 OK", "0123456789abcdef"));
	assert_int_equal(kernel_paths_held(kernel), 0);
}

static void trap_5_a_path_is_the_whole_5_tuple(void **state)
{
	struct sip_settings settings = { .port_count = 2, .ports = { 5060, 5062 } };
	struct path_entry entry = { 0 };
	struct kernel *kernel = *state;
	struct flow flow = frame_flow4(40001), other;

	kernel_set(kernel, &settings);
	kernel_add_path(kernel, flow, &entry);
	other = flow, other.local_port = 5062;
	kernel_receive(kernel, other, "");
	other = flow, other.remote_port++;
	kernel_receive(kernel, other, "");
	other = flow, other.local_addr[15]++;
	kernel_receive(kernel, other, "");
	other = flow, other.remote_addr[15]++;
	kernel_receive(kernel, other, "");
	assert_int_equal(kernel_path(kernel, flow).packets_in, 0);
	assert_int_equal(kernel_flows_held(kernel), 4);

	kernel_receive(kernel, flow, "");
	assert_int_equal(kernel_path(kernel, flow).packets_in, 1);
}

static void trap_22_any_payload_counts_as_heard(void **state)
{
	static const char *const payloads[] = { "",
						"\r\n",
						"\r\n\r\n",
						"x",
						"\x01\x01",
						"SIP/2.0 ",
						"MESSAGE sip:a@example.org SIP/2.0\r\n\r\n" };
	struct path_entry entry = { 0 };
	struct kernel *kernel = *state;

	kernel_add_path(kernel, frame_flow4(40001), &entry);
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		assert_int_equal(kernel_receive(kernel, frame_flow4(40001), payloads[i]), XDP_PASS);
		assert_int_equal(kernel_path(kernel, frame_flow4(40001)).packets_in, i + 1);
	}
	assert_int_equal(kernel_sightings(kernel), 0);
}

static void register_is_reported(void **state)
{
	struct path_entry entry = { 0 };
	struct kernel *kernel = *state;
	const struct sighting *sighting = kernel_sighting(kernel);
	struct flow flow = frame_flow6(40001);
	uint64_t before_ns = kernel_now_ns();

	kernel_add_path(kernel, flow, &entry);
	kernel_receive(kernel, flow, MESSAGE_REGISTER);
	assert_int_equal(kernel_sightings(kernel), 1);
	assert_memory_equal(&sighting->flow, &flow, sizeof(flow));
	assert_in_range(sighting->when_ns, before_ns, kernel_now_ns());
	assert_int_equal(sighting->direction, SIGHTING_FROM_DEVICE);
	assert_int_equal(sighting->kind, SIGHTING_MESSAGE);
	assert_int_equal(sighting->sequence, 0);
	assert_int_equal(sighting->reserved, 0);
	assert_int_equal(sighting->wire_length, strlen(MESSAGE_REGISTER));
	assert_int_equal(sighting->captured, strlen(MESSAGE_REGISTER));
	assert_memory_equal(sighting->bytes, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_count(kernel, COUNTER_sightings), 1);
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_cut), 0);
}

static void other_messages_are_not_reported(void **state)
{
	static const char *const payloads[] = {
		"REGISTERED sip:example.org SIP/2.0\r\n\r\n",
		"register sip:example.org SIP/2.0\r\n\r\n",
		"OPTIONS sip:example.org SIP/2.0\r\n\r\n",
		"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"SIP/2.0 401 Unauthorized\r\nCSeq: 1 REGISTER\r\n\r\n",
		" REGISTER sip:example.org SIP/2.0\r\n\r\n",
		"REGISTER sip:a",
	};

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		assert_int_equal(kernel_receive(*state, frame_flow4(40001), payloads[i]), XDP_PASS);
	assert_int_equal(kernel_sightings(*state), 0);
}

static void acceptance_from_outside_is_reported(void **state)
{
	const struct sighting *sighting = kernel_sighting(*state);

	kernel_receive(*state, frame_flow4(40001), MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER"));
	assert_int_equal(kernel_sightings(*state), 1);
	assert_int_equal(sighting->direction, SIGHTING_FROM_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(known_path_is_stamped_in_place),
		KERNEL_TEST(unknown_flow_is_stamped_in_sip_flows),
		KERNEL_TEST(programs_never_make_a_path),
		KERNEL_TEST(trap_5_a_path_is_the_whole_5_tuple),
		KERNEL_TEST(trap_22_any_payload_counts_as_heard),
		KERNEL_TEST(register_is_reported),
		KERNEL_TEST(other_messages_are_not_reported),
		KERNEL_TEST(acceptance_from_outside_is_reported),
	};

	return cmocka_run_group_tests_name("ingress", tests, NULL, NULL);
}
