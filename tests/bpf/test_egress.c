/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_egress.c - what is noted and reported of the packets that leave a SIP port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"

#define TOKEN "0123456789abcdef"
#define TOKEN_VALUE 0x0123456789abcdef
#define OTHER_TOKEN "fedcba9876543210"
#define OTHER_TOKEN_VALUE 0xfedcba9876543210

static struct flow quiet_path(struct kernel *kernel)
{
	struct path_entry entry = { .last_seen_ns = 7 };

	kernel_add_path(kernel, frame_flow6(40001), &entry);
	return frame_flow6(40001);
}

static void trap_1_only_packets_from_the_device_count(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = quiet_path(kernel);
	struct path_entry entry;

	assert_int_equal(kernel_send(kernel, flow, "INVITE sip:a SIP/2.0\r\n\r\n", 0),
			 TC_ACT_UNSPEC);
	assert_int_equal(kernel_send(kernel, flow, "", 0), TC_ACT_UNSPEC);
	entry = kernel_path(kernel, flow);
	assert_int_equal(entry.last_seen_ns, 7);
	assert_int_equal(entry.packets_in, 0);
	assert_int_equal(entry.packets_out, 2);
	assert_in_range(entry.last_sent_ns, 1, kernel_now_ns());
	assert_int_equal(entry.prompts, 0);
	assert_int_equal(kernel_count(kernel, COUNTER_packets_out), 2);
	assert_int_equal(kernel_flows_held(kernel), 0);
}

static void trap_23_a_prompt_is_counted_and_is_not_the_servers(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = quiet_path(kernel);
	struct path_entry entry;
	uint64_t before_ns = kernel_now_ns();

	assert_int_equal(kernel_send(kernel, flow, MESSAGE_PROMPT(TOKEN), SIPPATH_MARK_DEFAULT),
			 TC_ACT_UNSPEC);
	entry = kernel_path(kernel, flow);
	assert_true(entry.prompt_token == TOKEN_VALUE);
	assert_int_equal(entry.earlier_token, 0);
	assert_in_range(entry.prompt_ns, before_ns, kernel_now_ns());
	assert_int_equal(entry.prompts, 1);
	assert_int_equal(entry.packets_out, 0);
	assert_int_equal(entry.last_sent_ns, 0);
	assert_int_equal(entry.last_seen_ns, 7);
	assert_int_equal(kernel_count(kernel, COUNTER_prompts_left), 1);
	assert_int_equal(kernel_sightings(kernel), 0);
}

static void repeated_prompt_keeps_the_earlier_token(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = quiet_path(kernel);
	struct path_entry first, repeat;

	kernel_send(kernel, flow, MESSAGE_PROMPT(TOKEN), SIPPATH_MARK_DEFAULT);
	kernel_send(kernel, flow, MESSAGE_PROMPT(OTHER_TOKEN), SIPPATH_MARK_DEFAULT);
	first = kernel_path(kernel, flow);
	kernel_send(kernel, flow, MESSAGE_PROMPT(OTHER_TOKEN), SIPPATH_MARK_DEFAULT);
	repeat = kernel_path(kernel, flow);
	assert_true(repeat.prompt_token == OTHER_TOKEN_VALUE);
	assert_true(repeat.earlier_token == TOKEN_VALUE);
	assert_true(repeat.prompt_ns > first.prompt_ns);
	assert_int_equal(repeat.prompts, 3);
	assert_int_equal(kernel_count(kernel, COUNTER_prompts_left), 3);
}

static void prompt_off_any_path_is_counted(void **state)
{
	struct kernel *kernel = *state;

	kernel_send(kernel, frame_flow4(40001), MESSAGE_PROMPT(TOKEN), SIPPATH_MARK_DEFAULT);
	assert_int_equal(kernel_count(kernel, COUNTER_prompts_unknown), 1);
	assert_int_equal(kernel_count(kernel, COUNTER_prompts_left), 0);
}

static void prompt_needs_the_mark_and_the_token(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = quiet_path(kernel);

	kernel_send(kernel, flow, MESSAGE_PROMPT(TOKEN), 0);
	kernel_send(kernel, flow, MESSAGE_PROMPT(TOKEN), SIPPATH_MARK_DEFAULT + 1);
	kernel_send(kernel, flow, MESSAGE_PROMPT("0123456789abcdeg"), SIPPATH_MARK_DEFAULT);
	kernel_send(kernel, flow, "INVITE sip:a SIP/2.0\r\n\r\n", SIPPATH_MARK_DEFAULT);
	assert_int_equal(kernel_path(kernel, flow).prompts, 0);
	assert_int_equal(kernel_path(kernel, flow).packets_out, 4);
	assert_int_equal(kernel_count(kernel, COUNTER_prompts_left), 0);
}

