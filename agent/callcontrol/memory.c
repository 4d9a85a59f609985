/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "cluster/node.h"

/* Where one request went. */
struct kept {
	struct table_node by_identity;
	struct kept *older, *newer;
	struct memory_account account;
	uint64_t wanted;
	uint64_t ends_ns;
	uint8_t address[16];
	uint16_t port;
	uint16_t uri_length;
	char uri[];
};

struct memory {
	struct table by_identity; /* an identity is a keyed hash, so it is its own */
	struct kept *oldest, *newest;
	size_t limit;
};

struct memory *memory_new(size_t limit)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (memory)
		memory->limit = limit;
	return memory;
}

static void unlink_kept(struct memory *memory, struct kept *kept)
{
	*(kept->older ? &kept->older->newer : &memory->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &memory->newest) = kept->older;
}

static void link_newest(struct memory *memory, struct kept *kept)
{
	kept->older = memory->newest;
	kept->newer = NULL;
	*(memory->newest ? &memory->newest->newer : &memory->oldest) = kept;
	memory->newest = kept;
}

static void forget(struct memory *memory, struct kept *kept)
{
	unlink_kept(memory, kept);
	table_take(&memory->by_identity, &kept->by_identity);
	free(kept);
}

void memory_free(struct memory *memory)
{
	if (!memory)
		return;
	while (memory->oldest)
		forget(memory, memory->oldest);
	table_clear(&memory->by_identity);
	free(memory);
}

/* The first of these namesakes that has not ended; NULL if none is left. */
static struct kept *skip_ended(struct table_node *node, uint64_t now_ns)
{
	while (node && table_element(node, struct kept, by_identity)->ends_ns <= now_ns)
		node = table_next(node);
	return node ? table_element(node, struct kept, by_identity) : NULL;
}

static struct kept *first(const struct memory *memory, uint64_t identity, uint64_t now_ns)
{
	return skip_ended(table_first(&memory->by_identity, identity), now_ns);
}

static struct kept *next(const struct kept *kept, uint64_t now_ns)
{
	return skip_ended(table_next(&kept->by_identity), now_ns);
}

static struct kept *find(const struct memory *memory, const struct memory_key *key, uint64_t now_ns)
{
	struct kept *kept = first(memory, key->identity, now_ns);

	while (kept && kept->wanted != key->wanted)
		kept = next(kept, now_ns);
	return kept;
}

static struct kept *make_kept(const struct memory_entry *entry, uint64_t wanted, size_t bytes,
			      uint64_t ends_ns)
{
	struct kept *kept = malloc(sizeof(*kept) + entry->uri.length);

	if (!kept)
		return NULL;
	*kept = (struct kept){
		.account = { .asked = bytes, .largest = bytes },
		.wanted = wanted,
		.ends_ns = ends_ns,
		.port = entry->port,
		.uri_length = (uint16_t)entry->uri.length,
	};
	memcpy(kept->address, entry->address, sizeof(kept->address));
	if (entry->uri.length > 0)
		memcpy(kept->uri, entry->uri.at, entry->uri.length);
	return kept;
}

/* What has ended makes room, and one more if it is full all the same. */
static void make_room(struct memory *memory, uint64_t now_ns)
{
	while (memory->oldest && memory->oldest->ends_ns <= now_ns)
		forget(memory, memory->oldest);
	if (memory->oldest && memory->by_identity.count >= memory->limit)
		forget(memory, memory->oldest);
}

/* What went elsewhere before under this key is forgotten, but not how much it was answered with. */
static void take_place(struct memory *memory, struct kept *kept, struct kept *before)
{
	struct memory_account *account = &kept->account;

	account->asked += before->account.asked;
	account->returned = before->account.returned;
	if (account->largest < before->account.largest)
		account->largest = before->account.largest;
	forget(memory, before);
}

static void limit_namesakes(struct memory *memory, uint64_t identity, uint64_t now_ns)
{
	struct kept *last = NULL;
	size_t count = 0;

	for (struct kept *kept = first(memory, identity, now_ns); kept; kept = next(kept, now_ns)) {
		last = kept;
		count++;
	}
	if (count >= MEMORY_NAMESAKES_MAX)
		forget(memory, last);
}

int memory_put(struct memory *memory, const struct memory_key *key,
	       const struct memory_entry *entry, size_t bytes, uint64_t now_ns)
{
	struct kept *kept, *before;

	if (entry->uri.length > NODE_URI_MAX)
		return -E2BIG;
	kept = make_kept(entry, key->wanted, bytes, now_ns + MEMORY_LIFETIME_NS);
	if (!kept)
		return -ENOMEM;
	before = find(memory, key, now_ns);
	if (before)
		take_place(memory, kept, before);
	limit_namesakes(memory, key->identity, now_ns);
	make_room(memory, now_ns);
	if (table_put(&memory->by_identity, &kept->by_identity, key->identity)) {
		free(kept);
		return -ENOMEM;
	}
	link_newest(memory, kept);
	return 0;
}

int memory_find(struct memory *memory, const struct memory_key *key, size_t bytes, uint64_t now_ns,
		struct memory_entry *entry)
{
	struct kept *kept = find(memory, key, now_ns);

	if (!kept)
		return -ENOENT;
	kept->account.asked += bytes;
	if (kept->account.largest < bytes)
		kept->account.largest = bytes;
	memcpy(entry->address, kept->address, sizeof(entry->address));
	entry->port = kept->port;
	entry->uri = (struct span){ kept->uri_length > 0 ? kept->uri : NULL, kept->uri_length };
	return 0;
}

struct memory_account *memory_account(struct memory *memory, uint64_t identity,
				      const uint8_t address[16], uint64_t now_ns)
{
	struct kept *kept = first(memory, identity, now_ns);

	while (kept && memcmp(kept->address, address, sizeof(kept->address)) != 0)
		kept = next(kept, now_ns);
	return kept ? &kept->account : NULL;
}
