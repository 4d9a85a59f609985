/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_locations.c - the locations of the view.
 *
 * Nothing here goes through all of them at once: what the end of a reading, a new epoch or the
 * time has voided does not hold any more, and view_expire() frees it little by little.
 */
#include <errno.h>
#include <stdlib.h>

#include "cluster/view_parts.h"

/* So many calls of view_expire() see every location. */
#define SWEEPS 60

static struct view_location *location_in(struct table_node *in)
{
	return table_element(in, struct view_location, by_aor);
}

static struct span aor_of(const struct view_location *location)
{
	return (struct span){ location->texts, location->aor_length };
}

static struct span device_of(const struct view_location *location)
{
	return (struct span){ location->texts + location->aor_length, location->device_length };
}

static uint64_t aor_hash(const struct view *view, struct span aor)
{
	return hash_bytes(&view->key, aor.at, aor.length);
}

static bool is_about(const struct view_location *location, const struct location *one)
{
	return location->kind == one->kind && span_equal(location->node->node.name, one->node) &&
	       span_equal(device_of(location), one->device) &&
	       span_equal(aor_of(location), one->aor);
}

static struct view_location *find(const struct view *view, const struct location *one,
				  uint64_t hash)
{
	struct table_node *in = table_first(&view->by_aor, hash);

	while (in && !is_about(location_in(in), one))
		in = table_next(in);
	return in ? location_in(in) : NULL;
}

void view_location_free(struct view *view, struct view_location *location)
{
	struct view_node *node = location->node;

	table_take(&view->by_aor, &location->by_aor);
	view->gone -= location->is_gone;
	free(location);
	node->locations--;
	view_node_release(view, node);
}

static bool is_too_long(const struct location *one)
{
	return one->aor.length > LOCATION_TEXT_MAX || one->device.length > LOCATION_TEXT_MAX ||
	       one->node.length == 0 || one->node.length > NODE_NAME_MAX;
}

static void write_texts(struct view_location *location, const struct location *one)
{
	location->kind = one->kind;
	location->aor_length = (uint16_t)one->aor.length;
	location->device_length = (uint16_t)one->device.length;
	if (one->aor.length > 0)
		memcpy(location->texts, one->aor.at, one->aor.length);
	if (one->device.length > 0)
		memcpy(location->texts + one->aor.length, one->device.at, one->device.length);
}

/* What is to be known of it is the caller's to write. */
static struct view_location *make(struct view *view, const struct location *one, uint64_t hash)
{
	struct view_location *location =
		calloc(1, sizeof(*location) + one->aor.length + one->device.length);
	struct view_node *node = location ? view_node_of(view, one->node) : NULL;

	if (!node || table_put(&view->by_aor, &location->by_aor, hash)) {
		if (node)
			view_node_release(view, node);
		free(location);
		return NULL;
	}
	location->node = node;
	node->locations++;
	write_texts(location, one);
	return location;
}

static void write_values(struct view_location *location, const struct location *one)
{
	location->accepted_ms = one->accepted_ms;
	location->ends_ms = one->ends_ms;
	location->heard_ms = one->heard_ms;
	location->epoch = one->epoch;
	location->flow = one->flow;
	location->health = one->health;
}

/* Written down at all: neither reported to be gone, nor missed by a reading. */
static bool is_there(const struct view *view, const struct view_location *location)
{
	return !location->is_gone && location->reading >= view->whole;
}

static bool is_older(const struct location *one, const struct view_location *than)
{
	if (one->epoch != than->epoch)
		return one->epoch < than->epoch;
	if (one->accepted_ms != than->accepted_ms)
		return one->accepted_ms < than->accepted_ms;
	return one->heard_ms < than->heard_ms;
}

static bool was_reported(const struct view *view, const struct view_location *location)
{
	return location->is_reported && location->reading == view->reading;
}

static void refresh(struct view *view, struct view_location *location, const struct location *one)
{
	if (!is_there(view, location) || !is_older(one, location))
		write_values(location, one);
	location->reading = view->reading;
	view->gone -= location->is_gone;
	location->is_gone = false;
}

static int add(struct view *view, const struct location *one, uint64_t hash, bool is_reported)
{
	struct view_location *location;

	location = make(view, one, hash);
	if (!location)
		return -ENOMEM;
	write_values(location, one);
	location->reading = view->reading;
	location->is_reported = is_reported;
	return 0;
}

static int put(struct view *view, const struct location *one, bool is_reported)
{
	uint64_t hash = aor_hash(view, one->aor);
	struct view_location *known;

	if (is_too_long(one))
		return -E2BIG;
	known = find(view, one, hash);
	if ((!known || known->is_gone) && view_count(view) >= view->limit)
		return -ENOSPC;
	if (!known)
		return add(view, one, hash, is_reported);
	if (!is_reported && was_reported(view, known))
		return 0;
	refresh(view, known, one);
	known->is_reported = is_reported;
	return 0;
}

