/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port_socket.h - the kernel's side of a port: sockets that listen, and addresses as they are
 * written there.
 *
 * Included by ports.c, port_datagram.c and port_stream.c.
 */
#ifndef AGENT_CALLCONTROL_PORT_SOCKET_H
#define AGENT_CALLCONTROL_PORT_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "callcontrol/ports.h"

union port_name {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* Writes an address as the kernel has it, and returns its length. */
socklen_t port_name_write(union port_name *name, const uint8_t address[16], uint16_t port);

/* Reads one; of another family it is all zero. */
void port_name_read(const union port_name *name, uint8_t address[16], uint16_t *port);

/*
 * A socket, without blocking, that is bound and (for streams) listens; a datagram says which
 * local address it came to. -errno after one log line.
 */
int port_socket_open(const struct ports_listen *listen);

/* The local address that this host sends to a remote one from; -errno if it cannot. */
int port_socket_source(const uint8_t remote[16], uint8_t address[16]);

/* True if the address is one of this host's. */
bool port_socket_is_local(const uint8_t address[16]);

/* True for 0.0.0.0 and ::. */
bool port_is_any(const uint8_t address[16]);

#endif
