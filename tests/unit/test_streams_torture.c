/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sip/streams: pieces that are missing, hostile, or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>

#include "base/text.h"
#include "streams_world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LENGTH(literal) ((uint32_t)sizeof(literal) - 1)

static uint64_t resumed(const struct world *w)
{
	return w->counts.value[COUNT_streams_resumed];
}

/* Shows the start of a message and leaves a gap of 100 bytes; where what follows it begins. */
static uint32_t show_gap(struct world *w)
{
	show_part(w, 1000, SPAN(MESSAGE("lost")), 0, 40);
	return 1000 + 40 + 100;
}

static void trap_45_too_many_pieces_after_a_missing_one_give_it_up(void **state)
{
	struct world *w = *state;
	uint32_t sequence = show_gap(w);

	show(w, sequence, SPAN("the rest of a header\r\n\r\n"));
	sequence += LENGTH("the rest of a header\r\n\r\n");
	for (int i = 1; i < STREAM_PIECES_MAX; i++, sequence += LENGTH(MESSAGE("a")))
		show(w, sequence, SPAN(MESSAGE("a")));
	assert_int_equal(w->told_count, 0);
	show(w, sequence, SPAN(MESSAGE("a")));
	assert_int_equal(w->told_count, STREAM_PIECES_MAX);
	assert_told(w, STREAM_PIECES_MAX - 1, SPAN(MESSAGE("a")), LENGTH(MESSAGE("a")));
	assert_int_equal(resumed(w), 1);
}

