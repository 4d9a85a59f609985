/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers that call control gives itself: what they carry over, and how large they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "message_world.h"

static struct message request;
static char buffer[MESSAGE_MAX];

static const struct reply unavailable = { .status = 480, .reason = "Temporarily Unavailable" };

static struct span write_reply(const struct reply *reply, const char *bytes, size_t limit)
{
	struct text out = TEXT_OVER(buffer);
	struct passing_hop caller = hop_from(CALLER, LOCAL);

	read_message(span_of(bytes), &request);
	assert_int_equal(reply_write(reply, &request, &caller.flow, &key, limit, &out), 0);
	assert_true(limit == 0 || out.used <= limit);
	return text_span(&out);
}

static void an_answer_carries_over_what_belongs_to_the_request(void **state)
{
	struct span answer;

	(void)state;
	answer =
		write_reply(&unavailable,
			    LINE VIA "v: SIP/2.0/TCP b, SIP/2.0/UDP c\r\n"
				     "Subject: x\r\nf:\tsip:a@b;tag=1\r\nt: \"B\"\r\n <sip:b@c>\r\n"
				     "I: 7\r\nCSEQ:  17   INVITE\r\n\r\nbody",
			    0);
	assert_has(answer, "SIP/2.0 480 Temporarily Unavailable\r\n"
			   "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1"
			   ";received=198.51.100.7;rport=40001\r\n"
			   "v: SIP/2.0/TCP b, SIP/2.0/UDP c\r\n"
			   "f:\tsip:a@b;tag=1\r\nt: \"B\"\r\n <sip:b@c>;tag=");
	assert_has(answer, "\r\nI: 7\r\nCSEQ:  17   INVITE\r\nContent-Length: 0\r\n\r\n");
	assert_has_not(answer, "Subject");
	assert_has_not(answer, "body");
}

static void an_answer_is_a_response_to_its_request(void **state)
{
	struct message answer;

	(void)state;
	read_message(write_reply(&unavailable, INVITE, 0), &answer);
	assert_false(answer.is_request);
	assert_int_equal(answer.status, 480);
	assert_true(span_equal(answer.call_id, request.call_id));
	assert_true(span_equal(answer.cseq, request.cseq));
	assert_int_equal(answer.to_tag.length, 16);
	assert_span(answer.via.received, "198.51.100.7");
	assert_span(answer.via.rport, "40001");
}

static void a_tag_that_is_there_stays(void **state)
{
	struct span answer;

	(void)state;
	answer = write_reply(&unavailable,
			     LINE VIA FROM "To: <sip:b@c>;tag=mine\r\n" CALL_ID CSEQ END, 0);
	assert_has(answer, "To: <sip:b@c>;tag=mine\r\n");
}

static void whoever_asks_twice_is_answered_the_same_twice(void **state)
{
	static char first[MESSAGE_MAX];
	struct span answer, again;

	(void)state;
	answer = write_reply(&unavailable, INVITE, 0);
	memcpy(first, answer.at, answer.length);
	again = write_reply(&unavailable, INVITE, 0);
	assert_int_equal(again.length, answer.length);
	assert_memory_equal(again.at, first, again.length);
}

static void read_tag(const char *bytes, char tag[17])
{
	struct message answer;

	read_message(write_reply(&unavailable, bytes, 0), &answer);
	assert_int_equal(answer.to_tag.length, 16);
	memcpy(tag, answer.to_tag.at, 16);
	tag[16] = '\0';
}

static void the_tag_is_that_of_the_transaction(void **state)
{
	char invite[17], cancel[17], other[17];

	(void)state;
	read_tag(INVITE, invite);
	read_tag("CANCEL sip:bob@example.com SIP/2.0\r\n" VIA FROM TO CALL_ID
		 "CSeq: 17 CANCEL\r\n" END,
		 cancel);
	assert_string_equal(invite, cancel);
	read_tag(LINE "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-2;rport\r\n" FROM TO CALL_ID
			 CSEQ END,
		 other);
	assert_string_not_equal(invite, other);
}

