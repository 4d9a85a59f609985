/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader says of well-formed messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "reader_world.h"

static void a_request_says_who_registers_where(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:alice@10.0.0.5:5062;ob>\r\n"
					 "Expires: 600\r\n" END));
	assert_true(facts.is_request);
	assert_int_equal(facts.method, SIP_METHOD_REGISTER);
	assert_int_equal(facts.status, 0);
	assert_span(facts.call_id, "call@10.0.0.5");
	assert_int_equal(facts.cseq, 17);
	assert_span(facts.branch, "z9hG4bK-1");
	assert_span(facts.sent_by, "10.0.0.5");
	assert_int_equal(facts.via_count, 1);
	assert_span(facts.from_tag, "from1");
	assert_absent(facts.to_tag);
	assert_span(facts.aor, "sip:alice@example.com");
	assert_int_equal(facts.expires, 600);
	assert_false(facts.contact_star);
	assert_int_equal(facts.contact_count, 1);
	assert_span(facts.contacts[0].uri, "sip:alice@10.0.0.5:5062;ob");
	assert_span(facts.contacts[0].user, "alice");
	assert_span(facts.contacts[0].host, "10.0.0.5");
	assert_int_equal(facts.contacts[0].port, 5062);
	assert_absent(facts.contacts[0].instance);
	assert_int_equal(facts.contacts[0].reg_id, 0);
	assert_true(facts.contacts[0].expires == FACTS_UNSTATED);
}

static void an_answer_says_what_it_answers(void **state)
{
	(void)state;
	read_message(SPAN(ANSWER VIA FROM "To: <sip:alice@example.com>;tag=to1\r\n" CALL_ID
					  "CSeq: 2 INVITE\r\n" END));
	assert_false(facts.is_request);
	assert_int_equal(facts.method, SIP_METHOD_INVITE);
	assert_int_equal(facts.status, 200);
	assert_span(facts.to_tag, "to1");
	assert_true(facts.expires == FACTS_UNSTATED);
}

static void every_method_is_known_by_its_name(void **state)
{
	static const struct {
		const char *name;
		enum sip_method method;
	} methods[] = {
		{ "REGISTER", SIP_METHOD_REGISTER }, { "SUBSCRIBE", SIP_METHOD_SUBSCRIBE },
		{ "NOTIFY", SIP_METHOD_NOTIFY },     { "INVITE", SIP_METHOD_INVITE },
		{ "ACK", SIP_METHOD_ACK },           { "BYE", SIP_METHOD_BYE },
		{ "CANCEL", SIP_METHOD_CANCEL },     { "UPDATE", SIP_METHOD_UPDATE },
		{ "OPTIONS", SIP_METHOD_OPTIONS },   { "MESSAGE", SIP_METHOD_OTHER },
		{ "register", SIP_METHOD_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char buffer[512];
		struct text text = TEXT_OVER(buffer);
		uint16_t status = 1;

		text_format(&text,
			    "%s sip:b@c SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 %s\r\n\r\n",
			    methods[i].name, methods[i].name);
		read_message(text_span(&text));
		assert_int_equal(facts.method, methods[i].method);
		assert_int_equal(sip_reader_peek(text_span(&text), &status), methods[i].method);
		assert_int_equal(status, 0);
	}
}

static void a_peek_tells_what_matters(void **state)
{
	static const struct {
		struct span message;
		enum sip_method method;
		uint16_t status;
	} looks[] = {
		{ SPAN(REQUEST), SIP_METHOD_REGISTER, 0 },
		{ SPAN(ANSWER NEEDED END), SIP_METHOD_REGISTER, 200 },
		{ SPAN("SIP/2.0 401 No\r\nTo: x\r\ncseq : 1\r\n\tINVITE\r\n"), SIP_METHOD_INVITE,
		  401 },
		{ SPAN(ANSWER VIA END CSEQ), SIP_METHOD_MALFORMED, 200 },
		{ SPAN(ANSWER "CSeq: 1 REGISTER"), SIP_METHOD_MALFORMED, 200 },
		{ SPAN(ANSWER "CSeq: x REGISTER\r\n"), SIP_METHOD_MALFORMED, 200 },
		{ SPAN(ANSWER "no header\r\n" NEEDED END), SIP_METHOD_MALFORMED, 200 },
		{ SPAN(ANSWER "CSeq: 1 MESSAGE\r\nno header\r\n"), SIP_METHOD_OTHER, 200 },
		{ SPAN("MESSAGE sip:example.com SIP/2.0\r\nno header\r\n"), SIP_METHOD_OTHER, 0 },
		{ SPAN("REGISTER x SIP/3.0\r\n" NEEDED END), SIP_METHOD_MALFORMED, 0 },
		{ SPAN("REGISTER sip:example.com SIP/2.0"), SIP_METHOD_MALFORMED, 0 },
		{ SPAN("REGISTER sip:example.com HTTP/1.1\r\n"), SIP_METHOD_MALFORMED, 0 },
		{ SPAN("\r\n\r\n"), SIP_METHOD_MALFORMED, 0 },
		{ SPAN(""), SIP_METHOD_MALFORMED, 0 },
		{ { NULL, 0 }, SIP_METHOD_MALFORMED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		uint16_t status = 1;

		assert_int_equal(sip_reader_peek(looks[i].message, &status), looks[i].method);
		assert_int_equal(status, looks[i].status);
	}
}

static void trap_24_an_answer_lists_every_binding_with_its_own_address(void **state)
{
	(void)state;
	read_message(SPAN(
		ANSWER NEEDED
		"Contact: <sip:alice@198.51.100.7:40001>;expires=3600;received=\"sip:a,b\",\r\n"
		" <sip:alice@10.0.0.5:5062;transport=udp>;expires=55\r\n" END));
	assert_int_equal(facts.contact_count, 2);
	assert_span(facts.contacts[0].host, "198.51.100.7");
	assert_int_equal(facts.contacts[0].port, 40001);
	assert_int_equal(facts.contacts[0].expires, 3600);
	assert_span(facts.contacts[1].host, "10.0.0.5");
	assert_int_equal(facts.contacts[1].port, 5062);
	assert_int_equal(facts.contacts[1].expires, 55);
}

/* Registrars write escapes and case anew. */
static void trap_24_a_rewritten_contact_has_the_same_parts(void **state)
{
	(void)state;
	read_message(SPAN(ANSWER NEEDED "Contact: <SIP:%61lice%2dA@EXAMPLE.com:05062>\r\n"
					"m: <sip:alice-A@example.COM:5062;ob>\r\n" END));
	for (size_t i = 0; i < 2; i++) {
		assert_span(facts.contacts[i].user, "alice-A");
		assert_span(facts.contacts[i].host, "example.com");
		assert_int_equal(facts.contacts[i].port, 5062);
	}
}

static void trap_25_a_star_is_no_contact(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED "Contact: *\r\nExpires: 0\r\n" END));
	assert_true(facts.contact_star);
	assert_int_equal(facts.contact_count, 0);
	assert_int_equal(facts.expires, 0);
}

