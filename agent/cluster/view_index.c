/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "cluster/view_parts.h"

static uint64_t hash_of(const struct view *view, struct span text)
{
	return hash_bytes(&view->key, text.at, text.length);
}

/* Of all that tells a location from others. */
static uint64_t follower_hash(const struct view *view, uint64_t aor_hash, struct span node,
			      uint8_t kind, struct span device)
{
	const uint64_t parts[] = { aor_hash, hash_of(view, node), kind, hash_of(view, device) };

	return hash_bytes(&view->key, parts, sizeof(parts));
}

static struct view_location *leader(const struct view *view, struct span aor, uint64_t aor_hash)
{
	struct table_node *in = table_first(&view->leaders, aor_hash);

	while (in && !span_equal(view_aor_of(view_location_in(in)), aor))
		in = table_next(in);
	return in ? view_location_in(in) : NULL;
}

struct view_location *view_index_first(const struct view *view, struct span aor)
{
	return leader(view, aor, hash_of(view, aor));
}

static bool is_about(const struct view_location *location, const struct location *one)
{
	return location->kind == one->kind && span_equal(location->node->node.name, one->node) &&
	       span_equal(view_device_of(location), one->device) &&
	       span_equal(view_aor_of(location), one->aor);
}

struct view_location *view_index_find(const struct view *view, const struct location *one)
{
	uint64_t aor_hash = hash_of(view, one->aor);
	struct view_location *first = leader(view, one->aor, aor_hash);
	struct table_node *in;

	if (!first || is_about(first, one))
		return first;
	in = table_first(&view->followers,
			 follower_hash(view, aor_hash, one->node, one->kind, one->device));
	while (in && !is_about(view_location_in(in), one))
		in = table_next(in);
	return in ? view_location_in(in) : NULL;
}

static int put_follower(struct view *view, struct view_location *location, uint64_t aor_hash)
{
	location->leads = false;
	return table_put(&view->followers, &location->in,
			 follower_hash(view, aor_hash, location->node->node.name, location->kind,
				       view_device_of(location)));
}

static int put_leader(struct view *view, struct view_location *location, uint64_t aor_hash)
{
	location->leads = true;
	return table_put(&view->leaders, &location->in, aor_hash);
}

/* Only the first element of a table needs memory that it cannot do without. */
static int lead_instead(struct view *view, struct view_location *location,
			struct view_location *first)
{
	uint64_t aor_hash = first->in.hash;

	table_take(&view->leaders, &first->in);
	if (put_follower(view, first, aor_hash)) {
		(void)put_leader(view, first, aor_hash);
		return -ENOMEM;
	}
	return put_leader(view, location, aor_hash);
}

static void link_before(struct view_location *location, struct view_location *next)
{
	location->next = next;
	location->previous = next->previous;
	location->previous->next = location;
	next->previous = location;
}

int view_index_put(struct view *view, struct view_location *location)
{
	uint64_t aor_hash = hash_of(view, view_aor_of(location));
	struct view_location *first = leader(view, view_aor_of(location), aor_hash);
	int error;

	if (!first) {
		location->next = location->previous = location;
		return put_leader(view, location, aor_hash);
	}
	error = location->kind == BINDING_REGISTRATION ? lead_instead(view, location, first)
						       : put_follower(view, location, aor_hash);
	if (!error)
		link_before(location, first); /* of a ring: the last one, or the new first one */
	return error;
}

struct view_location *view_index_take(struct view *view, struct view_location *location)
{
	struct view_location *heir = location->next;
	uint64_t hash = location->in.hash;

	table_take(location->leads ? &view->leaders : &view->followers, &location->in);
	location->previous->next = location->next;
	location->next->previous = location->previous;
	if (!location->leads || heir == location)
		return NULL;
	table_take(&view->followers, &heir->in);
	(void)put_leader(view, heir, hash); /* that table has had an element */
	return heir;
}
