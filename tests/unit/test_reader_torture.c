/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that are legal but nasty, broken, cut or changed at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "sighting.h"
#include "sip/reader.h"

#define REQUEST "REGISTER sip:example.com SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;rport\r\n"
#define FROM "From: <sip:alice@example.com>;tag=from1\r\n"
#define TO "To: <sip:alice@example.com>\r\n"
#define CALL_ID "Call-ID: call@10.0.0.5\r\n"
#define CSEQ "CSeq: 17 REGISTER\r\n"
#define NEEDED VIA FROM TO CALL_ID CSEQ
#define END "\r\n"

struct message {
	const char *what;
	struct span bytes;
};

#define MESSAGE(what, bytes) \
	{ \
		what, \
		{ \
			bytes, sizeof(bytes) - 1 \
		} \
	}
#define WITH(what, header) MESSAGE(what, REQUEST NEEDED header "\r\n" END)

static const struct message legal[] = {
	MESSAGE("bare LF ends lines", "REGISTER sip:a SIP/2.0\nv:SIP/2.0/UDP a\nf:sip:a@b\n"
				      "t:sip:a@b\ni:1\nCSeq:0 REGISTER\n\n"),
	MESSAGE("version in lower case", "REGISTER sip:a sip/2.0\r\n" NEEDED END),
	MESSAGE("Request-URI of another scheme", "REGISTER urn:x SIP/2.0\r\n" NEEDED END),
	MESSAGE("reason of many words", "SIP/2.0 480 T\xc3\xa4mporarily ; \"away\r\n" NEEDED END),
	MESSAGE("empty reason", "SIP/2.0 200 \r\n" NEEDED END),
	MESSAGE("no tag in From", REQUEST VIA "From: <sip:a@b>\r\n" TO CALL_ID CSEQ END),
	MESSAGE("From of another scheme", REQUEST VIA "From: <x:>;tag=1\r\n" TO CALL_ID CSEQ END),
	MESSAGE("From of an INVITE that is no URI",
		"INVITE sip:a@b SIP/2.0\r\n" VIA "From: <a b>\r\n" TO CALL_ID
		"CSeq: 1 INVITE\r\n" END),
	MESSAGE("To without brackets", REQUEST VIA FROM "To: sip:a@b;tag=x\r\n" CALL_ID CSEQ END),
	MESSAGE("no branch", REQUEST "Via: SIP/2.0/UDP a\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("empty branch", REQUEST "Via: SIP/2.0/UDP a;branch=\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via of IPv6",
		REQUEST "Via: SIP/2.0/TLS [::1];received=::1\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("underscore in a host",
		REQUEST "Via: SIP/2.0/UDP my_pc.local:5060\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("largest CSeq", REQUEST VIA FROM TO CALL_ID "CSeq: 2147483647 REGISTER\r\n" END),
	MESSAGE("zeros before CSeq", REQUEST VIA FROM TO CALL_ID "CSeq: 0017\tREGISTER\r\n" END),
	WITH("header without value", "Supported:"),
	WITH("unknown header of odd bytes", "X-\xff: \x01\xfe\"<"),
	WITH("parameters without value", "Contact: <sip:a@b>;ob;;x=; y = z ;"),
	WITH("empty parameter at the end", "Contact: <sip:a@b> ; "),
	WITH("space around everything", "Contact \t:  \t \"a\"\t<sip:a@b>\t;\tq\t=\t1 "),
	WITH("no user", "Contact: <sip:b>"),
	WITH("empty user", "Contact: <sip:@b>"),
	WITH("port zero and largest port", "Contact: <sip:a@b:0>, <sip:a@b:65535>"),
	WITH("IPv6 Contacts", "Contact: <sip:[::1]>, <sip:a@[::ffff:192.0.2.1]:5060;ob>"),
	WITH("nameless quotes", "Contact: \"\\\"\\\\\" <sip:a@b>"),
	WITH("comma in a URI", "Contact: <sip:a,b@c;x=1,2>"),
	WITH("quoted empty parameter", "Contact: <sip:a@b>;x=\"\""),
	WITH("question mark in the user", "Contact: <sip:a?b@c>"),
	WITH("rubbish in headers that only refine", "Event: \"\r\nSession-Expires: <\r\nx:\r\no:"),
};

static const struct message broken[] = {
	MESSAGE("nothing", ""),
	MESSAGE("keepalive", "\r\n\r\n"),
	MESSAGE("empty line first", END REQUEST NEEDED END),
	MESSAGE("no start line", NEEDED END),
	MESSAGE("start line that is cut", "REGISTER sip:example.com SIP/2.0"),
	MESSAGE("start line that is folded", "REGISTER sip:a SIP/2.0\r\n x: y\r\n" NEEDED END),
	MESSAGE("other protocol", "REGISTER sip:a HTTP/1.1\r\n" NEEDED END),
	MESSAGE("other version", "REGISTER sip:a SIP/2.1\r\n" NEEDED END),
	MESSAGE("two blanks in the start line", "REGISTER  sip:a SIP/2.0\r\n" NEEDED END),
	MESSAGE("blank in the Request-URI", "REGISTER sip:a b SIP/2.0\r\n" NEEDED END),
	MESSAGE("blank at the end of the start line", "REGISTER sip:a SIP/2.0 \r\n" NEEDED END),
	MESSAGE("no method", " sip:a SIP/2.0\r\n" NEEDED END),
	MESSAGE("method that is no token", "REG(ISTER sip:a SIP/2.0\r\n" NEEDED END),
	MESSAGE("no status", "SIP/2.0 OK\r\n" NEEDED END),
	MESSAGE("status of two digits", "SIP/2.0 20 OK\r\n" NEEDED END),
	MESSAGE("status of four digits", "SIP/2.0 2000 OK\r\n" NEEDED END),
	MESSAGE("status too small", "SIP/2.0 099 OK\r\n" NEEDED END),
	MESSAGE("status too large", "SIP/2.0 700 OK\r\n" NEEDED END),
	MESSAGE("no blank after the status", "SIP/2.0 200\r\n" NEEDED END),
	MESSAGE("no headers", REQUEST END),
	MESSAGE("no Via", REQUEST FROM TO CALL_ID CSEQ END),
	MESSAGE("no From", REQUEST VIA TO CALL_ID CSEQ END),
	MESSAGE("no To", REQUEST VIA FROM CALL_ID CSEQ END),
	MESSAGE("no Call-ID", REQUEST VIA FROM TO CSEQ END),
	MESSAGE("no CSeq", REQUEST VIA FROM TO CALL_ID END),
	MESSAGE("CSeq in the body", REQUEST VIA FROM TO CALL_ID END CSEQ END),
	WITH("two Froms", "f: <sip:alice@example.com>"),
	WITH("two Tos", "t: <sip:alice@example.com>"),
	WITH("two Call-IDs", "i: call@10.0.0.5"),
	WITH("two CSeqs", "CSeq: 17 REGISTER"),
	WITH("two Expires", "Expires: 1\r\nExpires: 1"),
	MESSAGE("empty Call-ID", REQUEST VIA FROM TO "Call-ID: \r\n" CSEQ END),
	MESSAGE("CSeq of another method", REQUEST VIA FROM TO CALL_ID "CSeq: 1 INVITE\r\n" END),
	MESSAGE("CSeq without number", REQUEST VIA FROM TO CALL_ID "CSeq: REGISTER\r\n" END),
	MESSAGE("CSeq without method", REQUEST VIA FROM TO CALL_ID "CSeq: 1\r\n" END),
	MESSAGE("CSeq without blank", REQUEST VIA FROM TO CALL_ID "CSeq: 1REGISTER\r\n" END),
	MESSAGE("negative CSeq", REQUEST VIA FROM TO CALL_ID "CSeq: -1 REGISTER\r\n" END),
	MESSAGE("CSeq too large", REQUEST VIA FROM TO CALL_ID "CSeq: 2147483648 REGISTER\r\n" END),
	MESSAGE("CSeq that wraps",
		REQUEST VIA FROM TO CALL_ID "CSeq: 18446744073709551617 REGISTER\r\n" END),
	MESSAGE("Via without sent-by", REQUEST "Via: SIP/2.0/UDP\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via of another version",
		REQUEST "Via: SIP/3.0/UDP a\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via of two hosts", REQUEST "Via: SIP/2.0/UDP a b\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via with a port too large",
		REQUEST "Via: SIP/2.0/UDP a:65536\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via with an open bracket",
		REQUEST "Via: SIP/2.0/UDP [::1\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via with bytes after IPv6",
		REQUEST "Via: SIP/2.0/UDP [::1]x\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via with two branches",
		REQUEST "Via: SIP/2.0/UDP a;branch=b;branch=c\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("Via that ends in a comma",
		REQUEST "Via: SIP/2.0/UDP a,\r\n" FROM TO CALL_ID CSEQ END),
	MESSAGE("From with two tags",
		REQUEST VIA "From: <sip:a@b>;tag=1;tag=2\r\n" TO CALL_ID CSEQ END),
	MESSAGE("To without URI", REQUEST VIA FROM "To: Alice\r\n" CALL_ID CSEQ END),
	MESSAGE("To with bytes after the bracket",
		REQUEST VIA FROM "To: <sip:a@b>, <sip:c@d>\r\n" CALL_ID CSEQ END),
	MESSAGE("NUL in a header", REQUEST NEEDED "Subject: a\0b\r\n" END),
	MESSAGE("NUL in Call-ID", REQUEST VIA FROM TO "Call-ID: a\0b\r\n" CSEQ END),
	WITH("NUL in a Contact", "Contact: <sip:a\0@b>"),
	WITH("line without colon", "Contact"),
	WITH("line without name", ": <sip:a@b>"),
	WITH("empty Contact", "Contact: "),
	WITH("empty Contact in a list", "Contact: <sip:a@b>,,<sip:c@d>"),
	WITH("star and Contact", "Contact: *\r\nContact: <sip:a@b>"),
	WITH("Contact and star", "Contact: <sip:a@b>\r\nContact: *"),
	WITH("star in a list", "Contact: <sip:a@b>, *"),
	WITH("two stars", "Contact: *\r\nContact: *"),
	WITH("star with a parameter", "Contact: *;expires=0"),
	WITH("open quote", "Contact: \"a <sip:a@b>"),
	WITH("open escape", "Contact: <sip:a@b>;x=\"\\"),
	WITH("open bracket", "Contact: <sip:a@b"),
	WITH("empty brackets", "Contact: <>"),
	WITH("no scheme", "Contact: <a@b>"),
	WITH("empty scheme", "Contact: <:a@b>"),
	WITH("scheme alone", "Contact: <sip:>, <tel:>"),
	WITH("no host", "Contact: <sip:a@>"),
	WITH("no host but a port", "Contact: <sip:a@:5060>"),
	WITH("two hosts", "Contact: <sip:a@b@c>"),
	WITH("blank in a URI", "Contact: <sip:a b@c>"),
	WITH("folded URI", "Contact: <sip:a@\r\n b>"),
	WITH("quote in a URI", "Contact: <sip:a\"@b>"),
	WITH("bracket in a URI", "Contact: <sip:<a@b>"),
	WITH("port too large", "Contact: <sip:a@b:65536>"),
	WITH("port that wraps", "Contact: <sip:a@b:4294972356>"),
	WITH("negative port", "Contact: <sip:a@b:-1>"),
	WITH("port of letters", "Contact: <sip:a@b:sip>"),
	WITH("empty port", "Contact: <sip:a@b:>"),
	WITH("two ports", "Contact: <sip:a@b:1:2>"),
	WITH("IPv6 without brackets", "Contact: <sip:a@::1>"),
	WITH("IPv6 with an open bracket", "Contact: <sip:a@[::1>"),
	WITH("IPv6 with bytes after it", "Contact: <sip:a@[::1]x:5060>"),
	WITH("IPv6 that is none", "Contact: <sip:a@[:::1]>"),
	WITH("IPv6 with a zone", "Contact: <sip:a@[fe80::1%25eth0]>"),
	WITH("escape in a host", "Contact: <sip:a@b%2ec>"),
	WITH("two lifetimes", "Contact: <sip:a@b>;expires=1;expires=2"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char full[] =
	"REGISTER sip:example.com SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;rport, SIP/2.0/UDP [::1]:5060\r\n"
	"Max-Forwards: 70\r\n"
	"f: \"A \\\"x\\\", <b>\" <sip:alice%41:pw@Example.com:5060;a=b?c=d>;tag=from1\r\n"
	"To: sip:alice@example.com\r\n ;tag=to1\r\n"
	"Call-ID: call@10.0.0.5\r\n"
	"CSeq: 17 REGISTER\r\n"
	"Expires: 600\r\n"
	"Contact: \"x\" <sip:a;b=c@10.0.0.5:5062;ob>;+sip.instance=\"<urn:uuid:1;2>\";reg-id=1,"
	" sip:[2001:db8::1]:5060;expires=60, <tel:+1;x=y>\r\n"
	"Content-Length: 4\r\n\r\n\r\nv=0";

static const char answer[] =
	"SIP/2.0 200 OK\r\n" NEEDED "Contact: <sip:a@b>;expires=60, <sip:%63@[::1]:9>;q=1\r\n" END;

static const char notify[] =
	"NOTIFY sip:a@b SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 17 NOTIFY\r\n"
	"o: dialog;id=\"1\"\r\nSubscription-State: active ; expires=60;reason=\"a;b\"\r\n"
	"x: 1800;refresher=uac\r\n" END;

static struct sip_reader *used; /* has read whatever the tests before gave it */
static struct facts facts; /* of the message that it has read last */

static int setup(void **state)
{
	(void)state;
	used = sip_reader_new();
	return used ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sip_reader_free(used);
	return 0;
}

static void assert_same(struct span a, struct span b)
{
	assert_true(!a.at == !b.at);
	assert_true(span_equal(a, b));
}

static void assert_same_facts(const struct facts *a, const struct facts *b)
{
	assert_same(a->call_id, b->call_id);
	assert_same(a->branch, b->branch);
	assert_same(a->sent_by, b->sent_by);
	assert_same(a->from_tag, b->from_tag);
	assert_same(a->to_tag, b->to_tag);
	assert_same(a->aor, b->aor);
	assert_same(a->from_aor, b->from_aor);
	assert_same(a->event, b->event);
	assert_same(a->event_id, b->event_id);
	assert_int_equal(a->sent_by_port, b->sent_by_port);
	assert_int_equal(a->subscription_state, b->subscription_state);
	assert_int_equal(a->subscription_expires, b->subscription_expires);
	assert_int_equal(a->session_expires, b->session_expires);
	assert_int_equal(a->refresher, b->refresher);
	assert_int_equal(a->expires, b->expires);
	assert_int_equal(a->contact_count, b->contact_count);
	assert_int_equal(a->incomplete, b->incomplete);
	assert_true(a->contact_count <= FACTS_CONTACTS_MAX);
	for (size_t i = 0; i < a->contact_count; i++) {
		assert_same(a->contacts[i].uri, b->contacts[i].uri);
		assert_same(a->contacts[i].user, b->contacts[i].user);
		assert_same(a->contacts[i].host, b->contacts[i].host);
		assert_same(a->contacts[i].instance, b->contacts[i].instance);
		assert_int_equal(a->contacts[i].port, b->contacts[i].port);
		assert_int_equal(a->contacts[i].expires, b->contacts[i].expires);
	}
}

/*
 * Reads so many bytes from a heap block of just that size. A reader that has read
 * other messages must come to the same facts as a new one: nothing of them shows.
 */
static int read_bytes(const char *bytes, size_t length)
{
	static struct facts fresh_facts;
	struct sip_reader *fresh = sip_reader_new();
	char *exact = malloc(length > 0 ? length : 1);
	enum sip_method peeked;
	uint16_t status;
	int result;

	assert_non_null(fresh);
	assert_non_null(exact);
	memcpy(exact, bytes, length);
	peeked = sip_reader_peek((struct span){ exact, length }, &status);
	result = sip_reader_read(used, (struct span){ exact, length }, &facts);
	assert_true(result == 0 || result == -EBADMSG);
	if (peeked == SIP_METHOD_MALFORMED)
		assert_int_equal(result, -EBADMSG);
	assert_int_equal(sip_reader_read(fresh, (struct span){ exact, length }, &fresh_facts),
			 result);
	if (result == 0)
		assert_same_facts(&facts, &fresh_facts);
	free(exact);
	sip_reader_free(fresh);
	return result;
}

static void legal_messages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(legal); i++)
		if (read_bytes(legal[i].bytes.at, legal[i].bytes.length) != 0)
			fail_msg("refused: %s", legal[i].what);
}

static void broken_messages_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++)
		if (read_bytes(broken[i].bytes.at, broken[i].bytes.length) != -EBADMSG)
			fail_msg("read: %s", broken[i].what);
}

