/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ports.c - datagrams and streams on loopback, as they come and as they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "callcontrol/message.h"
#include "callcontrol/ports.h"

#define WAIT_NS (20 * NS_PER_S)
#define STUCK_NS NS_PER_S
#define PIECE 1000
#define MANY 100000
#define ASK "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"

struct bench {
	struct ev_loop *loop;
	struct ports *ports;
	uint16_t port; /* listened at, at each address */
	/* What has come in. */
	unsigned int count;
	struct passing_hop from;
	char last[MESSAGE_MAX + 1];
};

static void take(void *context, struct span bytes, const struct passing_hop *from, uint64_t now_ns)
{
	struct bench *bench = context;

	assert_true(now_ns <= clock_now_ns());
	memcpy(bench->last, bytes.at, bytes.length);
	bench->last[bytes.length] = '\0';
	bench->from = *from;
	bench->count++;
}

static void set_listen(struct ports_listen *listen, const char *address, uint16_t port,
		       uint8_t transport)
{
	assert_int_equal(address_read(span_of(address), listen->address), 0);
	listen->port = port;
	listen->transport = transport;
}

/* A port that nothing is bound to, of those that the kernel does not hand out. */
static uint16_t choose_port(void)
{
	return (uint16_t)(20000 + getpid() % 10000);
}

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct ports_listen listen[3];
	struct ports_options options = { .listen = listen,
					 .listen_count = 3,
					 .stuck_ns = STUCK_NS };

	bench->loop = ev_loop_new(EVFLAG_AUTO);
	bench->port = choose_port();
	set_listen(&listen[0], "0.0.0.0", bench->port, FLOW_UDP);
	set_listen(&listen[1], "0.0.0.0", bench->port, FLOW_TCP);
	set_listen(&listen[2], "::1", bench->port, FLOW_UDP);
	options.loop = bench->loop;
	assert_int_equal(ports_open(&options, &bench->ports), 0);
	ports_serve(bench->ports, take, bench);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	ports_close(bench->ports);
	ev_loop_destroy(bench->loop);
	free(bench);
	return 0;
}

/* A socket that is connected to the ports. */
static int connect_to(const struct bench *bench, const char *address, int type)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(bench->port) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(bench->port) };
	bool is_ipv4 = inet_pton(AF_INET, address, &ipv4.sin_addr) == 1;
	int fd = socket(is_ipv4 ? AF_INET : AF_INET6, type, 0);

	assert_true(fd >= 0);
	assert_true(is_ipv4 || inet_pton(AF_INET6, address, &ipv6.sin6_addr) == 1);
	assert_return_code(is_ipv4 ? connect(fd, (struct sockaddr *)&ipv4, sizeof(ipv4))
				   : connect(fd, (struct sockaddr *)&ipv6, sizeof(ipv6)),
			   errno);
	return fd;
}

static void turn(struct bench *bench, uint64_t end_ns)
{
	assert_true(clock_now_ns() < end_ns);
	ev_run(bench->loop, EVRUN_NOWAIT);
	poll(NULL, 0, 1);
}

static void wait_for(struct bench *bench, unsigned int count)
{
	uint64_t end_ns = clock_now_ns() + WAIT_NS;

	while (bench->count < count)
		turn(bench, end_ns);
	assert_int_equal(bench->count, count);
}

