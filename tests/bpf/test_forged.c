/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_forged.c - who guesses an answer changes nothing but the stamp that every packet of his
 * flow makes. FORGED says how many answers are made up, SEED which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "environment.h"
#include "kernel.h"
#include "messages.h"

#define FORGED_DEFAULT 300000
#define BATCH 512
#define PATHS 16
#define FIRST_PORT 40001
#define TICK_NS 20000000 /* the coarse clock lags by less */

struct forged {
	struct kernel *kernel;
	struct chance chance;
	uint64_t tokens[PATHS]; /* of the prompt that is out on each path */
	uint64_t earlier[PATHS]; /* of the one before it */
	uint64_t forgotten[PATHS]; /* of the one before that */
	struct path_entry before[PATHS];
	char text[2048];
};

/* Neighbours differ in one part of the 5-tuple only. */
static struct flow path_flow(size_t index)
{
	struct flow flow = index % 2 ? frame_flow6((uint16_t)(FIRST_PORT + index / 4))
				     : frame_flow4((uint16_t)(FIRST_PORT + index / 4));

	if (index % 4 >= 2)
		flow.remote_addr[15] ^= 1;
	return flow;
}

static void write_answer(struct forged *test, const char *status, const char *branch)
{
	snprintf(test->text, sizeof(test->text),
		 "SIP/2.0 %s\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=%s\r\n"
		 "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		 status, branch);
}

/* Draws a status, mostly of a final answer. */
static const char *draw_status(struct chance *chance)
{
	static char status[32];

	snprintf(status, sizeof(status), "%zu Whatever",
		 100 + chance_below(chance, chance_of(chance, 20) ? 100 : 600));
	return status;
}

/* A well-made answer with the digits that stand here. */
static void write_guess(struct forged *test, const char *digits)
{
	char branch[64];

	snprintf(branch, sizeof(branch), SIPPATH_BRANCH_PREFIX "%s", digits);
	write_answer(test, draw_status(&test->chance), branch);
}

/* Zero, which is no token, in place of one that happens to be right. */
static void write_token(struct forged *test, size_t path, uint64_t token)
{
	char digits[17];

	if (token == test->tokens[path] || token == test->earlier[path])
		token = 0;
	snprintf(digits, sizeof(digits), "%016" PRIx64, token);
	write_guess(test, digits);
}

static void any_token(struct forged *test, size_t path)
{
	write_token(test, path, chance_number(&test->chance));
}

static void one_bit_off(struct forged *test, size_t path)
{
	write_token(test, path, test->tokens[path] ^ 1ULL << chance_below(&test->chance, 64));
}

static void half_of_it(struct forged *test, size_t path)
{
	uint64_t half = chance_of(&test->chance, 50) ? 0xffffffff : 0xffffffff00000000;
	uint64_t guess = chance_number(&test->chance);

	write_token(test, path, (test->tokens[path] & half) | (guess & ~half));
}

/* The digits of the token, one of which is changed into something else, or left out. */
static void one_digit_off(struct forged *test, size_t path)
{
	static const char others[] = "ghxGX \t\r\n;:/`@-_\x80\xff";
	size_t at = chance_below(&test->chance, SIPPATH_TOKEN_DIGITS);
	char digits[17];

	snprintf(digits, sizeof(digits), "%016" PRIx64, test->tokens[path]);
	if (chance_of(&test->chance, 30))
		memmove(digits + at, digits + at + 1, sizeof(digits) - at - 1);
	else
		digits[at] = others[chance_below(&test->chance, sizeof(others) - 1)];
	write_guess(test, digits);
}

/* A token is written in small letters; this one has a letter. */
static void in_capitals(struct forged *test, size_t path)
{
	char digits[17];

	snprintf(digits, sizeof(digits), "%016" PRIX64, test->tokens[path]);
	write_guess(test, digits);
}

static void of_another_path(struct forged *test, size_t path)
{
	size_t other = (path + 1 + chance_below(&test->chance, PATHS - 1)) % PATHS;

	write_token(test, path, test->tokens[other]);
}

static void of_an_old_prompt(struct forged *test, size_t path)
{
	write_token(test, path, test->forgotten[path]);
}

/* From here on the token is the right one, and the message is not an answer to a prompt. */
static void write_right_branch(const struct forged *test, size_t path, char branch[64])
{
	snprintf(branch, 64, SIPPATH_BRANCH_PREFIX "%016" PRIx64, test->tokens[path]);
}

static void write_right_answer(struct forged *test, size_t path)
{
	char branch[64];

	write_right_branch(test, path, branch);
	write_answer(test, "200 OK", branch);
}

static void with_a_broken_status_line(struct forged *test, size_t path)
{
	static const char *const broken[] = { "20",
					      "2000 OK",
					      "099 OK",
					      "700 OK",
					      "2x0 OK",
					      "-20",
					      "",
					      "200OK",
					      " 200",
					      "0200 OK",
					      "999",
					      "+200 OK",
					      "2 00",
					      "00200",
					      "0x200 OK",
					      "99999999999999999999 OK",
					      "\xb2\xb0\xb0 OK" };
	char branch[64];

	write_right_branch(test, path, branch);
	write_answer(test, chance_pick(&test->chance, broken), branch);
}

static void in_a_request(struct forged *test, size_t path)
{
	static const char *const lines[] = { "OPTIONS sip:a SIP/2.0", "REGISTER sip:a SIP/2.0",
					     "sip/2.0 200 OK",        "SIP/3.0 200 OK",
					     " SIP/2.0 200 OK",       "SIP/2.0\t200 OK",
					     "\r\nSIP/2.0 200 OK",    "HTTP/1.1 200 OK" };
	char branch[64];

	write_right_branch(test, path, branch);
	snprintf(test->text, sizeof(test->text),
		 "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=%s\r\n\r\n",
		 chance_pick(&test->chance, lines), branch);
}

/* Anywhere but in the topmost Via. */
static void in_another_header_field(struct forged *test, size_t path)
{
	static const char *const formats[] = {
		"SIP/2.0 200 OK\r\nCall-ID: %s\r\n\r\n",
		"SIP/2.0 200 OK\r\nX-Via: a;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nViaduct: a;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nVi: a;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: a;branch=z9hG4bK1\r\nVia: b;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nv: a;branch=z9hG4bK1\r\nv: b;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: a;branch=z9hG4bK1\r\nTo: <sip:b>;tag=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: a;branch=z9hG4bK1\r\n\r\nVia: b;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\nVia: a;branch=%s\r\n\r\n",
		"SIP/2.0 200 Via: a;branch=%s\r\n\r\n",
		"SIP/2.0 200 OK\r\n Via: a;branch=%s\r\n\r\n",
	};
	const char *format = chance_pick(&test->chance, formats);
	size_t before = (size_t)(strstr(format, "%s") - format);
	char branch[64];

	write_right_branch(test, path, branch);
	snprintf(test->text, sizeof(test->text), "%.*s%s%s", (int)before, format, branch,
		 format + before + 2);
}

/* The parameter is not one of ours by a letter, or by its end. */
static void with_another_prefix(struct forged *test, size_t path)
{
	char branch[64];
	size_t at = chance_below(&test->chance, strlen(SIPPATH_BRANCH_PREFIX));

	write_right_branch(test, path, branch);
	branch[at] ^= (char)(1 << chance_below(&test->chance, 7));
	write_answer(test, "200 OK", branch);
}

/* The datagram ends before the token does. */
static void cut_short(struct forged *test, size_t path)
{
	char branch[64];
	size_t whole;

	write_right_branch(test, path, branch);
	write_right_answer(test, path);
	whole = (size_t)(strstr(test->text, branch) + strlen(branch) - test->text);
	test->text[chance_below(&test->chance, whole)] = 0;
}

/* Behind the bytes in which a token is looked for. */
static void far_behind(struct forged *test, size_t path)
{
	char branch[64];

	write_right_branch(test, path, branch);
	snprintf(test->text, sizeof(test->text),
		 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;x=%0*d;branch=%s\r\n\r\n",
		 939 + (int)chance_below(&test->chance, 400), 1, branch);
}

static void (*const forgeries[])(struct forged *test, size_t path) = {
	any_token,   any_token,           one_bit_off,
	one_bit_off, half_of_it,          one_digit_off,
	in_capitals, of_another_path,     of_an_old_prompt,
	cut_short,   in_a_request,        with_a_broken_status_line,
	far_behind,  with_another_prefix, in_another_header_field,
};

/* Any other 5-tuple than the path's, however close. */
static struct flow draw_stranger(struct chance *chance, size_t path)
{
	struct flow flow = path_flow(path);

	switch (chance_below(chance, 4)) {
	case 0:
		flow.remote_port = (uint16_t)(50000 + chance_below(chance, 64));
		break;
	case 1:
		flow.remote_addr[14] ^= (uint8_t)(1 << chance_below(chance, 8));
		break;
	case 2:
		flow.local_addr[15] ^= (uint8_t)(1 << chance_below(chance, 8));
		break;
	default:
		flow = frame_tcp(flow);
	}
	return flow;
}

static int receive(struct forged *test, struct flow flow)
{
	struct frame_plan plan = frame_plan(flow, SIGHTING_FROM_DEVICE);
	static struct frame frame;
	int verdict;

	frame_build(&frame, &plan, test->text, strlen(test->text));
	assert_true(kernel_run(test->kernel, SIGHTING_FROM_DEVICE, &frame, 0, &verdict));
	return verdict;
}

static void send_prompt(struct forged *test, size_t path, uint64_t token)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt),
		 "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "192.0.2.1:5060;rport;branch=" SIPPATH_BRANCH_PREFIX "%016" PRIx64 "\r\n\r\n",
		 token);
	kernel_send(test->kernel, path_flow(path), prompt, SIPPATH_MARK_DEFAULT);
}

