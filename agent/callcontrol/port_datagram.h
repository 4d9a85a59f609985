/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port_datagram.h - datagrams, many at a time in and one out, each with both of its addresses:
 * a socket that listens at every address of the host has to answer from the one it was asked at.
 *
 * Included by ports.c.
 */
#ifndef AGENT_CALLCONTROL_PORT_DATAGRAM_H
#define AGENT_CALLCONTROL_PORT_DATAGRAM_H

#include "base/span.h"
#include "flow.h"

/* So many are received in one go, before other work gets its turn. */
#define PORT_DATAGRAMS_MAX 64

struct port_datagrams;

/* Room for what is received; NULL without memory. */
struct port_datagrams *port_datagrams_new(void);
void port_datagrams_free(struct port_datagrams *datagrams);

/* Receives what there is, and returns how many; 0 if there is nothing. */
size_t port_datagrams_receive(struct port_datagrams *datagrams, int fd);

/* One of them. The flow's local port is the caller's to set. */
struct span port_datagrams_get(const struct port_datagrams *datagrams, size_t index,
			       struct flow *flow);

/* Sends one from the flow's local to its remote side; -errno. */
int port_datagram_send(int fd, const struct flow *flow, struct span bytes);

#endif