static void mark_follows_the_settings(void **state)
{
	struct sip_settings settings = { .prompt_mark = 99 };
	struct flow flow = quiet_path(*state);

	kernel_set(*state, &settings);
	kernel_send(*state, flow, MESSAGE_PROMPT(TOKEN), SIPPATH_MARK_DEFAULT);
	assert_int_equal(kernel_path(*state, flow).prompts, 0);
	kernel_send(*state, flow, MESSAGE_PROMPT(TOKEN), 99);
	assert_int_equal(kernel_path(*state, flow).prompts, 1);
}

static void accepted_register_is_reported(void **state)
{
	static const char accepted[] = MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER");
	struct kernel *kernel = *state;
	const struct sighting *sighting = kernel_sighting(kernel);
	struct flow flow = frame_flow6(40001);
	uint64_t before_ns = kernel_now_ns();

	kernel_send(kernel, flow, accepted, 0);
	assert_int_equal(kernel_sightings(kernel), 1);
	assert_memory_equal(&sighting->flow, &flow, sizeof(flow));
	assert_in_range(sighting->when_ns, before_ns, kernel_now_ns());
	assert_int_equal(sighting->direction, SIGHTING_TO_DEVICE);
	assert_int_equal(sighting->wire_length, strlen(accepted));
	assert_int_equal(sighting->captured, strlen(accepted));
	assert_memory_equal(sighting->bytes, accepted, strlen(accepted));
}

static void every_spelling_of_cseq_is_understood(void **state)
{
	static const char *const reported[] = {
		"cseq: 1 REGISTER",
		"CSEQ:1 REGISTER",
		"CSeq  :  4294967295   REGISTER",
		"CSeq\t:\t1\tREGISTER",
		"CSeq: 1\r\n REGISTER",
		"CSeq:\r\n\t1\r\n\tREGISTER",
		"CSeq: 1 REGISTER ",
		"CSeqs: 1 BYE\r\nCSeq: 1 REGISTER",
		"X-CSeq: 1 BYE\r\nCSeq: 1 REGISTER",
		"Subject: CSeq: 1 BYE\r\nCSeq: 1 SUBSCRIBE",
		/* None at all, or out of reach: the agent may judge. */
		"X: 1",
		"\r\nCSeq: 1 BYE",
		"CSeq: 1                                                                  BYE",
	};
	static const char *const ignored[] = {
		"CSeq: 1 BYE",
		"cseq:1 OPTIONS",
		"CSeq: 1\r\n MESSAGE",
		"CSeq: 1 REGISTERED",
		"CSeq: 1 register",
		"CSeq: 1 PRACK\r\nCSeq: 1 REGISTER",
		"CSeq: 1 NOTIFY\r\nX: 1 REGISTER",
	};
	char message[1024];

	for (size_t i = 0; i < sizeof(reported) / sizeof(reported[0]); i++) {
		snprintf(message, sizeof(message), MESSAGE_RESPONSE("200 OK", "%s"), reported[i]);
		kernel_send(*state, frame_flow4(40001), message, 0);
		assert_int_equal(kernel_sightings(*state), 1);
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		snprintf(message, sizeof(message), MESSAGE_RESPONSE("200 OK", "%s"), ignored[i]);
		kernel_send(*state, frame_flow4(40001), message, 0);
		assert_int_equal(kernel_sightings(*state), 0);
	}
}

/* Whom the server has asked may answer in its name: the agent has to know. */
static void trap_32_a_register_that_the_server_sends_is_reported(void **state)
{
	const struct sighting *sighting = kernel_sighting(*state);

	kernel_send(*state, frame_flow4(40001), MESSAGE_REGISTER, 0);
	assert_int_equal(kernel_sightings(*state), 1);
	assert_int_equal(sighting->direction, SIGHTING_TO_DEVICE);
}

/* Which responses to a method the agent has to know: none if the first is above the last. */
static const struct {
	const char *method;
	unsigned int first, last;
} reported_methods[] = {
	{ "REGISTER", 200, 299 }, { "SUBSCRIBE", 200, 499 }, { "INVITE", 101, 699 },
	{ "UPDATE", 200, 699 },   { "NOTIFY", 1, 0 },        { "ACK", 1, 0 },
	{ "BYE", 1, 0 },          { "OPTIONS", 1, 0 },       { "MESSAGE", 1, 0 },
};

static void each_method_has_its_responses_reported(void **state)
{
	size_t count = sizeof(reported_methods) / sizeof(reported_methods[0]);

	for (size_t i = 0; i < count; i++) {
		for (unsigned int status = 100; status <= 699; status++) {
			bool wanted = status >= reported_methods[i].first &&
				      status <= reported_methods[i].last;
			char message[512];

			snprintf(message, sizeof(message), MESSAGE_RESPONSE("%u x", "CSeq: 1 %s"),
				 status, reported_methods[i].method);
			kernel_send(*state, frame_flow4(40001), message, 0);
			assert_int_equal(kernel_sightings(*state), wanted);
		}
	}
}

