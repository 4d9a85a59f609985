/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd.h - who waits from one remote network, its /24 or, of IPv6, its /48: so that a network
 * whose part of a room is used up makes room at its own expense (trap 44).
 *
 * What waits is the caller's: it embeds a struct crowd_member and takes it out before it is
 * freed. A network of which nobody waits costs nothing.
 */
#ifndef AGENT_STATE_CROWD_H
#define AGENT_STATE_CROWD_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define CROWD_RANKS 3 /* the lower, the sooner it has to go */

struct crowd;
struct crowds;

struct crowd_member {
	struct crowd *crowd;
	struct crowd_member *older; /* of its rank */
	struct crowd_member *newer;
	unsigned int rank;
};

/* The key outlives the room; NULL without memory. */
struct crowds *crowds_new(const struct hash_key *key);
void crowds_free(struct crowds *crowds);

/* The crowd of this remote address; NULL if nobody of its network waits. */
struct crowd *crowds_find(const struct crowds *crowds, const uint8_t remote[16]);

/* Joins as the newest of a rank; -ENOMEM. */
int crowds_join(struct crowds *crowds, struct crowd_member *member, const uint8_t remote[16],
		unsigned int rank);

/* Joins anew, in another rank. */
void crowds_move(struct crowd_member *member, unsigned int rank);

void crowds_leave(struct crowds *crowds, struct crowd_member *member);

size_t crowd_size(const struct crowd *crowd);

/* The oldest of the lowest rank that has any. */
struct crowd_member *crowd_oldest(const struct crowd *crowd);

#endif
