/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - puts datagrams on the network from a path's own local address and port.
 *
 * Uses raw sockets, because the SIP server owns the port, and a mark, so that our
 * egress program knows a prompt. Datagrams are gathered and sent with sendmmsg();
 * sending never waits (trap 10).
 */
#ifndef AGENT_KEEP_WIRE_H
#define AGENT_KEEP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "base/span.h"
#include "flow.h"

#define WIRE_DATAGRAM_MAX 1400 /* longest payload */

struct wire;

/*
 * Opens the raw sockets (needs CAP_NET_RAW, and CAP_NET_ADMIN for the mark).
 * -errno after one log line that says what is missing; a host without IPv6 is fine.
 * The counters outlive the wire.
 */
int wire_open(uint32_t mark, struct counts *counts, struct wire **out);

/* Closes the sockets; what is still queued is not sent. */
void wire_close(struct wire *wire);

/*
 * True if this host holds the flow's local address, so that a datagram may leave from it;
 * false also if the kernel could not say. Cheap: answers are remembered until
 * wire_addresses_changed(), and wire_queue() goes by the same ones.
 */
bool wire_holds(struct wire *wire, const struct flow *flow);

/*
 * Queues one UDP datagram from the flow's local side to its remote side; sends the
 * queue when it is full. -EADDRNOTAVAIL if this host does not hold the local
 * address now (trap 6; counted in prompts_held), otherwise counted in
 * prompts_failed: -EMSGSIZE, -EAFNOSUPPORT (no IPv6 here, or not UDP), or -errno if
 * the kernel could not say whether the address is held.
 */
int wire_queue(struct wire *wire, const struct flow *flow, struct span payload);

/*
 * Told of each datagram that was queued and then refused by the network; "congested": because
 * this host had no room for it just then, so that the next ones have better chances later.
 */
typedef void wire_refusal_handler(void *context, const struct flow *flow, bool congested);

/* Sets who is told, from within wire_queue() and wire_flush(); nobody until then. */
void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context);

/*
 * Sends what is queued. What the network refuses is counted (prompts_failed, and by its cause),
 * told to the handler, and not tried again here. It is said by whoever watches the counters.
 */
void wire_flush(struct wire *wire);

/*
 * Forgets which local addresses this host holds, because they may have changed, and
 * empties wire_watch_fd().
 */
void wire_addresses_changed(struct wire *wire);

/* A netlink descriptor that becomes readable when local addresses change; the wire owns it. */
int wire_watch_fd(const struct wire *wire);

#endif
