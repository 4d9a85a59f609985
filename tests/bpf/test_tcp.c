/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tcp.c - what is stamped and reported of TCP segments on a SIP port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"
#include "segment.h"

#define TOKEN "0123456789abcdef"
#define TOKEN_VALUE 0x0123456789abcdef
/* The next sighting is the piece of the plan's stream that begins at "position". */
static void assert_piece(struct kernel *kernel, const struct frame_plan *plan, const void *bytes,
			 size_t length, size_t position)
{
	const struct sighting *piece = kernel_next_sighting(kernel);

	assert_non_null(piece);
	assert_memory_equal(&piece->flow, &plan->flow, sizeof(plan->flow));
	assert_int_equal(piece->kind, SIGHTING_SEGMENT);
	assert_int_equal(piece->direction, plan->direction);
	assert_int_equal(piece->sequence, plan->tcp_sequence + (uint32_t)position);
	assert_int_equal(piece->wire_length, length);
	assert_int_equal(piece->captured, length);
	assert_int_equal(piece->reserved, 0);
	assert_memory_equal(piece->bytes, bytes, length);
}

/* Sends what shows that the connection carries SIP. */
static void make_readable(struct kernel *kernel, const struct frame_plan *plan)
{
	pass(kernel, plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_sightings(kernel), 1);
}

static void segments_stamp_their_path_or_their_flow(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };
	struct path_entry entry = { .last_seen_ns = 1 };
	struct kernel *kernel = *state;
	struct flow_entry stranger;

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = segment_plan(flows[i]);

		pass(kernel, &plan, "x", 1);
		assert_true(kernel_flow(kernel, plan.flow, &stranger));
		assert_int_equal(stranger.packets_in, 1);

		kernel_add_path(kernel, plan.flow, &entry);
		pass(kernel, &plan, "x", 1);
		assert_int_equal(kernel_path(kernel, plan.flow).packets_in, 1);
		assert_in_range(kernel_path(kernel, plan.flow).last_seen_ns, 2, kernel_now_ns());
		assert_false(kernel_flow(kernel, flows[i], &stranger));
	}
	assert_int_equal(kernel_count(kernel, COUNTER_packets_in), 4);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_on_paths), 2);
}

/* The same ports and addresses over the other transport are another path. */
static void trap_5_the_transport_tells_paths_apart(void **state)
{
	struct path_entry entry = { 0 };
	struct kernel *kernel = *state;
	struct flow udp = frame_flow4(40001);
	struct frame_plan plan = segment_plan(udp);

	kernel_add_path(kernel, udp, &entry);
	pass(kernel, &plan, "x", 1);
	assert_int_equal(kernel_path(kernel, udp).packets_in, 0);
	kernel_add_path(kernel, plan.flow, &entry);
	assert_int_equal(kernel_receive(kernel, udp, "x"), XDP_PASS);
	assert_int_equal(kernel_path(kernel, udp).packets_in, 1);
	assert_int_equal(kernel_path(kernel, plan.flow).packets_in, 0);
}

static void trap_1_only_segments_from_the_device_count(void **state)
{
	struct path_entry entry = { .last_seen_ns = 7 };
	struct kernel *kernel = *state;
	struct frame_plan plan = segment_plan(frame_flow6(40001));

	plan.direction = SIGHTING_TO_DEVICE;
	kernel_add_path(kernel, plan.flow, &entry);
	pass(kernel, &plan, "x", 1);
	entry = kernel_path(kernel, plan.flow);
	assert_int_equal(entry.last_seen_ns, 7);
	assert_int_equal(entry.packets_in, 0);
	assert_int_equal(entry.packets_out, 1);
	assert_in_range(entry.last_sent_ns, 1, kernel_now_ns());
}

