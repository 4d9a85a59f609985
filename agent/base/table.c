/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS_FIRST 64

static struct table_node **bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static int resize(struct table *table, size_t bucket_count)
{
	struct table grown = { .bucket_count = bucket_count };

	grown.buckets = calloc(bucket_count, sizeof(struct table_node *));
	if (!grown.buckets)
		return -ENOMEM;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct table_node *node = table->buckets[i];

		while (node) {
			struct table_node *next = node->next;
			struct table_node **bucket = bucket_of(&grown, node->hash);

			node->next = *bucket;
			*bucket = node;
			node = next;
		}
	}
	free(table->buckets);
	table->buckets = grown.buckets;
	table->bucket_count = bucket_count;
	return 0;
}

int table_put(struct table *table, struct table_node *node, uint64_t hash)
{
	struct table_node **bucket;

	if (table->bucket_count == 0 && resize(table, BUCKETS_FIRST))
		return -ENOMEM;
	if (table->count >= table->bucket_count)
		resize(table, table->bucket_count * 2); /* fails: longer chains, nothing worse */

	bucket = bucket_of(table, hash);
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	table->count++;
	return 0;
}

void table_take(struct table *table, struct table_node *node)
{
	struct table_node **link = bucket_of(table, node->hash);

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->next = NULL;
	table->count--;
}

static struct table_node *same_hash(struct table_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *table_first(const struct table *table, uint64_t hash)
{
	return table->bucket_count == 0 ? NULL : same_hash(*bucket_of(table, hash), hash);
}

struct table_node *table_next(const struct table_node *node)
{
	return same_hash(node->next, node->hash);
}

void table_clear(struct table *table)
{
	free(table->buckets);
	*table = (struct table){ 0 };
}
