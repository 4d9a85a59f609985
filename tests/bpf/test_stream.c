/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stream.c - what is reported of TCP streams between real sockets: every program is
 * attached, to the loopback of a network namespace and to a cgroup of the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "host.h"
#include "kernel.h"
#include "messages.h"

#define PORT 5060
#define LOOPBACK 1 /* its interface index in any network namespace */

static const char *const addresses[] = { "127.0.0.1", "::1" };

struct server {
	struct kernel *kernel;
	struct bpf_link *accept;
	int listener;
};

static void attach(struct server *server)
{
	struct kernel *kernel = server->kernel;
	int ingress = bpf_program__fd(kernel_program(kernel, SIPPATH_PROGRAM_INGRESS));
	int egress = bpf_program__fd(kernel_program(kernel, SIPPATH_PROGRAM_EGRESS));
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = egress);

	assert_int_equal(bpf_xdp_attach(LOOPBACK, ingress, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &options), 0);
	server->accept = bpf_program__attach_cgroup(kernel_program(kernel, SIPPATH_PROGRAM_ACCEPT),
						    host_cgroup());
	assert_non_null(server->accept);
}

static int setup(void **state)
{
	struct server *server = test_calloc(1, sizeof(*server));
	struct sip_settings settings = { .abi = SIPPATH_ABI };

	*state = server;
	if (kernel_setup((void **)&server->kernel))
		return -1;
	host_enter();
	settings.netns_cookie = host_netns_cookie();
	kernel_set(server->kernel, &settings);
	attach(server);
	server->listener = host_listen(AF_INET6, PORT);
	return 0;
}

static int teardown(void **state)
{
	struct server *server = *state;

	bpf_link__destroy(server->accept);
	close(server->listener);
	host_leave();
	kernel_teardown((void **)&server->kernel);
	test_free(server);
	return 0;
}

/* The next sighting, which must be of this kind. */
static const struct sighting *next(struct server *server, enum sighting_kind kind)
{
	uint64_t deadline_ns = kernel_now_ns() + 10000000000;
	const struct sighting *sighting;

	do {
		sighting = kernel_next_sighting(server->kernel);
	} while (!sighting && kernel_now_ns() < deadline_ns);
	assert_non_null(sighting);
	assert_int_equal(sighting->kind, kind);
	return sighting;
}

static void send_all(int fd, const char *bytes, size_t length)
{
	assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
}

static void receive_all(int fd, size_t length)
{
	static char bytes[65536];

	assert_in_range(length, 1, sizeof(bytes));
	assert_int_equal(recv(fd, bytes, length, MSG_WAITALL), length);
}

/* Reads pieces until they make up "length" bytes, and returns the number of the first. */
static uint32_t assert_reported(struct server *server, enum sighting_direction direction,
				const char *bytes, size_t length)
{
	const struct sighting *piece = next(server, SIGHTING_SEGMENT);
	uint32_t first = piece->sequence;
	size_t position = 0;

	for (;;) {
		assert_int_equal(piece->direction, direction);
		assert_int_equal(piece->sequence, first + (uint32_t)position);
		assert_int_equal(piece->captured, piece->wire_length);
		assert_in_range(piece->captured, 1, length - position);
		assert_memory_equal(piece->bytes, bytes + position, piece->captured);
		position += piece->captured;
		if (position == length)
			return first;
		piece = next(server, SIGHTING_SEGMENT);
	}
}