static void trap_22_any_segment_counts_as_heard(void **state)
{
	static const uint8_t flags[] = { FRAME_TCP_SYN, FRAME_TCP_ACK,
					 FRAME_TCP_FIN | FRAME_TCP_ACK, FRAME_TCP_RST };
	struct path_entry entry = { 0 };
	struct kernel *kernel = *state;
	struct frame_plan plan = segment_plan(frame_flow4(40001));

	kernel_add_path(kernel, plan.flow, &entry);
	kernel_connect(kernel, plan.flow);
	for (size_t i = 0; i < sizeof(flags); i++) {
		plan.tcp_flags = flags[i];
		plan.padding = 6; /* Ethernet's shortest frame is longer than an empty segment */
		pass(kernel, &plan, "", 0);
		assert_int_equal(kernel_path(kernel, plan.flow).packets_in, i + 1);
	}
	assert_int_equal(kernel_sightings(kernel), 0);
}

static void trap_44_no_stream_is_reported_without_a_handshake(void **state)
{
	struct kernel *kernel = *state;
	struct frame_plan plan = segment_plan(frame_flow4(40001));

	kernel_connect(kernel, frame_tcp(frame_flow4(40002)));
	kernel_connect(kernel, frame_flow4(40001));
	for (int direction = 0; direction <= 1; direction++) {
		plan.direction = direction;
		pass(kernel, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	}
	assert_int_equal(kernel_sightings(kernel), 0);
	assert_int_equal(kernel_connections_held(kernel), 2);
}

static void every_segment_of_a_connection_is_reported_either_way(void **state)
{
	static const char *const payloads[] = { MESSAGE_REGISTER, "\r\n\r\n", "x",
						"SIP/2.0 100 Trying\r\n\r\n", "OPTIONS sip:a" };
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = segment_plan(flows[i]);

		kernel_connect(*state, plan.flow);
		for (size_t j = 0; j < sizeof(payloads) / sizeof(payloads[0]); j++) {
			plan.direction = (j + i) % 2;
			pass(*state, &plan, payloads[j], strlen(payloads[j]));
			assert_piece(*state, &plan, payloads[j], strlen(payloads[j]), 0);
			assert_null(kernel_next_sighting(*state));
		}
	}
}

static void a_segment_that_opens_or_resets_carries_no_stream(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));

	kernel_connect(*state, plan.flow);
	plan.tcp_flags = FRAME_TCP_SYN;
	pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	plan.tcp_flags = FRAME_TCP_RST | FRAME_TCP_ACK;
	pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_sightings(*state), 0);
	plan.tcp_flags = FRAME_TCP_FIN | FRAME_TCP_ACK;
	pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	assert_int_equal(kernel_sightings(*state), 1);
}

/* The payload is found behind whatever stands before it, to the byte. */
static void trap_41_tcp_behind_tags_options_and_extension_headers(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (unsigned int options = 0; options <= 40; options += 4) {
		for (size_t i = 0; i < 4; i++) {
			struct frame_plan plan = segment_plan(flows[i % 2]);

			kernel_connect(*state, plan.flow);
			plan.direction = i / 2;
			plan.tcp_options = options;
			plan.ipv4_options = 40 - options;
			plan.vlan_tags = options / 4 % 3;
			plan.extensions[0] = IPPROTO_HOPOPTS;
			plan.extensions[1] = IPPROTO_AH;
			plan.extensions[2] = FRAME_EXTENSIONS_END;
			plan.padding = 18;
			pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
			assert_piece(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER), 0);
		}
	}
}

static void trap_41_later_fragments_of_a_segment_have_no_ports(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = segment_plan(flows[i]);

		kernel_connect(*state, plan.flow);
		plan.extensions[0] = IPPROTO_FRAGMENT;
		plan.extensions[1] = FRAME_EXTENSIONS_END;
		plan.more_fragments = true;
		pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
		assert_piece(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER), 0);
		plan.fragment_offset = 1480;
		pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
		assert_null(kernel_next_sighting(*state));
	}
	assert_int_equal(kernel_count(*state, COUNTER_packets_in), 2);
}

