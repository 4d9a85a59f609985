/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that are legal but nasty (after the cases of RFC 4475), broken, cut or changed at
 * every byte: whatever is accepted can be answered and passed on, and comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "message_world.h"

#define WITH(header) LINE NEEDED header "\r\n" END

struct nasty {
	const char *what;
	struct span bytes;
	const char *reason; /* of a request that cannot be served */
};

#define NASTY(name, text, ...) \
	{ \
		.what = name, .bytes = { text, sizeof(text) - 1 }, __VA_ARGS__ \
	}

static const struct nasty legal[] = {
	NASTY("folds and blanks everywhere",
	      "INVITE sip:vm@chair.example.com;n=x SIP/2.0\r\nTO :\r\n sip:vm@chair.example.com ;"
	      "   tag    = 42n\r\nfrom   : \"J R \\\\\\\"\"       <sip:jr@example.com>\r\n  ;\r\n"
	      "  tag = 98x\r\nMaX-fOrWaRdS: 0068\r\nCall-ID: ws.5@192.0.2.2\r\n"
	      "CSeq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    "
	      "192.0.2.2;branch=390s\r\n"
	      "s :\r\nNew: a\r\n b\r\n  \r\nOdd: ;;,,;;,;\r\n"
	      "v:  SIP  / 2.0  / TCP     s.example.com   ;\r\n  branch  =   z9hG4bK9  ,\r\n"
	      " SIP  /    2.0   / UDP  192.0.2.111   ; branch=\r\n z9hG4bK30\r\n"
	      "m:\"Q; \\\"\\,\" <sip:jr@example.com>\r\nRoute:\r\n <sip:s.example.com;lr;x=y;z>\r\n"
	      "l: 3\r\n\r\nv=0"),
	NASTY("method of every token character",
	      "!m%Z*_+`'.~ sip:1_un!@example.com;x= SIP/2.0\r\n" VIA
	      "To: \"\xc3\xa9 \x7f <\" <sip:a@b>\r\n" FROM CALL_ID "CSeq: 1 !m%Z*_+`'.~\r\n" END),
	NASTY("escaped nul", "INVITE sip:nul-%00-nul@example.com SIP/2.0\r\n" NEEDED END),
	NASTY("escaped percent sign", "INVITE sip:100%25@example.com SIP/2.0\r\n" NEEDED END),
	NASTY("percent sign behind the user", "INVITE sip:b@c;x=%zz SIP/2.0\r\n" NEEDED END),
	NASTY("user with a semicolon", "INVITE sip:u;p=1@example.com SIP/2.0\r\n" NEEDED END),
	NASTY("Request-URI of another scheme",
	      "INVITE soap.beep://192.0.2.3 SIP/2.0\r\n" NEEDED END),
	NASTY("To of another scheme", LINE VIA FROM "To: <isbn:2983>\r\n" CALL_ID CSEQ END),
	NASTY("bytes after the body", LINE NEEDED "l: 1\r\n\r\nb" INVITE),
	NASTY("no Max-Forwards, no tag", LINE VIA "From: sip:a@b\r\n" TO CALL_ID CSEQ END),
	NASTY("quotes that are not closed where nobody looks", WITH("Contact: \"a <sip:a@b>")),
	NASTY("tabs for blanks", LINE VIA FROM TO "Call-ID\t:\t1\r\nCSeq:\t1\tINVITE\r\n" END),
	NASTY("largest numbers", LINE VIA FROM TO CALL_ID "CSeq: 2147483647 INVITE\r\n"
							  "Max-Forwards: 255\r\n" END),
	NASTY("response with an odd reason", "SIP/2.0 200 = 2**3 * \xd1\x81\r\n" NEEDED END),
	NASTY("response without reason", "SIP/2.0 100 \r\n" NEEDED END),
	NASTY("response with a bad Route", "SIP/2.0 200 OK\r\n" NEEDED "Route: <\r\n" END),
	NASTY("many values of Via",
	      LINE "v:SIP/2.0/UDP a,SIP/2.0/UDP b,SIP/2.0/UDP c,SIP/2.0/UDP d\r\n" NEEDED END),
};