static void trap_26_lifetimes_are_stated_in_either_place(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED "Expires: 120\r\nContact: <sip:a@b>;expires=60\r\n" END));
	assert_int_equal(facts.expires, 120);
	assert_int_equal(facts.contacts[0].expires, 60);
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:a@b>;EXPIRES = 60\r\n" END));
	assert_true(facts.expires == FACTS_UNSTATED);
	assert_int_equal(facts.contacts[0].expires, 60);
	read_message(SPAN(REQUEST NEEDED "Expires: 120\r\nContact: <sip:a@b;expires=9>\r\n" END));
	assert_int_equal(facts.expires, 120);
	assert_true(facts.contacts[0].expires == FACTS_UNSTATED);
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:a@b>\r\n" END));
	assert_true(facts.expires == FACTS_UNSTATED);
	assert_true(facts.contacts[0].expires == FACTS_UNSTATED);
}

static void trap_26_odd_lifetimes_are_bounded(void **state)
{
	static const struct {
		const char *written;
		uint32_t seconds;
	} lifetimes[] = {
		{ "0", 0 },
		{ "00060", 60 },
		{ "\"60\"", 60 },
		{ "4294967293", UINT32_MAX - 2 },
		{ "4294967294", UINT32_MAX - 1 },
		{ "4294967295", UINT32_MAX - 1 },
		{ "4294967296", UINT32_MAX - 1 },
		{ "99999999999999999999999999", UINT32_MAX - 1 },
		{ "", 3600 },
		{ "-1", 3600 },
		{ "+60", 3600 },
		{ "60s", 3600 },
		{ "0x10", 3600 },
		{ "\"Thu, 01 Dec 2040 16:00:00 GMT\"", 3600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++) {
		char buffer[512];
		struct text text = TEXT_OVER(buffer);

		text_format(&text, REQUEST NEEDED "Contact: <sip:a@b>;expires=%s;q=1\r\n\r\n",
			    lifetimes[i].written);
		read_message(text_span(&text));
		assert_int_equal(facts.contacts[0].expires, lifetimes[i].seconds);
	}
	read_message(SPAN(REQUEST NEEDED "Expires: soon\r\n" END));
	assert_int_equal(facts.expires, 3600);
}

static void trap_27_a_query_has_no_contact(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED END));
	assert_int_equal(facts.contact_count, 0);
	assert_false(facts.contact_star);
}

static void trap_27_a_refusal_tells_its_status(void **state)
{
	(void)state;
	read_message(SPAN("SIP/2.0 423 Interval Too Brief\r\n" NEEDED "Min-Expires: 60\r\n" END));
	assert_int_equal(facts.status, 423);
	assert_int_equal(facts.method, SIP_METHOD_REGISTER);
}

static void trap_28_a_stale_binding_shows_its_zero(void **state)
{
	(void)state;
	read_message(
		SPAN(ANSWER NEEDED "Contact: <sip:a@b>;expires=0, <sip:a@c>;expires=60\r\n" END));
	assert_int_equal(facts.contacts[0].expires, 0);
	assert_int_equal(facts.contacts[1].expires, 60);
}

