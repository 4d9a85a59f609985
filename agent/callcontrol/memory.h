/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - where requests have gone, for the little while in which their CANCEL, their ACK and
 * their retransmissions have to go there too, whatever has become the best choice meanwhile.
 *
 * Bounded; the oldest make room. Forgetting costs nothing but that constancy.
 */
#ifndef AGENT_CALLCONTROL_MEMORY_H
#define AGENT_CALLCONTROL_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* An INVITE may ring for three minutes (timer C), and its CANCEL comes after that at the latest. */
#define MEMORY_LIFETIME_NS (200 * UINT64_C(1000000000))

struct memory;

struct memory_entry {
	uint8_t address[16];
	uint16_t port;
	struct span
		uri; /* of the node; as found it is the memory's own, good until the next memory_put() */
};

/* Room for so many requests; NULL without memory. */
struct memory *memory_new(size_t limit);
void memory_free(struct memory *memory);

/* Remembers where the request of this identity went (see passing_identity()). -E2BIG, -ENOMEM. */
int memory_put(struct memory *memory, uint64_t identity, const struct memory_entry *entry,
	       uint64_t now_ns);

/* Where it went; -ENOENT. */
int memory_find(const struct memory *memory, uint64_t identity, uint64_t now_ns,
		struct memory_entry *entry);

#endif
