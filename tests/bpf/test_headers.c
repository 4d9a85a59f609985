/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_headers.c - which packets are found to be a flow on a SIP port, and which are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"

/* Sends a REGISTER as the plan says; true if it was heard on the plan's flow and reported. */
static bool heard(struct kernel *kernel, const struct frame_plan *plan)
{
	uint64_t before = kernel_count(kernel, COUNTER_packets_in);
	struct flow_entry entry;
	struct frame frame;
	bool counted, reported;

	frame_build(&frame, plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
	counted = kernel_count(kernel, COUNTER_packets_in) == before + 1;
	reported = kernel_sightings(kernel) == 1;
	assert_int_equal(counted, reported);
	assert_int_equal(counted, kernel_flow(kernel, plan->flow, &entry));
	if (!counted)
		return false;
	assert_memory_equal(&kernel_sighting(kernel)->flow, &plan->flow, sizeof(plan->flow));
	assert_int_equal(kernel_sighting(kernel)->captured, strlen(MESSAGE_REGISTER));
	assert_memory_equal(kernel_sighting(kernel)->bytes, MESSAGE_REGISTER,
			    strlen(MESSAGE_REGISTER));
	return true;
}

static void ipv4_and_ipv6_are_heard(void **state)
{
	struct frame_plan four = frame_plan(frame_flow4(40001), SIGHTING_FROM_DEVICE);
	struct frame_plan six = frame_plan(frame_flow6(40001), SIGHTING_FROM_DEVICE);

	assert_true(heard(*state, &four));
	assert_true(heard(*state, &six));
}

static void trap_41_vlan_tags(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		for (unsigned int tags = 1; tags <= 3; tags++) {
			struct frame_plan plan = frame_plan(flows[i], SIGHTING_FROM_DEVICE);

			plan.flow.remote_port += tags;
			plan.vlan_tags = tags;
			assert_int_equal(heard(*state, &plan), tags <= 2);
		}
	}
}

static void trap_41_ipv4_options(void **state)
{
	for (unsigned int options = 4; options <= 40; options += 4) {
		struct frame_plan plan =
			frame_plan(frame_flow4(40000 + options), SIGHTING_FROM_DEVICE);

		plan.ipv4_options = options;
		assert_true(heard(*state, &plan));
	}
}

static void trap_41_ipv6_extension_headers(void **state)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS,
					 IPPROTO_AH, IPPROTO_FRAGMENT };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct frame_plan plan =
			frame_plan(frame_flow6(40000 + kinds[i]), SIGHTING_FROM_DEVICE);

		plan.extensions[0] = kinds[i];
		plan.extensions[1] = FRAME_EXTENSIONS_END;
		assert_true(heard(*state, &plan));
	}
}

static void trap_41_ipv6_extension_headers_have_a_limit(void **state)
{
	for (uint16_t count = 2; count <= 7; count++) {
		struct frame_plan plan =
			frame_plan(frame_flow6(40000 + count), SIGHTING_FROM_DEVICE);

		memset(plan.extensions, IPPROTO_DSTOPTS, count);
		plan.extensions[count] = FRAME_EXTENSIONS_END;
		assert_int_equal(heard(*state, &plan), count <= 6);
	}
}

static void unknown_ipv6_extension_is_no_flow(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow6(40001), SIGHTING_FROM_DEVICE);

	plan.extensions[0] = IPPROTO_ESP;
	plan.extensions[1] = FRAME_EXTENSIONS_END;
	assert_false(heard(*state, &plan));
}

static void trap_41_first_fragment_is_heard_and_reported_cut(void **state)
{
	struct kernel *kernel = *state;
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = frame_plan(flows[i], SIGHTING_FROM_DEVICE);

		plan.extensions[0] = IPPROTO_FRAGMENT;
		plan.extensions[1] = FRAME_EXTENSIONS_END;
		plan.more_fragments = true;
		plan.udp_length_error = 1000;
		assert_true(heard(kernel, &plan));
		assert_int_equal(kernel_sighting(kernel)->wire_length,
				 strlen(MESSAGE_REGISTER) + 1000);
		assert_int_equal(kernel_count(kernel, COUNTER_sightings_cut), i + 1);
	}
}

static void trap_41_later_fragments_have_no_ports(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		for (int more = 0; more <= 1; more++) {
			struct frame_plan plan = frame_plan(flows[i], SIGHTING_FROM_DEVICE);

			plan.extensions[0] = IPPROTO_FRAGMENT;
			plan.extensions[1] = FRAME_EXTENSIONS_END;
			plan.fragment_offset = 1480;
			plan.more_fragments = more;
			assert_false(heard(*state, &plan));
		}
	}
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 0);
}

static void other_protocols_are_not_heard(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP,
					     IPPROTO_UDPLITE };
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < sizeof(protocols); i++) {
		for (size_t family = 0; family < 2; family++) {
			struct frame_plan plan = frame_plan(flows[family], SIGHTING_FROM_DEVICE);

			plan.protocol = protocols[i];
			assert_false(heard(*state, &plan));
		}
	}
	assert_int_equal(kernel_flows_held(*state), 0);
	assert_int_equal(kernel_count(*state, COUNTER_packets_in), 0);
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 0);
}

static void only_the_local_port_matters(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow4(5060), SIGHTING_FROM_DEVICE);

	plan.flow.local_port = 5061;
	assert_false(heard(*state, &plan));
	plan.flow.local_port = 5060;
	plan.flow.remote_port = 1;
	assert_true(heard(*state, &plan));
}

