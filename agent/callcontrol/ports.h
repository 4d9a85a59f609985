/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h - the sockets of call control: datagrams and streams in, messages out.
 *
 * A stream is told apart into messages by Content-Length. Streams are bounded in number and in
 * what they may hold. One that takes nothing of what waits for it, or brings no end of a message
 * that it has begun, for PORTS_STUCK_NS is closed. When another one wants its place one is closed
 * that has never brought a whole message, if there is any; of those, or else of all, one of the
 * source with the most streams (of IPv6: of the /64), and of these the one that has been idle
 * longest. Line ends in front of messages go no further; keepalives on
 * streams (RFC 5626) are answered.
 *
 * A stream that its client has half closed is closed once every request that came over it has its
 * final answer, or after PORTS_STUCK_NS.
 */
#ifndef AGENT_CALLCONTROL_PORTS_H
#define AGENT_CALLCONTROL_PORTS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "callcontrol/passing.h"

#define PORTS_MAX 16
#define PORTS_STREAMS_MAX 1024
#define PORTS_STUCK_NS (30 * UINT64_C(1000000000))

/* "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060". */
struct ports_listen {
	uint8_t address[16]; /* all zero, or IPv4's, for every address of this host */
	uint16_t port;
	uint8_t transport; /* enum flow_transport */
};

struct ports;

struct ports_options {
	struct ev_loop *loop; /* outlives the ports */
	const struct ports_listen *listen; /* copied */
	size_t listen_count; /* at most PORTS_MAX */
	uint64_t stuck_ns; /* PORTS_STUCK_NS, less in tests */
};

/*
 * One whole message, good within the call; the hop's flow has the local address that it came in
 * on. now_ns is CLOCK_MONOTONIC, read once per wake-up.
 */
typedef void ports_take(void *context, struct span bytes, const struct passing_hop *from,
			uint64_t now_ns);

/* Listens; -errno after one log line that names the address. What comes in waits in the kernel. */
int ports_open(const struct ports_options *options, struct ports **out);
void ports_close(struct ports *ports);

/* What has come in and comes in is handed to "take" from now on. */
void ports_serve(struct ports *ports, ports_take *take, void *context);

/*
 * Sends bytes to a hop: over the stream that it names, else as a datagram from the UDP port whose
 * local address and port the hop's flow has. -ENOENT if there is no such stream or port any more,
 * -EAGAIN if it takes nothing now (it is dropped, as UDP may), -EMSGSIZE if it is too large for
 * a datagram, or as sendto().
 */
int ports_send(struct ports *ports, const struct passing_hop *to, struct span bytes);

/*
 * True if what is sent to that address and port comes in here, over whatever transport. Where every
 * address is listened at that holds for those that this host has.
 */
bool ports_listens(const struct ports *ports, const uint8_t address[16], uint16_t port);

/*
 * The local UDP address and port to send to a remote address from: those that the message came
 * in on that is passed on if that is possible, else those of the first port that can.
 * -ENOENT without one.
 */
int ports_local(const struct ports *ports, const struct passing_hop *from, const uint8_t remote[16],
		uint8_t address[16], uint16_t *port);

#endif