static void an_ack_is_never_answered_nor_is_a_response(void **state)
{
	static const char *const bytes[] = {
		"ACK sip:bob@example.com SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 17 ACK\r\n" END,
		"SIP/2.0 200 OK\r\n" NEEDED END,
	};
	struct passing_hop caller = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(buffer);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		read_message(span_of(bytes[i]), &request);
		assert_int_equal(reply_write(&unavailable, &request, &caller.flow, &key, 0, &out),
				 -EINVAL);
		assert_int_equal(out.used, 0);
	}
}

static void a_malformed_request_is_answered_with_what_is_there(void **state)
{
	static const struct reply bad = { .status = 400, .reason = "Second To" };
	static const char bytes[] =
		LINE VIA FROM TO "To: <sip:c@d>\r\nX \x01: 1\r\nCSeq: nothing\r\n" END;
	struct passing_hop caller = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(buffer);
	const char *reason;

	(void)state;
	assert_int_equal(message_read(span_of(bytes), &request, &reason), -EPROTO);
	assert_int_equal(reply_write(&bad, &request, &caller.flow, &key, 0, &out), 0);
	assert_has(text_span(&out), FROM "To: <sip:bob@example.com>;tag=");
	assert_has(text_span(&out), "CSeq: nothing\r\nContent-Length: 0\r\n\r\n");
	assert_has_not(text_span(&out), "Call-ID");
	assert_has_not(text_span(&out), "c@d");
}

static void contacts_stand_in_order_of_preference(void **state)
{
	struct reply moved = { .status = 302,
			       .reason = "Moved Temporarily",
			       .contact_count = REPLY_CONTACTS_MAX };

	(void)state;
	for (size_t i = 0; i < REPLY_CONTACTS_MAX; i++)
		moved.contacts[i] = SPAN("sip:n");
	assert_has(write_reply(&moved, INVITE, 0),
		   "Contact: <sip:n>;q=1.0, <sip:n>;q=0.9, <sip:n>;q=0.8, <sip:n>;q=0.7, "
		   "<sip:n>;q=0.6, <sip:n>;q=0.5, <sip:n>;q=0.4, <sip:n>;q=0.3\r\n");
}

/* What is in an answer of so many bytes at most; false if there is none. */
static bool write_limited(const struct reply *reply, size_t limit, struct span *answer)
{
	struct text out = TEXT_OVER(buffer);
	struct passing_hop caller = hop_from(CALLER, LOCAL);
	int error = reply_write(reply, &request, &caller.flow, &key, limit, &out);

	assert_true(error == 0 || error == -E2BIG);
	assert_true(out.used <= limit);
	assert_int_equal(out.used == 0, error != 0);
	*answer = text_span(&out);
	return error == 0;
}

static void what_is_asked_in_vain_is_named(void **state)
{
	static const struct reply bad = { .status = 420,
					  .reason = "Bad Extension",
					  .unsupported = { "foo,\n bar", 9 } };
	struct span answer;

	(void)state;
	assert_has(write_reply(&bad, INVITE, 0),
		   "\r\nUnsupported: foo,\r\n bar\r\nContent-Length: 0\r\n\r\n");
	assert_has_not(write_reply(&unavailable, INVITE, 0), "Unsupported");
	/* A 420 without it would say nothing. */
	for (size_t limit = write_reply(&bad, INVITE, 0).length;
	     write_limited(&bad, limit, &answer); limit--)
		assert_has(answer, "Unsupported");
}

/* As the limit falls by a byte at a time, things go in their order and each only once. */
static void what_has_no_room_is_left_out_from_the_last_on(void **state)
{
	static const char *const leave[] = { "sip:third", "sip:second", "Retry-After" };
	static const struct reply moved = {
		.status = 302,
		.reason = "Moved Temporarily",
		.contacts = { { "sip:first", 9 }, { "sip:second", 10 }, { "sip:third", 9 } },
		.contact_count = 3,
		.retry_after_s = 5,
		.allow = "INVITE"
	};
	size_t left = 0, limit = write_reply(&moved, INVITE, 0).length;
	struct span answer;

	(void)state;
	for (; write_limited(&moved, limit, &answer); limit--) {
		if (left < 3 && !has(answer, leave[left]))
			left++;
		for (size_t i = left; i < 3; i++)
			assert_has(answer, leave[i]);
		assert_int_equal(has(answer, "Allow: INVITE\r\n"), left < 3);
		/* Without any, a redirection would end the call. */
		assert_has(answer, "\r\nContact: <sip:first>;q=1.0");
	}
	assert_int_equal(left, 3);
	assert_false(write_limited(&moved, 1, &answer));
}

