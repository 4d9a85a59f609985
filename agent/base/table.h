/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - an intrusive hash table that grows by itself.
 *
 * The table owns no element: an element embeds a struct table_node, and whoever
 * owns the element takes it out before freeing it. Keys are the caller's affair:
 * a table knows hashes only, so a lookup walks the nodes of one hash and the
 * caller compares. Hashes must come from hash_bytes(), because keys come from
 * outside.
 */
#ifndef AGENT_BASE_TABLE_H
#define AGENT_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets;
	size_t bucket_count; /* a power of two, or 0 before the first element */
	size_t count;
};

/* The element that embeds "node" as "member". */
#define table_element(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Puts a node in under a hash; several nodes may share one. -ENOMEM changes nothing. */
int table_put(struct table *table, struct table_node *node, uint64_t hash);

/* Takes out a node that is in the table. */
void table_take(struct table *table, struct table_node *node);

/* The first node with this hash, or NULL; table_next() gives the others. */
struct table_node *table_first(const struct table *table, uint64_t hash);
struct table_node *table_next(const struct table_node *node);

/* Frees the table itself, not its elements. */
void table_clear(struct table *table);

#endif
