/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One fact, written in every way that the grammar and the field know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reader_world.h"
#include "state/uri.h"

static void trap_29_contacts_stand_in_one_header_or_in_several(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED
			  "Contact: <sip:a@b>,<sip:c@d>;q=0.5\r\n"
			  "Subject: between\r\nm:sip:e@f;q=1 , \"x\" <sip:g@h>\r\n" END));
	assert_int_equal(facts.contact_count, 4);
	assert_span(facts.contacts[0].uri, "sip:a@b");
	assert_span(facts.contacts[1].uri, "sip:c@d");
	assert_span(facts.contacts[2].uri, "sip:e@f");
	assert_span(facts.contacts[3].uri, "sip:g@h");
}

static void trap_29_quotes_hide_separators(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED
			  "Contact: \"A;b, <sip:no@no>;expires=1 \\\" , <\" <sip:a@b>"
			  ";x=\"y;expires=2,\\\\\";expires=3, \"\" <sip:c@d>\r\n" END));
	assert_int_equal(facts.contact_count, 2);
	assert_span(facts.contacts[0].uri, "sip:a@b");
	assert_int_equal(facts.contacts[0].expires, 3);
	assert_span(facts.contacts[1].uri, "sip:c@d");
}

static void trap_29_a_quoted_bracket_is_no_uri(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED
			  "Contact: sip:a@b;+sip.instance=\"<urn:uuid:1;2>\";reg-id=1\r\n" END));
	assert_span(facts.contacts[0].uri, "sip:a@b");
	assert_span(facts.contacts[0].instance, "<urn:uuid:1;2>");
}

static void trap_29_a_user_may_have_semicolons(void **state)
{
	(void)state;
	read_message(
		SPAN(REQUEST VIA FROM
		     "To: <sip:alice;day=tuesday@example.com;user=phone>;tag=t\r\n" CALL_ID CSEQ
		     "Contact: <sip:alice;day=tuesday@10.0.0.5;ob>;expires=5,"
		     " <sip:a?b,c/d&e@10.0.0.6?x=y>\r\n" END));
	assert_span(facts.aor, "sip:alice;day=tuesday@example.com");
	assert_span(facts.to_tag, "t");
	assert_int_equal(facts.contact_count, 2);
	assert_span(facts.contacts[0].user, "alice;day=tuesday");
	assert_span(facts.contacts[0].host, "10.0.0.5");
	assert_int_equal(facts.contacts[0].expires, 5);
	assert_span(facts.contacts[1].user, "a?b,c/d&e");
	assert_span(facts.contacts[1].host, "10.0.0.6");
}

static void trap_29_names_are_compact_and_of_any_case(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST "v:SIP/2.0/UDP 10.0.0.5;BRANCH=b1\r\nF : <sip:a@b>;TAG=f1\r\n"
				  "T\t:\t<sip:a@b>\r\nI: i1\r\ncSEQ: 3 REGISTER\r\nM: <sip:a@c>\r\n"
				  "l: 0\r\nc: text/plain\r\ns: to:\r\nEXPIRES:60\r\n" END));
	assert_span(facts.branch, "b1");
	assert_span(facts.from_tag, "f1");
	assert_span(facts.aor, "sip:a@b");
	assert_span(facts.call_id, "i1");
	assert_int_equal(facts.cseq, 3);
	assert_int_equal(facts.contact_count, 1);
	assert_int_equal(facts.expires, 60);
}

static void trap_29_folded_lines_are_one(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST "Via: SIP/2.0/UDP\r\n\t10.0.0.5;branch=b1\r\n" FROM
				  "To:\r\n <sip:alice@example.com>\r\n \r\n ;tag=t\r\n" CALL_ID
				  "CSeq: 17\r\n  REGISTER\r\nContact: \"A\r\n B\" <sip:a@b>\r\n "
				  ";expires\r\n\t=\r\n 7\r\n" END));
	assert_span(facts.sent_by, "10.0.0.5");
	assert_span(facts.to_tag, "t");
	assert_int_equal(facts.cseq, 17);
	assert_span(facts.contacts[0].uri, "sip:a@b");
	assert_int_equal(facts.contacts[0].expires, 7);
}