/* The last header that is needed ends at "enough": from there on every cut is a message. */
static void read_every_cut(const char *bytes, size_t length, size_t enough)
{
	for (size_t cut = 0; cut <= length; cut++)
		assert_int_equal(read_bytes(bytes, cut), cut < enough ? -EBADMSG : 0);
}

static void trap_41_a_message_may_be_cut_at_every_byte(void **state)
{
	static const char end[] = "17 REGISTER\r\n";

	(void)state;
	read_every_cut(full, sizeof(full) - 1, (size_t)(strstr(full, end) - full) + strlen(end));
	read_every_cut(answer, sizeof(answer) - 1,
		       (size_t)(strstr(answer, end) - answer) + strlen(end));
}

static void read_every_change(const char *bytes, size_t length)
{
	static const char values[] = "\0 \t\r\n\"<>,;:@%[]\\=*?/.0aZ\x7f\x80\xff";
	char changed[1024];

	assert_true(length <= sizeof(changed));
	for (size_t at = 0; at < length; at++) {
		memcpy(changed, bytes, length);
		for (size_t i = 0; i < sizeof(values) - 1; i++) {
			changed[at] = values[i];
			read_bytes(changed, length);
		}
	}
}

static void any_byte_may_be_changed(void **state)
{
	(void)state;
	read_every_change(full, sizeof(full) - 1);
	read_every_change(answer, sizeof(answer) - 1);
	read_every_change(notify, sizeof(notify) - 1);
}