static void header_lengths_that_lie_are_cut(void **state)
{
	struct flow flows[] = { frame_flow4(40001), frame_flow6(40001) };
	uint64_t cut = 0;

	for (size_t i = 0; i < 2; i++) {
		struct frame_plan plan = segment_plan(flows[i]);

		kernel_connect(*state, plan.flow);
		for (plan.tcp_offset_error = -5; plan.tcp_offset_error < 0;
		     plan.tcp_offset_error++) {
			pass(*state, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
			cut++;
		}
		/* Longer than the packet: its payload has 4 bytes, its options would have 40. */
		plan.tcp_offset_error = 10;
		pass(*state, &plan, "1234", 4);
		assert_int_equal(kernel_count(*state, COUNTER_packets_cut), ++cut);
	}
	assert_int_equal(kernel_sightings(*state), 0);
	assert_int_equal(kernel_flows_held(*state), 0);
}

static void segments_cut_after_every_byte(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow6(40001));
	struct kernel *kernel = *state;
	struct frame frame;
	size_t whole;

	kernel_connect(kernel, plan.flow);
	plan.tcp_options = 12;
	frame_build(&frame, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	whole = frame.length;
	for (frame.length = 15; frame.length < whole; frame.length++) {
		size_t left = frame.length > frame.headers ? frame.length - frame.headers : 0;

		assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
		if (left > 0)
			assert_piece(kernel, &plan, MESSAGE_REGISTER, left, 0);
		assert_null(kernel_next_sighting(kernel));
	}
}

static void only_the_local_port_matters(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(5060));

	plan.flow.local_port = 5061;
	for (int direction = 0; direction <= 1; direction++) {
		plan.direction = direction;
		pass(*state, &plan, "x", 1);
	}
	assert_int_equal(kernel_count(*state, COUNTER_packets_in), 0);
	assert_int_equal(kernel_count(*state, COUNTER_packets_out), 0);
	assert_int_equal(kernel_flows_held(*state), 0);
}

/* A stream with a hole in it would be another stream: nothing is taken out, nothing noted. */
static void trap_18_over_tcp_nothing_is_absorbed_and_no_prompt_noted(void **state)
{
	struct path_entry entry = { .prompt_token = TOKEN_VALUE, .prompt_ns = 1, .prompts = 1 };
	static const char answer[] = MESSAGE_ANSWER("200 OK", TOKEN);
	static const char prompt[] = MESSAGE_PROMPT("fedcba9876543210");
	struct frame_plan plan = segment_plan(frame_flow4(40001));

	kernel_add_path(*state, plan.flow, &entry);
	kernel_connect(*state, plan.flow);
	pass(*state, &plan, answer, strlen(answer));
	assert_piece(*state, &plan, answer, strlen(answer), 0);
	plan.direction = SIGHTING_TO_DEVICE;
	pass(*state, &plan, prompt, strlen(prompt));
	assert_piece(*state, &plan, prompt, strlen(prompt), 0);
	entry = kernel_path(*state, plan.flow);
	assert_true(entry.prompt_token == TOKEN_VALUE);
	assert_int_equal(entry.prompts, 1);
	assert_int_equal(entry.answers, 0);
	assert_int_equal(entry.packets_out, 1);
}

static void trap_43_large_segments_come_in_pieces(void **state)
{
	static const size_t lengths[] = { 1,    4094, 4095, 4096,  8189,  8190,
					  8191, 8946, 9000, 20000, 60000, 65535 - 20 - 20 - 14 };
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	static char stream[65536];

	kernel_connect(*state, plan.flow);
	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (char)('a' + i % 23 + i / 4095 % 3);
	make_readable(*state, &plan);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		pass(*state, &plan, stream, lengths[i]);
		for (size_t at = 0; at < lengths[i]; at += SIGHTING_CAPTURE_MAX) {
			size_t left = lengths[i] - at;

			assert_piece(*state, &plan, stream + at,
				     left < SIGHTING_CAPTURE_MAX ? left : SIGHTING_CAPTURE_MAX, at);
		}
		assert_null(kernel_next_sighting(*state));
	}
	assert_int_equal(kernel_count(*state, COUNTER_sightings_cut), 0);
}

