/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a message that has to be answered or passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "message_world.h"
#include "sip/reader.h"

static struct message message;

static void read_text(const char *text)
{
	read_message(span_of(text), &message);
}

static void a_request_is_told_apart_into_its_parts(void **state)
{
	(void)state;
	read_text(LINE NEEDED "Max-Forwards: 12\r\nContent-Length: 4\r\n\r\nbody");
	assert_true(message.is_request);
	assert_int_equal(message.status, 0);
	assert_span(message.start_line, LINE);
	assert_span(message.method, "INVITE");
	assert_span(message.uri, "sip:bob@example.com");
	assert_span(message.from, "\"Alice\" <sip:alice@example.com>;tag=from1");
	assert_span(message.from_tag, "from1");
	assert_span(message.to, "<sip:bob@example.com>");
	assert_absent(message.to_tag);
	assert_span(message.call_id, "call@10.0.0.5");
	assert_span(message.cseq, "17 INVITE");
	assert_int_equal(message.cseq_number, 17);
	assert_true(message.has_max_forwards);
	assert_int_equal(message.max_forwards, 12);
	assert_span(message.body, "body");
	assert_absent(message.route);
	assert_int_equal(message.line_count, 7);
	assert_span(message.lines[0].name, "Via");
	assert_span(message.lines[0].whole, VIA);
	assert_span(message.lines[6].value, "4");
}

static void a_response_has_the_method_of_its_cseq(void **state)
{
	(void)state;
	read_text("SIP/2.0 180 Ringing now\r\n" NEEDED END);
	assert_false(message.is_request);
	assert_int_equal(message.status, 180);
	assert_span(message.method, "INVITE");
	assert_absent(message.uri);
	assert_span(message.start_line, "SIP/2.0 180 Ringing now\r\n");
}

static void the_topmost_via_is_told_apart(void **state)
{
	(void)state;
	read_text(INVITE);
	assert_span(message.via.value, "SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;rport");
	assert_span(message.via.transport, "UDP");
	assert_span(message.via.host, "10.0.0.5");
	assert_int_equal(message.via.port, 5062);
	assert_span(message.via.branch, "z9hG4bK-1");
	assert_span(message.via.rport, "");
	assert_absent(message.via.received);
	assert_absent(message.next_via);
}

static void blanks_stand_anywhere_in_a_via(void **state)
{
	(void)state;
	read_text(LINE "v  : SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n ;maddr=224.2.0.1 ; "
		       "branch = z9hG4bK-2\r\n" FROM TO CALL_ID CSEQ END);
	assert_span(message.via.transport, "UDP");
	assert_span(message.via.host, "first.example.com");
	assert_int_equal(message.via.port, 4000);
	assert_span(message.via.branch, "z9hG4bK-2");
	assert_absent(message.via.rport);
}

static void a_via_is_folded_anywhere(void **state)
{
	(void)state;
	read_text(LINE "Via: SIP / 2.0\r\n /TCP\r\n [2001:db8::5]:5070;received=\r\n\t2001:db8::6"
		       ";rport=4\r\n" FROM TO CALL_ID CSEQ END);
	assert_span(message.via.transport, "TCP");
	assert_span(message.via.host, "2001:db8::5");
	assert_int_equal(message.via.port, 5070);
	assert_span(message.via.received, "2001:db8::6");
	assert_span(message.via.rport, "4");
	assert_absent(message.via.branch);
}

static void the_next_via_stands_in_the_same_line_or_the_next(void **state)
{
	(void)state;
	read_text(LINE "Via: SIP/2.0/UDP a;x=\"1,2\" , SIP/2.0/UDP b,SIP/2.0/UDP c\r\n" FROM TO
			  CALL_ID CSEQ END);
	assert_span(message.via.value, "SIP/2.0/UDP a;x=\"1,2\"");
	assert_span(message.next_via, "SIP/2.0/UDP b");
	read_text(LINE VIA FROM "v: SIP/2.0/UDP b, SIP/2.0/UDP c\r\n" TO CALL_ID CSEQ END);
	assert_span(message.via.host, "10.0.0.5");
	assert_span(message.next_via, "SIP/2.0/UDP b");
}

