/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/table.h"

/* By when they joined. */
struct rank {
	struct crowd_member *oldest;
	struct crowd_member *newest;
};

struct crowd {
	struct table_node by_network;
	uint8_t network[16]; /* zero behind its prefix */
	size_t size;
	struct rank ranks[CROWD_RANKS];
};

struct crowds {
	const struct hash_key *key;
	struct table by_network;
};

struct crowds *crowds_new(const struct hash_key *key)
{
	struct crowds *crowds = calloc(1, sizeof(*crowds));

	if (crowds)
		crowds->key = key;
	return crowds;
}

void crowds_free(struct crowds *crowds)
{
	if (!crowds)
		return;
	table_clear(&crowds->by_network);
	free(crowds);
}

static uint64_t network_of(const struct crowds *crowds, const uint8_t remote[16],
			   uint8_t network[16])
{
	address_network(remote, network);
	return hash_bytes(crowds->key, network, 16);
}

static struct crowd *find(const struct crowds *crowds, const uint8_t network[16], uint64_t hash)
{
	struct table_node *node = table_first(&crowds->by_network, hash);

	for (; node; node = table_next(node)) {
		struct crowd *crowd = table_element(node, struct crowd, by_network);

		if (memcmp(crowd->network, network, sizeof(crowd->network)) == 0)
			return crowd;
	}
	return NULL;
}

struct crowd *crowds_find(const struct crowds *crowds, const uint8_t remote[16])
{
	uint8_t network[16];
	uint64_t hash = network_of(crowds, remote, network);

	return find(crowds, network, hash);
}

static struct crowd *find_or_make(struct crowds *crowds, const uint8_t remote[16])
{
	uint8_t network[16];
	uint64_t hash = network_of(crowds, remote, network);
	struct crowd *found = find(crowds, network, hash);
	cleanup_free struct crowd *made = NULL;

	if (found)
		return found;
	made = calloc(1, sizeof(*made));
	if (!made || table_put(&crowds->by_network, &made->by_network, hash))
		return NULL;
	memcpy(made->network, network, sizeof(made->network));
	return take_ptr(made);
}

static void join_rank(struct crowd_member *member, unsigned int rank)
{
	struct rank *queue = &member->crowd->ranks[rank];

	member->rank = rank;
	member->newer = NULL;
	member->older = queue->newest;
	*(member->older ? &member->older->newer : &queue->oldest) = member;
	queue->newest = member;
}

static void leave_rank(struct crowd_member *member)
{
	struct rank *queue = &member->crowd->ranks[member->rank];

	*(member->older ? &member->older->newer : &queue->oldest) = member->newer;
	*(member->newer ? &member->newer->older : &queue->newest) = member->older;
}

int crowds_join(struct crowds *crowds, struct crowd_member *member, const uint8_t remote[16],
		unsigned int rank)
{
	struct crowd *crowd = find_or_make(crowds, remote);

	if (!crowd)
		return -ENOMEM;
	member->crowd = crowd;
	crowd->size++;
	join_rank(member, rank);
	return 0;
}

void crowds_move(struct crowd_member *member, unsigned int rank)
{
	leave_rank(member);
	join_rank(member, rank);
}

void crowds_leave(struct crowds *crowds, struct crowd_member *member)
{
	struct crowd *crowd = member->crowd;

	leave_rank(member);
	member->crowd = NULL;
	if (--crowd->size > 0)
		return;
	table_take(&crowds->by_network, &crowd->by_network);
	free(crowd);
}

size_t crowd_size(const struct crowd *crowd)
{
	return crowd->size;
}

struct crowd_member *crowd_oldest(const struct crowd *crowd)
{
	for (unsigned int rank = 0; rank < CROWD_RANKS; rank++)
		if (crowd->ranks[rank].oldest)
			return crowd->ranks[rank].oldest;
	return NULL;
}
