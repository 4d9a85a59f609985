/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams on loopback, and where the ports are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports_world.h"

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

static void a_datagram_has_its_limit(void **state)
{
	static const char bytes[65508];
	struct bench *bench = *state;
	int fd = connect_to(bench, "127.0.0.1", SOCK_DGRAM);

	say(fd, ASK);
	wait_for(bench, 1);
	assert_int_equal(
		ports_send(bench->ports, &bench->from, (struct span){ bytes, sizeof(bytes) }),
		-EMSGSIZE);
	assert_int_equal(
		ports_send(bench->ports, &bench->from, (struct span){ bytes, sizeof(bytes) - 1 }),
		0);
	close(fd);
}

static bool are_at(const struct bench *bench, const char *written, int ahead)
{
	uint8_t address[16];

	assert_int_equal(address_read(span_of(written), address), 0);
	return ports_listens(bench->ports, address, (uint16_t)(bench->port + ahead));
}

static void the_ports_know_where_they_are(void **state)
{
	struct bench *bench = *state;

	assert_true(are_at(bench, "127.0.0.1", 0));
	assert_true(are_at(bench, "127.0.0.77", 0));
	assert_true(are_at(bench, "::1", 0));
	assert_false(are_at(bench, "127.0.0.1", 1));
	assert_false(are_at(bench, "192.0.2.1", 0));
	assert_false(are_at(bench, "0.0.0.0", 0));
	assert_false(are_at(bench, "::2", 0));
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
	struct passing_hop from = { .stream = 1 };
	struct ports_listen listen;
	struct ports *ports;
	uint16_t port;

	set_listen(&listen, "127.0.0.1", FLOW_TCP);
	listen_somewhere(bench->loop, &listen, 1, &ports);
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

	set_listen(&listen, "127.0.0.1", FLOW_UDP);
	listen.port = bench->port;
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
		TEST(a_datagram_has_its_limit),
		TEST(the_ports_know_where_they_are),
		TEST(requests_leave_from_a_port_that_can),
		TEST(without_a_udp_port_nothing_leaves),
		TEST(a_port_that_is_taken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
