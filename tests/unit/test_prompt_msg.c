/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "kernel_abi.h"
#include "sip/prompt_msg.h"
#include "sip/reader.h"

#define TARGET "sip:alice@10.0.0.5:5062;transport=udp;ob"
#define TOKEN UINT64_C(0x0123456789abcdef)

/* The programs look for the branch in this many bytes at the start of a message. */
#define PROGRAMS_LOOK_AT 1023

struct fixture {
	struct sip_reader *reader;
	struct facts facts;
	struct flow flow;
	enum prompt_method method; /* PROMPT_OPTIONS at first */
	char buffer[PROMPT_MSG_MAX + 1];
	struct text text;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->reader = sip_reader_new();
	assert_non_null(f->reader);
	f->text = TEXT_OVER(f->buffer);
	*state = f;
	return flow_read(SPAN("udp 192.0.2.1:5070 198.51.100.7:40001"), &f->flow);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sip_reader_free(f->reader);
	free(f);
	return 0;
}

static void assert_span(struct span span, const char *expected)
{
	assert_non_null(span.at);
	assert_int_equal(span.length, strlen(expected));
	assert_memory_equal(span.at, expected, span.length);
}

static struct prompt_msg prompt_to(const struct fixture *f, struct span target)
{
	return (struct prompt_msg){
		.flow = &f->flow, .target = target, .token = TOKEN, .cseq = 1, .method = f->method
	};
}

/* Writes a prompt of the fixture's method and reads it back. */
static void write_and_read(struct fixture *f, struct span target, uint64_t token, uint32_t cseq)
{
	struct prompt_msg prompt = { &f->flow, target, token, cseq, f->method };

	f->text = TEXT_OVER(f->buffer);
	assert_int_equal(prompt_msg_write(&prompt, &f->text), 0);
	assert_int_equal(sip_reader_read(f->reader, text_span(&f->text), &f->facts), 0);
}

static void assert_says(const struct fixture *f, const char *words)
{
	if (!strstr(f->buffer, words))
		fail_msg("no \"%s\" in:\n%s", words, f->buffer);
}

static void trap_16_every_prompt_has_its_own_identifiers(void **state)
{
	struct fixture *f = *state;
	char first[3][64];

	write_and_read(f, SPAN(TARGET), TOKEN, 1);
	assert_span(f->facts.branch, SIPPATH_BRANCH_PREFIX "0123456789abcdef");
	snprintf(first[0], 64, "%.*s", (int)f->facts.branch.length, f->facts.branch.at);
	snprintf(first[1], 64, "%.*s", (int)f->facts.call_id.length, f->facts.call_id.at);
	snprintf(first[2], 64, "%.*s", (int)f->facts.from_tag.length, f->facts.from_tag.at);
	assert_int_equal(f->facts.cseq, 1);

	write_and_read(f, SPAN(TARGET), TOKEN + 1, 2);
	assert_false(span_equal(f->facts.branch, span_of(first[0])));
	assert_false(span_equal(f->facts.call_id, span_of(first[1])));
	assert_false(span_equal(f->facts.from_tag, span_of(first[2])));
	assert_int_equal(f->facts.cseq, 2);
}

static void trap_16_the_branch_has_all_its_digits(void **state)
{
	struct fixture *f = *state;

	write_and_read(f, SPAN(TARGET), 0xa, INT32_MAX);
	assert_span(f->facts.branch, SIPPATH_BRANCH_PREFIX "000000000000000a");
	assert_int_equal(f->facts.branch.length,
			 strlen(SIPPATH_BRANCH_PREFIX) + SIPPATH_TOKEN_DIGITS);
	assert_int_equal(f->facts.cseq, INT32_MAX);
}

/* The programs know a prompt and its answer by the prefix: it must stand in the Via alone. */
static void trap_16_only_the_via_carries_the_prefix(void **state)
{
	struct fixture *f = *state;
	const char *prefix;

	write_and_read(f, SPAN(TARGET), TOKEN, 1);
	prefix = strstr(f->buffer, SIPPATH_BRANCH_PREFIX);
	assert_non_null(prefix);
	assert_null(strstr(prefix + 1, SIPPATH_BRANCH_PREFIX));
}

