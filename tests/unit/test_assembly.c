/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "callcontrol/assembly.h"
#include "callcontrol/message.h"

#define FIRST "INVITE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nhello"
#define SECOND "BYE sip:b SIP/2.0\r\nl:\r\n 2\r\n\r\nok"
#define THIRD "ACK sip:c SIP/2.0\nX: y\n\n"

/* What has come out of a stream so far. */
struct heard {
	struct assembly assembly;
	char messages[8][128];
	size_t count;
	size_t pings;
};

/* Hands bytes over; 0, or the error that ends the stream. */
static int hear(struct heard *heard, struct span bytes)
{
	struct span message;
	int result;

	while ((result = assembly_next(&heard->assembly, &bytes, &message)) > 0) {
		if (result == ASSEMBLY_PING) {
			heard->pings++;
			continue;
		}
		assert_true(heard->count < 8 && message.length < 128);
		memcpy(heard->messages[heard->count], message.at, message.length);
		heard->messages[heard->count++][message.length] = '\0';
	}
	assert_true(result < 0 || bytes.length == 0);
	return result;
}

static void messages_come_out_however_they_are_cut(void **state)
{
	struct span stream = SPAN(FIRST SECOND "\r\n" THIRD FIRST);

	(void)state;
	for (size_t piece = 1; piece <= stream.length; piece++) {
		struct heard heard = { .count = 0 };

		for (size_t at = 0; at < stream.length; at += piece) {
			size_t left = stream.length - at;

			assert_int_equal(hear(&heard, (struct span){ stream.at + at,
								     left < piece ? left : piece }),
					 0);
		}
		assert_int_equal(heard.count, 4);
		assert_string_equal(heard.messages[0], FIRST);
		assert_string_equal(heard.messages[1], SECOND);
		assert_string_equal(heard.messages[2], THIRD);
		assert_string_equal(heard.messages[3], FIRST);
		assert_int_equal(heard.pings, 0);
		assert_false(assembly_is_amid(&heard.assembly));
		assembly_clear(&heard.assembly);
	}
}

static void keepalives_are_told_apart_from_line_ends(void **state)
{
	struct heard heard = { .count = 0 };

	(void)state;
	assert_int_equal(hear(&heard, SPAN("\r\n")), 0);
	assert_int_equal(heard.pings, 0);
	assert_int_equal(hear(&heard, SPAN("\r\n")), 0);
	assert_int_equal(heard.pings, 1);
	assert_int_equal(hear(&heard, SPAN("\r\n\n\r\n\r\n" FIRST "\r\n")), 0);
	assert_int_equal(heard.pings, 2);
	assert_int_equal(heard.count, 1);
	assert_int_equal(hear(&heard, SPAN(FIRST "\r\n")), 0);
	assert_int_equal(heard.pings, 2);
	assert_int_equal(heard.count, 2);
	assembly_clear(&heard.assembly);
}

static void it_is_known_whether_a_message_has_begun(void **state)
{
	struct heard heard = { .count = 0 };

	(void)state;
	assert_int_equal(hear(&heard, SPAN("\r")), 0);
	assert_false(assembly_is_amid(&heard.assembly));
	assert_int_equal(hear(&heard, SPAN("\nI")), 0);
	assert_true(assembly_is_amid(&heard.assembly));
	assembly_clear(&heard.assembly);
	assert_false(assembly_is_amid(&heard.assembly));
}

static void assert_ends(struct span bytes, int error)
{
	struct heard heard = { .count = 0 };

	assert_int_equal(hear(&heard, bytes), error);
	assert_int_equal(heard.count, 0);
	assembly_clear(&heard.assembly);
}

static void a_length_that_cannot_be_read_ends_the_stream(void **state)
{
	(void)state;
	assert_ends(SPAN("BYE sip:b SIP/2.0\r\nContent-Length: -1\r\n\r\n"), -EBADMSG);
	assert_ends(SPAN("BYE sip:b SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n"), -EBADMSG);
	assert_ends(SPAN("BYE sip:b SIP/2.0\r\nContent-Length: 1\r\nl: 1\r\n\r\nx"), -EBADMSG);
	assert_ends(SPAN("BYE sip:b SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n"), -EBADMSG);
	assert_ends(SPAN("BYE sip:b SIP/2.0\r\nContent-Length: 65535\r\n\r\n"), -E2BIG);
}

static void a_message_has_its_limit(void **state)
{
	static const char fill[MESSAGE_MAX];
	struct span head = SPAN("BYE sip:b SIP/2.0\r\nContent-Length: 65491\r\n\r\n"), message;
	struct span body = { fill, MESSAGE_MAX - head.length };
	struct assembly assembly = { .used = 0 };
	struct span longest = { fill, MESSAGE_MAX }, more = SPAN("x");

	(void)state;
	assert_int_equal(body.length, 65491);
	assert_int_equal(assembly_next(&assembly, &head, &message), ASSEMBLY_HUNGRY);
	assert_int_equal(assembly_next(&assembly, &body, &message), ASSEMBLY_MESSAGE);
	assert_int_equal(message.length, MESSAGE_MAX);
	/* A line without an end. */
	assert_int_equal(assembly_next(&assembly, &longest, &message), ASSEMBLY_HUNGRY);
	assert_int_equal(assembly_next(&assembly, &more, &message), -E2BIG);
	assembly_clear(&assembly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_out_however_they_are_cut),
		cmocka_unit_test(keepalives_are_told_apart_from_line_ends),
		cmocka_unit_test(it_is_known_whether_a_message_has_begun),
		cmocka_unit_test(a_length_that_cannot_be_read_ends_the_stream),
		cmocka_unit_test(a_message_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
