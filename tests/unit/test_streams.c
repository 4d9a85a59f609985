/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sip/streams: the messages of a connection come out whole, in order and once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "streams_world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char whole[] = "\r\n\r\n" HEADERS("one", "4") "body" MESSAGE(
	"two") "SIP/2.0 200 OK\nl : 3\n\n\r\n\r\r\n" HEADERS("three", "0");

/* What all pieces of "whole" together tell. */
static void assert_told_whole(struct world *w)
{
	assert_int_equal(w->told_count, 4);
	assert_told(w, 0, SPAN(HEADERS("one", "4")), sizeof(HEADERS("one", "4")) - 1 + 4);
	assert_told(w, 1, SPAN(MESSAGE("two")), sizeof(MESSAGE("two")) - 1);
	assert_told(w, 2, SPAN("SIP/2.0 200 OK\nl : 3\n\n"), 22 + 3);
	assert_told(w, 3, SPAN(MESSAGE("three")), sizeof(MESSAGE("three")) - 1);
	assert_int_equal(w->counts.value[COUNT_streams_resumed], 0);
	assert_int_equal(w->counts.value[COUNT_streams_refused], 0);
	forget_told(w);
	streams_close(w->streams, &w->flow);
	assert_int_equal(streams_count(w->streams), 0);
}

static void one_piece_may_hold_several_messages(void **state)
{
	struct world *w = *state;

	show(w, 1000, SPAN(whole));
	assert_told_whole(w);
}

static void messages_may_be_split_at_every_byte(void **state)
{
	struct world *w = *state;

	for (size_t cut = 1; cut < sizeof(whole) - 1; cut++) {
		show_part(w, 1000, SPAN(whole), 0, cut);
		show_part(w, 1000, SPAN(whole), cut, sizeof(whole) - 1 - cut);
		assert_told_whole(w);
	}
}

static void every_byte_may_come_alone(void **state)
{
	struct world *w = *state;

	for (size_t at = 0; at < sizeof(whole) - 1; at++)
		show_part(w, 1000, SPAN(whole), at, 1);
	assert_told_whole(w);
}

static void sequence_numbers_wrap_around_at_every_byte(void **state)
{
	struct world *w = *state;

	for (uint32_t before = 1; before < sizeof(whole); before++) {
		for (size_t at = 0; at < sizeof(whole) - 1; at += 7)
			show_part(w, 0 - before, SPAN(whole), at,
				  at + 7 < sizeof(whole) - 1 ? 7 : sizeof(whole) - 1 - at);
		assert_told_whole(w);
	}
}

static void the_last_piece_tells_the_time(void **state)
{
	struct world *w = *state;

	show_part(w, 5, SPAN(MESSAGE("a")), 0, 20);
	w->when_ns += 7;
	show_part(w, 5, SPAN(MESSAGE("a")), 20, sizeof(MESSAGE("a")) - 1 - 20);
	assert_non_null(w->told[0]);
	assert_int_equal(w->told[0]->when_ns, w->when_ns);
	assert_told_only(w, SPAN(MESSAGE("a")));
}

static void a_piece_before_its_turn_waits(void **state)
{
	struct world *w = *state;
	size_t last = sizeof(whole) - 2;

	/* All but the first byte come the wrong way round, in as many pieces as are kept. */
	for (size_t pieces = 1; pieces <= STREAM_PIECES_MAX; pieces++) {
		size_t length = last / pieces, end = last + 1;

		show_part(w, 1000, SPAN(whole), 0, 5);
		for (size_t i = 1; i < pieces; i++, end -= length)
			show_part(w, 1000, SPAN(whole), end - length, length);
		assert_int_equal(w->told_count, 0);
		show_part(w, 1000, SPAN(whole), 5, end - 5);
		assert_told_whole(w);
	}
}

static void what_comes_again_is_told_once(void **state)
{
	struct world *w = *state;
	size_t length = sizeof(whole) - 1;

	for (size_t at = 0; at + 10 <= length; at += 5) {
		show_part(w, 1000, SPAN(whole), at, 10);
		show_part(w, 1000, SPAN(whole), 0, at + 10);
		show_part(w, 1000, SPAN(whole), at / 2, 3);
	}
	show_part(w, 1000, SPAN(whole), 0, length);
	assert_told_whole(w);
}

