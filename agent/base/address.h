/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.h - addresses and flows as text, and what kind of address one is. */
#ifndef AGENT_BASE_ADDRESS_H
#define AGENT_BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"
#include "flow.h"

/* True if the 16 bytes are an IPv4 address mapped into IPv6. */
bool address_is_ipv4(const uint8_t address[16]);

/*
 * The network that an address is counted with: its /24, of an IPv6 address its /48; what
 * follows is zero. Both are as little as somebody else is usually given to himself.
 */
void address_network(const uint8_t address[16], uint8_t out[16]);

/* The 16 bytes of a written IPv4 or IPv6 address, without brackets; -EINVAL if it is none. */
int address_read(struct span text, uint8_t out[16]);

/* Writes "192.0.2.1" or "2001:db8::1". */
void address_write(struct text *out, const uint8_t address[16]);

/* Writes "192.0.2.1" or "[2001:db8::1]": a host as it stands in a URI. */
void address_write_host(struct text *out, const uint8_t address[16]);

/* Writes "192.0.2.1:5060" or "[2001:db8::1]:5060". */
void address_write_port(struct text *out, const uint8_t address[16], uint16_t port);

/* Reads what address_write_port() writes; -EINVAL if it is not that, and nothing is written then. */
int address_read_port(struct span text, uint8_t address[16], uint16_t *port);

/* "udp" or "tcp", and "unknown" for any other number. */
const char *flow_transport_name(uint8_t transport);

/* Writes "udp 192.0.2.1:5060 198.51.100.7:40001". */
void flow_write(struct text *out, const struct flow *flow);

/* Reads what flow_write() writes; -EINVAL if it is not that, *out is untouched then. */
int flow_read(struct span text, struct flow *out);

#endif
