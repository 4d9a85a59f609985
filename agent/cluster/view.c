/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cluster/view_parts.h"

struct view *view_new(size_t limit)
{
	cleanup_free struct view *view = calloc(1, sizeof(*view));

	if (!view || hash_key_make(&view->key))
		return NULL;
	view->limit = limit;
	view->round = 1; /* a placeholder was put in none */
	return take_ptr(view);
}

/* In the place of one that leads the next one does. */
static void free_locations(struct view *view)
{
	for (size_t i = 0; i < view->leaders.bucket_count; i++)
		while (view->leaders.buckets[i])
			(void)view_location_free(view, view_location_in(view->leaders.buckets[i]));
	table_clear(&view->leaders);
	table_clear(&view->followers);
}

static void free_nodes(struct view *view)
{
	for (size_t i = 0; i < view->by_name.bucket_count; i++)
		while (view->by_name.buckets[i]) {
			struct view_node *node = view_node_in(view->by_name.buckets[i]);

			table_take(&view->by_name, &node->by_name);
			free(node);
		}
	table_clear(&view->by_name);
}

void view_free(struct view *view)
{
	if (!view)
		return;
	free_locations(view);
	free_nodes(view);
	free(view);
}

static uint64_t name_hash(const struct view *view, struct span name)
{
	return hash_bytes(&view->key, name.at, name.length);
}

static struct view_node *find(const struct view *view, struct span name)
{
	struct table_node *in = table_first(&view->by_name, name_hash(view, name));

	while (in && !span_equal(view_node_in(in)->node.name, name))
		in = table_next(in);
	return in ? view_node_in(in) : NULL;
}

static struct view_node *make(struct view *view, struct span name)
{
	cleanup_free struct view_node *node = calloc(1, sizeof(*node));

	if (!node || table_put(&view->by_name, &node->by_name, name_hash(view, name)))
		return NULL;
	memcpy(node->name, name.at, name.length);
	node->node.name = (struct span){ node->name, name.length };
	return take_ptr(node);
}

struct view_node *view_node_of(struct view *view, struct span name)
{
	struct view_node *node = find(view, name);

	return node ? node : make(view, name);
}

void view_node_release(struct view *view, struct view_node *node)
{
	if (node->is_known || node->locations > 0)
		return;
	table_take(&view->by_name, &node->by_name);
	free(node);
}

static void write_node(struct view_node *node, const struct node *says)
{
	node->node = *says;
	node->node.name = (struct span){ node->name, says->name.length };
	memcpy(node->uri, says->uri.at, says->uri.length);
	node->node.uri = (struct span){ node->uri, says->uri.length };
}

static bool has_beaten(const struct view_node *node, const struct node *says)
{
	return !node->is_known || node->node.beat_ms != says->beat_ms ||
	       node->node.incarnation != says->incarnation;
}

static void note_beat(struct view *view, struct view_node *node, uint64_t heard_ns)
{
	if (heard_ns > node->heard_ns)
		node->heard_ns = heard_ns;
	if (heard_ns > view->heard_ns)
		view->heard_ns = heard_ns;
}

/* One that had been dead when the other was heard; NULL if there is none. */
static struct view_node *find_dead(const struct view *view, uint64_t heard_ns)
{
	for (size_t i = 0; i < view->by_name.bucket_count; i++)
		for (struct table_node *in = view->by_name.buckets[i]; in; in = in->next)
			if (view_node_in(in)->is_known &&
			    view_node_in(in)->heard_ns + NODE_DEAD_NS <= heard_ns)
				return view_node_in(in);
	return NULL;
}

/* Nodes are never heard earlier than they were, so what was looked for in vain is not again. */
static bool has_room(struct view *view, uint64_t heard_ns)
{
	struct view_node *dead;

	if (view->known < VIEW_NODES_MAX)
		return true;
	dead = heard_ns > view->full_ns ? find_dead(view, heard_ns) : NULL;
	if (dead)
		view_node_leave(view, dead);
	else if (heard_ns > view->full_ns)
		view->full_ns = heard_ns;
	return dead != NULL;
}

static void get_to_know(struct view *view, struct view_node *node)
{
	node->is_known = true;
	view->known++;
}

int view_put_node(struct view *view, const struct node *says, uint64_t heard_ns)
{
	struct view_node *node;

	if (says->name.length == 0 || says->name.length > NODE_NAME_MAX ||
	    says->uri.length > NODE_URI_MAX)
		return -E2BIG;
	node = find(view, says->name);
	if ((!node || !node->is_known) && !has_room(view, heard_ns))
		return -ENOSPC;
	if (!node)
		node = make(view, says->name);
	if (!node)
		return -ENOMEM;
	if (has_beaten(node, says))
		note_beat(view, node, heard_ns);
	if (!node->is_known)
		get_to_know(view, node);
	else if (says->whole == says->begun && says->whole != node->node.whole)
		view_node_settle(view, node);
	node->round = view->round;
	write_node(node, says);
	return 0;
}

void view_node_leave(struct view *view, struct view_node *node)
{
	view_node_settle(view, node);
	node->is_known = false;
	view->known--;
	view_node_release(view, node);
}

void view_end_nodes(struct view *view)
{
	view->round++;
}

const struct node *view_find_node(const struct view *view, struct span name)
{
	const struct view_node *node = find(view, name);

	return node && node->is_known ? &node->node : NULL;
}

bool view_node_is_alive(const struct view *view, struct span name, uint64_t now_ns)
{
	const struct view_node *node = find(view, name);

	return node && node->is_known && view_node_lives(view, node, now_ns);
}

uint64_t view_node_silence_ns(const struct view *view, struct span name, uint64_t now_ns)
{
	const struct view_node *node = find(view, name);

	return node && node->is_known ? view_silence_ns(view, node, now_ns) : UINT64_MAX;
}

size_t view_nodes(const struct view *view, struct node *nodes, size_t limit)
{
	size_t count = 0;

	for (size_t i = 0; i < view->by_name.bucket_count; i++)
		for (struct table_node *in = view->by_name.buckets[i]; in; in = in->next)
			if (view_node_in(in)->is_known && count < limit)
				nodes[count++] = view_node_in(in)->node;
	return count;
}