/* The kernel's own keepalive has one byte at most, which was there before. */
static void a_keepalive_of_tcp_says_nothing(void **state)
{
	struct world *w = *state;

	show(w, 1, SPAN(MESSAGE("a")));
	show(w, sizeof(MESSAGE("a")) - 1, SPAN("\0"));
	show(w, sizeof(MESSAGE("a")) - 1, SPAN(""));
	show(w, sizeof(MESSAGE("a")), SPAN(MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	assert_int_equal(w->counts.value[COUNT_streams_resumed], 0);
}

static void a_kept_piece_that_comes_again_takes_no_room(void **state)
{
	struct world *w = *state;

	show_part(w, 1, SPAN(MESSAGE("a")), 0, 10);
	for (size_t i = 0; i < 3 * STREAM_PIECES_MAX; i++) {
		show_part(w, 1, SPAN(MESSAGE("a")), 20, sizeof(MESSAGE("a")) - 1 - 20);
		show_part(w, 1, SPAN(MESSAGE("a")), 25, 5);
	}
	show_part(w, 1, SPAN(MESSAGE("a")), 10, 12);
	assert_told_only(w, SPAN(MESSAGE("a")));
	assert_int_equal(w->counts.value[COUNT_streams_resumed], 0);
}

static void a_stream_begins_with_a_start_line(void **state)
{
	static const struct span others[] = {
		SPAN("alice@example.com>\r\nTo: x\r\n\r\n"),
		SPAN("To: <sip:alice@example.com>\r\n\r\n"),
		SPAN("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"),
		SPAN("GET /ws HTTP/1.1\r\nHost: example.com\r\n\r\n"),
		SPAN("GET http://example.com/ HTTP/1.1\r\n\r\n"),
		SPAN("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
		SPAN("REGISTER two words:"),
		SPAN("REGISTER <sip:"),
		SPAN("SIP/3.0 200 OK\r\n\r\n"),
		SPAN("SIP/2.0 200\r\n\r\n"),
		SPAN("\x16\x03\x01\x02\x00\x01"),
		SPAN("\x81\x7e\x01"),
		SPAN("\r\n\r\n"),
		SPAN(" "),
		SPAN("\0"),
	};
	struct world *w = *state;
	uint32_t sequence = 1;

	for (size_t i = 0; i < COUNT(others); i++) {
		show(w, sequence, others[i]);
		sequence += (uint32_t)others[i].length;
		assert_int_equal(streams_count(w->streams), 0);
	}
	show(w, sequence, SPAN("\r\n" MESSAGE("a")));
	assert_told_only(w, SPAN(MESSAGE("a")));
	assert_int_equal(w->counts.value[COUNT_streams_resumed], 0);
}

static void every_start_line_begins_a_stream(void **state)
{
	static const struct span lines[] = {
		SPAN("INVITE sip:a@b SIP/2.0\r\n"),    SPAN("INVITE sips:a@b SIP/2.0\n"),
		SPAN("ACK tel:+15551234 SIP/2.0\r\n"), SPAN("X-y.z!%*_+`'~ urn:x SIP/2.0\r\n"),
		SPAN("SIP/2.0 180 Ringing\r\n"),       SPAN("sip/2.0 200 \r\n"),
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t cut = 1; cut <= lines[i].length; cut++) {
			show_part(w, 77, lines[i], 0, cut);
			show_part(w, 77, lines[i], cut, lines[i].length - cut);
			show(w, 77 + (uint32_t)lines[i].length, SPAN("\r\n"));
			assert_int_equal(w->told_count, 1);
			forget_told(w);
			streams_close(w->streams, &w->flow);
		}
	}
}

/* Both directions of a connection, and connections, are read apart. */
static void streams_do_not_mix(void **state)
{
	struct world *w = *state;
	struct span message = SPAN(MESSAGE("a"));

	for (size_t at = 0; at < message.length; at++) {
		for (uint16_t i = 0; i < LIMIT; i++) {
			w->flow.remote_port = i / 2;
			w->direction = (enum sighting_direction)(i % 2);
			show_part(w, 1000U * i, message, at, 1);
		}
	}
	assert_int_equal(streams_count(w->streams), LIMIT);
	assert_int_equal(w->told_count, LIMIT);
	for (uint16_t i = 0; i < LIMIT; i++) {
		w->flow.remote_port = i / 2;
		w->direction = (enum sighting_direction)(i % 2);
		assert_told(w, i, message, (uint32_t)message.length);
	}
}

static void a_close_forgets_both_directions_of_one_connection(void **state)
{
	struct world *w = *state;

	for (uint16_t port = 1; port <= 2; port++) {
		w->flow.remote_port = port;
		for (int direction = 0; direction < 2; direction++) {
			w->direction = (enum sighting_direction)direction;
			show_part(w, 1, SPAN(MESSAGE("a")), 0, 10);
			show_part(w, 1, SPAN(MESSAGE("a")), 20, 10);
		}
	}
	streams_close(w->streams, &w->flow);
	assert_int_equal(streams_count(w->streams), 2);
	streams_close(w->streams, &w->flow);
	assert_int_equal(streams_count(w->streams), 2);
	/* The same ports again, and other sequence numbers. */
	show(w, 0x80000000, SPAN(MESSAGE("b")));
	assert_told_only(w, SPAN(MESSAGE("b")));
	assert_int_equal(w->counts.value[COUNT_streams_resumed], 0);
}

static void bodies_span_pieces_and_are_not_looked_at(void **state)
{
	static const char sent[] = HEADERS("a", "2000");
	char body[2000];
	struct world *w = *state;
	uint32_t sequence = 1;

	show(w, sequence, SPAN(sent));
	sequence += sizeof(sent) - 1;
	for (size_t i = 0; i + 50 <= sizeof(body); i += 50)
		memcpy(body + i,
		       "REGISTER sip:no SIP/2.0\r\n\r\nSIP/2.0 200 OK\r\n\r\n\r\n\r\n\r\n.", 50);
	for (size_t at = 0; at < sizeof(body); at += 50, sequence += 50)
		show(w, sequence, (struct span){ body + at, 50 });
	show(w, sequence, SPAN(MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	assert_told(w, 0, SPAN(sent), sizeof(sent) - 1 + 2000);
	assert_told(w, 1, SPAN(MESSAGE("b")), sizeof(MESSAGE("b")) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_piece_may_hold_several_messages),
		TEST(messages_may_be_split_at_every_byte),
		TEST(every_byte_may_come_alone),
		TEST(sequence_numbers_wrap_around_at_every_byte),
		TEST(the_last_piece_tells_the_time),
		TEST(a_piece_before_its_turn_waits),
		TEST(what_comes_again_is_told_once),
		TEST(a_keepalive_of_tcp_says_nothing),
		TEST(a_kept_piece_that_comes_again_takes_no_room),
		TEST(a_stream_begins_with_a_start_line),
		TEST(every_start_line_begins_a_stream),
		TEST(streams_do_not_mix),
		TEST(a_close_forgets_both_directions_of_one_connection),
		TEST(bodies_span_pieces_and_are_not_looked_at),
	};

	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
