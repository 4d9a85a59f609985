/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"

#define PAGE_PATHS 256
#define WORD_BITS 64

/* Paths never change their address, because a page never does. */
struct page {
	uint64_t used[PAGE_PATHS / WORD_BITS]; /* one bit for each path that is kept */
	struct path paths[PAGE_PATHS];
};

struct paths {
	struct hash_key key;
	struct table by_flow;
	struct table_node *dropped; /* places to use again, linked through path.by_flow */
	uint32_t limit;
	uint32_t opened; /* places from here on have never been used */
	struct page **pages; /* as many as "limit" may need; NULL until one is needed */
};

static struct page **page_of(const struct paths *paths, uint32_t index)
{
	return &paths->pages[index / PAGE_PATHS];
}

static uint64_t *used_word(struct page *page, uint32_t index)
{
	return &page->used[index % PAGE_PATHS / WORD_BITS];
}

static uint64_t used_bit(uint32_t index)
{
	return UINT64_C(1) << index % WORD_BITS;
}

struct paths *paths_new(size_t limit)
{
	cleanup_free struct paths *paths = calloc(1, sizeof(*paths));

	if (!paths || hash_key_make(&paths->key))
		return NULL;
	paths->limit = limit < INT32_MAX ? (uint32_t)limit : INT32_MAX;
	paths->pages = calloc(paths->limit / PAGE_PATHS + 1, sizeof(struct page *));
	return paths->pages ? take_ptr(paths) : NULL;
}

void paths_free(struct paths *paths)
{
	if (!paths)
		return;
	for (uint32_t index = 0; index < paths->opened; index += PAGE_PATHS)
		free(*page_of(paths, index));
	free(paths->pages);
	table_clear(&paths->by_flow);
	free(paths);
}

static uint64_t flow_hash(const struct paths *paths, const struct flow *flow)
{
	return hash_bytes(&paths->key, flow, sizeof(*flow));
}

struct path *paths_find(const struct paths *paths, const struct flow *flow)
{
	struct table_node *node = table_first(&paths->by_flow, flow_hash(paths, flow));

	for (; node; node = table_next(node)) {
		struct path *path = table_element(node, struct path, by_flow);

		if (memcmp(&path->flow, flow, sizeof(*flow)) == 0)
			return path;
	}
	return NULL;
}

/* A place that is not in use, with its index; NULL without memory. */
static struct path *take_place(struct paths *paths, uint32_t *index)
{
	struct path *path;
	struct page **page;

	if (paths->dropped) {
		path = table_element(paths->dropped, struct path, by_flow);
		paths->dropped = paths->dropped->next;
		*index = path->index;
		return path;
	}
	page = page_of(paths, paths->opened);
	if (!*page)
		*page = calloc(1, sizeof(**page));
	if (!*page)
		return NULL;
	*index = paths->opened++;
	return &(*page)->paths[*index % PAGE_PATHS];
}

/* The index stays in the place: it is part of it. */
static void give_place(struct paths *paths, struct path *path)
{
	path->by_flow.next = paths->dropped;
	paths->dropped = &path->by_flow;
}

struct path *paths_add(struct paths *paths, const struct flow *flow, uint64_t now_ns)
{
	struct path *path;
	uint32_t index;

	if (paths->by_flow.count >= paths->limit) {
		errno = ENOSPC;
		return NULL;
	}
	path = take_place(paths, &index);
	if (!path) {
		errno = ENOMEM;
		return NULL;
	}
	*path = (struct path){ .flow = *flow, .index = index, .opened_ns = now_ns };
	if (table_put(&paths->by_flow, &path->by_flow, flow_hash(paths, flow))) {
		give_place(paths, path);
		errno = ENOMEM;
		return NULL;
	}
	*used_word(*page_of(paths, index), index) |= used_bit(index);
	return path;
}

void paths_drop(struct paths *paths, struct path *path)
{
	*used_word(*page_of(paths, path->index), path->index) &= ~used_bit(path->index);
	table_take(&paths->by_flow, &path->by_flow);
	give_place(paths, path);
}

static void note_end(struct path *path, uint64_t ends_ns)
{
	if (ends_ns < path->first_end_ns)
		path->first_end_ns = ends_ns;
}

void paths_attach(struct path *path, struct binding *binding)
{
	if (!path->bindings)
		path->first_end_ns = CLOCK_NEVER;
	note_end(path, binding->ends_ns);
	binding->path = path;
	binding->next = path->bindings;
	binding->link = &path->bindings;
	if (binding->next)
		binding->next->link = &binding->next;
	path->bindings = binding;
	path->binding_counts[binding->kind]++;
	path->nat_count += binding->behind_nat;
	if (binding->kind == BINDING_CONNECTION)
		path->connection = binding;
}

void paths_detach(struct binding *binding)
{
	binding->path->binding_counts[binding->kind]--;
	binding->path->nat_count -= binding->behind_nat;
	if (binding->path->connection == binding)
		binding->path->connection = NULL;
	*binding->link = binding->next;
	if (binding->next)
		binding->next->link = binding->link;
	binding->path = NULL;
	binding->next = NULL;
	binding->link = NULL;
}

void paths_set_end(struct binding *binding, uint64_t ends_ns)
{
	binding->ends_ns = ends_ns;
	if (binding->path)
		note_end(binding->path, ends_ns);
}

void paths_set_kind(struct binding *binding, enum binding_kind kind)
{
	if (binding->path) {
		binding->path->binding_counts[binding->kind]--;
		binding->path->binding_counts[kind]++;
	}
	binding->kind = (uint8_t)kind;
}

void paths_set_nat(struct binding *binding, bool behind_nat)
{
	if (binding->path) {
		binding->path->nat_count -= binding->behind_nat;
		binding->path->nat_count += behind_nat;
	}
	binding->behind_nat = behind_nat;
}

struct path *paths_walk(const struct paths *paths, uint32_t *cursor)
{
	uint32_t index = *cursor;

	while (index < paths->opened) {
		struct page *page = *page_of(paths, index);
		uint64_t ahead = *used_word(page, index) & ~(used_bit(index) - 1);

		if (ahead) {
			index += (uint32_t)__builtin_ctzll(ahead) - index % WORD_BITS;
			*cursor = index + 1;
			return &page->paths[index % PAGE_PATHS];
		}
		index += WORD_BITS - index % WORD_BITS;
	}
	return NULL;
}

size_t paths_count(const struct paths *paths)
{
	return paths->by_flow.count;
}