static const struct nasty unserved[] = {
	NASTY("no From", LINE VIA TO CALL_ID CSEQ END, "Missing From"),
	NASTY("no To", LINE VIA FROM CALL_ID CSEQ END, "Missing To"),
	NASTY("no Call-ID", LINE VIA FROM TO CSEQ END, "Missing Call-ID"),
	NASTY("no CSeq", LINE VIA FROM TO CALL_ID END, "Missing CSeq"),
	NASTY("two Froms", WITH("f: <sip:a@b>"), "Second From"),
	NASTY("two Tos", WITH("t: <sip:a@b>"), "Second To"),
	NASTY("two Call-IDs", WITH("i: 1"), "Second Call-ID"),
	NASTY("two CSeqs", WITH(CSEQ), "Second CSeq"),
	NASTY("two Max-Forwards", WITH("Max-Forwards: 1\r\nMax-Forwards: 2"),
	      "Second Max-Forwards"),
	NASTY("two lengths", WITH("l: 0\r\nContent-Length: 0"), "Second Content-Length"),
	NASTY("empty Call-ID", LINE VIA FROM TO "Call-ID: \r\n" CSEQ END, "Unreadable Call-ID"),
	NASTY("empty From", LINE VIA "From:\r\n" TO CALL_ID CSEQ END, "Unreadable From"),
	NASTY("quote in To not closed", LINE VIA FROM "To: \"B <sip:b@c>\r\n" CALL_ID CSEQ END,
	      "Unreadable To"),
	NASTY("bracket in To not closed", LINE VIA FROM "To: <sip:b@c\r\n" CALL_ID CSEQ END,
	      "Unreadable To"),
	NASTY("empty tag", LINE VIA FROM "To: <sip:b@c>;tag=\r\n" CALL_ID CSEQ END,
	      "Unreadable To"),
	NASTY("two tags", LINE VIA "From: <sip:b@c>;tag=1;tag=1\r\n" TO CALL_ID CSEQ END,
	      "Unreadable From"),
	NASTY("CSeq of another method", LINE VIA FROM TO CALL_ID "CSeq: 1 invite\r\n" END,
	      "Unreadable CSeq"),
	NASTY("CSeq too large",
	      LINE VIA FROM TO CALL_ID "CSeq: 36893488147419103232 INVITE\r\n" END,
	      "Unreadable CSeq"),
	NASTY("negative CSeq", LINE VIA FROM TO CALL_ID "CSeq: -1 INVITE\r\n" END,
	      "Unreadable CSeq"),
	NASTY("Max-Forwards too large", WITH("Max-Forwards: 300"), "Unreadable Max-Forwards"),
	NASTY("Max-Forwards of words", WITH("Max-Forwards: many"), "Unreadable Max-Forwards"),
	NASTY("negative length", WITH("Content-Length: -999"), "Unreadable Content-Length"),
	NASTY("length of nothing", WITH("Content-Length:"), "Unreadable Content-Length"),
	NASTY("length that wraps", WITH("l: 18446744073709551616"), "Unreadable Content-Length"),
	NASTY("length too large", LINE NEEDED "Content-Length: 9999\r\n\r\nbody",
	      "Body shorter than Content-Length"),
	NASTY("length one too large", LINE NEEDED "l: 5\r\n\r\nbody",
	      "Body shorter than Content-Length"),
	NASTY("Route not closed", WITH("Route: <sip:a"), "Unreadable Route"),
	NASTY("Route with an empty value", WITH("Route: <sip:a>,,<sip:b>"), "Unreadable Route"),
	NASTY("line without colon", WITH("nonsense"), "Malformed header line"),
	NASTY("line without name", WITH(": x"), "Malformed header line"),
	NASTY("name with a blank", WITH("Two words: x"), "Malformed header line"),
	NASTY("nul in a line", WITH("Subject: a\0b"), "Malformed header line"),
	NASTY("control in a line", WITH("Subject: a\x1b[2J"), "Malformed header line"),
	NASTY("bare CR in a line", WITH("Subject: a\rb"), "Malformed header line"),
	NASTY("bare CR before a line end", WITH("Subject: a\r"), "Malformed header line"),
	NASTY("bracketed Request-URI", "INVITE <sip:a@b> SIP/2.0\r\n" NEEDED END,
	      "Unreadable Request-URI"),
	NASTY("Request-URI without scheme", "INVITE bob SIP/2.0\r\n" NEEDED END,
	      "Unreadable Request-URI"),
	NASTY("escape that is cut", "INVITE sip:100%@example.com SIP/2.0\r\n" NEEDED END,
	      "Unreadable Request-URI"),
	NASTY("escape of no hex digit", "INVITE sip:b%4g@c SIP/2.0\r\n" NEEDED END,
	      "Unreadable Request-URI"),
	NASTY("Request-URI with a bad port", "INVITE sip:a@b:70000 SIP/2.0\r\n" NEEDED END,
	      "Unreadable Request-URI"),
};

