/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams on loopback, as they come and as they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports_world.h"

#define PIECE 1000
#define MANY 100000

static void messages_of_a_stream_are_told_apart(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(fd, ASK ASK "INVITE sip:a SIP/2.0\r\nl: 4\r\n\r\nbo");
	wait_for(bench, 2);
	assert_string_equal(bench->last, ASK);
	assert_int_equal(bench->from.flow.transport, FLOW_TCP);
	assert_true(bench->from.stream != 0);
	say(fd, "dy");
	wait_for(bench, 3);
	assert_string_equal(bench->last, "INVITE sip:a SIP/2.0\r\nl: 4\r\n\r\nbody");
	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("answer")), 0);
	assert_hears(bench, fd, "answer");
	close(fd);
}

static void keepalives_are_answered(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(fd, "\r\n\r\n");
	assert_hears(bench, fd, "\r\n");
	assert_int_equal(bench->count, 0);
	close(fd);
}

static void a_stream_that_cannot_be_read_on_is_closed(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(fd, ASK "BYE sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n");
	assert_closed(bench, fd);
	assert_int_equal(bench->count, 1);
}

static void half_a_message_does_not_wait_forever(void **state)
{
	struct bench *bench = *state;
	int idle = connect_to(bench, "127.0.0.1", SOCK_STREAM);
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(idle, ASK);
	wait_for(bench, 1);
	say(fd, "INVITE");
	assert_closed(bench, fd);
	/* Whoever is between two messages may take his time. */
	say(idle, ASK);
	wait_for(bench, 2);
	close(idle);
}

static void an_answer_to_a_stream_that_is_gone_goes_nowhere(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);
	struct passing_hop from;
	uint64_t end_ns = clock_now_ns() + WAIT_NS;

	say(fd, ASK);
	wait_for(bench, 1);
	from = bench->from;
	close(fd);
	while (ports_send(bench->ports, &from, SPAN("answer")) != -ENOENT)
		turn(bench, end_ns);
	/* Nor to another one that has taken its place. */
	fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);
	say(fd, ASK);
	wait_for(bench, 2);
	assert_int_not_equal(bench->from.stream, from.stream);
	assert_int_equal(ports_send(bench->ports, &from, SPAN("answer")), -ENOENT);
	close(fd);
}

/* A stream whose other side takes nothing yet. */
static int open_lazy(struct bench *bench)
{
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(fd, ASK);
	wait_for(bench, bench->count + 1);
	return fd;
}

/* The pieces that a stream is sent differ. */
static struct span piece(size_t index)
{
	static char bytes[PIECE];

	memset(bytes, (int)(index % 251), sizeof(bytes));
	return (struct span){ bytes, sizeof(bytes) };
}

/* Sends pieces until a stream takes no more, or so many; how many it took. */
static size_t send_pieces(struct bench *bench, size_t most)
{
	size_t sent = 0;

	while (sent < most && ports_send(bench->ports, &bench->from, piece(sent)) == 0)
		sent++;
	return sent;
}

static void whoever_takes_nothing_is_closed(void **state)
{
	struct bench *bench = *state;
	int fd = open_lazy(bench);

	assert_in_range(send_pieces(bench, MANY), 1, MANY - 1);
	assert_int_equal(ports_send(bench->ports, &bench->from, piece(0)), -ENOENT);
	close(fd);
}

/* The last pieces wait here, not in the kernel; they come later, whole and in order. */
static void whoever_is_slow_gets_everything(void **state)
{
	struct bench *bench = *state;
	int first = open_lazy(bench), second;
	size_t room = send_pieces(bench, MANY);

	close(first);
	second = open_lazy(bench);
	assert_int_equal(send_pieces(bench, room - 10), room - 10);
	for (size_t i = 0; i < room - 10; i++) {
		char heard[PIECE];

		for (size_t got = 0; got < PIECE;) {
			ssize_t count = receive(bench, second, heard + got, PIECE - got);

			assert_true(count > 0);
			got += (size_t)count;
		}
		assert_memory_equal(heard, piece(i).at, PIECE);
	}
	close(second);
}

/* After this the ports have seen all that was done before. */
static void catch_up(struct bench *bench)
{
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);

	say(fd, "\r\n\r\n");
	assert_hears(bench, fd, "\r\n");
	turn(bench, clock_now_ns() + WAIT_NS);
	close(fd);
}

/* A client that says one thing, and then that it will say no more. */
static int ask_and_end(struct bench *bench, const char *text)
{
	int fd = connect_to(bench, "127.0.0.1", SOCK_STREAM);
	unsigned int count = bench->count;

	say(fd, text);
	assert_return_code(shutdown(fd, SHUT_WR), errno);
	wait_for(bench, count + 1);
	catch_up(bench);
	return fd;
}