/* The kernel hands over up to 64 KiB at once, and the card cuts it up later. */
static void trap_43_a_stream_is_reported_to_the_byte(void **state)
{
	struct server *server = *state;
	static char bytes[60000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + i % 23 + i / 4095 % 3);
	memcpy(bytes, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
	for (size_t i = 0; i < 2; i++) {
		struct host_connection connection =
			host_connect(server->listener, addresses[i], PORT, 0);
		uint32_t expected[2] = { 0, 0 };

		next(server, SIGHTING_OPENED);
		for (size_t turn = 0; turn < 6; turn++) {
			int ends[] = { connection.client, connection.server };
			enum sighting_direction direction = turn % 2;
			uint32_t first;

			send_all(ends[direction], bytes, sizeof(bytes));
			receive_all(ends[!direction], sizeof(bytes));
			first = assert_reported(server, direction, bytes, sizeof(bytes));
			if (turn >= 2)
				assert_int_equal(first, expected[direction]);
			expected[direction] = first + sizeof(bytes);
		}
		host_disconnect(&connection);
		next(server, SIGHTING_CLOSED);
	}
	assert_int_equal(kernel_count(server->kernel, COUNTER_sightings_cut), 0);
	assert_int_equal(kernel_count(server->kernel, COUNTER_sightings_lost), 0);
}

/* A listener may ask the kernel to accept nobody before he has said something. */
static void defer_accept(int listener)
{
	int seconds = 30;

	assert_int_equal(
		setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)), 0);
}

static void a_request_before_the_connection_is_accepted_is_reported(void **state)
{
	struct server *server = *state;

	defer_accept(server->listener);
	for (size_t i = 0; i < 2; i++) {
		struct host_connection connection = host_connect_only(addresses[i], PORT, 0);
		uint32_t first;

		assert_int_equal(kernel_connections_held(server->kernel), 0);
		send_all(connection.client, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
		first = assert_reported(server, SIGHTING_FROM_DEVICE, MESSAGE_REGISTER,
					strlen(MESSAGE_REGISTER));
		next(server, SIGHTING_OPENED);
		send_all(connection.client, "\r\n\r\n", 4);
		assert_int_equal(assert_reported(server, SIGHTING_FROM_DEVICE, "\r\n\r\n", 4),
				 first + strlen(MESSAGE_REGISTER));
		host_disconnect(&connection);
		next(server, SIGHTING_CLOSED);
	}
}

/* A stranger who sends the SYN in a device's name does not see the answer to it. */
static void trap_44_who_has_not_seen_the_syn_ack_is_not_reported(void **state)
{
	struct server *server = *state;
	struct frame_plan plan;
	static struct frame frame;

	defer_accept(server->listener);
	for (size_t i = 0; i < 2; i++) {
		struct host_connection connection = host_connect_only(addresses[i], PORT, 0);

		plan = frame_plan(host_flow(&connection), SIGHTING_FROM_DEVICE);
		for (uint32_t guess = 0; guess < 1000; guess++) {
			plan.tcp_acknowledged = guess * 4294967;
			frame_build(&frame, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
			assert_int_equal(kernel_ingress(server->kernel, &frame), XDP_PASS);
		}
		assert_int_equal(kernel_sightings(server->kernel), 0);
		/* The device's own FIN ends the handshake, and the connection with it. */
		host_disconnect(&connection);
		next(server, SIGHTING_OPENED);
		next(server, SIGHTING_CLOSED);
	}
}

/* Nothing is opaque before there is a connection; what comes next makes it so. */
static void tls_before_the_connection_is_accepted_is_not_reported(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\x05hello";
	struct server *server = *state;
	struct host_connection connection;
	struct connection_entry entry;

	defer_accept(server->listener);
	connection = host_connect_only("127.0.0.1", PORT, 0);
	send_all(connection.client, hello, sizeof(hello) - 1);
	next(server, SIGHTING_OPENED);
	send_all(connection.client, hello, sizeof(hello) - 1);
	do {
		assert_true(kernel_connection(server->kernel, host_flow(&connection), &entry));
	} while (!entry.opaque);
	host_disconnect(&connection);
	next(server, SIGHTING_CLOSED);
	assert_int_equal(kernel_count(server->kernel, COUNTER_sightings), 2);
}

#define STREAM_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(trap_43_a_stream_is_reported_to_the_byte),
		STREAM_TEST(a_request_before_the_connection_is_accepted_is_reported),
		STREAM_TEST(trap_44_who_has_not_seen_the_syn_ack_is_not_reported),
		STREAM_TEST(tls_before_the_connection_is_accepted_is_not_reported),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