static void any_byte_may_be_missing_or_doubled(void **state)
{
	char changed[sizeof(full) + 1];

	(void)state;
	for (size_t at = 0; at < sizeof(full) - 1; at++) {
		memcpy(changed, full, at);
		memcpy(changed + at, full + at + 1, sizeof(full) - 2 - at);
		read_bytes(changed, sizeof(full) - 2);
		memcpy(changed, full, at + 1);
		memcpy(changed + at + 1, full + at, sizeof(full) - 1 - at);
		read_bytes(changed, sizeof(full));
	}
}

static int read_contacts(struct span start_line, size_t count)
{
	char buffer[SIGHTING_CAPTURE_MAX + 1];
	struct text text = TEXT_OVER(buffer);

	text_add(&text, start_line);
	text_add(&text, SPAN(NEEDED "Subject: many"));
	for (size_t i = 0; i < count; i++)
		text_format(&text, "%s<sip:%zu@b>", i % 2 ? ", " : "\r\nContact: ", i);
	text_add(&text, SPAN("\r\n\r\n"));
	assert_false(text.overflow);
	return read_bytes(buffer, text.used);
}

static void too_many_contacts_of_a_request_are_refused(void **state)
{
	(void)state;
	assert_int_equal(read_contacts(SPAN(REQUEST), FACTS_CONTACTS_MAX), 0);
	assert_int_equal(read_contacts(SPAN(REQUEST), FACTS_CONTACTS_MAX + 1), -EBADMSG);
}