static const struct nasty none_at_all[] = {
	NASTY("nothing", ""),
	NASTY("keepalive", "\r\n\r\n"),
	NASTY("line ends first", "\r\n" INVITE),
	NASTY("headers alone", NEEDED END),
	NASTY("other protocol", "GET / HTTP/1.1\r\n" NEEDED END),
	NASTY("other version", "INVITE sip:a@b SIP/7.0\r\n" NEEDED END),
	NASTY("blanks in the start line", "INVITE  sip:a@b  SIP/2.0\r\n" NEEDED END),
	NASTY("blank in the Request-URI", "INVITE sip:a@b; x SIP/2.0\r\n" NEEDED END),
	NASTY("blank at the end of the start line", "INVITE sip:a@b SIP/2.0 \r\n" NEEDED END),
	NASTY("folded start line", "SIP/2.0 200 OK\r\n folded: x\r\n" NEEDED END),
	NASTY("control in the start line", "SIP/2.0 200 O\x01K\r\n" NEEDED END),
	NASTY("status out of range", "SIP/2.0 4294967301 better\r\n" NEEDED END),
	NASTY("header part that is cut", LINE NEEDED),
	NASTY("no Via", LINE FROM TO CALL_ID CSEQ END),
	NASTY("empty Via", LINE "v:\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("Via of another version", LINE "v: SIP/7.0/UDP a\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("Via without host", LINE "v: SIP/2.0/UDP ;branch=1\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("Via with a bad port", LINE "v: SIP/2.0/UDP a:99999\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("Via with two branches",
	      LINE "v: SIP/2.0/UDP a;branch=1;branch=2\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("Via with an empty value", LINE "v: SIP/2.0/UDP a,,\r\n" FROM TO CALL_ID CSEQ END),
	NASTY("control in a Via", LINE NEEDED "v: SIP/2.0/UDP a;x=\x02\r\n" END),
	NASTY("response without To", "SIP/2.0 200 OK\r\n" VIA FROM CALL_ID CSEQ END),
	NASTY("response with a bad CSeq",
	      "SIP/2.0 200 OK\r\n" VIA FROM TO CALL_ID "CSeq: x\r\n" END),
	NASTY("response that is cut", "SIP/2.0 200 OK\r\n" NEEDED "l: 1\r\n" END),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct message message, copy;
static char passed[2 * MESSAGE_MAX], answer[2 * MESSAGE_MAX], returned[2 * MESSAGE_MAX];

static const struct reply ok = { .status = 200, .reason = "OK" };

/* What is answered is a response to the request if that was one that can be served. */
static void check_answer(struct span bytes, bool served)
{
	struct passing_hop caller = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(answer), small = TEXT_OVER(returned);
	size_t limit = reply_limit(bytes.length);
	int error = reply_write(&ok, &message, &caller.flow, &key, 0, &out);

	if (span_equal(message.method, SPAN("ACK"))) {
		assert_int_equal(error, -EINVAL);
		return;
	}
	assert_int_equal(error, 0);
	if (reply_write(&ok, &message, &caller.flow, &key, limit, &small) == 0)
		assert_true(small.used <= limit);
	if (!served)
		return;
	read_message(text_span(&out), &copy);
	assert_true(span_equal(copy.call_id, message.call_id));
	assert_int_equal(copy.cseq_number, message.cseq_number);
	assert_true(span_equal(copy.via.branch, message.via.branch));
}

static void check_return(void)
{
	struct passing_hop node = hop_from(LOCAL, "192.0.2.11:5060"), us = hop_from(CALLER, LOCAL);
	struct passing_hop back = passing_back(&message, &us), to;
	struct text response = TEXT_OVER(answer), out = TEXT_OVER(returned);
	static struct message request;

	request = copy;
	if (reply_write(&ok, &request, &node.flow, &key, 0, &response) == -EINVAL)
		return;
	read_message(text_span(&response), &copy);
	assert_int_equal(passing_write_response(&copy, us.flow.local_addr, PORT, &key, &to, &out),
			 0);
	assert_memory_equal(&to, &back, sizeof(to));
	read_message(text_span(&out), &copy);
	assert_true(span_equal(copy.via.branch, message.via.branch));
	assert_int_equal(!copy.next_via.at, !message.next_via.at);
	assert_true(span_equal(copy.call_id, message.call_id));
}

/* What is passed on is the same request, and the answer to it comes back. */
static void check_passing(void)
{
	struct passing_hop from = hop_from(CALLER, LOCAL);
	struct passing_way way = way_of(&message, &from, SPAN("sip:192.0.2.11"));
	struct text out = TEXT_OVER(passed);
	int error = passing_write_request(&message, &from, &way, &key, &out);

	if (message.max_forwards == 0) {
		assert_int_equal(error, -ELOOP);
		return;
	}
	assert_int_equal(error, 0);
	read_message(text_span(&out), &copy);
	assert_true(span_equal(copy.method, message.method));
	assert_true(span_equal(copy.uri, message.uri));
	assert_true(span_equal(copy.call_id, message.call_id));
	assert_int_equal(copy.cseq_number, message.cseq_number);
	assert_true(span_equal(copy.from_tag, message.from_tag));
	assert_true(span_equal(copy.body, message.body));
	assert_int_equal(copy.max_forwards, message.max_forwards - message.has_max_forwards);
	check_return();
}

/* A response that is not ours goes nowhere. */
static void check_stray(void)
{
	struct passing_hop us = hop_from(CALLER, LOCAL), to;
	struct text out = TEXT_OVER(passed);

	assert_int_equal(
		passing_write_response(&message, us.flow.local_addr, PORT, &key, &to, &out),
		-EBADMSG);
}

/* Reads bytes that may be anything, and does with them whatever can be done. */
static int use(struct span bytes)
{
	/* In memory of its own size, so that a byte too far is noticed. */
	char *exact = malloc(bytes.length > 0 ? bytes.length : 1);
	const char *reason;
	int error;

	assert_non_null(exact);
	memcpy(exact, bytes.at, bytes.length);
	bytes.at = exact;
	error = message_read(bytes, &message, &reason);
	if (message.is_request && (error == 0 || error == -EPROTO))
		check_answer(bytes, error == 0);
	if (message.is_request && error == 0)
		check_passing();
	else if (error == 0)
		check_stray();
	free(exact);
	return error;
}

static void what_is_legal_is_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(legal); i++)
		if (use(legal[i].bytes))
			fail_msg("%s", legal[i].what);
}

static void what_cannot_be_served_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unserved); i++) {
		const char *reason = NULL;

		if (message_read(unserved[i].bytes, &message, &reason) != -EPROTO ||
		    strcmp(reason, unserved[i].reason) != 0)
			fail_msg("%s: %s", unserved[i].what, reason ? reason : "accepted, or none");
		assert_int_equal(use(unserved[i].bytes), -EPROTO);
	}
}

