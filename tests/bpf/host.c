/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <mntent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static struct {
	char mount[256]; /* of the cgroup v2 hierarchy */
	char cgroup_path[320];
	int cgroup;
	int netns_before;
} host = { .cgroup = -1, .netns_before = -1 };

static void find_cgroup_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;

	assert_non_null(mounts);
	do {
		mount = getmntent(mounts);
	} while (mount && strcmp(mount->mnt_type, "cgroup2") != 0);
	assert_non_null(mount);
	snprintf(host.mount, sizeof(host.mount), "%s", mount->mnt_dir);
	endmntent(mounts);
}

void host_set(const char *file, const char *value)
{
	size_t length = strlen(value);
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, length), length);
	close(fd);
}

/* Moves this process; writing 0 means the writer. */
static void join_cgroup(const char *path)
{
	char file[384];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	host_set(file, "0");
}

static void enter_cgroup(void)
{
	find_cgroup_mount();
	snprintf(host.cgroup_path, sizeof(host.cgroup_path), "%s/sippath-test-%d", host.mount,
		 (int)getpid());
	assert_int_equal(mkdir(host.cgroup_path, 0755), 0);
	host.cgroup = open(host.cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(host.cgroup >= 0);
	join_cgroup(host.cgroup_path);
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

void host_enter(void)
{
	enter_cgroup();
	host.netns_before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(host.netns_before >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	raise_loopback();
}

void host_leave(void)
{
	assert_int_equal(setns(host.netns_before, CLONE_NEWNET), 0);
	close(host.netns_before);
	join_cgroup(host.mount);
	close(host.cgroup);
	assert_int_equal(rmdir(host.cgroup_path), 0);
}

int host_cgroup(void)
{
	return host.cgroup;
}

uint64_t host_netns_cookie(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length), 0);
	close(fd);
	return cookie;
}

static int open_socket(int family, uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(family == AF_INET ? bind(fd, (struct sockaddr *)&four, sizeof(four))
					   : bind(fd, (struct sockaddr *)&six, sizeof(six)),
			 0);
	return fd;
}

int host_listen(int family, uint16_t port)
{
	int fd = open_socket(family, port);

	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

struct host_connection host_connect_only(const char *address, uint16_t port, uint16_t from)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_ipv4 = inet_pton(AF_INET, address, &four.sin_addr) == 1;
	struct host_connection connection = { .server = -1 };

	assert_true(is_ipv4 || inet_pton(AF_INET6, address, &six.sin6_addr) == 1);
	connection.client = open_socket(is_ipv4 ? AF_INET : AF_INET6, from);
	assert_int_equal(
		is_ipv4 ? connect(connection.client, (struct sockaddr *)&four, sizeof(four))
			: connect(connection.client, (struct sockaddr *)&six, sizeof(six)),
		0);
	return connection;
}

struct host_connection host_connect(int listener, const char *address, uint16_t port, uint16_t from)
{
	struct host_connection connection = host_connect_only(address, port, from);

	connection.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection.server >= 0);
	return connection;
}

/* The address of an end of a socket, mapped into IPv6 if it is IPv4, and its port. */
static uint16_t read_end(int fd, bool remote, uint8_t *address)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} end;
	socklen_t length = sizeof(end);

	assert_int_equal(remote ? getpeername(fd, &end.any, &length)
				: getsockname(fd, &end.any, &length),
			 0);
	if (end.any.sa_family == AF_INET6) {
		memcpy(address, &end.six.sin6_addr, 16);
		return ntohs(end.six.sin6_port);
	}
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	memcpy(address + 12, &end.four.sin_addr, 4);
	return ntohs(end.four.sin_port);
}

struct flow host_flow(const struct host_connection *connection)
{
	struct flow flow = { .transport = FLOW_TCP };

	flow.local_port = read_end(connection->client, true, flow.local_addr);
	flow.remote_port = read_end(connection->client, false, flow.remote_addr);
	return flow;
}

void host_disconnect(const struct host_connection *connection)
{
	close(connection->client);
	if (connection->server >= 0)
		close(connection->server);
}