static void trap_45_a_missing_piece_is_not_awaited_for_long(void **state)
{
	struct world *w = *state;
	uint32_t sequence = show_gap(w);

	show(w, sequence, SPAN(MESSAGE("a")));
	sequence += LENGTH(MESSAGE("a"));
	w->when_ns += STREAM_GAP_NS;
	show(w, sequence, SPAN("\r\n"));
	assert_int_equal(w->told_count, 0);
	w->when_ns++;
	show(w, sequence + 2, SPAN(MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	assert_told(w, 0, SPAN(MESSAGE("a")), LENGTH(MESSAGE("a")));
	assert_told(w, 1, SPAN(MESSAGE("b")), LENGTH(MESSAGE("b")));
	assert_int_equal(resumed(w), 1);
}

static void trap_45_a_piece_too_far_ahead_is_where_to_read_on(void **state)
{
	struct world *w = *state;
	uint32_t far = show_gap(w) + STREAM_PIECES_MAX * STREAM_BYTES_MAX;

	show(w, far, SPAN("not the start of a message\r\n\r\n" MESSAGE("no")));
	assert_int_equal(resumed(w), 0);
	show(w, far + 500, SPAN("\r\n" MESSAGE("a")));
	assert_told_only(w, SPAN(MESSAGE("a")));
	assert_int_equal(resumed(w), 1);
	show(w, far + 502 + LENGTH(MESSAGE("a")), SPAN(MESSAGE("b")));
	assert_told_only(w, SPAN(MESSAGE("b")));
	assert_int_equal(resumed(w), 1);
}

/* The same ports with any other sequence number: the close was not seen. */
static void another_connection_on_the_same_ports_is_read(void **state)
{
	static const uint32_t firsts[] = { 0x40000000, 0x80000000, 0x60000000, 0 };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(firsts); i++) {
		show(w, firsts[i], SPAN(MESSAGE("a")));
		assert_told_only(w, SPAN(MESSAGE("a")));
		show_part(w, firsts[i] + LENGTH(MESSAGE("a")), SPAN(MESSAGE("b")), 0, 30);
	}
	assert_int_equal(resumed(w), COUNT(firsts) - 1);
}

static void a_lost_stream_takes_no_retransmission_for_news(void **state)
{
	struct world *w = *state;

	show(w, 1000, SPAN(MESSAGE("a")));
	show(w, 1000 + LENGTH(MESSAGE("a")), SPAN("no message\r\n"));
	show(w, 1000, SPAN(MESSAGE("a")));
	assert_told_only(w, SPAN(MESSAGE("a")));
	assert_int_equal(resumed(w), 0);
}

static void a_missing_piece_of_a_body_costs_nothing(void **state)
{
	struct world *w = *state;
	uint32_t body = 1 + LENGTH(HEADERS("a", "3000"));

	show(w, 1, SPAN(HEADERS("a", "3000")));
	show(w, body + 2990, SPAN("0123456789" MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	show(w, body, SPAN(MESSAGE("late")));
	assert_int_equal(w->told_count, 2);
	assert_int_equal(resumed(w), 0);
}

static void a_piece_may_be_captured_in_part(void **state)
{
	struct world *w = *state;
	struct span message = SPAN(HEADERS("a", "10") "0123456789" MESSAGE("b"));
	size_t body_at = LENGTH(HEADERS("a", "10"));

	/* What was not captured is of the body. */
	show_cut(w, 1, (struct span){ message.at, body_at + 10 }, body_at + 3);
	show(w, 1 + (uint32_t)body_at + 10, SPAN(MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	forget_told(w);
	/* It is more than that. */
	streams_close(w->streams, &w->flow);
	show_cut(w, 1, message, body_at + 3);
	assert_int_equal(w->told_count, 1);
	forget_told(w);
	show(w, 1 + (uint32_t)message.length, SPAN(MESSAGE("c")));
	assert_told_only(w, SPAN(MESSAGE("c")));
	assert_int_equal(resumed(w), 1);
	/* None of it was captured, and it is no body. */
	show_cut(w, 1 + (uint32_t)message.length + LENGTH(MESSAGE("c")), message, 0);
	show(w, 1 + 2 * (uint32_t)message.length + LENGTH(MESSAGE("c")), SPAN(MESSAGE("d")));
	assert_told_only(w, SPAN(MESSAGE("d")));
	assert_int_equal(resumed(w), 2);
}

static void an_odd_content_length_counts_as_none(void **state)
{
	static const char *const lengths[] = {
		"Content-Length: -1\r\n",
		"Content-Length: +5\r\n",
		"Content-Length: five\r\n",
		"Content-Length: 5x\r\n",
		"Content-Length: 0x5\r\n",
		"Content-Length: 5, 5\r\n",
		"Content-Length:\r\n",
		"Content-Length: 16777217\r\n",
		"Content-Length: 4294967296\r\n",
		"Content-Length: 18446744073709551617\r\n",
		"Content-Length: 99999999999999999999999999999999\r\n",
		"Content-Length: 5\r\nl: 6\r\n",
		"Content-Length: 5\r\nl: x\r\n",
		"Content-Lengths: 5\r\n",
		"X: y\r\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		char buffer[512];
		struct text text = TEXT_OVER(buffer);
		size_t length;

		text_format(&text, "ACK sip:a@b SIP/2.0\r\n%s\r\n", lengths[i]);
		length = text.used;
		text_add(&text, SPAN(MESSAGE("next")));
		show(w, 1, text_span(&text));
		assert_int_equal(w->told_count, 2);
		assert_told(w, 0, (struct span){ buffer, length }, (uint32_t)length);
		forget_told(w);
		streams_close(w->streams, &w->flow);
	}
}

static void a_content_length_is_found_wherever_it_stands(void **state)
{
	static const char *const lengths[] = {
		"Content-Length: 5\r\n",
		"CONTENT-LENGTH:5\r\n",
		"l\t:\t00005 \r\n",
		"Content-Length:\r\n 5\r\n",
		"no header\r\nContent-Length: 5\n",
		"l: 5\r\nContent-Length: 5\r\nX: y\r\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		char buffer[512];
		struct text text = TEXT_OVER(buffer);

		text_format(&text, "ACK sip:a@b SIP/2.0\r\n%s\r\nbody!" MESSAGE("next"),
			    lengths[i]);
		show(w, 1, text_span(&text));
		assert_int_equal(w->told_count, 2);
		assert_told(w, 1, SPAN(MESSAGE("next")), LENGTH(MESSAGE("next")));
		forget_told(w);
		streams_close(w->streams, &w->flow);
	}
}

static void the_largest_body_is_stepped_over(void **state)
{
	struct world *w = *state;
	uint32_t body = UINT32_MAX - 5000, left = 16 * 1024 * 1024;
	char bytes[STREAM_BYTES_MAX] = "REGISTER sip:no SIP/2.0\r\n\r\n";

	show(w, body - LENGTH(HEADERS("a", "16777216")), SPAN(HEADERS("a", "16777216")));
	assert_non_null(w->told[0]);
	assert_int_equal(w->told[0]->wire_length, LENGTH(HEADERS("a", "16777216")) + left);
	forget_told(w);
	while (left > 0) {
		uint32_t length = left < sizeof(bytes) ? left : (uint32_t)sizeof(bytes);

		show(w, body, (struct span){ bytes, length });
		body += length;
		left -= length;
	}
	show(w, body, SPAN(MESSAGE("b")));
	assert_told_only(w, SPAN(MESSAGE("b")));
}

/* A header part of so many bytes, to be freed. */
static char *make_headers(size_t length)
{
	static const char start[] = "ACK sip:a@b SIP/2.0\r\nX: ", end[] = "\r\n\r\n";
	char *headers = malloc(length);

	assert_non_null(headers);
	memset(headers, 'x', length);
	memcpy(headers, start, sizeof(start) - 1);
	memcpy(headers + length - sizeof(end) + 1, end, sizeof(end) - 1);
	return headers;
}

static void show_in_steps(struct world *w, uint32_t sequence, struct span bytes, size_t step)
{
	for (size_t at = 0; at < bytes.length; at += step)
		show_part(w, sequence, bytes, at,
			  at + step < bytes.length ? step : bytes.length - at);
}

static void a_header_part_that_is_too_long_is_cut(void **state)
{
	static const size_t steps[] = { 1, 1000, STREAM_BYTES_MAX };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(steps); i++) {
		for (size_t more = 0; more <= 2; more++) {
			struct span headers = { make_headers(STREAM_BYTES_MAX + more),
						STREAM_BYTES_MAX + more };

			show_in_steps(w, 1, headers, steps[i]);
			assert_told(w, 0, (struct span){ headers.at, STREAM_BYTES_MAX },
				    STREAM_BYTES_MAX + (more > 0));
			forget_told(w);
			show(w, 1 + (uint32_t)headers.length, SPAN(MESSAGE("next")));
			assert_told_only(w, SPAN(MESSAGE("next")));
			assert_int_equal(resumed(w), more > 0);
			w->counts.value[COUNT_streams_resumed] = 0;
			streams_close(w->streams, &w->flow);
			free((char *)headers.at);
		}
	}
}

/* Of a message that never ends, nothing but its beginning is told, however it goes on. */
static void an_endless_header_is_told_once(void **state)
{
	struct world *w = *state;
	uint32_t sequence = 1;

	show(w, sequence, SPAN("ACK sip:a@b SIP/2.0\r\n"));
	sequence += LENGTH("ACK sip:a@b SIP/2.0\r\n");
	for (int i = 0; i < 1000; i++, sequence += 50)
		show(w, sequence, SPAN("Subject: there is no end to what I have to say.\r\n."));
	assert_int_equal(w->told_count, 1);
	forget_told(w);
	streams_close(w->streams, &w->flow);
	/* A start line without end is no message at all. */
	for (int i = 0; i < 5000; i++)
		show(w, sequence + (uint32_t)i, SPAN("A"));
	assert_int_equal(w->told_count, 0);
}

static void endless_line_ends_are_stepped_over(void **state)
{
	struct world *w = *state;
	uint32_t sequence = 1 + LENGTH(MESSAGE("a"));
	size_t before;

	show(w, 1, SPAN(MESSAGE("a")));
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100000; i++, sequence += 4)
		show(w, sequence, SPAN("\r\n\r\n"));
	assert_true(mallinfo2().uordblks <= before + STREAM_BYTES_MAX);
	show(w, sequence, SPAN(MESSAGE("b")));
	assert_int_equal(w->told_count, 2);
	assert_int_equal(resumed(w), 0);
}

static void the_stream_silent_longest_makes_room(void **state)
{
	struct world *w = *state;

	for (uint16_t port = 1; port <= LIMIT; port++) {
		w->flow.remote_port = port;
		show_part(w, 1, SPAN(MESSAGE("a")), 0, 10);
	}
	w->flow.remote_port = 1;
	show_part(w, 1, SPAN(MESSAGE("a")), 10, 10);
	assert_int_equal(w->counts.value[COUNT_streams_refused], 0);
	w->flow.remote_port = LIMIT + 1;
	show_part(w, 1, SPAN(MESSAGE("a")), 0, 10);
	assert_int_equal(w->counts.value[COUNT_streams_refused], 1);
	assert_int_equal(streams_count(w->streams), LIMIT);
	/* The first goes on, the second is gone. */
	w->flow.remote_port = 1;
	show_part(w, 1, SPAN(MESSAGE("a")), 20, LENGTH(MESSAGE("a")) - 20);
	assert_told_only(w, SPAN(MESSAGE("a")));
	w->flow.remote_port = 2;
	show_part(w, 1, SPAN(MESSAGE("a")), 10, LENGTH(MESSAGE("a")) - 10);
	assert_int_equal(w->told_count, 0);
}

#define MANY 8000

static int setup_many(void **state)
{
	return setup_room(state, MANY);
}

/* Three times as many streams as there may be, each with all that it can be made to keep. */
static void trap_44_thousands_of_streams_are_bounded(void **state)
{
	struct world *w = *state;
	struct span piece = { make_headers(1000), 1000 };

	for (uint32_t i = 0; i < 3 * MANY; i++) {
		w->flow.remote_port = (uint16_t)i;
		w->flow.remote_addr[0] = (uint8_t)(i >> 16);
		show(w, i, (struct span){ piece.at, 100 });
		for (uint32_t ahead = 1; ahead <= 1 + i % 3; ahead++)
			show(w, i + 1000 * ahead, piece);
	}
	assert_int_equal(streams_count(w->streams), MANY);
	assert_int_equal(w->counts.value[COUNT_streams_refused], 2 * MANY);
	assert_int_equal(w->told_count, 0);
	for (uint32_t i = 0; i < 3 * MANY; i++) {
		w->flow.remote_port = (uint16_t)i;
		w->flow.remote_addr[0] = (uint8_t)(i >> 16);
		streams_close(w->streams, &w->flow);
	}
	assert_int_equal(streams_count(w->streams), 0);
	free((char *)piece.at);
}

#define HALF_SENT (2 * (uint32_t)(STREAMS_BYTES_MAX / STREAM_BYTES_MAX))

static int setup_roomy(void **state)
{
	return setup_room(state, 2 * HALF_SENT);
}

/* However many connections there may be, what they do not send whole is bounded. */
static void trap_44_half_sent_messages_are_bounded_together(void **state)
{
	static const char half[] = "ACK sip:a@b SIP/2.0\r\nX: ";
	struct world *w = *state;

	w->flow.remote_addr[0] = 1;
	show_part(w, 1, SPAN(MESSAGE("a")), 0, 10);
	for (uint32_t i = 0; i < HALF_SENT; i++) {
		w->flow.remote_port = (uint16_t)i;
		w->flow.remote_addr[1] = (uint8_t)(i >> 16);
		show(w, 1, SPAN(half));
	}
	assert_in_range(streams_count(w->streams), HALF_SENT / 4, HALF_SENT / 2);
	assert_int_equal(w->counts.value[COUNT_streams_refused],
			 1 + HALF_SENT - streams_count(w->streams));
	/* What is whole makes room again. */
	w->flow.remote_addr[0] = 2;
	for (uint16_t i = 1; i < 1000; i++) {
		w->flow.remote_port = i;
		show(w, 1, SPAN(MESSAGE("b")));
		forget_told(w);
	}
	assert_int_equal(w->counts.value[COUNT_streams_refused],
			 1 + HALF_SENT + 999 - streams_count(w->streams));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(trap_45_too_many_pieces_after_a_missing_one_give_it_up),
		TEST(trap_45_a_missing_piece_is_not_awaited_for_long),
		TEST(trap_45_a_piece_too_far_ahead_is_where_to_read_on),
		TEST(another_connection_on_the_same_ports_is_read),
		TEST(a_lost_stream_takes_no_retransmission_for_news),
		TEST(a_missing_piece_of_a_body_costs_nothing),
		TEST(a_piece_may_be_captured_in_part),
		TEST(an_odd_content_length_counts_as_none),
		TEST(a_content_length_is_found_wherever_it_stands),
		TEST(the_largest_body_is_stepped_over),
		TEST(a_header_part_that_is_too_long_is_cut),
		TEST(an_endless_header_is_told_once),
		TEST(endless_line_ends_are_stepped_over),
		TEST(the_stream_silent_longest_makes_room),
		cmocka_unit_test_setup_teardown(trap_44_thousands_of_streams_are_bounded,
						setup_many, teardown),
		cmocka_unit_test_setup_teardown(trap_44_half_sent_messages_are_bounded_together,
						setup_roomy, teardown),
	};

	return cmocka_run_group_tests_name("streams_torture", tests, NULL, NULL);
}
