/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs as root in a network namespace of its own; nothing leaves it. 198.18.0.0/15 and
 * 2001:db8:1::/64 are local there as whole prefixes, 203.0.113.0/24 is behind a veth pair
 * for packets from SOURCE_WITH_ROUTE and out of reach for all others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "keep/wire.h"
#include "kernel_abi.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75 /* newer than the system's headers */
#endif

#define BATCH 64 /* more than so many are queued to see the queue sent when it is full */
#define PATIENCE_MS 5000
#define SOURCE_WITH_ROUTE "198.18.0.9"
#define FLOW4 "udp 198.18.0.1:5060 198.18.0.2:40001"
#define FLOW6 "udp [2001:db8:1::1]:5060 [2001:db8:1::2]:40001"

struct bench {
	struct counts counts;
	struct wire *wire;
	int device4, device6; /* where the remote sides of FLOW4 and FLOW6 listen */
};

struct received {
	struct flow from; /* its remote side is the sender's address */
	uint32_t mark;
	size_t length;
	char bytes[WIRE_DATAGRAM_MAX];
};

static struct flow flow_of(const char *text)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(text), &flow), 0);
	return flow;
}

static void run(const char *command)
{
	int status = system(command); /* NOLINT(cert-env33-c): constant commands of this test */

	if (status != 0)
		fail_msg("\"%s\" ended with %d", command, status);
}

static uint64_t counted(const struct bench *bench, enum agent_counter counter)
{
	return bench->counts.value[counter];
}

static int listen_udp6(const char *address, uint16_t port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, buffer = 1 << 20;

	assert_int_equal(address_read(span_of(address), to.sin6_addr.s6_addr), 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The sender is kept as the remote side, since an IPv6 socket shows IPv4 mapped as well. */
static void receive(int fd, struct received *out)
{
	struct sockaddr_in6 from = { 0 };
	struct iovec bytes = { out->bytes, sizeof(out->bytes) };
	char control[CMSG_SPACE(sizeof(uint32_t))];
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t length;

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	length = recvmsg(fd, &message, 0);
	assert_true(length >= 0);
	out->length = (size_t)length;
	memcpy(out->from.remote_addr, &from.sin6_addr, sizeof(out->from.remote_addr));
	out->from.remote_port = ntohs(from.sin6_port);
	assert_non_null(CMSG_FIRSTHDR(&message));
	memcpy(&out->mark, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(out->mark));
}

/* Receives one datagram and compares it with what was sent on a flow. */
static void assert_received(int fd, const char *flow_text, struct span payload)
{
	struct flow flow = flow_of(flow_text);
	struct received received;

	receive(fd, &received);
	assert_int_equal(received.length, payload.length);
	assert_memory_equal(received.bytes, payload.at, payload.length);
	assert_memory_equal(received.from.remote_addr, flow.local_addr, 16);
	assert_int_equal(received.from.remote_port, flow.local_port);
}

static void assert_nothing_received(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, 0), 0);
}

static int queue(struct bench *bench, const char *flow_text, struct span payload)
{
	struct flow flow = flow_of(flow_text);

	return wire_queue(bench->wire, &flow, payload);
}