static void a_buffer_that_is_full_is_left_as_it_was(void **state)
{
	struct passing_hop caller = hop_from(CALLER, LOCAL);
	char small[64] = "kept";
	struct text out = { .buffer = small, .size = sizeof(small), .used = 4 };

	(void)state;
	read_message(span_of(INVITE), &request);
	assert_int_equal(reply_write(&unavailable, &request, &caller.flow, &key, 0, &out), -E2BIG);
	assert_string_equal(small, "kept");
	assert_int_equal(out.used, 4);
	assert_false(out.overflow);
}

static void the_limit_is_one_and_a_half_times_the_request(void **state)
{
	(void)state;
	assert_int_equal(reply_limit(0), 0);
	assert_int_equal(reply_limit(3), 4);
	assert_int_equal(reply_limit(400), 600);
}

static size_t random_below(size_t limit)
{
	return (size_t)random() % limit;
}

/* A request of small parts that are there or not. */
static void make_request(struct text *out)
{
	static const char *const uris[] = { "sip:a", "sip:bob@example.com", "tel:1" };
	static const char *const vias[] = { "v:SIP/2.0/UDP a\r\n", VIA,
					    "v:SIP/2.0/UDP 198.51.100.7;rport, SIP/2.0/UDP b\r\n" };
	static const char *const optional[] = { "f:x:y\r\n", "t:x:y\r\n", "i:1\r\n",
						"Max-Forwards: 1\r\n", "l:0\r\n" };

	text_format(out, "OPTIONS %s SIP/2.0\r\n%s", uris[random_below(3)], vias[random_below(3)]);
	for (size_t i = 0; i < 5; i++)
		if (random_below(4) > 0)
			text_add(out, span_of(optional[i]));
	text_add(out, random_below(4) ? SPAN("CSeq:1 OPTIONS\r\n") : SPAN(""));
	text_add(out, SPAN("\r\n"));
	assert_false(out->overflow);
}

static void no_answer_is_larger_than_its_limit(void **state)
{
	struct reply reply = { .reason = "Whatever", .allow = "INVITE", .retry_after_s = 3 };
	size_t answered = 0, unanswered = 0;

	(void)state;
	srandom(20260);
	for (int i = 0; i < 5000; i++) {
		char bytes[512];
		struct text text = TEXT_OVER(bytes);
		struct span answer;
		const char *reason;
		int error;

		make_request(&text);
		error = message_read(text_span(&text), &request, &reason);
		assert_true(error == 0 || error == -EPROTO);
		reply.status = (uint16_t)(100 + random_below(600));
		reply.contact_count = random_below(2) ? random_below(REPLY_CONTACTS_MAX + 1) : 0;
		for (size_t contact = 0; contact < reply.contact_count; contact++)
			reply.contacts[contact] = SPAN("sip:bob@192.0.2.11:5060");
		if (!write_limited(&reply, reply_limit(text.used), &answer)) {
			unanswered++;
			continue;
		}
		answered++;
		assert_int_equal(has(answer, "Contact: "), reply.contact_count > 0);
	}
	assert_true(answered > 1000);
	assert_true(unanswered > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_carries_over_what_belongs_to_the_request),
		cmocka_unit_test(an_answer_is_a_response_to_its_request),
		cmocka_unit_test(a_tag_that_is_there_stays),
		cmocka_unit_test(what_is_asked_in_vain_is_named),
		cmocka_unit_test(whoever_asks_twice_is_answered_the_same_twice),
		cmocka_unit_test(the_tag_is_that_of_the_transaction),
		cmocka_unit_test(an_ack_is_never_answered_nor_is_a_response),
		cmocka_unit_test(a_malformed_request_is_answered_with_what_is_there),
		cmocka_unit_test(contacts_stand_in_order_of_preference),
		cmocka_unit_test(what_has_no_room_is_left_out_from_the_last_on),
		cmocka_unit_test(a_buffer_that_is_full_is_left_as_it_was),
		cmocka_unit_test(the_limit_is_one_and_a_half_times_the_request),
		cmocka_unit_test(no_answer_is_larger_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
