/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "keep/prompter.h"
#include "keep/rules.h"
#include "kernel_abi.h"
#include "sip/prompt_msg.h"

#define NOW (1000 * NS_PER_S)
#define MANY 100000

struct message {
	char buffer[PROMPT_MSG_MAX + 1];
};

static struct path new_path(const char *flow)
{
	static const struct path_rules rules = { .method = PROMPT_OPTIONS };
	struct path path = { .rules = &rules };

	assert_int_equal(flow_read(span_of(flow), &path.flow), 0);
	return path;
}

static struct path ipv4_path(void)
{
	return new_path("udp 192.0.2.1:5060 198.51.100.7:40001");
}

static struct prompter new_prompter(void)
{
	struct prompter prompter;

	assert_int_equal(prompter_init(&prompter), 0);
	return prompter;
}

/* The path's outstanding prompt as a terminated string. */
static const char *write_prompt(const struct path *path, struct message *message)
{
	struct text text = TEXT_OVER(message->buffer);

	assert_int_equal(prompter_write(path, &text), 0);
	return message->buffer;
}

static void assert_begins(const char *text, const char *beginning)
{
	assert_memory_equal(text, beginning, strlen(beginning));
}

static void a_prompt_is_begun_and_repeated(void **state)
{
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();

	(void)state;
	path.prompt.failures = 3;
	prompter_begin(&prompter, &path, NOW);
	assert_int_equal(path.prompt.tries, 1);
	assert_int_equal(path.prompt.first_ns, NOW);
	assert_int_equal(path.prompt.sent_ns, NOW);
	prompter_repeat(&path, NOW + NS_PER_S);
	assert_int_equal(path.prompt.tries, 2);
	assert_int_equal(path.prompt.first_ns, NOW);
	assert_int_equal(path.prompt.sent_ns, NOW + NS_PER_S);
	prompter_begin(&prompter, &path, NOW + 3600 * NS_PER_S);
	assert_int_equal(path.prompt.tries, 1);
	assert_int_equal(path.prompt.first_ns, NOW + 3600 * NS_PER_S);
	assert_int_equal(path.prompt.failures, 3);
}

static void the_prompt_carries_its_token_and_cseq(void **state)
{
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	char branch[64], cseq[64];
	struct message message;

	(void)state;
	prompter_begin(&prompter, &path, NOW);
	snprintf(branch, sizeof(branch), ";branch=" SIPPATH_BRANCH_PREFIX "%016" PRIx64,
		 path.prompt.token);
	snprintf(cseq, sizeof(cseq), "CSeq: %u OPTIONS\r\n", path.prompt.cseq);
	write_prompt(&path, &message);
	assert_non_null(strstr(message.buffer, branch));
	assert_non_null(strstr(message.buffer, cseq));
}

static void the_method_is_that_of_the_rules(void **state)
{
	static const char *const beginnings[] = {
		[PROMPT_OPTIONS] = "OPTIONS sip:",
		[PROMPT_NOTIFY] = "NOTIFY sip:",
		[PROMPT_CRLF] = "\r\n\r\n",
	};
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	struct path_rules rules = { 0 };
	struct message message;

	(void)state;
	path.rules = &rules;
	prompter_begin(&prompter, &path, NOW);
	for (int i = 0; i < PROMPT_METHOD_MAX; i++) {
		rules.method = (enum prompt_method)i;
		assert_begins(write_prompt(&path, &message), beginnings[i]);
	}
}

static void a_repeat_is_the_same_bytes(void **state)
{
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	struct message first, second;

	(void)state;
	prompter_begin(&prompter, &path, NOW);
	write_prompt(&path, &first);
	prompter_repeat(&path, NOW + NS_PER_S);
	assert_string_equal(write_prompt(&path, &second), first.buffer);
	prompter_begin(&prompter, &path, NOW + 2 * NS_PER_S);
	assert_string_not_equal(write_prompt(&path, &second), first.buffer);
}

static void the_target_is_the_first_contact_that_can_be_one(void **state)
{
	struct binding good = { .target = SPAN("sip:alice@10.0.0.5:5062;transport=udp") };
	struct binding evil = { .next = &good, .target = SPAN("sip:a\r\nEvil: 1") };
	struct binding none = { .next = &evil };
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	struct message message;

	(void)state;
	path.bindings = &none;
	prompter_begin(&prompter, &path, NOW);
	assert_begins(write_prompt(&path, &message),
		      "OPTIONS sip:alice@10.0.0.5:5062;transport=udp SIP/2.0\r\n");
	assert_null(strstr(message.buffer, "Evil"));
}