static void whoever_has_said_everything_is_answered_still(void **state)
{
	struct bench *bench = *state;
	int fd = ask_and_end(bench, ASK);

	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("SIP/2.0 100 Trying")), 0);
	assert_hears(bench, fd, "SIP/2.0 100 Trying");
	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("SIP/2.0 200 OK")), 0);
	assert_hears(bench, fd, "SIP/2.0 200 OK");
	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("more")), -ENOENT);
	assert_closed(bench, fd);
}

static void nobody_waits_for_the_answer_to_an_ack(void **state)
{
	struct bench *bench = *state;
	int fd = ask_and_end(bench, "ACK sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n");

	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("more")), -ENOENT);
	assert_closed(bench, fd);
}

static void an_answer_that_never_comes_is_not_waited_for_forever(void **state)
{
	struct bench *bench = *state;
	int fd = ask_and_end(bench, ASK);

	assert_closed(bench, fd);
	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("more")), -ENOENT);
}

static void raise_limit(void)
{
	struct rlimit limit = { 4096, 4096 };

	assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
}

/* A trunk, whose last message is long ago, and all the others that there is room for. */
static int connect_trunk(struct bench *bench, const char *source)
{
	int fd = connect_from(bench, source, "127.0.0.1", SOCK_STREAM);

	say(fd, ASK);
	wait_for(bench, 1);
	return fd;
}

static void assert_trunk_lives(struct bench *bench, int fd)
{
	unsigned int count = bench->count;

	say(fd, ASK);
	wait_for(bench, count + 1);
	close(fd);
}

static void whoever_has_said_nothing_makes_room(void **state)
{
	struct bench *bench = *state;
	int trunk = connect_trunk(bench, "127.0.0.1"), fds[PORTS_STREAMS_MAX];

	raise_limit();
	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++) {
		fds[i] = connect_to(bench, "127.0.0.1", SOCK_STREAM);
		say(fds[i], "\r\n\r\n");
		assert_hears(bench, fds[i], "\r\n");
	}
	assert_closed(bench, fds[0]);
	assert_trunk_lives(bench, trunk);
	for (size_t i = 1; i < PORTS_STREAMS_MAX; i++)
		close(fds[i]);
}

static void the_source_of_most_makes_room(void **state)
{
	struct bench *bench = *state;
	int trunk = connect_trunk(bench, "127.0.0.2"), fds[PORTS_STREAMS_MAX];

	raise_limit();
	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++) {
		fds[i] = connect_from(bench, "127.0.0.1", "127.0.0.1", SOCK_STREAM);
		say(fds[i], ASK);
		wait_for(bench, bench->count + 1);
	}
	assert_closed(bench, fds[0]);
	assert_trunk_lives(bench, trunk);
	for (size_t i = 1; i < PORTS_STREAMS_MAX; i++)
		close(fds[i]);
}

static void the_idlest_makes_room(void **state)
{
	struct bench *bench = *state;
	int fds[PORTS_STREAMS_MAX + 1];

	raise_limit();
	for (size_t i = 0; i <= PORTS_STREAMS_MAX; i++) {
		fds[i] = connect_to(bench, "127.0.0.1", SOCK_STREAM);
		say(fds[i], ASK);
		wait_for(bench, bench->count + 1);
		if (i == 1) { /* so the second one is idler than the first */
			say(fds[0], ASK);
			wait_for(bench, bench->count + 1);
		}
	}
	assert_closed(bench, fds[1]);
	say(fds[0], ASK);
	wait_for(bench, bench->count + 1);
	for (size_t i = 0; i <= PORTS_STREAMS_MAX; i++)
		if (i != 1)
			close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_of_a_stream_are_told_apart),
		TEST(keepalives_are_answered),
		TEST(a_stream_that_cannot_be_read_on_is_closed),
		TEST(half_a_message_does_not_wait_forever),
		TEST(an_answer_to_a_stream_that_is_gone_goes_nowhere),
		TEST(whoever_takes_nothing_is_closed),
		TEST(whoever_is_slow_gets_everything),
		TEST(whoever_has_said_everything_is_answered_still),
		TEST(nobody_waits_for_the_answer_to_an_ack),
		TEST(an_answer_that_never_comes_is_not_waited_for_forever),
		TEST(whoever_has_said_nothing_makes_room),
		TEST(the_source_of_most_makes_room),
		TEST(the_idlest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
