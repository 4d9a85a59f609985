/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps.h - how many prompts may leave in a second: for one remote address, for one remote
 * network, and from this host. So whoever makes the server accept devices that are not there
 * has not got a weapon, however many they are.
 *
 * Every datagram counts, repeats and those that somebody asked for included. In any time of
 * w seconds at most cap * (w + 0.1) + 1 leave: so within one second the cap, a tenth of it,
 * and one.
 *
 * The defaults. With a threshold of 24 s a phone needs a prompt in 24 s, and a dead one three
 * of them, once:
 *
 *   address     500   12,000 phones behind the one address of a carrier's NAT
 *   network   2,000   48,000 phones behind the addresses of a /24
 *   host    100,000   the largest default of --paths-max twice over
 *
 * Memory is fixed: what has left for an address is kept in two places that a keyed hash leads
 * to, and the lesser of the two holds. Others may share a place: that makes it count for more,
 * never for less. So nothing is ever evicted, nobody gets prompts that he has had already by
 * making us forget him, and what an outsider spends in places that he cannot foresee hurts
 * somebody else only if it hits both of his.
 *
 * Whoever is refused queues for a ticket: a time of its own, after those before it. Who has
 * no ticket is refused as long as somebody queues: so all get their turn, in the order in which
 * they asked. All times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef AGENT_KEEP_CAPS_H
#define AGENT_KEEP_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#define CAPS_PER_ADDRESS_DEFAULT 500
#define CAPS_PER_NETWORK_DEFAULT 2000
#define CAPS_PER_HOST_DEFAULT 100000
#define CAPS_HIGHEST 10000000

/* What is left over of a cap may be caught up with for so long. */
#define CAPS_SLACK_NS (UINT64_C(1000000000) / 10)

enum caps_level {
	CAPS_ADDRESS,
	CAPS_NETWORK, /* see address_network() */
	CAPS_HOST,
	CAPS_LEVEL_MAX
};

/* In a second; 0: no cap. */
struct caps_limits {
	uint32_t per_address;
	uint32_t per_network;
	uint32_t per_host;
};

struct caps;

/* Caps for so many paths at most; NULL without memory or randomness. */
struct caps *caps_new(const struct caps_limits *limits, uint32_t paths_max);
void caps_free(struct caps *caps);

/*
 * Takes one prompt to a remote address from every cap, if all of them have one left now;
 * otherwise from none, and *by tells the first that has not. "tickets" are the levels, as bits
 * (1 << level), whose queues the prompt has been through.
 */
bool caps_take(struct caps *caps, const uint8_t address[16], uint8_t tickets, uint64_t now_ns,
	       enum caps_level *by);

/* Queues at the level that has refused a prompt; returns when to try again, later than now_ns. */
uint64_t caps_queue(struct caps *caps, const uint8_t address[16], enum caps_level by,
		    uint64_t now_ns);

#endif