int view_put(struct view *view, const struct location *location)
{
	return put(view, location, true);
}

int view_read(struct view *view, const struct location *location)
{
	return put(view, location, false);
}

static bool is_being_read(const struct view *view)
{
	return view->reading != view->whole;
}

/* Until the reading has ended it is remembered, so that what was read before is not believed. */
static void remember_gone(struct view *view, struct view_location *location)
{
	view->gone += !location->is_gone;
	location->is_gone = true;
	location->is_reported = true;
	location->reading = view->reading;
}

int view_drop(struct view *view, const struct location *location)
{
	uint64_t hash = aor_hash(view, location->aor);
	struct view_location *known = find(view, location, hash);

	if (!is_being_read(view)) {
		if (known)
			view_location_free(view, known);
		return 0;
	}
	if (!known && (is_too_long(location) || view->gone >= view->limit))
		return -ENOSPC;
	if (!known)
		known = make(view, location, hash);
	if (!known)
		return -ENOMEM;
	remember_gone(view, known);
	return 0;
}

void view_begin_reading(struct view *view)
{
	view->reading++;
}

void view_end_reading(struct view *view)
{
	view->whole = view->reading;
}

static bool is_void(const struct view_location *location)
{
	return location->node->is_known && location->epoch < location->node->node.whole;
}

static bool holds(const struct view *view, const struct view_location *location, uint64_t now_ms)
{
	return is_there(view, location) && location->node->is_known && !is_void(location) &&
	       location->ends_ms > now_ms;
}

/* One that is gone has to be remembered until the reading that it was dropped in has ended. */
static bool is_useless(const struct view *view, const struct view_location *location,
		       uint64_t now_ms)
{
	if (location->is_gone)
		return !is_being_read(view) || location->reading != view->reading;
	return location->reading < view->whole || location->ends_ms <= now_ms || is_void(location);
}

static void sweep(struct view *view, size_t bucket, uint64_t now_ms)
{
	struct table_node *next, *in = view->by_aor.buckets[bucket];

	for (; in; in = next) {
		next = in->next;
		if (is_useless(view, location_in(in), now_ms))
			view_location_free(view, location_in(in));
	}
}

/* The table may have grown since: what has not been seen by then is still ahead. */
void view_expire(struct view *view, uint64_t now_ms)
{
	size_t buckets = view->by_aor.bucket_count;

	for (size_t i = 0; i < (buckets + SWEEPS - 1) / SWEEPS; i++) {
		if (view->swept >= buckets)
			view->swept = 0;
		sweep(view, view->swept++, now_ms);
	}
}

static void describe(const struct view_location *location, struct location *out)
{
	*out = (struct location){
		.node = location->node->node.name,
		.aor = aor_of(location),
		.device = device_of(location),
		.kind = location->kind,
		.health = location->health,
		.flow = location->flow,
		.accepted_ms = location->accepted_ms,
		.ends_ms = location->ends_ms,
		.heard_ms = location->heard_ms,
		.epoch = location->epoch,
	};
}

static bool matters_more(const struct location *one, const struct location *than)
{
	bool is_registration = one->kind == BINDING_REGISTRATION;

	if (is_registration != (than->kind == BINDING_REGISTRATION))
		return is_registration;
	return one->accepted_ms > than->accepted_ms;
}

/* Into a list in which what matters more comes first; the last one may have to leave. */
static size_t insert(struct location *locations, size_t count, size_t limit,
		     const struct location *one)
{
	size_t at = count;

	if (count == limit && (limit == 0 || !matters_more(one, &locations[limit - 1])))
		return count;
	if (count == limit)
		at = --count;
	for (; at > 0 && matters_more(one, &locations[at - 1]); at--)
		locations[at] = locations[at - 1];
	locations[at] = *one;
	return count + 1;
}

static int newest_first(const void *one, const void *other)
{
	uint64_t one_ms = ((const struct location *)one)->accepted_ms;
	uint64_t other_ms = ((const struct location *)other)->accepted_ms;

	return (one_ms < other_ms) - (one_ms > other_ms);
}

size_t view_where(const struct view *view, struct span aor, uint64_t now_ms,
		  struct location *locations, size_t limit)
{
	struct table_node *in = table_first(&view->by_aor, aor_hash(view, aor));
	struct location one;
	size_t count = 0;

	for (; in; in = table_next(in)) {
		if (!span_equal(aor_of(location_in(in)), aor) ||
		    !holds(view, location_in(in), now_ms))
			continue;
		describe(location_in(in), &one);
		count = insert(locations, count, limit, &one);
	}
	if (count > 0)
		qsort(locations, count, sizeof(*locations), newest_first);
	return count;
}

size_t view_count(const struct view *view)
{
	return view->by_aor.count - view->gone;
}