/* Reads what comes next; 0 if the other side has closed. */
static ssize_t receive(struct bench *bench, int fd, char *buffer, size_t size)
{
	uint64_t end_ns = clock_now_ns() + WAIT_NS;
	ssize_t count;

	while ((count = recv(fd, buffer, size, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		turn(bench, end_ns);
	return count < 0 && errno == ECONNRESET ? 0 : count;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void assert_hears(struct bench *bench, int fd, const char *text)
{
	char buffer[256];

	assert_int_equal(receive(bench, fd, buffer, sizeof(buffer)), strlen(text));
	assert_memory_equal(buffer, text, strlen(text));
}

static void assert_closed(struct bench *bench, int fd)
{
	char byte;

	assert_int_equal(receive(bench, fd, &byte, 1), 0);
	close(fd);
}

/* What is sent to one of many local addresses is answered from that one. */
static void assert_answers_from(struct bench *bench, const char *address)
{
	int fd = connect_to(bench, address, SOCK_DGRAM);
	uint8_t expected[16];

	assert_int_equal(address_read(span_of(address), expected), 0);
	say(fd, ASK);
	wait_for(bench, bench->count + 1);
	assert_string_equal(bench->last, ASK);
	assert_memory_equal(bench->from.flow.local_addr, expected, sizeof(expected));
	assert_int_equal(bench->from.flow.local_port, bench->port);
	assert_int_equal(bench->from.flow.transport, FLOW_UDP);
	assert_int_equal(bench->from.stream, 0);
	assert_int_equal(ports_send(bench->ports, &bench->from, SPAN("answer")), 0);
	/* It is connected, so it hears that address alone. */
	assert_hears(bench, fd, "answer");
	close(fd);
}

static void an_answer_comes_from_where_it_was_asked(void **state)
{
	assert_answers_from(*state, "127.0.0.1");
	assert_answers_from(*state, "127.0.0.77");
	assert_answers_from(*state, "::1");
}

static void line_ends_in_front_go_no_further(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_DGRAM);

	say(fd, "\r\n\r\n");
	say(fd, "");
	say(fd, "\r\n" ASK);
	wait_for(bench, 1);
	assert_string_equal(bench->last, ASK);
	close(fd);
}

static void many_datagrams_are_all_taken(void **state)
{
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_DGRAM);

	for (int i = 0; i < 150; i++)
		say(fd, ASK);
	wait_for(bench, 150);
	close(fd);
}

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

static void the_idlest_makes_room(void **state)
{
	struct rlimit limit = { 4096, 4096 };
	struct bench *bench = *state;
	int fds[PORTS_STREAMS_MAX + 1];

	assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
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

static void requests_leave_from_a_port_that_can(void **state)
{
	struct passing_hop from = { .flow.transport = FLOW_UDP };
	struct bench *bench = *state;
	uint8_t ipv4[16], other[16], ipv6[16], address[16];
	uint16_t port;

	assert_int_equal(address_read(SPAN("127.0.0.77"), ipv4), 0);
	assert_int_equal(address_read(SPAN("127.0.0.1"), other), 0);
	assert_int_equal(address_read(SPAN("::1"), ipv6), 0);
	memcpy(from.flow.local_addr, ipv4, sizeof(ipv4));
	from.flow.local_port = bench->port;

	assert_int_equal(ports_local(bench->ports, &from, other, address, &port), 0);
	assert_memory_equal(address, ipv4, sizeof(ipv4));
	assert_int_equal(port, bench->port);
	assert_int_equal(ports_local(bench->ports, &from, ipv6, address, &port), 0);
	assert_memory_equal(address, ipv6, sizeof(ipv6));
	from.stream = 1;
	assert_int_equal(ports_local(bench->ports, &from, other, address, &port), 0);
	assert_memory_equal(address, other, sizeof(other));
}

static void without_a_udp_port_nothing_leaves(void **state)
{
	struct bench *bench = *state;
	struct ports_listen listen;
	struct ports_options options = {
		.loop = bench->loop, .listen = &listen, .listen_count = 1, .stuck_ns = STUCK_NS
	};
	struct passing_hop from = { .stream = 1 };
	struct ports *ports;
	uint16_t port;

	set_listen(&listen, "127.0.0.1", (uint16_t)(bench->port + 1), FLOW_TCP);
	assert_int_equal(ports_open(&options, &ports), 0);
	assert_int_equal(ports_local(ports, &from, listen.address, listen.address, &port), -ENOENT);
	ports_close(ports);
}

static void a_port_that_is_taken_is_refused(void **state)
{
	struct bench *bench = *state;
	struct ports_listen listen;
	struct ports_options options = {
		.loop = bench->loop, .listen = &listen, .listen_count = 1, .stuck_ns = STUCK_NS
	};
	struct ports *ports = NULL;

	set_listen(&listen, "127.0.0.1", bench->port, FLOW_UDP);
	assert_int_equal(ports_open(&options, &ports), -EADDRINUSE);
	assert_null(ports);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_from_where_it_was_asked),
		TEST(line_ends_in_front_go_no_further),
		TEST(many_datagrams_are_all_taken),
		TEST(messages_of_a_stream_are_told_apart),
		TEST(keepalives_are_answered),
		TEST(a_stream_that_cannot_be_read_on_is_closed),
		TEST(half_a_message_does_not_wait_forever),
		TEST(an_answer_to_a_stream_that_is_gone_goes_nowhere),
		TEST(whoever_takes_nothing_is_closed),
		TEST(whoever_is_slow_gets_everything),
		TEST(the_idlest_makes_room),
		TEST(requests_leave_from_a_port_that_can),
		TEST(without_a_udp_port_nothing_leaves),
		TEST(a_port_that_is_taken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
