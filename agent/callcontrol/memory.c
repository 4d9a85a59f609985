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

static struct kept *find(const struct memory *memory, uint64_t identity)
{
	struct table_node *node = table_first(&memory->by_identity, identity);

	return node ? table_element(node, struct kept, by_identity) : NULL;
}

static struct kept *make_kept(const struct memory_entry *entry, uint64_t ends_ns)
{
	struct kept *kept = malloc(sizeof(*kept) + entry->uri.length);

	if (!kept)
		return NULL;
	*kept = (struct kept){
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

int memory_put(struct memory *memory, uint64_t identity, const struct memory_entry *entry,
	       uint64_t now_ns)
{
	struct kept *kept, *before;

	if (entry->uri.length > NODE_URI_MAX)
		return -E2BIG;
	kept = make_kept(entry, now_ns + MEMORY_LIFETIME_NS);
	if (!kept)
		return -ENOMEM;
	before = find(memory, identity);
	if (before)
		forget(memory, before);
	make_room(memory, now_ns);
	if (table_put(&memory->by_identity, &kept->by_identity, identity)) {
		free(kept);
		return -ENOMEM;
	}
	link_newest(memory, kept);
	return 0;
}

int memory_find(const struct memory *memory, uint64_t identity, uint64_t now_ns,
		struct memory_entry *entry)
{
	const struct kept *kept = find(memory, identity);

	if (!kept || kept->ends_ns <= now_ns)
		return -ENOENT;
	memcpy(entry->address, kept->address, sizeof(entry->address));
	entry->port = kept->port;
	entry->uri = (struct span){ kept->uri, kept->uri_length };
	return 0;
}
