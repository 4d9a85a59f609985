/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_answer.c - only the answer to a prompt of ours disappears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"

#define TOKEN "0123456789abcdef"
#define TOKEN_VALUE 0x0123456789abcdef
#define OTHER_TOKEN "fedcba9876543210"
#define OTHER_TOKEN_VALUE 0xfedcba9876543210

/* Makes a path on which a prompt with TOKEN has left. */
static struct flow prompted_path(struct kernel *kernel, uint16_t remote_port)
{
	struct flow flow = frame_flow4(remote_port);
	struct path_entry entry = { .prompt_token = TOKEN_VALUE, .prompt_ns = 1, .prompts = 1 };

	kernel_add_path(kernel, flow, &entry);
	return flow;
}

/* The packet was delivered to the SIP server and is no answer; the device was heard. */
static void assert_passed(struct kernel *kernel, struct flow flow, const char *payload)
{
	struct path_entry before = kernel_path(kernel, flow), after;

	assert_int_equal(kernel_receive(kernel, flow, payload), XDP_PASS);
	after = kernel_path(kernel, flow);
	assert_int_equal(after.packets_in, before.packets_in + 1);
	after.packets_in = before.packets_in;
	after.last_seen_ns = before.last_seen_ns;
	assert_memory_equal(&after, &before, sizeof(before));
}

static void trap_18_the_answer_never_reaches_the_server(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = prompted_path(kernel, 40001);
	struct path_entry entry;
	uint64_t before_ns = kernel_now_ns();

	assert_int_equal(kernel_receive(kernel, flow, MESSAGE_ANSWER("200 OK", TOKEN)), XDP_DROP);
	entry = kernel_path(kernel, flow);
	assert_int_equal(entry.packets_in, 1);
	assert_in_range(entry.last_seen_ns, 1, kernel_now_ns());
	assert_in_range(entry.answer_ns, before_ns, kernel_now_ns());
	assert_true(entry.answer_token == TOKEN_VALUE);
	assert_int_equal(entry.answer_status, 200);
	assert_int_equal(entry.answers, 1);
	assert_int_equal(entry.prompts, 1);
	assert_int_equal(kernel_count(kernel, COUNTER_answers_absorbed), 1);
	assert_int_equal(kernel_sightings(kernel), 0);
}

static void trap_14_any_final_status_is_an_answer(void **state)
{
	struct flow flow = prompted_path(*state, 40001);

	for (unsigned int status = 200; status <= 699; status++) {
		char answer[512];

		snprintf(answer, sizeof(answer), MESSAGE_ANSWER("%u Whatever", TOKEN), status);
		assert_int_equal(kernel_receive(*state, flow, answer), XDP_DROP);
		assert_int_equal(kernel_path(*state, flow).answer_status, status);
	}
	assert_int_equal(kernel_count(*state, COUNTER_answers_absorbed), 500);
}

static void status_line_without_reason_is_an_answer(void **state)
{
	struct flow flow = prompted_path(*state, 40001);

	assert_int_equal(kernel_receive(*state, flow, MESSAGE_ANSWER("486", TOKEN)), XDP_DROP);
	assert_int_equal(kernel_receive(*state, flow, MESSAGE_ANSWER("486 ", TOKEN)), XDP_DROP);
}

static void provisional_answer_is_absorbed_but_proves_nothing(void **state)
{
	struct flow flow = prompted_path(*state, 40001);
	struct path_entry entry;

	assert_int_equal(kernel_receive(*state, flow, MESSAGE_ANSWER("100 Trying", TOKEN)),
			 XDP_DROP);
	entry = kernel_path(*state, flow);
	assert_int_equal(entry.packets_in, 1);
	assert_int_not_equal(entry.last_seen_ns, 0);
	assert_int_equal(entry.answers, 1);
	assert_int_equal(entry.answer_ns, 0);
	assert_int_equal(entry.answer_token, 0);
	assert_int_equal(entry.answer_status, 0);
}