static void names_are_compact_and_of_any_case(void **state)
{
	(void)state;
	read_text("MESSAGE sip:bob@example.com SIP/2.0\r\nV: SIP/2.0/UDP a\r\nf:sip:a@b;tag=1\r\n"
		  "T :\r\n <sip:c@d>;tag=2\r\ni: 1\r\ncSEQ: 0009\r\n  MESSAGE\r\n"
		  "MAX-FORWARDS: 0068\r\nl: 2\r\n\r\nhello");
	assert_span(message.from_tag, "1");
	assert_span(message.to, "<sip:c@d>;tag=2");
	assert_span(message.to_tag, "2");
	assert_span(message.call_id, "1");
	assert_int_equal(message.cseq_number, 9);
	assert_int_equal(message.max_forwards, 68);
	assert_span(message.body, "he");
}

static void a_line_is_known_by_either_name(void **state)
{
	(void)state;
	read_text(LINE NEEDED "m: <sip:a@b>\r\nK: path\r\nx-: 1\r\n" END);
	assert_true(message_line_is(&message.lines[0], "via"));
	assert_false(message_line_is(&message.lines[0], "v"));
	assert_true(message_line_is(&message.lines[5], "Contact"));
	assert_false(message_line_is(&message.lines[5], "Max-Forwards"));
	assert_true(message_line_is(&message.lines[6], "Supported"));
	assert_false(message_line_is(&message.lines[7], "Session-Expires"));
}

static void line_ends_may_be_bare(void **state)
{
	(void)state;
	read_text("INVITE sip:bob@example.com SIP/2.0\nv:SIP/2.0/UDP a\nf:sip:a@b\nt:sip:c@d\n"
		  "i:1\nCSeq:1\n INVITE\nl:3\n\nabcd");
	assert_span(message.call_id, "1");
	assert_span(message.body, "abc");
}

static void quotes_hide_what_parts_values(void **state)
{
	(void)state;
	read_text(LINE VIA "From: \"A;tag=no, <\\\">\" <sip:a@b>;x=\";tag=no\";tag=yes\r\n"
			   "To: \"<sip:x@y>;tag=no\" <sip:c@d;tag=no>\r\n" CALL_ID CSEQ END);
	assert_span(message.from_tag, "yes");
	assert_absent(message.to_tag);
}

static void the_body_is_as_long_as_it_is_said_to_be(void **state)
{
	static const char with_nul[] = LINE NEEDED "Content-Length: 3\r\n\r\na\0bcd";

	(void)state;
	read_message((struct span){ with_nul, sizeof(with_nul) - 1 }, &message);
	assert_int_equal(message.body.length, 3);
	assert_memory_equal(message.body.at, "a\0b", 3);
	read_text(LINE NEEDED "\r\nall of it");
	assert_span(message.body, "all of it");
	read_text(LINE NEEDED "Content-Length: 0\r\n\r\nsomething else");
	assert_span(message.body, "");
}

static void the_topmost_route_is_found(void **state)
{
	(void)state;
	read_text(LINE NEEDED
		  "Route: \"a, b\" <sip:p1;lr>;x , <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n" END);
	assert_span(message.route, "\"a, b\" <sip:p1;lr>;x");
	assert_int_equal(message.max_forwards, 70);
	assert_false(message.has_max_forwards);
}

static struct span aor_of(const char *uri, char *buffer, size_t size)
{
	char bytes[2048];
	struct text text = TEXT_OVER(bytes);

	text_format(&text, "INVITE %s SIP/2.0\r\n%s", uri, NEEDED END);
	assert_false(text.overflow);
	read_message(text_span(&text), &message);
	return message_aor(&message, buffer, size);
}

/* The AOR that a registration is kept under: that of a REGISTER's To. */
static void assert_registered_as(struct sip_reader *reader, const char *uri, struct span aor)
{
	char bytes[2048];
	struct text text = TEXT_OVER(bytes);
	struct facts facts;

	text_format(&text, "REGISTER sip:example.com SIP/2.0\r\n%sTo: <%s>\r\n%s", VIA FROM CALL_ID,
		    uri, "CSeq: 1 REGISTER\r\n" END);
	assert_int_equal(sip_reader_read(reader, text_span(&text), &facts), 0);
	assert_true(span_equal(facts.aor, aor));
}

