/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * local_addresses.h - which addresses this host holds, as the kernel says.
 *
 * The kernel is asked for the route to an address: a local one is held. So whole
 * prefixes that are routed to this host count, and the setting ip_nonlocal_bind, which
 * lets anybody bind to a virtual address that another host holds, does not deceive.
 * Answers are remembered until they are forgotten, in bounded room.
 */
#ifndef AGENT_KEEP_LOCAL_ADDRESSES_H
#define AGENT_KEEP_LOCAL_ADDRESSES_H

#include <stdint.h>

struct local_addresses;

/* Opens both netlink sockets; -errno after one log line. */
int local_addresses_open(struct local_addresses **out);
void local_addresses_close(struct local_addresses *local);

/* 1 if this host holds the address, 0 if not, -errno if the kernel could not say. */
int local_addresses_hold(struct local_addresses *local, const uint8_t address[16]);

/* Forgets every answer, and empties the descriptor below. */
void local_addresses_forget(struct local_addresses *local);

/* Becomes readable when an answer may have changed; owned by the room. */
int local_addresses_watch_fd(const struct local_addresses *local);

#endif