/* A status that no method wants is not even searched for its CSeq. */
static void trying_is_never_reported(void **state)
{
	kernel_send(*state, frame_flow4(40001), "SIP/2.0 100 Trying\r\nX: 1\r\n\r\n", 0);
	kernel_send(*state, frame_flow4(40001), "SIP/2.0 2000 OK\r\nX: 1\r\n\r\n", 0);
	kernel_send(*state, frame_flow4(40001), "SIP/2.0 2\r\nX: 1\r\n\r\n", 0);
	assert_int_equal(kernel_sightings(*state), 0);
	kernel_send(*state, frame_flow4(40001), "SIP/2.0 101 Whatever\r\nX: 1\r\n\r\n", 0);
	assert_int_equal(kernel_sightings(*state), 1);
}

static void requests_of_seven_methods_are_reported_either_way(void **state)
{
	size_t count = sizeof(reported_methods) / sizeof(reported_methods[0]);

	for (size_t i = 0; i < count; i++) {
		char message[128];

		snprintf(message, sizeof(message), "%s sip:a SIP/2.0\r\n\r\n",
			 reported_methods[i].method);
		kernel_send(*state, frame_flow4(40001), message, 0);
		kernel_receive(*state, frame_flow4(40001), message);
		assert_int_equal(kernel_sightings(*state), i < 7 ? 2 : 0);
	}
}

static void only_the_local_port_matters(void **state)
{
	struct flow flow = frame_flow4(5060);

	flow.local_port = 5061;
	kernel_send(*state, flow, MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER"), 0);
	assert_int_equal(kernel_sightings(*state), 0);
	assert_int_equal(kernel_count(*state, COUNTER_packets_out), 0);
}

static void other_protocols_are_not_watched(void **state)
{
	static const char accepted[] = MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER");
	struct frame_plan plan = frame_plan(quiet_path(*state), SIGHTING_TO_DEVICE);
	static const uint8_t protocols[] = { IPPROTO_ICMP, IPPROTO_SCTP };
	struct frame frame;

	for (size_t i = 0; i < sizeof(protocols); i++) {
		plan.protocol = protocols[i];
		frame_build(&frame, &plan, accepted, strlen(accepted));
		assert_int_equal(kernel_egress(*state, &frame, 0), TC_ACT_UNSPEC);
	}
	assert_int_equal(kernel_sightings(*state), 0);
	assert_int_equal(kernel_count(*state, COUNTER_packets_out), 0);
	assert_int_equal(kernel_path(*state, plan.flow).packets_out, 0);
}

static void frames_cut_after_every_byte(void **state)
{
	static const char accepted[] = MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER");
	struct frame_plan plan = frame_plan(frame_flow6(40001), SIGHTING_TO_DEVICE);
	struct kernel *kernel = *state;
	struct frame frame;
	size_t whole;

	plan.vlan_tags = 2;
	frame_build(&frame, &plan, accepted, strlen(accepted));
	whole = frame.length;
	/* The kernel runs no program of this type on a frame that is an Ethernet header only. */
	for (size_t length = 15; length < whole; length++) {
		frame.length = length;
		assert_int_equal(kernel_egress(kernel, &frame, 0), TC_ACT_UNSPEC);
		if (length < frame.headers + 16) {
			assert_int_equal(kernel_sightings(kernel), 0);
			continue;
		}
		assert_int_equal(kernel_sightings(kernel), 1);
		assert_int_equal(kernel_sighting(kernel)->captured, length - frame.headers);
		assert_memory_equal(kernel_sighting(kernel)->bytes, accepted,
				    length - frame.headers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(trap_1_only_packets_from_the_device_count),
		KERNEL_TEST(trap_23_a_prompt_is_counted_and_is_not_the_servers),
		KERNEL_TEST(repeated_prompt_keeps_the_earlier_token),
		KERNEL_TEST(prompt_off_any_path_is_counted),
		KERNEL_TEST(prompt_needs_the_mark_and_the_token),
		KERNEL_TEST(mark_follows_the_settings),
		KERNEL_TEST(accepted_register_is_reported),
		KERNEL_TEST(every_spelling_of_cseq_is_understood),
		KERNEL_TEST(trap_32_a_register_that_the_server_sends_is_reported),
		KERNEL_TEST(each_method_has_its_responses_reported),
		KERNEL_TEST(trying_is_never_reported),
		KERNEL_TEST(requests_of_seven_methods_are_reported_either_way),
		KERNEL_TEST(only_the_local_port_matters),
		KERNEL_TEST(other_protocols_are_not_watched),
		KERNEL_TEST(frames_cut_after_every_byte),
	};

	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