static void trap_17_the_request_is_complete(void **state)
{
	struct fixture *f = *state;

	write_and_read(f, SPAN(TARGET), TOKEN, 7);
	assert_true(f->facts.is_request);
	assert_int_equal(f->facts.method, SIP_METHOD_OPTIONS);
	assert_int_equal(f->facts.via_count, 1);
	assert_span(f->facts.sent_by, "192.0.2.1");
	assert_int_equal(f->facts.contact_count, 1);
	assert_span(f->facts.contacts[0].uri, "sip:sippath@192.0.2.1:5070");
	assert_true(f->facts.from_tag.length > 0);
	assert_says(f, "OPTIONS " TARGET " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=");
	assert_says(f, ";rport\r\n");
	assert_says(f, "\r\nMax-Forwards: 70\r\n");
	assert_says(f, "\r\nFrom: <sip:sippath@192.0.2.1>;tag=");
	assert_says(f, "\r\nTo: <" TARGET ">\r\n");
	assert_says(f, "\r\nCSeq: 7 OPTIONS\r\n");
	assert_says(f, "\r\nContent-Length: 0\r\n\r\n");
}

static void trap_17_ipv6_has_brackets(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(flow_read(SPAN("udp [2001:db8::1]:5060 [2001:db8::2]:40001"), &f->flow),
			 0);
	write_and_read(f, SPAN("sip:alice@[2001:db8::2]:5060"), TOKEN, 1);
	assert_span(f->facts.sent_by, "2001:db8::1");
	assert_span(f->facts.contacts[0].host, "2001:db8::1");
	assert_int_equal(f->facts.contacts[0].port, 5060);
	assert_span(f->facts.aor, "sip:alice@[2001:db8::2]");
	assert_says(f, "\r\nTo: <sip:alice@[2001:db8::2]:5060>\r\n");
	assert_says(f, "\r\nVia: SIP/2.0/UDP [2001:db8::1]:5060;branch=");
	assert_says(f, "\r\nFrom: <sip:sippath@[2001:db8::1]>;tag=");
}

static void trap_17_the_user_stays_in_the_request_uri(void **state)
{
	struct fixture *f = *state;

	write_and_read(f, SPAN("sip:alice;day=tuesday@10.0.0.5"), TOKEN, 1);
	assert_says(f, "OPTIONS sip:alice;day=tuesday@10.0.0.5 SIP/2.0\r\n");
	assert_span(f->facts.aor, "sip:alice;day=tuesday@10.0.0.5");
}

static void trap_20_a_prompt_is_outside_of_any_dialog(void **state)
{
	struct fixture *f = *state;

	write_and_read(f, SPAN(TARGET), TOKEN, 1);
	assert_null(f->facts.to_tag.at);
	assert_null(strstr(f->buffer, "\r\nRoute:"));
}

static void trap_15_a_notify_is_as_complete(void **state)
{
	struct fixture *f = *state;

	f->method = PROMPT_NOTIFY;
	write_and_read(f, SPAN(TARGET), TOKEN, 7);
	assert_int_equal(f->facts.method, SIP_METHOD_NOTIFY);
	assert_int_equal(f->facts.cseq, 7);
	assert_int_equal(f->facts.via_count, 1);
	assert_span(f->facts.branch, SIPPATH_BRANCH_PREFIX "0123456789abcdef");
	assert_span(f->facts.event, "keep-alive");
	assert_int_equal(f->facts.subscription_state, SUBSCRIPTION_LIVE);
	assert_span(f->facts.contacts[0].uri, "sip:sippath@192.0.2.1:5070");
	assert_null(f->facts.to_tag.at);
	assert_says(f, "NOTIFY " TARGET " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=");
	assert_says(f, ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:sippath@192.0.2.1>;tag=");
	assert_says(f, "\r\nTo: <" TARGET ">\r\nCall-ID: ");
	assert_says(f, "\r\nCSeq: 7 NOTIFY\r\n");
	assert_says(f, "\r\nEvent: keep-alive\r\nSubscription-State: active\r\n");
	assert_says(f, "\r\nContent-Length: 0\r\n\r\n");
	assert_null(strstr(f->buffer, "\r\nAccept:"));
}

static void trap_15_a_double_crlf_has_no_target(void **state)
{
	struct fixture *f = *state;
	struct prompt_msg prompt = prompt_to(f, (struct span){ NULL, 0 });

	prompt.method = PROMPT_CRLF;
	assert_int_equal(prompt_msg_write(&prompt, &f->text), 0);
	assert_span(text_span(&f->text), "\r\n\r\n");
	f->text = (struct text){ .buffer = f->buffer, .size = 4 };
	assert_int_equal(prompt_msg_write(&prompt, &f->text), -EMSGSIZE);
	f->text = (struct text){ .buffer = f->buffer, .size = 5 };
	assert_int_equal(prompt_msg_write(&prompt, &f->text), 0);
}

static void every_method_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(prompt_method_name(PROMPT_OPTIONS), "options");
	assert_string_equal(prompt_method_name(PROMPT_NOTIFY), "notify");
	assert_string_equal(prompt_method_name(PROMPT_CRLF), "crlf");
}