static void what_is_no_message_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(none_at_all); i++)
		if (use(none_at_all[i].bytes) != -EBADMSG)
			fail_msg("%s", none_at_all[i].what);
}

/* A request with one huge part, as large as a datagram can be. */
static void huge_parts_are_carried(void **state)
{
	static const char *const starts[] = {
		LINE NEEDED "X: ",
		LINE NEEDED "Route: <sip:",
		LINE VIA FROM TO CSEQ "i:",
		LINE VIA TO CALL_ID CSEQ "f:\"",
		LINE FROM TO CALL_ID CSEQ "v:SIP/2.0/UDP a;branch=",
	};
	static const char *const ends[] = { "", ">", "", "\"<sip:a@b>", "" };
	static char bytes[60000];

	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct text text = TEXT_OVER(bytes);

		text_add(&text, span_of(starts[i]));
		memset(bytes + text.used, 'a', sizeof(bytes) - text.used - 100);
		text.used = sizeof(bytes) - 100;
		text_format(&text, "%s\r\n\r\n", ends[i]);
		assert_int_equal(use(text_span(&text)), 0);
	}
}

static void every_cut_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(legal); i++)
		for (size_t length = 0; length < legal[i].bytes.length; length++)
			use((struct span){ legal[i].bytes.at, length });
}

