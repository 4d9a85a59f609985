/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports_world.h - ports of call control on loopback, and sockets that talk to them. Include cmocka
 * first.
 */
#ifndef TESTS_UNIT_PORTS_WORLD_H
#define TESTS_UNIT_PORTS_WORLD_H

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

static inline void take(void *context, struct span bytes, const struct passing_hop *from,
			uint64_t now_ns)
{
	struct bench *bench = context;

	assert_true(now_ns <= clock_now_ns());
	memcpy(bench->last, bytes.at, bytes.length);
	bench->last[bytes.length] = '\0';
	bench->from = *from;
	bench->count++;
}

static inline void set_listen(struct ports_listen *listen, const char *address, uint8_t transport)
{
	assert_int_equal(address_read(span_of(address), listen->address), 0);
	listen->transport = transport;
}

/* A port that nothing is bound to just now. */
static inline uint16_t find_port(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_return_code(bind(fd, (struct sockaddr *)&name, sizeof(name)), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&name, &length), errno);
	close(fd);
	return ntohs(name.sin_port);
}

/* Listens at one port that is free for all of them, and returns it: somebody may be faster. */
static inline uint16_t listen_somewhere(struct ev_loop *loop, struct ports_listen *listen,
					size_t count, struct ports **ports)
{
	struct ports_options options = {
		.loop = loop, .listen = listen, .listen_count = count, .stuck_ns = STUCK_NS
	};
	int error = -EADDRINUSE;

	for (int tries = 0; error == -EADDRINUSE && tries < 100; tries++) {
		uint16_t port = find_port();

		for (size_t i = 0; i < count; i++)
			listen[i].port = port;
		error = ports_open(&options, ports);
	}
	assert_int_equal(error, 0);
	return listen[0].port;
}

static inline int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct ports_listen listen[3];

	bench->loop = ev_loop_new(EVFLAG_AUTO);
	set_listen(&listen[0], "0.0.0.0", FLOW_UDP);
	set_listen(&listen[1], "0.0.0.0", FLOW_TCP);
	set_listen(&listen[2], "::1", FLOW_UDP);
	bench->port = listen_somewhere(bench->loop, listen, 3, &bench->ports);
	ports_serve(bench->ports, take, bench);
	*state = bench;
	return 0;
}

static inline int close_bench(void **state)
{
	struct bench *bench = *state;

	ports_close(bench->ports);
	ev_loop_destroy(bench->loop);
	free(bench);
	return 0;
}

/* A socket that is connected to the ports from an address of IPv4, or from any (NULL). */
static inline int connect_from(const struct bench *bench, const char *source, const char *address,
			       int type)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(bench->port) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(bench->port) };
	bool is_ipv4 = inet_pton(AF_INET, address, &ipv4.sin_addr) == 1;
	int fd = socket(is_ipv4 ? AF_INET : AF_INET6, type, 0);

	assert_true(fd >= 0);
	if (source) {
		assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
		assert_return_code(bind(fd, (struct sockaddr *)&from, sizeof(from)), errno);
	}
	assert_true(is_ipv4 || inet_pton(AF_INET6, address, &ipv6.sin6_addr) == 1);
	assert_return_code(is_ipv4 ? connect(fd, (struct sockaddr *)&ipv4, sizeof(ipv4))
				   : connect(fd, (struct sockaddr *)&ipv6, sizeof(ipv6)),
			   errno);
	return fd;
}

static inline int connect_to(const struct bench *bench, const char *address, int type)
{
	return connect_from(bench, NULL, address, type);
}

static inline void turn(struct bench *bench, uint64_t end_ns)
{
	assert_true(clock_now_ns() < end_ns);
	ev_run(bench->loop, EVRUN_NOWAIT);
	poll(NULL, 0, 1);
}

static inline void wait_for(struct bench *bench, unsigned int count)
{
	uint64_t end_ns = clock_now_ns() + WAIT_NS;

	while (bench->count < count)
		turn(bench, end_ns);
	assert_int_equal(bench->count, count);
}

/* Reads what comes next; 0 if the other side has closed. */
static inline ssize_t receive(struct bench *bench, int fd, char *buffer, size_t size)
{
	uint64_t end_ns = clock_now_ns() + WAIT_NS;
	ssize_t count;

	while ((count = recv(fd, buffer, size, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		turn(bench, end_ns);
	return count < 0 && errno == ECONNRESET ? 0 : count;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void assert_hears(struct bench *bench, int fd, const char *text)
{
	char buffer[256];

	assert_int_equal(receive(bench, fd, buffer, sizeof(buffer)), strlen(text));
	assert_memory_equal(buffer, text, strlen(text));
}

static inline void assert_closed(struct bench *bench, int fd)
{
	char byte;

	assert_int_equal(receive(bench, fd, &byte, 1), 0);
	close(fd);
}

#endif
