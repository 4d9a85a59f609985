/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passing.h - what a stateless proxy makes of a message that it passes on (RFC 3261 sections
 * 16.6, 16.7 and 16.11).
 *
 * The branch of our Via is a keyed hash of what 16.11 names, so the same for a request, its
 * retransmissions, and the CANCEL and ACK that belong to it. In front of it stands our mark; the
 * topmost Via of the request gets "received" and "rport" (RFC 3581), so that the answer finds
 * its way back without anything being remembered. A request that came in over a stream names the
 * stream in our Via (a parameter), because only that leads back. Another parameter, "proof", is a
 * keyed hash of that way back: nobody can have us send a response to where no request came from.
 *
 * Routing is loose: a Route without ";lr" is taken for one that has it.
 */
#ifndef AGENT_CALLCONTROL_PASSING_H
#define AGENT_CALLCONTROL_PASSING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"
#include "callcontrol/message.h"
#include "flow.h"

/* Where a message came from, or goes. */
struct passing_hop {
	struct flow flow;
	uint64_t stream; /* number of the TCP connection that it came in on; 0 for a datagram */
};

/*
 * Where the answer to a request goes that came from "from": the stream, or the source address
 * with the source port if rport was asked for, else with sent-by's (RFC 3261 section 18.2.2).
 */
struct passing_hop passing_back(const struct message *request, const struct passing_hop *from);

/* So often in a message it is asked whether that is us, which may take a system call. */
#define PASSING_SELF_MAX 8

/* What call control goes by in a Route or Via. */
struct passing_self {
	struct span domain; /* a host name that leads here, at any port; empty for none */
	bool (*listens)(const void *context, const uint8_t address[16], uint16_t port);
	const void *context;
};

/*
 * The topmost value of Route that does not lead to ourselves; absent if there is none. Nobody honest
 * has more than PASSING_SELF_MAX in front of it that do: the next one is it then.
 */
struct span passing_next_route(const struct message *request, const struct passing_self *self);

/*
 * True if a request goes round in circles: PASSING_ROUNDS_MAX of its Vias are ours, or more than
 * PASSING_SELF_MAX are of some call control. One that has come by before is no circle yet: a
 * proxy may have diverted it to somebody else, whom we are asked for now (a spiral, RFC 3261
 * section 6).
 */
#define PASSING_ROUNDS_MAX 3
bool passing_is_loop(const struct message *request, const struct passing_self *self);

/* How a request is passed on. */
struct passing_way {
	uint8_t local_address[16]; /* where it leaves */
	uint16_t local_port;
	struct span route; /* a URI, put on top of its Routes with ";lr"; absent for none */
	struct span next_route; /* the first of its own Routes that stays; absent if none does */
};

/*
 * Writes a request as it is passed on: our Via on top, received and rport in the one below it,
 * Max-Forwards one less, and its Routes as the way says. -ELOOP if Max-Forwards is 0 (answer
 * 483), -E2BIG; nothing is written then.
 */
int passing_write_request(const struct message *request, const struct passing_hop *from,
			  const struct passing_way *way, const struct hash_key *key,
			  struct text *out);

/* The number that is the same for a request and all that belongs to it: what the branch is made of. */
uint64_t passing_identity(const struct message *request, const struct hash_key *key);

/*
 * Writes a response without its topmost Via, and says where it goes: *to has the remote address
 * and port of the next Via (received before sent-by, rport before port, 5060 without either),
 * and the stream if our Via names one. -EBADMSG if the topmost Via is not ours or there is
 * no other, or its address is a name (nothing is looked up). -E2BIG. Nothing is written then.
 */
int passing_write_response(const struct message *response, const uint8_t local_address[16],
			   uint16_t local_port, const struct hash_key *key, struct passing_hop *to,
			   struct text *out);

/*
 * The numeric address that a SIP URI, or a Route value, leads to: 5060 without a port.
 * -EINVAL if its host is a name: nothing is looked up, because that would be waiting. -ENOMEM.
 */
int passing_target(struct span uri, uint8_t address[16], uint16_t *port);

#endif