static const struct span bases[] = {
	{ LINE VIA "Via: SIP/2.0/TCP [2001:db8::9], SIP/2.0/UDP c;branch=2\r\n" FROM TO CALL_ID CSEQ
		   "Max-Forwards: 9\r\nRoute: <sip:192.0.2.1;lr>,\r\n \"p\" <sip:p2;lr>\r\n"
		   "Content-Length: 4\r\n\r\nbody",
	  sizeof(LINE NEEDED) - 1 +
		  sizeof("Via: SIP/2.0/TCP [2001:db8::9], SIP/2.0/UDP c;branch=2\r\n"
			 "Max-Forwards: 9\r\nRoute: <sip:192.0.2.1;lr>,\r\n \"p\" <sip:p2;lr>\r\n"
			 "Content-Length: 4\r\n\r\nbody") -
		  1 },
	{ "SIP/2.0 200 OK\r\n" NEEDED END, sizeof("SIP/2.0 200 OK\r\n" NEEDED END) - 1 },
};

/* How often a message is accepted when "bytes" of it are other ones, somewhere. */
static void change_at_random(struct span base, size_t bytes, size_t times, size_t accepted[2])
{
	static const char telling[] = "\"<>;,:=[]@ \t\r\n\0\\%/vt0";
	char *changed = malloc(base.length);

	assert_non_null(changed);
	for (size_t i = 0; i < times; i++) {
		memcpy(changed, base.at, base.length);
		for (size_t j = 0; j < bytes; j++)
			changed[(size_t)random() % base.length] =
				random() % 2 ? telling[(size_t)random() % sizeof(telling)]
					     : (char)random();
		accepted[use((struct span){ changed, base.length }) == 0]++;
	}
	free(changed);
}

static void random_changes_are_survived(void **state)
{
	size_t accepted[2] = { 0, 0 };

	(void)state;
	srandom(4475);
	for (size_t i = 0; i < COUNT(bases); i++)
		for (size_t bytes = 1; bytes <= 4; bytes++)
			change_at_random(bases[i], bytes, 4000, accepted);
	for (size_t i = 0; i < COUNT(legal); i++)
		change_at_random(legal[i].bytes, 1, 500, accepted);
	/* It is no test if all, or none, are thrown away. */
	assert_true(accepted[true] > 2000);
	assert_true(accepted[false] > 2000);
}

static void every_flipped_bit_is_survived(void **state)
{
	char changed[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(bases); i++) {
		assert_true(bases[i].length <= sizeof(changed));
		for (size_t bit = 0; bit < 8 * bases[i].length; bit++) {
			memcpy(changed, bases[i].at, bases[i].length);
			changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
			use((struct span){ changed, bases[i].length });
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_legal_is_served),
		cmocka_unit_test(what_cannot_be_served_is_named),
		cmocka_unit_test(what_is_no_message_is_none),
		cmocka_unit_test(huge_parts_are_carried),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(random_changes_are_survived),
		cmocka_unit_test(every_flipped_bit_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