static void trap_43_a_large_datagram_is_captured_as_far_as_it_goes(void **state)
{
	struct frame_plan plan = frame_plan(frame_flow6(40001), SIGHTING_FROM_DEVICE);
	static char message[8900];
	static struct frame frame;

	memset(message, 'x', sizeof(message));
	memcpy(message, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	frame_build(&frame, &plan, message, sizeof(message));
	assert_int_equal(kernel_ingress(*state, &frame), XDP_PASS);
	assert_int_equal(kernel_sightings(*state), 1);
	assert_int_equal(kernel_sighting(*state)->wire_length, sizeof(message));
	assert_int_equal(kernel_sighting(*state)->captured, SIGHTING_CAPTURE_MAX);
	assert_memory_equal(kernel_sighting(*state)->bytes, message, SIGHTING_CAPTURE_MAX);
	assert_int_equal(kernel_count(*state, COUNTER_sightings_cut), 1);
}

static void trap_45_pieces_that_find_no_room_are_counted(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	static char stream[16000];
	uint64_t lost;

	memset(stream, 'x', sizeof(stream));
	kernel_connect(*state, plan.flow);
	make_readable(*state, &plan);
	for (size_t i = 0; i < 2 * KERNEL_SIGHTINGS_BYTES / sizeof(stream); i++)
		pass(*state, &plan, stream, sizeof(stream));
	lost = kernel_count(*state, COUNTER_sightings_lost);
	assert_in_range(lost, 1, 4 * 2 * KERNEL_SIGHTINGS_BYTES / sizeof(stream) - 1);
	assert_int_equal(kernel_sightings(*state), kernel_count(*state, COUNTER_sightings) - 1);
	pass(*state, &plan, "x", 1);
	assert_piece(*state, &plan, "x", 1, 0);
}

/* However much a path's stream brings, a message of a path over UDP finds room. */
static void trap_45_a_stream_leaves_a_quarter_of_the_room(void **state)
{
	struct frame_plan plan = segment_plan(frame_flow4(40001));
	const size_t datagrams = KERNEL_SIGHTINGS_BYTES / 4 / 1024;
	struct path_entry entry = { 0 };
	static char stream[16000];
	uint64_t lost;

	memset(stream, 'x', sizeof(stream));
	kernel_connect(*state, plan.flow);
	kernel_add_path(*state, plan.flow, &entry);
	kernel_add_path(*state, frame_flow4(40002), &entry);
	make_readable(*state, &plan);
	for (size_t i = 0; i < 2 * KERNEL_SIGHTINGS_BYTES / sizeof(stream); i++)
		pass(*state, &plan, stream, sizeof(stream));
	lost = kernel_count(*state, COUNTER_sightings_lost);
	for (size_t i = 0; i < datagrams; i++)
		kernel_receive(*state, frame_flow4(40002), MESSAGE_REGISTER);
	assert_int_equal(kernel_count(*state, COUNTER_sightings_lost), lost);
	pass(*state, &plan, "x", 1);
	assert_int_equal(kernel_count(*state, COUNTER_sightings_lost), lost + 1);
	kernel_sightings(*state);
	assert_int_equal(kernel_sighting(*state)->kind, SIGHTING_MESSAGE);
}

#define FRAGS_TEST(test) cmocka_unit_test_setup_teardown(test, kernel_setup_frags, kernel_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(segments_stamp_their_path_or_their_flow),
		KERNEL_TEST(trap_5_the_transport_tells_paths_apart),
		KERNEL_TEST(trap_1_only_segments_from_the_device_count),
		KERNEL_TEST(trap_22_any_segment_counts_as_heard),
		KERNEL_TEST(trap_44_no_stream_is_reported_without_a_handshake),
		KERNEL_TEST(every_segment_of_a_connection_is_reported_either_way),
		KERNEL_TEST(a_segment_that_opens_or_resets_carries_no_stream),
		KERNEL_TEST(trap_41_tcp_behind_tags_options_and_extension_headers),
		KERNEL_TEST(trap_41_later_fragments_of_a_segment_have_no_ports),
		KERNEL_TEST(header_lengths_that_lie_are_cut),
		KERNEL_TEST(segments_cut_after_every_byte),
		KERNEL_TEST(only_the_local_port_matters),
		KERNEL_TEST(trap_18_over_tcp_nothing_is_absorbed_and_no_prompt_noted),
		FRAGS_TEST(trap_43_large_segments_come_in_pieces),
		FRAGS_TEST(trap_43_a_large_datagram_is_captured_as_far_as_it_goes),
		FRAGS_TEST(trap_45_pieces_that_find_no_room_are_counted),
		FRAGS_TEST(trap_45_a_stream_leaves_a_quarter_of_the_room),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