static void trap_29_display_names_are_utf_8(void **state)
{
	(void)state;
	read_message(SPAN(
		REQUEST VIA
		"From: J\xc3\xbcrgen <sip:j@example.com>;tag=f\r\n"
		"To: \"\xe6\x97\xa5\xe6\x9c\xac, <\xe8\xaa\x9e>\" <sip:j@example.com>\r\n" CALL_ID
			CSEQ "Contact: J\xc3\xbcrgen <sip:j@b>\r\n" END));
	assert_span(facts.from_tag, "f");
	assert_span(facts.aor, "sip:j@example.com");
	assert_span(facts.contacts[0].user, "j");
}

static void an_aor_is_compared_byte_by_byte(void **state)
{
	static const struct {
		const char *to, *aor;
	} aors[] = {
		{ "SIP:Alice:secret@EXAMPLE.com:05070;user=phone?x=y", "sip:Alice@example.com" },
		{ "sip:alice:@example.com", "sip:alice@example.com" },
		{ "sips:%61%6C@Example.Com", "sip:al@example.com" },
		{ "sip:a%20b%zz@example.com", "sip:a%20b%zz@example.com" },
		{ "sip:a%00b@example.com", "sip:a%00b@example.com" },
		{ "sip:%C3%BC@example.com", "sip:%C3%BC@example.com" },
		{ "sip:\xc3\xbc@example.com", "sip:\xc3\xbc@example.com" },
		{ "sip:example.com", "sip:example.com" },
		{ "sip:[2001:DB8::1]", "sip:[2001:db8::1]" },
		{ "sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]" },
		{ "TEL:+15551234;phone-context=x", "tel:+15551234" },
		{ "urn:service:sos", "urn:service:sos" },
		{ "mailto:a@b?subject=c", "mailto:a@b" },
		{ "tel:7-ABC", "tel:7-abc" },
		{ "IM:Alice@Example.com", "im:Alice@example.com" },
		{ "sip:Alice%40Home@EXAMPLE.com", "sip:Alice@Home@example.com" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(aors) / sizeof(aors[0]); i++) {
		char buffer[512], folded[512];
		struct text text = TEXT_OVER(buffer);

		text_format(&text, REQUEST VIA FROM CALL_ID CSEQ "To: <%s>\r\n\r\n", aors[i].to);
		read_message(text_span(&text));
		assert_span(facts.aor, aors[i].aor);
		assert_span(uri_fold(facts.aor, folded), aors[i].aor);
	}
}

static void a_contact_of_another_scheme_has_its_uri_only(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED
			  "Contact: <tel:+1555;isub=2>, <urn:uuid:1>, mailto:a@b\r\n" END));
	assert_int_equal(facts.contact_count, 3);
	assert_span(facts.contacts[0].uri, "tel:+1555;isub=2");
	for (size_t i = 0; i < 3; i++) {
		assert_absent(facts.contacts[i].user);
		assert_absent(facts.contacts[i].host);
		assert_int_equal(facts.contacts[i].port, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(trap_29_contacts_stand_in_one_header_or_in_several),
		TEST(trap_29_quotes_hide_separators),
		TEST(trap_29_a_quoted_bracket_is_no_uri),
		TEST(trap_29_a_user_may_have_semicolons),
		TEST(trap_29_names_are_compact_and_of_any_case),
		TEST(trap_29_folded_lines_are_one),
		TEST(trap_29_display_names_are_utf_8),
		TEST(an_aor_is_compared_byte_by_byte),
		TEST(a_contact_of_another_scheme_has_its_uri_only),
	};

	return cmocka_run_group_tests_name("reader_grammar", tests, NULL, NULL);
}
