/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/waiting.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"

struct waiting {
	struct hash_key key;
	size_t limit;
	struct table by_identity; /* an identity is a keyed hash, so it is its own */
	struct table by_path;
	struct waiting_request *first, *last;
};

struct waiting *waiting_new(size_t limit)
{
	cleanup_free struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting || hash_key_make(&waiting->key))
		return NULL;
	waiting->limit = limit;
	return take_ptr(waiting);
}

void waiting_free(struct waiting *waiting)
{
	if (!waiting)
		return;
	while (waiting->first) {
		struct waiting_request *request = waiting->first;
		struct waiting_path *path = request->path;

		waiting_take(waiting, request);
		if (!path->first)
			waiting_end_path(path);
		free(request);
	}
	table_clear(&waiting->by_identity);
	table_clear(&waiting->by_path);
	free(waiting);
}

static uint64_t hash_flow(const struct waiting *waiting, const struct flow *flow)
{
	return hash_bytes(&waiting->key, flow, sizeof(*flow));
}

struct waiting_path *waiting_find_path(const struct waiting *waiting, struct span node,
				       const struct flow *flow)
{
	struct table_node *found = table_first(&waiting->by_path, hash_flow(waiting, flow));

	for (; found; found = table_next(found)) {
		struct waiting_path *path = table_element(found, struct waiting_path, by_path);

		if (span_equal(waiting_node(path), node) &&
		    memcmp(&path->flow, flow, sizeof(*flow)) == 0)
			return path;
	}
	return NULL;
}

struct waiting_path *waiting_put_path(struct waiting *waiting, struct span node,
				      const struct flow *flow, void *owner)
{
	cleanup_free struct waiting_path *path = calloc(1, sizeof(*path));

	if (!path || node.length > sizeof(path->node))
		return NULL;
	path->waiting = waiting;
	path->flow = *flow;
	path->node_length = node.length;
	memcpy(path->node, node.at, node.length);
	path->owner = owner;
	if (table_put(&waiting->by_path, &path->by_path, hash_flow(waiting, flow)))
		return NULL;
	return take_ptr(path);
}

void waiting_end_path(struct waiting_path *path)
{
	table_take(&path->waiting->by_path, &path->by_path);
	free(path);
}

static struct waiting_request *copy(const struct waiting_request *request)
{
	struct waiting_request *made = malloc(sizeof(*made) + request->bytes.length);

	if (!made)
		return NULL;
	*made = *request;
	made->bytes.at = made->text;
	memcpy(made->text, request->bytes.at, request->bytes.length);
	return made;
}

static void link_last(struct waiting *waiting, struct waiting_request *request)
{
	request->earlier = waiting->last;
	request->later = NULL;
	*(waiting->last ? &waiting->last->later : &waiting->first) = request;
	waiting->last = request;
}

struct waiting_request *waiting_put(struct waiting *waiting, struct waiting_path *path,
				    const struct waiting_request *request)
{
	cleanup_free struct waiting_request *made = NULL;

	if (waiting->by_identity.count >= waiting->limit)
		return NULL;
	made = copy(request);
	if (!made || table_put(&waiting->by_identity, &made->by_identity, made->identity))
		return NULL;
	link_last(waiting, made);
	made->path = path;
	made->next_of_path = path->first;
	path->first = made;
	return take_ptr(made);
}

void waiting_take(struct waiting *waiting, struct waiting_request *request)
{
	struct waiting_request **at = &request->path->first;

	while (*at != request)
		at = &(*at)->next_of_path;
	*at = request->next_of_path;
	*(request->earlier ? &request->earlier->later : &waiting->first) = request->later;
	*(request->later ? &request->later->earlier : &waiting->last) = request->earlier;
	table_take(&waiting->by_identity, &request->by_identity);
}

struct waiting_request *waiting_find(const struct waiting *waiting, uint64_t identity)
{
	struct table_node *node = table_first(&waiting->by_identity, identity);

	return node ? table_element(node, struct waiting_request, by_identity) : NULL;
}

struct waiting_request *waiting_first(const struct waiting *waiting)
{
	return waiting->first;
}