/* Every token has a letter among its digits. */
static uint64_t draw_token(struct chance *chance)
{
	return chance_number(chance) | 0xa;
}

/* Has three prompts leave on each path, and no answer come. */
static void begin(struct forged *test)
{
	const struct path_entry unprompted = { .last_seen_ns = 1 };

	for (size_t path = 0; path < PATHS; path++) {
		test->forgotten[path] = draw_token(&test->chance);
		test->earlier[path] = draw_token(&test->chance);
		test->tokens[path] = draw_token(&test->chance);
		kernel_put_path(test->kernel, path_flow(path), &unprompted);
		send_prompt(test, path, test->forgotten[path]);
		send_prompt(test, path, test->earlier[path]);
		send_prompt(test, path, test->tokens[path]);
		test->before[path] = kernel_path(test->kernel, path_flow(path));
	}
	kernel_sightings(test->kernel);
}

/* Sends one answer that is none; what is sent on a path counts there as any packet does. */
static void forge(struct forged *test)
{
	size_t path = chance_below(&test->chance, PATHS);
	struct flow flow = path_flow(path);

	if (chance_of(&test->chance, 8)) {
		flow = draw_stranger(&test->chance, path);
		write_right_answer(test, path);
	} else {
		chance_pick(&test->chance, forgeries)(test, path);
		test->before[path].packets_in++;
	}
	if (receive(test, flow) != XDP_PASS)
		fail_msg("absorbed: %s", test->text);
}