static void late_and_repeated_answers_are_absorbed(void **state)
{
	struct flow flow = prompted_path(*state, 40001);

	/* A second prompt leaves; then the answer to the first one, twice, and its own. */
	kernel_send(*state, flow, MESSAGE_PROMPT(OTHER_TOKEN), SIPPATH_MARK_DEFAULT);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			kernel_receive(*state, flow, MESSAGE_ANSWER("404 Not Found", TOKEN)),
			XDP_DROP);
		assert_true(kernel_path(*state, flow).answer_token == TOKEN_VALUE);
	}
	assert_int_equal(kernel_receive(*state, flow, MESSAGE_ANSWER("200 OK", OTHER_TOKEN)),
			 XDP_DROP);
	assert_true(kernel_path(*state, flow).answer_token == OTHER_TOKEN_VALUE);
	assert_int_equal(kernel_path(*state, flow).answer_status, 200);

	/* The prompt before the last two is forgotten. */
	kernel_send(*state, flow, MESSAGE_PROMPT("00000000000000aa"), SIPPATH_MARK_DEFAULT);
	assert_passed(*state, flow, MESSAGE_ANSWER("200 OK", TOKEN));
}

static void trap_19_forged_tokens_pass(void **state)
{
	static const char *const forged[] = {
		MESSAGE_ANSWER("200 OK", OTHER_TOKEN),
		MESSAGE_ANSWER("200 OK", "0123456789abcdee"),
		MESSAGE_ANSWER("200 OK", "0123456789ABCDEF"),
		MESSAGE_ANSWER("200 OK", "0123456789abcde"),
		MESSAGE_ANSWER("200 OK", "0123456789abcde;"),
		MESSAGE_ANSWER("200 OK", ""),
		/* There is no earlier token, and zero is none. */
		MESSAGE_ANSWER("200 OK", "0000000000000000"),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=Z9HG4BK-SIPPATH-" TOKEN
		"\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-sippath_" TOKEN
		"\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=" TOKEN "\r\n\r\n",
	};
	struct flow flow = prompted_path(*state, 40001);

	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
		assert_passed(*state, flow, forged[i]);
	assert_int_equal(kernel_count(*state, COUNTER_answers_absorbed), 0);
}

static void trap_19_malformed_status_lines_pass(void **state)
{
	static const char *const malformed[] = {
		MESSAGE_ANSWER("20 OK", TOKEN),
		MESSAGE_ANSWER("2000 OK", TOKEN),
		MESSAGE_ANSWER("099 OK", TOKEN),
		MESSAGE_ANSWER("700 OK", TOKEN),
		MESSAGE_ANSWER("2x0 OK", TOKEN),
		MESSAGE_ANSWER("-20 OK", TOKEN),
		MESSAGE_ANSWER(" 200 OK", TOKEN),
		MESSAGE_ANSWER("200OK", TOKEN),
		MESSAGE_ANSWER("", TOKEN),
		MESSAGE_PROMPT(TOKEN),
		"sip/2.0 200 OK\r\nVia: a;branch=" SIPPATH_BRANCH_PREFIX TOKEN "\r\n\r\n",
		"SIP/3.0 200 OK\r\nVia: a;branch=" SIPPATH_BRANCH_PREFIX TOKEN "\r\n\r\n",
		"SIP/2.0\t200 OK\r\nVia: a;branch=" SIPPATH_BRANCH_PREFIX TOKEN "\r\n\r\n",
	};
	struct flow flow = prompted_path(*state, 40001);

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_passed(*state, flow, malformed[i]);
}

static void trap_19_an_answer_on_another_path_passes_and_refreshes_that_one_only(void **state)
{
	struct kernel *kernel = *state;
	struct path_entry unprompted = { 0 };
	struct flow flow = prompted_path(kernel, 40001), other = frame_flow4(40002);
	struct flow_entry stranger;

	kernel_add_path(kernel, other, &unprompted);
	assert_passed(kernel, other, MESSAGE_ANSWER("200 OK", TOKEN));
	assert_int_equal(
		kernel_receive(kernel, frame_flow4(40003), MESSAGE_ANSWER("200 OK", TOKEN)),
		XDP_PASS);
	assert_true(kernel_flow(kernel, frame_flow4(40003), &stranger));
	assert_int_equal(kernel_path(kernel, flow).last_seen_ns, 0);
	assert_int_equal(kernel_path(kernel, flow).answers, 0);
}

