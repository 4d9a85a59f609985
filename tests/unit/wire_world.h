/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire_world.h - a network namespace of the test's own with a wire and the devices that it
 * sends to, for tests of the wire. Needs root; nothing leaves the namespace. Include
 * cmocka first.
 *
 * 198.18.0.0/15 and 2001:db8:1::/64 are local as whole prefixes; 203.0.113.0/24 is behind
 * a veth pair for packets from SOURCE_WITH_ROUTE and out of reach for all others.
 */
#ifndef TESTS_UNIT_WIRE_WORLD_H
#define TESTS_UNIT_WIRE_WORLD_H

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

static inline struct flow flow_of(const char *text)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(text), &flow), 0);
	return flow;
}

static inline void run(const char *command)
{
	int status = system(command); /* NOLINT(cert-env33-c): constant commands of this test */

	if (status != 0)
		fail_msg("\"%s\" ended with %d", command, status);
}

static inline uint64_t counted(const struct bench *bench, enum agent_counter counter)
{
	return bench->counts.value[counter];
}

static inline int listen_udp6(const char *address, uint16_t port)
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
static inline void receive(int fd, struct received *out)
{
	struct sockaddr_in6 from = { 0 };
	struct iovec bytes = { out->bytes, sizeof(out->bytes) };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(uint32_t))];
	} control;
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t length;

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	length = recvmsg(fd, &message, 0);
	assert_true(length >= 0);
	out->length = (size_t)length;
	memcpy(out->from.remote_addr, &from.sin6_addr, sizeof(out->from.remote_addr));
	out->from.remote_port = ntohs(from.sin6_port);
	assert_true(message.msg_controllen >= CMSG_LEN(sizeof(out->mark)));
	memcpy(&out->mark, CMSG_DATA(&control.header), sizeof(out->mark));
}

/* Receives one datagram and compares it with what was sent on a flow. */
static inline void assert_received(int fd, const char *flow_text, struct span payload)
{
	struct flow flow = flow_of(flow_text);
	struct received received;

	receive(fd, &received);
	assert_int_equal(received.length, payload.length);
	assert_memory_equal(received.bytes, payload.at, payload.length);
	assert_memory_equal(received.from.remote_addr, flow.local_addr, 16);
	assert_int_equal(received.from.remote_port, flow.local_port);
}

static inline void assert_nothing_received(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, 0), 0);
}

static inline int queue(struct bench *bench, const char *flow_text, struct span payload)
{
	struct flow flow = flow_of(flow_text);

	return wire_queue(bench->wire, &flow, payload);
}

static inline void send_one(struct bench *bench, const char *flow_text, struct span payload)
{
	assert_int_equal(queue(bench, flow_text, payload), 0);
	wire_flush(bench->wire);
}

static inline void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static inline int enter_namespace(void **state)
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

static inline int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	assert_int_equal(wire_open(SIPPATH_MARK_DEFAULT, &bench->counts, &bench->wire), 0);
	bench->device4 = listen_udp6("198.18.0.2", 40001);
	bench->device6 = listen_udp6("2001:db8:1::2", 40001);
	*state = bench;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *bench = *state;

	wire_close(bench->wire);
	close(bench->device4);
	close(bench->device6);
	free(bench);
	return 0;
}

#define wire_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
