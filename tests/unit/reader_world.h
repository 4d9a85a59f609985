/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader_world.h - a reader, the facts it has read, and the headers that every
 * message needs, for tests of the reader. Include cmocka first.
 */
#ifndef TESTS_UNIT_READER_WORLD_H
#define TESTS_UNIT_READER_WORLD_H

#include "base/text.h"
#include "sip/reader.h"

#define REQUEST "REGISTER sip:example.com SIP/2.0\r\n"
#define ANSWER "SIP/2.0 200 OK\r\n"
#define VIA "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;rport\r\n"
#define FROM "From: \"Alice\" <sip:alice@example.com>;tag=from1\r\n"
#define TO "To: <sip:alice@example.com>\r\n"
#define CALL_ID "Call-ID: call@10.0.0.5\r\n"
#define CSEQ "CSeq: 17 REGISTER\r\n"
#define NEEDED VIA FROM TO CALL_ID CSEQ
#define END "\r\n"

static struct sip_reader *reader;
static struct facts facts;

static inline int setup(void **state)
{
	(void)state;
	reader = sip_reader_new();
	return reader ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	sip_reader_free(reader);
	return 0;
}

static inline void read_message(struct span message)
{
	assert_int_equal(sip_reader_read(reader, message, &facts), 0);
}

static inline void assert_span(struct span span, const char *expected)
{
	assert_non_null(span.at);
	if (!span_equal(span, span_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)span.length, span.at, expected);
}

static inline void assert_absent(struct span span)
{
	assert_null(span.at);
	assert_int_equal(span.length, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