static void trap_19_a_fragmented_answer_passes(void **state)
{
	struct kernel *kernel = *state;
	struct flow flow = prompted_path(kernel, 40001);
	struct frame_plan plan = frame_plan(flow, SIGHTING_FROM_DEVICE);
	const char *answer = MESSAGE_ANSWER("200 OK", TOKEN);
	struct frame frame;

	plan.more_fragments = true;
	frame_build(&frame, &plan, answer, strlen(answer));
	assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
	assert_int_equal(kernel_path(kernel, flow).answers, 0);
	assert_int_equal(kernel_path(kernel, flow).packets_in, 1);
}

/* A first fragment that is taken apart again: the inner header does not speak for the outer one. */
static void trap_19_an_answer_in_a_fragment_of_a_fragment_passes(void **state)
{
	const size_t second_header = 14 + 40 + 8;
	struct kernel *kernel = *state;
	struct path_entry entry = { .prompt_token = TOKEN_VALUE, .prompt_ns = 1, .prompts = 1 };
	struct frame_plan plan = frame_plan(frame_flow6(40001), SIGHTING_FROM_DEVICE);
	const char *answer = MESSAGE_ANSWER("200 OK", TOKEN);
	struct frame frame;

	kernel_add_path(kernel, plan.flow, &entry);
	memset(plan.extensions, IPPROTO_FRAGMENT, 2);
	plan.extensions[2] = FRAME_EXTENSIONS_END;
	plan.more_fragments = true;
	frame_build(&frame, &plan, answer, strlen(answer));
	frame.bytes[second_header + 3] = 0;
	assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
	assert_int_equal(kernel_path(kernel, plan.flow).answers, 0);
	assert_int_equal(kernel_path(kernel, plan.flow).packets_in, 1);
}

/* The token is found at every position up to its limit, and at none behind it. */
static void token_is_searched_in_the_first_1023_bytes(void **state)
{
	static const char start[] = "SIP/2.0 200 OK\r\nVia: a;branch=";
	static const char branch[] = SIPPATH_BRANCH_PREFIX TOKEN;
	struct flow flow = prompted_path(*state, 40001);

	for (size_t end = sizeof(start) + sizeof(branch); end < 1100; end++) {
		char answer[1200] = "";

		memset(answer, 'z', sizeof(answer) - 1);
		memcpy(answer, start, sizeof(start) - 1);
		memcpy(answer + end - strlen(branch), branch, strlen(branch));
		assert_int_equal(kernel_receive(*state, flow, answer),
				 end <= 1023 ? XDP_DROP : XDP_PASS);
	}
}

/* An answer cut after each byte passes until the token is whole. */
static void answer_cut_after_every_byte(void **state)
{
	struct flow flow = prompted_path(*state, 40001);
	struct frame_plan plan = frame_plan(flow, SIGHTING_FROM_DEVICE);
	const char *answer = MESSAGE_ANSWER("200 OK", TOKEN);
	size_t whole = (size_t)(strstr(answer, TOKEN) + strlen(TOKEN) - answer);

	/* The bytes of a whole one are still in the scratch memory. */
	assert_int_equal(kernel_receive(*state, flow, answer), XDP_DROP);
	for (size_t length = 0; length <= strlen(answer); length++) {
		struct frame frame;

		frame_build(&frame, &plan, answer, length);
		assert_int_equal(kernel_ingress(*state, &frame),
				 length < whole ? XDP_PASS : XDP_DROP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(trap_18_the_answer_never_reaches_the_server),
		KERNEL_TEST(trap_14_any_final_status_is_an_answer),
		KERNEL_TEST(status_line_without_reason_is_an_answer),
		KERNEL_TEST(provisional_answer_is_absorbed_but_proves_nothing),
		KERNEL_TEST(late_and_repeated_answers_are_absorbed),
		KERNEL_TEST(trap_19_forged_tokens_pass),
		KERNEL_TEST(trap_19_malformed_status_lines_pass),
		KERNEL_TEST(trap_19_an_answer_on_another_path_passes_and_refreshes_that_one_only),
		KERNEL_TEST(trap_19_a_fragmented_answer_passes),
		KERNEL_TEST(trap_19_an_answer_in_a_fragment_of_a_fragment_passes),
		KERNEL_TEST(token_is_searched_in_the_first_1023_bytes),
		KERNEL_TEST(answer_cut_after_every_byte),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
