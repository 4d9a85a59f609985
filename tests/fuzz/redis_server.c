/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redis_server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fuzz.h"

#define CONNECTIONS_MAX 4 /* a fifth one is refused */

#define BEGINNING_NS (1000 * NS_PER_S)
#define WALL_NS (1700000000 * NS_PER_S)

#define SCRIPT "$40\r\n0123456789abcdef0123456789abcdef01234567\r\n"

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
uint64_t __wrap_clock_wall_ns(void);

static int connections[CONNECTIONS_MAX];
static size_t standing, made;
static bool signs_in;
static uint64_t now_ns;

/* What a server says that lets everybody in: it is a master, and knows three scripts. */
static void sign_in(int fd)
{
	static const char answers[] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" SCRIPT SCRIPT SCRIPT;

	if (send(fd, answers, sizeof(answers) - 1, MSG_NOSIGNAL) < 0)
		abort();
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	int pair[2];

	(void)address;
	(void)length;
	if (standing == CONNECTIONS_MAX) {
		errno = ECONNREFUSED;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ||
	    dup2(pair[0], fd) < 0)
		abort();
	close(pair[0]);
	connections[standing++] = pair[1];
	made++;
	if (signs_in)
		sign_in(pair[1]);
	return 0;
}

uint64_t __wrap_clock_wall_ns(void)
{
	return WALL_NS + now_ns;
}

/* The fuzzer itself reads the wall clock only. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){ .tv_sec = (time_t)(now_ns / NS_PER_S),
				  .tv_nsec = (long)(now_ns % NS_PER_S) };
	return 0;
}

void redis_server_wait(uint64_t ns)
{
	now_ns += ns;
}

void redis_server_begin(bool lets_in)
{
	signal(SIGPIPE, SIG_IGN); /* as the agent does */
	signs_in = lets_in;
	standing = made = 0;
	now_ns = BEGINNING_NS;
}

size_t redis_server_connections(void)
{
	return made;
}

void redis_server_say(size_t number, struct span bytes)
{
	if (standing > 0)
		(void)!send(connections[number % standing], bytes.at, bytes.length, MSG_NOSIGNAL);
}

void redis_server_listen(void)
{
	char bytes[65536];

	for (size_t i = 0; i < standing; i++)
		while (recv(connections[i], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
}

void redis_server_hang_up(size_t number)
{
	if (standing == 0)
		return;
	number %= standing;
	close(connections[number]);
	connections[number] = connections[--standing];
}

void redis_server_end(void)
{
	while (standing > 0)
		redis_server_hang_up(0);
}