static void the_aor_is_the_one_that_registrations_are_kept_under(void **state)
{
	static const char *const uris[][2] = {
		{ "sip:bob@example.com", "sip:bob@example.com" },
		{ "SIP:Bob@EXAMPLE.com;user=phone;x", "sip:Bob@example.com" },
		{ "sips:bob:secret@example.com?Subject=x", "sip:bob@example.com" },
		{ "sip:%62o%62@example.com:5070", "sip:bob@example.com" },
		{ "sip:+1;isub=2@[2001:DB8::1]", "sip:+1;isub=2@[2001:db8::1]" },
		{ "sip:nul%00nul@example.com", "sip:nul%00nul@example.com" },
	};
	struct sip_reader *reader = sip_reader_new();
	char buffer[256];

	(void)state;
	assert_non_null(reader);
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct span aor = aor_of(uris[i][0], buffer, sizeof(buffer));

		assert_span(aor, uris[i][1]);
		assert_registered_as(reader, uris[i][0], aor);
	}
	sip_reader_free(reader);
}

static void some_requests_are_for_no_aor(void **state)
{
	char buffer[20];

	(void)state;
	assert_absent(aor_of("tel:+4930123", buffer, sizeof(buffer)));
	assert_absent(aor_of("sip:example.com", buffer, sizeof(buffer)));
	assert_absent(aor_of("urn:service:sos", buffer, sizeof(buffer)));
	assert_span(aor_of("sip:bob@example.com", buffer, sizeof(buffer)), "sip:bob@example.com");
	assert_absent(aor_of("sip:bobb@example.com", buffer, sizeof(buffer)));
}

/* A message of so many header lines, and then some bytes of body. */
static char *make_long(size_t lines, size_t body, struct span *bytes)
{
	size_t size = sizeof(LINE NEEDED) + lines * strlen("X: 1\r\n") + body + 8;
	char *buffer = malloc(size);
	struct text text = { .buffer = buffer, .size = size };

	assert_non_null(buffer);
	text_add(&text, SPAN(LINE NEEDED));
	for (size_t i = 5; i < lines; i++)
		text_add(&text, SPAN("X: 1\r\n"));
	text_add(&text, SPAN("\r\n"));
	assert_false(text.overflow);
	memset(buffer + text.used, 'b', body);
	*bytes = (struct span){ buffer, text.used + body };
	return buffer;
}

static void there_is_an_end_to_what_is_taken(void **state)
{
	const char *reason;
	struct span bytes;
	char *buffer;

	(void)state;
	buffer = make_long(MESSAGE_LINES_MAX, 0, &bytes);
	assert_int_equal(message_read(bytes, &message, &reason), 0);
	assert_int_equal(message.line_count, MESSAGE_LINES_MAX);
	free(buffer);
	buffer = make_long(MESSAGE_LINES_MAX + 1, 0, &bytes);
	assert_int_equal(message_read(bytes, &message, &reason), -EBADMSG);
	free(buffer);
	buffer = make_long(5, MESSAGE_MAX, &bytes);
	bytes.length = MESSAGE_MAX;
	assert_int_equal(message_read(bytes, &message, &reason), 0);
	bytes.length = MESSAGE_MAX + 1;
	assert_int_equal(message_read(bytes, &message, &reason), -EBADMSG);
	free(buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_told_apart_into_its_parts),
		cmocka_unit_test(a_response_has_the_method_of_its_cseq),
		cmocka_unit_test(the_topmost_via_is_told_apart),
		cmocka_unit_test(blanks_stand_anywhere_in_a_via),
		cmocka_unit_test(a_via_is_folded_anywhere),
		cmocka_unit_test(the_next_via_stands_in_the_same_line_or_the_next),
		cmocka_unit_test(names_are_compact_and_of_any_case),
		cmocka_unit_test(a_line_is_known_by_either_name),
		cmocka_unit_test(line_ends_may_be_bare),
		cmocka_unit_test(quotes_hide_what_parts_values),
		cmocka_unit_test(the_body_is_as_long_as_it_is_said_to_be),
		cmocka_unit_test(the_topmost_route_is_found),
		cmocka_unit_test(the_aor_is_the_one_that_registrations_are_kept_under),
		cmocka_unit_test(some_requests_are_for_no_aor),
		cmocka_unit_test(there_is_an_end_to_what_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