/* The stamp is new if anything was sent, and nothing else is. */
static void assert_untouched(struct forged *test, size_t path, uint64_t began_ns)
{
	struct path_entry entry = kernel_path(test->kernel, path_flow(path));
	struct path_entry *before = &test->before[path];

	if (before->packets_in > 0) {
		assert_in_range(entry.last_seen_ns, began_ns, kernel_now_ns());
		before->last_seen_ns = entry.last_seen_ns;
	}
	assert_memory_equal(&entry, before, sizeof(entry));
}

/*
 * The device's own answer is absorbed after all that, and so is the same once more: a network
 * may double it, and the SIP server is not to see that one, either.
 */
static void assert_genuine_is_absorbed(struct forged *test, size_t path)
{
	struct path_entry entry;

	for (uint32_t times = 1; times <= 2; times++) {
		write_right_answer(test, path);
		assert_int_equal(receive(test, path_flow(path)), XDP_DROP);
		entry = kernel_path(test->kernel, path_flow(path));
		assert_int_equal(entry.answers, times);
		assert_true(entry.answer_token == test->tokens[path]);
		assert_int_equal(entry.answer_status, 200);
	}
}

static void trap_19_no_forged_answer_is_absorbed(void **state)
{
	uint64_t forged = environment_number("FORGED", FORGED_DEFAULT);
	uint64_t seed = environment_number("SEED", kernel_now_ns());
	struct sip_settings settings = { .abi = SIPPATH_ABI,
					 .flows_rate = SIPPATH_RATE_UNLIMITED,
					 .sightings_rate = SIPPATH_RATE_UNLIMITED };
	struct forged test = { .kernel = *state, .chance = chance_begin(seed, 0) };
	uint64_t batches = (forged + BATCH - 1) / BATCH;

	print_message("# seed %" PRIu64 "\n", seed);
	kernel_set(test.kernel, &settings);
	for (uint64_t number = 0; number < batches; number++) {
		uint64_t began_ns = kernel_now_ns() - TICK_NS;

		begin(&test);
		for (size_t i = 0; i < BATCH; i++)
			forge(&test);
		for (size_t path = 0; path < PATHS; path++)
			assert_untouched(&test, path, began_ns);
		for (size_t path = 0; path < PATHS; path++)
			assert_genuine_is_absorbed(&test, path);
	}
	/* Each of the genuine ones, twice. */
	assert_true(kernel_count(test.kernel, COUNTER_answers_absorbed) == batches * PATHS * 2);
	print_message("# %" PRIu64 " forged answers: 0 absorbed\n", batches * BATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(trap_19_no_forged_answer_is_absorbed),
	};

	return cmocka_run_group_tests_name("forged", tests, NULL, NULL);
}