static void trap_31_an_instance_may_have_several_reg_ids(void **state)
{
	(void)state;
	read_message(SPAN(
		ANSWER NEEDED
		"Contact: <sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;expires=60,"
		" <sip:a@b>;reg-id=2147483647;+SIP.Instance=\"<urn:uuid:1>\","
		" <sip:a@b>;reg-id=0;+sip.instance=\"\", <sip:a@b>;reg-id=2147483648\r\n" END));
	assert_int_equal(facts.contact_count, 4);
	assert_span(facts.contacts[0].instance, "<urn:uuid:1>");
	assert_int_equal(facts.contacts[0].reg_id, 1);
	assert_span(facts.contacts[1].instance, "<urn:uuid:1>");
	assert_int_equal(facts.contacts[1].reg_id, INT32_MAX);
	assert_absent(facts.contacts[2].instance);
	assert_int_equal(facts.contacts[2].reg_id, 0);
	assert_int_equal(facts.contacts[3].reg_id, 0);
}

static void trap_32_a_request_that_was_passed_on_has_several_vias(void **state)
{
	(void)state;
	read_message(SPAN(
		REQUEST "Via: SIP / 2.0 / UDP  proxy.example.com : 5070 ;branch=z9hG4bK-p,"
			" SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bK-q;x=\",\"\r\n" NEEDED END));
	assert_int_equal(facts.via_count, 3);
	assert_span(facts.sent_by, "proxy.example.com");
	assert_span(facts.branch, "z9hG4bK-p");
}

static void trap_41_what_was_captured_is_enough(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:a@b>\r\nContact: <sip:c@d>;expi"));
	assert_int_equal(facts.contact_count, 1);
	/* The cut line may go on: what there is of it is not to be trusted. */
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:a@b>\r\n ;expires=10"));
	assert_int_equal(facts.contact_count, 0);
	read_message(SPAN(REQUEST NEEDED "Contact: <sip:a@b>\r\n"));
	assert_int_equal(facts.contact_count, 1);
	assert_int_equal(
		sip_reader_read(reader, SPAN(REQUEST VIA FROM TO CALL_ID "CSeq: 17 REGI"), &facts),
		-EBADMSG);
}

static void trap_41_a_body_is_not_looked_at(void **state)
{
	(void)state;
	read_message(
		SPAN(REQUEST NEEDED "Content-Length: 5\r\n\r\n Contact: *\r\n\0" NEEDED "\r\n"));
	assert_false(facts.contact_star);
	assert_int_equal(facts.via_count, 1);
}

static void trap_41_a_message_without_its_empty_line_is_incomplete(void **state)
{
	static const struct {
		struct span message;
		bool incomplete;
	} messages[] = {
		{ SPAN(ANSWER NEEDED END), false },
		{ SPAN(ANSWER NEEDED END "body"), false },
		{ SPAN("SIP/2.0 200 OK\n" NEEDED "\n"), false },
		{ SPAN(ANSWER NEEDED), true },
		{ SPAN(ANSWER NEEDED "\r"), true },
		{ SPAN(ANSWER NEEDED "Contact: <sip:a@b>;expi"), true },
		{ SPAN(REQUEST NEEDED END), false },
		{ SPAN(REQUEST NEEDED), true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		read_message(messages[i].message);
		assert_int_equal(facts.incomplete, messages[i].incomplete);
	}
}

static void facts_do_not_need_the_message(void **state)
{
	char message[] = REQUEST NEEDED "Contact: <sip:a@b>\r\n" END;

	(void)state;
	read_message(SPAN(message));
	memset(message, 'x', sizeof(message));
	assert_span(facts.call_id, "call@10.0.0.5");
	assert_span(facts.contacts[0].uri, "sip:a@b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_request_says_who_registers_where),
		TEST(an_answer_says_what_it_answers),
		TEST(every_method_is_known_by_its_name),
		TEST(a_peek_tells_what_matters),
		TEST(trap_24_an_answer_lists_every_binding_with_its_own_address),
		TEST(trap_24_a_rewritten_contact_has_the_same_parts),
		TEST(trap_25_a_star_is_no_contact),
		TEST(trap_26_lifetimes_are_stated_in_either_place),
		TEST(trap_26_odd_lifetimes_are_bounded),
		TEST(trap_27_a_query_has_no_contact),
		TEST(trap_27_a_refusal_tells_its_status),
		TEST(trap_28_a_stale_binding_shows_its_zero),
		TEST(trap_31_an_instance_may_have_several_reg_ids),
		TEST(trap_32_a_request_that_was_passed_on_has_several_vias),
		TEST(trap_41_what_was_captured_is_enough),
		TEST(trap_41_a_body_is_not_looked_at),
		TEST(trap_41_a_message_without_its_empty_line_is_incomplete),
		TEST(facts_do_not_need_the_message),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