static void ports_follow_the_settings_at_run_time(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow4(40001), SIGHTING_FROM_DEVICE);
	struct sip_settings settings = { .port_count = SIPPATH_PORTS_MAX };

	for (uint16_t i = 0; i < SIPPATH_PORTS_MAX; i++)
		settings.ports[i] = 6000 + i;
	kernel_set(*state, &settings);
	assert_false(heard(*state, &plan));
	for (uint16_t i = 0; i < SIPPATH_PORTS_MAX; i++) {
		plan.flow.local_port = 6000 + i;
		assert_true(heard(*state, &plan));
	}

	/* What stands behind port_count is no port. */
	settings.port_count = 1;
	kernel_set(*state, &settings);
	plan.flow.remote_port++;
	assert_false(heard(*state, &plan));
	plan.flow.local_port = 6000;
	assert_true(heard(*state, &plan));
}

/* A frame cut after each of its bytes passes, and nothing is read behind its end. */
static void cut_everywhere(struct kernel *kernel, const struct frame_plan *plan)
{
	struct frame frame;
	size_t whole;

	frame_build(&frame, plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	whole = frame.length;
	for (frame.length = 14; frame.length < whole; frame.length++) {
		size_t left = frame.length > frame.headers ? frame.length - frame.headers : 0;

		assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
		if (left < 16) {
			assert_int_equal(kernel_sightings(kernel), 0);
			continue;
		}
		assert_int_equal(kernel_sightings(kernel), 1);
		assert_int_equal(kernel_sighting(kernel)->captured, left);
		assert_int_equal(kernel_sighting(kernel)->wire_length, strlen(MESSAGE_REGISTER));
		assert_memory_equal(kernel_sighting(kernel)->bytes, MESSAGE_REGISTER, left);
	}
}

static void frames_cut_after_every_byte(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow4(40001), SIGHTING_FROM_DEVICE);

	plan.vlan_tags = 2;
	plan.ipv4_options = 12;
	cut_everywhere(*state, &plan);
	/* Behind two tags: the header, its options, and the UDP header, the last byte missing. */
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 20 + 12 + 8);

	plan = frame_plan(frame_flow6(40001), SIGHTING_FROM_DEVICE);
	plan.extensions[0] = IPPROTO_HOPOPTS;
	plan.extensions[1] = IPPROTO_AH;
	plan.extensions[2] = FRAME_EXTENSIONS_END;
	cut_everywhere(*state, &plan);
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 40 + 40 + 16 + 24 + 8);
}

static void lying_lengths_are_bounded_by_the_frame(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow4(40001), SIGHTING_FROM_DEVICE);
	struct kernel *kernel = *state;

	plan.ip_length_error = 20000;
	plan.udp_length_error = 20000;
	assert_true(heard(kernel, &plan));
	assert_int_equal(kernel_sighting(kernel)->wire_length, strlen(MESSAGE_REGISTER) + 20000);
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_cut), 1);
}

static void lengths_too_short_for_a_header_are_cut(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };
	int payload = (int)strlen(MESSAGE_REGISTER);

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan udp = frame_plan(flows[i], SIGHTING_FROM_DEVICE);
		struct frame_plan ip = udp;

		udp.udp_length_error = -payload - 1;
		assert_false(heard(*state, &udp));
		ip.ip_length_error = -payload - 1;
		assert_false(heard(*state, &ip));
	}
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 4);
}

static void padding_is_not_captured(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = frame_plan(flows[i], SIGHTING_FROM_DEVICE);

		plan.padding = 18;
		assert_true(heard(*state, &plan));
		/* Nor if the UDP header claims the padding. */
		plan.flow.remote_port++;
		plan.udp_length_error = 18;
		assert_true(heard(*state, &plan));
	}
}

static void malformed_ipv4_header_length_is_cut(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow4(40001), SIGHTING_FROM_DEVICE);
	struct frame frame;

	frame_build(&frame, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	for (uint8_t words = 0; words < 5; words++) {
		frame.bytes[14] = 0x40 | words;
		assert_int_equal(kernel_ingress(*state, &frame), XDP_PASS);
		assert_int_equal(kernel_count(*state, COUNTER_packets_cut), words + 1);
	}
	assert_int_equal(kernel_sightings(*state), 0);
}

static void frames_of_other_protocols_pass(void **state)
{
	struct frame frame = { .length = 60 };

	memcpy(frame.bytes + 12, "\x08\x06", 2); /* ARP */
	assert_int_equal(kernel_ingress(*state, &frame), XDP_PASS);
	assert_int_equal(kernel_egress(*state, &frame, 0), -1);
	assert_int_equal(kernel_count(*state, COUNTER_packets_cut), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(ipv4_and_ipv6_are_heard),
		KERNEL_TEST(trap_41_vlan_tags),
		KERNEL_TEST(trap_41_ipv4_options),
		KERNEL_TEST(trap_41_ipv6_extension_headers),
		KERNEL_TEST(trap_41_ipv6_extension_headers_have_a_limit),
		KERNEL_TEST(unknown_ipv6_extension_is_no_flow),
		KERNEL_TEST(trap_41_first_fragment_is_heard_and_reported_cut),
		KERNEL_TEST(trap_41_later_fragments_have_no_ports),
		KERNEL_TEST(other_protocols_are_not_heard),
		KERNEL_TEST(only_the_local_port_matters),
		KERNEL_TEST(ports_follow_the_settings_at_run_time),
		KERNEL_TEST(frames_cut_after_every_byte),
		KERNEL_TEST(lying_lengths_are_bounded_by_the_frame),
		KERNEL_TEST(lengths_too_short_for_a_header_are_cut),
		KERNEL_TEST(padding_is_not_captured),
		KERNEL_TEST(malformed_ipv4_header_length_is_cut),
		KERNEL_TEST(frames_of_other_protocols_pass),
	};

	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