static void a_target_cannot_write_a_header(void **state)
{
	static const struct span wrong[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "sip:a@b\r\nX: y", 13 },
		{ "sip:a@b\nX: y", 12 },
		{ "sip:a b@c", 9 },
		{ "sip:a\tb@c", 9 },
		{ "sip:a@b\0", 8 },
		{ "sip:a@b>", 8 },
		{ "<sip:a@b", 8 },
		{ "sip:a\"@b", 8 },
		{ "sip:\xc3\xbc@b", 8 },
		{ "sip:a@b\x7f", 8 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct prompt_msg prompt = prompt_to(f, wrong[i]);

		assert_int_equal(prompt_msg_write(&prompt, &f->text), -EINVAL);
		assert_int_equal(f->text.used, 0);
	}
}

/* A device that calls itself like one of our tokens would mislead the programs. */
static void trap_19_a_target_cannot_carry_a_token(void **state)
{
	struct fixture *f = *state;
	struct prompt_msg prompt =
		prompt_to(f, SPAN("sip:" SIPPATH_BRANCH_PREFIX "0123456789abcdef@10.0.0.5"));

	assert_int_equal(prompt_msg_write(&prompt, &f->text), -EINVAL);
	assert_int_equal(f->text.used, 0);
}

/* Nobody can put a message into another process's stream. */
static void a_prompt_goes_over_udp_only(void **state)
{
	struct fixture *f = *state;
	struct prompt_msg prompt = prompt_to(f, SPAN(TARGET));

	f->flow.transport = FLOW_TCP;
	for (int method = 0; method < PROMPT_METHOD_MAX; method++) {
		prompt.method = (enum prompt_method)method;
		assert_int_equal(prompt_msg_write(&prompt, &f->text), -EINVAL);
		assert_int_equal(f->text.used, 0);
	}
}

static struct span long_target(char *buffer, size_t length)
{
	memset(buffer, 'a', length);
	memcpy(buffer, "sip:", 4);
	buffer[length / 2] = '@';
	return (struct span){ buffer, length };
}

static void the_longest_target_fits_with_the_longest_addresses(void **state)
{
	struct fixture *f = *state;
	char target[PROMPT_MSG_TARGET_MAX];
	const char *branch;

	memset(f->flow.local_addr, 0xff, sizeof(f->flow.local_addr));
	f->flow.local_port = UINT16_MAX;
	for (int method = PROMPT_OPTIONS; method <= PROMPT_NOTIFY; method++) {
		f->method = (enum prompt_method)method;
		write_and_read(f, long_target(target, sizeof(target)), UINT64_MAX, INT32_MAX);
		assert_true(f->text.used <= PROMPT_MSG_MAX);
		branch = strstr(f->buffer, SIPPATH_BRANCH_PREFIX);
		assert_non_null(branch);
		assert_true((size_t)(branch - f->buffer) + f->facts.branch.length <=
			    PROGRAMS_LOOK_AT);
	}
}

static void a_longer_target_is_refused(void **state)
{
	struct fixture *f = *state;
	char target[PROMPT_MSG_TARGET_MAX + 1];
	struct prompt_msg prompt = prompt_to(f, long_target(target, sizeof(target)));

	assert_int_equal(prompt_msg_write(&prompt, &f->text), -EMSGSIZE);
	assert_int_equal(f->text.used, 0);
}

static void a_request_that_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct prompt_msg prompt = prompt_to(f, SPAN(TARGET));
	size_t needed;

	write_and_read(f, SPAN(TARGET), TOKEN, 1);
	needed = f->text.used + 1;
	for (size_t size = 1; size < needed; size++) {
		f->text = (struct text){ .buffer = f->buffer, .size = size };
		assert_int_equal(prompt_msg_write(&prompt, &f->text), -EMSGSIZE);
	}
	f->text = (struct text){ .buffer = f->buffer, .size = needed };
	assert_int_equal(prompt_msg_write(&prompt, &f->text), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(trap_16_every_prompt_has_its_own_identifiers),
		TEST(trap_16_the_branch_has_all_its_digits),
		TEST(trap_16_only_the_via_carries_the_prefix),
		TEST(trap_17_the_request_is_complete),
		TEST(trap_17_ipv6_has_brackets),
		TEST(trap_17_the_user_stays_in_the_request_uri),
		TEST(trap_20_a_prompt_is_outside_of_any_dialog),
		TEST(trap_15_a_notify_is_as_complete),
		TEST(trap_15_a_double_crlf_has_no_target),
		TEST(every_method_has_its_name),
		TEST(a_target_cannot_write_a_header),
		TEST(trap_19_a_target_cannot_carry_a_token),
		TEST(a_prompt_goes_over_udp_only),
		TEST(the_longest_target_fits_with_the_longest_addresses),
		TEST(a_longer_target_is_refused),
		TEST(a_request_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("prompt_msg", tests, NULL, NULL);
}
