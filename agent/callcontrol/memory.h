/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - where requests have gone, for the little while in which their CANCEL, their ACK and
 * their retransmissions have to go there too, whatever has become the best choice meanwhile; and
 * how much they have been answered with.
 *
 * Bounded; the oldest make room. Forgetting costs nothing but that constancy.
 */
#ifndef AGENT_CALLCONTROL_MEMORY_H
#define AGENT_CALLCONTROL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* An INVITE may ring for three minutes (timer C), and its CANCEL comes after that at the latest. */
#define MEMORY_LIFETIME_NS (200 * UINT64_C(1000000000))

/* So many requests of one identity are remembered: there is one, unless somebody cannot count. */
#define MEMORY_NAMESAKES_MAX 4

struct memory;

/*
 * What tells requests apart. A careless sender uses one branch for two of them, so what they want
 * belongs to it; a response tells the identity only.
 */
struct memory_key {
	uint64_t identity; /* see passing_identity() */
	uint64_t wanted; /* a keyed hash of Request-URI and CSeq number; 0 if nobody knows */
};

/* In bytes. */
struct memory_account {
	uint64_t asked; /* the request and what was sent of it again */
	uint64_t largest; /* of those the largest one */
	uint64_t returned; /* answers passed back */
};

struct memory_entry {
	uint8_t address[16];
	uint16_t port;
	struct span uri; /* of the node that was chosen; absent if it went by its own Route */
};

/* Room for so many requests; NULL without memory. */
struct memory *memory_new(size_t limit);
void memory_free(struct memory *memory);

/* Remembers where a request of so many bytes went. -E2BIG, -ENOMEM. */
int memory_put(struct memory *memory, const struct memory_key *key,
	       const struct memory_entry *entry, size_t bytes, uint64_t now_ns);

/*
 * Where it went, of which one of so many bytes has come again; -ENOENT. The URI is the
 * memory's own, good until the next memory_put().
 */
int memory_find(struct memory *memory, const struct memory_key *key, size_t bytes, uint64_t now_ns,
		struct memory_entry *entry);

/*
 * The account of a request of this identity that went to that address; NULL if none did. Good
 * until the next memory_put().
 */
struct memory_account *memory_account(struct memory *memory, uint64_t identity,
				      const uint8_t address[16], uint64_t now_ns);

#endif
