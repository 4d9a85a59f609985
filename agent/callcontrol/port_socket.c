/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/port_socket.h"

#include <errno.h>
#include <netinet/ip.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/log.h"

/* Calls come in bursts: so much may wait while other work has its turn. */
#define RECEIVE_BYTES (4 * 1024 * 1024)

#define BACKLOG 1024

/* Where the four bytes of an IPv4 address stand. */
#define IPV4_AT 12

bool port_is_any(const uint8_t address[16])
{
	static const uint8_t zero[16];

	if (address_is_ipv4(address))
		return memcmp(address + IPV4_AT, zero, sizeof(zero) - IPV4_AT) == 0;
	return memcmp(address, zero, sizeof(zero)) == 0;
}

socklen_t port_name_write(union port_name *name, const uint8_t address[16], uint16_t port)
{
	*name = (union port_name){ .ipv6 = { 0 } };
	if (address_is_ipv4(address)) {
		name->ipv4.sin_family = AF_INET;
		name->ipv4.sin_port = htons(port);
		memcpy(&name->ipv4.sin_addr, address + IPV4_AT, sizeof(name->ipv4.sin_addr));
		return sizeof(name->ipv4);
	}
	name->ipv6.sin6_family = AF_INET6;
	name->ipv6.sin6_port = htons(port);
	memcpy(&name->ipv6.sin6_addr, address, sizeof(name->ipv6.sin6_addr));
	return sizeof(name->ipv6);
}

void port_name_read(const union port_name *name, uint8_t address[16], uint16_t *port)
{
	memset(address, 0, 16);
	*port = 0;
	if (name->any.sa_family == AF_INET) {
		memset(address + IPV4_AT - 2, 0xff, 2);
		memcpy(address + IPV4_AT, &name->ipv4.sin_addr, sizeof(name->ipv4.sin_addr));
		*port = ntohs(name->ipv4.sin_port);
	} else if (name->any.sa_family == AF_INET6) {
		memcpy(address, &name->ipv6.sin6_addr, sizeof(name->ipv6.sin6_addr));
		*port = ntohs(name->ipv6.sin6_port);
	}
}

static int switch_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) ? -errno : 0;
}

/* A smaller buffer than asked for is good enough: the kernel's limit may be lower. */
static int prepare_datagrams(int fd, bool ipv4)
{
	int bytes = RECEIVE_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return ipv4 ? switch_on(fd, IPPROTO_IP, IP_PKTINFO)
		    : switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

/* What is of IPv4 comes to the ports of IPv4 alone. */
static int prepare(int fd, const struct ports_listen *listen)
{
	bool ipv4 = address_is_ipv4(listen->address);
	int error = ipv4 ? 0 : switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);

	if (error)
		return error;
	if (listen->transport == FLOW_TCP)
		return switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
	return prepare_datagrams(fd, ipv4);
}

static int open_socket(const struct ports_listen *ports_listen)
{
	bool is_stream = ports_listen->transport == FLOW_TCP;
	union port_name name;
	socklen_t length = port_name_write(&name, ports_listen->address, ports_listen->port);
	cleanup_close int fd =
		socket(name.any.sa_family,
		       (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = prepare(fd, ports_listen);
	if (error)
		return error;
	if (bind(fd, &name.any, length) || (is_stream && listen(fd, BACKLOG)))
		return -errno;
	return take_fd(fd);
}

int port_socket_open(const struct ports_listen *listen)
{
	int fd = open_socket(listen);
	char written[64];
	struct text text = TEXT_OVER(written);

	if (fd >= 0)
		return fd;
	address_write_port(&text, listen->address, listen->port);
	return log_errno(-fd, "cannot listen at %s:%s: %s", flow_transport_name(listen->transport),
			 written, strerror(-fd));
}

/* Only to what is its own a host binds a socket. */
bool port_socket_is_local(const uint8_t address[16])
{
	union port_name name;
	socklen_t length = port_name_write(&name, address, 0);
	cleanup_close int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && !port_is_any(address) && bind(fd, &name.any, length) == 0;
}

/* A socket that is connected, but never sends, knows the way that it would take. */
int port_socket_source(const uint8_t remote[16], uint8_t address[16])
{
	union port_name name;
	socklen_t length = port_name_write(&name, remote, 9);
	cleanup_close int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint16_t port;

	if (fd < 0 || connect(fd, &name.any, length))
		return -errno;
	length = sizeof(name);
	if (getsockname(fd, &name.any, &length))
		return -errno;
	port_name_read(&name, address, &port);
	return 0;
}