static void a_contact_that_is_too_long_is_not_used(void **state)
{
	char contact[PROMPT_MSG_TARGET_MAX + 1];
	struct binding long_one = { .target = { contact, sizeof(contact) } };
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	struct message message;

	(void)state;
	memset(contact, 'a', sizeof(contact));
	path.bindings = &long_one;
	prompter_begin(&prompter, &path, NOW);
	assert_begins(write_prompt(&path, &message), "OPTIONS sip:198.51.100.7:40001 SIP/2.0\r\n");
}

static void without_a_contact_the_target_is_the_remote_address(void **state)
{
	struct path longest = new_path("udp [2001:db8:1111:2222:3333:4444:5555:6666]:65535 "
				       "[2001:db8:1111:2222:3333:4444:5555:7777]:65535");
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	struct message message;

	(void)state;
	prompter_begin(&prompter, &path, NOW);
	assert_begins(write_prompt(&path, &message), "OPTIONS sip:198.51.100.7:40001 SIP/2.0\r\n");
	prompter_begin(&prompter, &longest, NOW);
	assert_begins(write_prompt(&longest, &message),
		      "OPTIONS sip:[2001:db8:1111:2222:3333:4444:5555:7777]:65535 SIP/2.0\r\n");
}

static void a_buffer_that_is_too_small_is_refused(void **state)
{
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	char buffer[100];
	struct text text = TEXT_OVER(buffer);

	(void)state;
	prompter_begin(&prompter, &path, NOW);
	assert_int_not_equal(prompter_write(&path, &text), 0);
}

static void trap_05_each_path_is_prompted_from_its_own_address(void **state)
{
	struct path first = new_path("udp 192.0.2.1:5060 198.51.100.7:40001");
	struct path second = new_path("udp 192.0.2.1:5080 198.51.100.7:40001");
	struct prompter prompter = new_prompter();
	struct message message;

	(void)state;
	prompter_begin(&prompter, &first, NOW);
	prompter_begin(&prompter, &second, NOW);
	assert_int_not_equal(first.prompt.token, second.prompt.token);
	assert_non_null(strstr(write_prompt(&first, &message), "UDP 192.0.2.1:5060;"));
	assert_non_null(strstr(write_prompt(&second, &message), "UDP 192.0.2.1:5080;"));
}

static int compare_tokens(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void trap_16_no_two_prompts_share_a_token_or_a_cseq(void **state)
{
	uint64_t *tokens = calloc(MANY, sizeof(*tokens));
	struct prompter prompter = new_prompter();
	struct path path = ipv4_path();
	uint32_t cseq = 0;

	(void)state;
	assert_non_null(tokens);
	for (unsigned int i = 0; i < MANY; i++) {
		prompter_begin(&prompter, &path, NOW);
		assert_in_range(path.prompt.cseq, (uint64_t)cseq + 1, INT32_MAX);
		cseq = path.prompt.cseq;
		tokens[i] = path.prompt.token;
	}
	qsort(tokens, MANY, sizeof(*tokens), compare_tokens);
	assert_int_not_equal(tokens[0], 0);
	for (unsigned int i = 1; i < MANY; i++)
		assert_int_not_equal(tokens[i], tokens[i - 1]);
	free(tokens);
}

static void trap_19_a_token_cannot_be_computed_without_the_key(void **state)
{
	struct prompter ours = new_prompter(), theirs = new_prompter();
	struct path path = ipv4_path(), same = ipv4_path();

	(void)state;
	prompter_begin(&ours, &path, NOW);
	prompter_begin(&theirs, &same, NOW);
	assert_int_not_equal(path.prompt.token, same.prompt.token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prompt_is_begun_and_repeated),
		cmocka_unit_test(the_prompt_carries_its_token_and_cseq),
		cmocka_unit_test(the_method_is_that_of_the_rules),
		cmocka_unit_test(a_repeat_is_the_same_bytes),
		cmocka_unit_test(the_target_is_the_first_contact_that_can_be_one),
		cmocka_unit_test(a_contact_that_is_too_long_is_not_used),
		cmocka_unit_test(without_a_contact_the_target_is_the_remote_address),
		cmocka_unit_test(a_buffer_that_is_too_small_is_refused),
		cmocka_unit_test(trap_05_each_path_is_prompted_from_its_own_address),
		cmocka_unit_test(trap_16_no_two_prompts_share_a_token_or_a_cseq),
		cmocka_unit_test(trap_19_a_token_cannot_be_computed_without_the_key),
	};

	return cmocka_run_group_tests_name("prompter", tests, NULL, NULL);
}
