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

		waiting_take(waiting, request);
		free(request);
	}
	table_clear(&waiting->by_identity);
	table_clear(&waiting->by_path);
	free(waiting);
}

static struct waiting_request *copy(const struct waiting_request *request)
{
	struct waiting_request *made =
		malloc(sizeof(*made) + request->node.length + request->bytes.length);

	if (!made)
		return NULL;
	*made = *request;
	made->node.at = made->texts;
	made->bytes.at = made->texts + request->node.length;
	memcpy(made->texts, request->node.at, request->node.length);
	memcpy(made->texts + request->node.length, request->bytes.at, request->bytes.length);
	return made;
}

static uint64_t hash_flow(const struct waiting *waiting, const struct flow *flow)
{
	return hash_bytes(&waiting->key, flow, sizeof(*flow));
}

static int index_request(struct waiting *waiting, struct waiting_request *request)
{
	int error = table_put(&waiting->by_identity, &request->by_identity, request->identity);

	if (error)
		return error;
	error = table_put(&waiting->by_path, &request->by_path, hash_flow(waiting, &request->flow));
	if (error)
		table_take(&waiting->by_identity, &request->by_identity);
	return error;
}

struct waiting_request *waiting_put(struct waiting *waiting, const struct waiting_request *request)
{
	cleanup_free struct waiting_request *made = NULL;

	if (waiting->by_identity.count >= waiting->limit)
		return NULL;
	made = copy(request);
	if (!made || index_request(waiting, made))
		return NULL;
	made->earlier = waiting->last;
	made->later = NULL;
	*(waiting->last ? &waiting->last->later : &waiting->first) = made;
	waiting->last = made;
	return take_ptr(made);
}

void waiting_take(struct waiting *waiting, struct waiting_request *request)
{
	*(request->earlier ? &request->earlier->later : &waiting->first) = request->later;
	*(request->later ? &request->later->earlier : &waiting->last) = request->earlier;
	table_take(&waiting->by_identity, &request->by_identity);
	table_take(&waiting->by_path, &request->by_path);
}

struct waiting_request *waiting_find(const struct waiting *waiting, uint64_t identity)
{
	struct table_node *node = table_first(&waiting->by_identity, identity);

	return node ? table_element(node, struct waiting_request, by_identity) : NULL;
}

struct waiting_request *waiting_find_path(const struct waiting *waiting, struct span node,
					  const struct flow *flow)
{
	struct table_node *found = table_first(&waiting->by_path, hash_flow(waiting, flow));

	for (; found; found = table_next(found)) {
		struct waiting_request *request =
			table_element(found, struct waiting_request, by_path);

		if (span_equal(request->node, node) &&
		    memcmp(&request->flow, flow, sizeof(*flow)) == 0)
			return request;
	}
	return NULL;
}

struct waiting_request *waiting_first(const struct waiting *waiting)
{
	return waiting->first;
}