static void send_one(struct bench *bench, const char *flow_text, struct span payload)
{
	assert_int_equal(queue(bench, flow_text, payload), 0);
	wire_flush(bench->wire);
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static int enter_namespace(void **state)
{
	(void)state;
	alarm(120); /* whatever blocks is a failure */
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	raise_loopback();
	run("ip route add local 198.18.0.0/15 dev lo");
	run("ip -6 route add local 2001:db8:1::/64 dev lo");
	run("ip link add out type veth peer name far");
	run("ip link set far up && ip link set out up");
	run("ip route add unreachable 203.0.113.0/24");
	run("ip rule add from " SOURCE_WITH_ROUTE " table 100");
	run("ip route add 203.0.113.0/24 dev out table 100");
	run("ip neigh add 203.0.113.8 lladdr 02:00:00:00:00:08 dev out");
	return 0;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	assert_int_equal(wire_open(SIPPATH_MARK_DEFAULT, &bench->counts, &bench->wire), 0);
	bench->device4 = listen_udp6("198.18.0.2", 40001);
	bench->device6 = listen_udp6("2001:db8:1::2", 40001);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	wire_close(bench->wire);
	close(bench->device4);
	close(bench->device6);
	free(bench);
	return 0;
}

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

static void refusals_are_said_once_and_their_end_once(void **state)
{
	struct capture capture = capture_log();
	struct bench *bench = *state;
	unsigned int failing, sent_again, end;

	for (unsigned int i = 0; i < 10; i++)
		send_one(bench, "udp 198.18.0.1:5060 203.0.113.8:5060", SPAN("x"));
	failing = captured_lines(&capture);
	for (unsigned int i = 0; i < 10; i++)
		send_one(bench, FLOW4, SPAN("x"));
	sent_again = captured_lines(&capture);
	for (unsigned int i = 0; i < 2000; i++)
		send_one(bench, FLOW4, SPAN("x"));
	end = captured_lines(&capture);
	release_log(capture);
	assert_int_equal(failing, 1);
	assert_int_equal(sent_again, 1); /* a single success is not an end */
	assert_int_equal(end, 2);
	assert_int_equal(counted(bench, COUNT_prompts_failed), 10);
}

static void trap_05_two_local_ports_of_one_device_are_two_paths(void **state)
{
	static const char other[] = "udp 198.18.0.1:5080 198.18.0.2:40001";
	struct bench *bench = *state;

	send_one(bench, FLOW4, SPAN("first"));
	assert_received(bench->device4, FLOW4, SPAN("first"));
	send_one(bench, other, SPAN("second"));
	assert_received(bench->device4, other, SPAN("second"));
}

static void assert_held_back(struct bench *bench, const char *flow_text)
{
	uint64_t before = counted(bench, COUNT_prompts_held);

	assert_int_equal(queue(bench, flow_text, SPAN("x")), -EADDRNOTAVAIL);
	assert_int_equal(counted(bench, COUNT_prompts_held), before + 1);
	wire_flush(bench->wire);
	assert_nothing_received(bench->device4);
	assert_nothing_received(bench->device6);
}

/* Waits until the wire is told of a change. */
static void await_change(struct bench *bench)
{
	struct pollfd ready = { .fd = wire_watch_fd(bench->wire), .events = POLLIN };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	wire_addresses_changed(bench->wire);
	assert_int_equal(poll(&ready, 1, 0), 0);
}

static void follow_virtual_address(struct bench *bench, const char *flow_text, int device,
				   const char *come, const char *leave)
{
	assert_held_back(bench, flow_text);
	assert_held_back(bench, flow_text);
	run(come);
	await_change(bench);
	send_one(bench, flow_text, SPAN("held"));
	assert_received(device, flow_text, SPAN("held"));
	run(leave);
	await_change(bench);
	assert_held_back(bench, flow_text);
	assert_int_equal(counted(bench, COUNT_prompts_failed), 0);
}

static void trap_06_a_virtual_address_is_used_only_while_it_is_held(void **state)
{
	struct bench *bench = *state;

	follow_virtual_address(bench, "udp 192.0.2.1:5060 198.18.0.2:40001", bench->device4,
			       "ip addr add 192.0.2.1/32 dev lo",
			       "ip addr del 192.0.2.1/32 dev lo");
	follow_virtual_address(bench, "udp [2001:db8:2::1]:5060 [2001:db8:1::2]:40001",
			       bench->device6, "ip addr add 2001:db8:2::1/128 dev lo nodad",
			       "ip addr del 2001:db8:2::1/128 dev lo");
}

static void trap_06_binding_to_any_address_does_not_deceive(void **state)
{
	struct bench *bench = *state;

	run("echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind");
	run("echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind");
	assert_held_back(bench, "udp 192.0.2.1:5060 198.18.0.2:40001");
	assert_held_back(bench, "udp [2001:db8:2::1]:5060 [2001:db8:1::2]:40001");
	run("echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind");
	run("echo 0 >/proc/sys/net/ipv6/ip_nonlocal_bind");
}

static void trap_06_an_address_out_of_reach_is_not_held(void **state)
{
	assert_held_back(*state, "udp 203.0.113.8:5060 198.18.0.2:40001");
}

/* Far more addresses than are remembered, half of them held. */
static void trap_06_many_addresses_are_told_apart(void **state)
{
	struct bench *bench = *state;

	for (unsigned int i = 0; i < 1000; i++) {
		struct flow held = flow_of(FLOW4), foreign = flow_of(FLOW4);

		held.local_addr[14] = foreign.local_addr[14] = (uint8_t)(i / 250);
		held.local_addr[15] = foreign.local_addr[15] = (uint8_t)(i % 250);
		foreign.local_addr[12] = 192;
		assert_int_equal(wire_queue(bench->wire, &held, SPAN("x")), 0);
		assert_int_equal(wire_queue(bench->wire, &foreign, SPAN("x")), -EADDRNOTAVAIL);
	}
	assert_int_equal(counted(bench, COUNT_prompts_held), 1000);
}

static void trap_07_only_the_flow_says_where_it_goes(void **state)
{
	static const char text[] = "OPTIONS sip:alice@192.0.2.77:5999;maddr=192.0.2.78 SIP/2.0";
	struct bench *bench = *state;

	send_one(bench, FLOW4, span_of(text));
	assert_received(bench->device4, FLOW4, span_of(text));
}

static void trap_10_a_device_out_of_reach_takes_no_others_with_it(void **state)
{
	struct bench *bench = *state;

	for (unsigned int i = 0; i < BATCH; i++)
		assert_int_equal(queue(bench,
				       i % 2 ? FLOW4 : "udp 198.18.0.1:5060 203.0.113.8:5060",
				       SPAN("x")),
				 0);
	wire_flush(bench->wire);
	assert_int_equal(counted(bench, COUNT_prompts_failed), BATCH / 2);
	for (unsigned int i = 0; i < BATCH / 2; i++)
		assert_received(bench->device4, FLOW4, SPAN("x"));
	assert_nothing_received(bench->device4);
}

/* Sends far more than a slow line takes; everything that waited would hit the alarm. */
static void flood_slow_line(struct bench *bench, const char *discipline)
{
	static const char bytes[1000];

	run(discipline);
	for (unsigned int i = 0; i < 5000; i++)
		assert_int_equal(queue(bench, "udp " SOURCE_WITH_ROUTE ":5060 203.0.113.8:5060",
				       (struct span){ bytes, sizeof(bytes) }),
				 0);
	wire_flush(bench->wire);
	assert_in_range(counted(bench, COUNT_prompts_failed), 1, 4999);
	send_one(bench, FLOW4, SPAN("x"));
	run("tc qdisc del dev out root");
}

static void trap_10_a_full_transmit_queue_is_counted_and_not_waited_for(void **state)
{
	struct bench *bench = *state;

	flood_slow_line(bench, "tc qdisc add dev out root tbf rate 8kbit burst 1600 limit 3000");
	assert_received(bench->device4, FLOW4, SPAN("x"));
}

static void trap_10_a_full_send_buffer_is_counted_and_not_waited_for(void **state)
{
	flood_slow_line(*state,
			"tc qdisc add dev out root tbf rate 8kbit burst 1600 limit 100000000");
}

#define wire_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
		wire_test(refusals_are_said_once_and_their_end_once),
		wire_test(trap_05_two_local_ports_of_one_device_are_two_paths),
		wire_test(trap_06_a_virtual_address_is_used_only_while_it_is_held),
		wire_test(trap_06_binding_to_any_address_does_not_deceive),
		wire_test(trap_06_an_address_out_of_reach_is_not_held),
		wire_test(trap_06_many_addresses_are_told_apart),
		wire_test(trap_07_only_the_flow_says_where_it_goes),
		wire_test(trap_10_a_device_out_of_reach_takes_no_others_with_it),
		wire_test(trap_10_a_full_transmit_queue_is_counted_and_not_waited_for),
		wire_test(trap_10_a_full_send_buffer_is_counted_and_not_waited_for),
	};

	return cmocka_run_group_tests_name("wire", tests, enter_namespace, NULL);
}