static void trap_24_an_answer_may_list_more_devices_than_fit(void **state)
{
	static const struct span answer_line = { "SIP/2.0 200 OK\r\n", 16 };

	(void)state;
	assert_int_equal(read_contacts(answer_line, FACTS_CONTACTS_MAX), 0);
	assert_int_equal(facts.contact_count, FACTS_CONTACTS_MAX);
	assert_false(facts.incomplete);
	for (size_t count = FACTS_CONTACTS_MAX + 1; count <= 2 * FACTS_CONTACTS_MAX; count++) {
		assert_int_equal(read_contacts(answer_line, count), 0);
		assert_int_equal(facts.contact_count, FACTS_CONTACTS_MAX);
		assert_true(facts.incomplete);
	}
}

/* Facts take the most room where nearly all of a message is its To. */
static void the_largest_message_fits(void **state)
{
	char message[2 * SIGHTING_CAPTURE_MAX];
	struct text text = TEXT_OVER(message);
	size_t tail = strlen("@H>\r\n");

	(void)state;
	text_add(&text, SPAN(REQUEST VIA FROM CALL_ID CSEQ "To: <sip:"));
	memset(message + text.used, 'u', sizeof(message) - text.used);
	assert_int_equal(read_bytes(message, sizeof(message)), -EBADMSG);
	memcpy(message + SIGHTING_CAPTURE_MAX - tail, "@H>\r\n", tail);
	assert_int_equal(read_bytes(message, SIGHTING_CAPTURE_MAX), 0);
	assert_int_equal(read_bytes(message, sizeof(message)), 0);
	memcpy(message + SIGHTING_CAPTURE_MAX - tail + 1, "@H>\r\n", tail);
	assert_int_equal(read_bytes(message, sizeof(message)), -EBADMSG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(legal_messages_are_read),
		TEST(broken_messages_are_refused),
		TEST(trap_41_a_message_may_be_cut_at_every_byte),
		TEST(any_byte_may_be_changed),
		TEST(any_byte_may_be_missing_or_doubled),
		TEST(too_many_contacts_of_a_request_are_refused),
		TEST(trap_24_an_answer_may_list_more_devices_than_fit),
		TEST(the_largest_message_fits),
	};

	return cmocka_run_group_tests_name("reader_torture", tests, NULL, NULL);
}
