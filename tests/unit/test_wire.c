/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "wire_world.h"

static void a_datagram_goes_from_the_local_to_the_remote_side(void **state)
{
	struct bench *bench = *state;

	send_one(bench, FLOW4, SPAN("OPTIONS over IPv4"));
	send_one(bench, FLOW6, SPAN("OPTIONS over IPv6"));
	assert_received(bench->device4, FLOW4, SPAN("OPTIONS over IPv4"));
	assert_received(bench->device6, FLOW6, SPAN("OPTIONS over IPv6"));
	assert_int_equal(counted(bench, COUNT_prompts_failed), 0);
}

static void it_carries_the_mark(void **state)
{
	struct bench *bench = *state;
	struct received received;

	send_one(bench, FLOW4, SPAN("x"));
	receive(bench->device4, &received);
	assert_int_equal(received.mark, SIPPATH_MARK_DEFAULT);
	send_one(bench, FLOW6, SPAN("x"));
	receive(bench->device6, &received);
	assert_int_equal(received.mark, SIPPATH_MARK_DEFAULT);
}

static void the_port_may_be_in_use_by_the_sip_server(void **state)
{
	cleanup_close int server = listen_udp6("198.18.0.1", 5060);
	struct bench *bench = *state;

	send_one(bench, FLOW4, SPAN("ping"));
	assert_received(bench->device4, FLOW4, SPAN("ping"));
	assert_nothing_received(server);
}

/* The kernel drops a datagram with a wrong checksum, and over IPv6 one without. */
static void every_length_has_the_right_checksum(void **state)
{
	struct bench *bench = *state;
	char bytes[WIRE_DATAGRAM_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256 + 1);
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		struct span payload = { bytes, length };

		send_one(bench, FLOW4, payload);
		send_one(bench, FLOW6, payload);
		assert_received(bench->device4, FLOW4, payload);
		assert_received(bench->device6, FLOW6, payload);
	}
}

/* One of these payloads has a checksum of zero, which is sent as 0xffff (RFC 768). */
static void every_checksum_is_right(void **state)
{
	struct bench *bench = *state;

	for (uint32_t i = 0; i <= UINT16_MAX; i++) {
		uint16_t word = (uint16_t)i;
		struct span payload = { (const char *)&word, sizeof(word) };

		send_one(bench, FLOW6, payload);
		assert_received(bench->device6, FLOW6, payload);
	}
}

static void a_full_queue_is_sent(void **state)
{
	struct bench *bench = *state;

	for (unsigned int i = 0; i < BATCH - 1; i++)
		assert_int_equal(queue(bench, FLOW4, SPAN("x")), 0);
	assert_nothing_received(bench->device4);
	for (unsigned int i = 0; i < BATCH; i++)
		assert_int_equal(queue(bench, FLOW4, SPAN("x")), 0);
	wire_flush(bench->wire);
	wire_flush(bench->wire);
	for (unsigned int i = 0; i < 2 * BATCH - 1; i++)
		assert_received(bench->device4, FLOW4, SPAN("x"));
	assert_nothing_received(bench->device4);
}

static void what_cannot_be_a_datagram_is_refused(void **state)
{
	static const char too_long[WIRE_DATAGRAM_MAX + 1];
	struct bench *bench = *state;

	assert_int_equal(queue(bench, FLOW4, (struct span){ too_long, sizeof(too_long) }),
			 -EMSGSIZE);
	assert_int_equal(queue(bench, "tcp 198.18.0.1:5060 198.18.0.2:40001", SPAN("x")),
			 -EAFNOSUPPORT);
	assert_int_equal(queue(bench, "udp 198.18.0.1:5060 [2001:db8:1::2]:40001", SPAN("x")),
			 -EAFNOSUPPORT);
	assert_int_equal(queue(bench, "udp [2001:db8:1::1]:5060 198.18.0.2:40001", SPAN("x")),
			 -EAFNOSUPPORT);
	assert_int_equal(counted(bench, COUNT_prompts_failed), 4);
	wire_flush(bench->wire);
	assert_nothing_received(bench->device4);
	assert_nothing_received(bench->device6);
}

/* As the server's own packets do on a host with several uplinks. */
static void the_route_depends_on_the_source(void **state)
{
	struct bench *bench = *state;

	send_one(bench, "udp 198.18.0.1:5060 203.0.113.8:5060", SPAN("x"));
	assert_int_equal(counted(bench, COUNT_prompts_failed), 1);
	send_one(bench, "udp " SOURCE_WITH_ROUTE ":5060 203.0.113.8:5060", SPAN("x"));
	assert_int_equal(counted(bench, COUNT_prompts_failed), 1);
}

static void without_privileges_it_does_not_open(void **state)
{
	struct counts counts = { 0 };
	struct wire *wire = NULL;
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(wire_open(1, &counts, &wire) == -EPERM && !wire ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Standard error goes to a file in memory until released; it is shown after that. */
struct capture {
	int file, saved;
};

static struct capture capture_log(void)
{
	struct capture capture = { memfd_create("log", MFD_CLOEXEC), dup(STDERR_FILENO) };

	assert_true(capture.file >= 0 && capture.saved >= 0);
	assert_int_equal(dup2(capture.file, STDERR_FILENO), STDERR_FILENO);
	return capture;
}

/* How many lines have been logged so far. */
static unsigned int captured_lines(const struct capture *capture)
{
	char bytes[4096];
	ssize_t length = pread(capture->file, bytes, sizeof(bytes), 0);
	unsigned int lines = 0;

	for (ssize_t i = 0; i < length; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static void release_log(struct capture capture)
{
	dup2(capture.saved, STDERR_FILENO);
	close(capture.saved);
	close(capture.file);
}

static void an_address_that_is_not_held_is_said_once_and_its_end_once(void **state)
{
	struct capture capture = capture_log();
	struct bench *bench = *state;
	unsigned int held_back, sent_again, end;

	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(queue(bench, "udp 192.0.2.99:5060 198.18.0.2:40001", SPAN("x")),
				 -EADDRNOTAVAIL);
	held_back = captured_lines(&capture);
	for (unsigned int i = 0; i < 10; i++)
		send_one(bench, FLOW4, SPAN("x"));
	sent_again = captured_lines(&capture);
	for (unsigned int i = 0; i < 2000; i++)
		send_one(bench, FLOW4, SPAN("x"));
	end = captured_lines(&capture);
	release_log(capture);
	assert_int_equal(held_back, 1);
	assert_int_equal(sent_again, 1); /* a single success is not an end */
	assert_int_equal(end, 2);
	assert_int_equal(counted(bench, COUNT_prompts_held), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		wire_test(a_datagram_goes_from_the_local_to_the_remote_side),
		wire_test(it_carries_the_mark),
		wire_test(the_port_may_be_in_use_by_the_sip_server),
		wire_test(every_length_has_the_right_checksum),
		wire_test(every_checksum_is_right),
		wire_test(a_full_queue_is_sent),
		wire_test(what_cannot_be_a_datagram_is_refused),
		wire_test(the_route_depends_on_the_source),
		cmocka_unit_test(without_privileges_it_does_not_open),
		wire_test(an_address_that_is_not_held_is_said_once_and_its_end_once),
	};

	return cmocka_run_group_tests_name("wire", tests, enter_namespace, NULL);
}
