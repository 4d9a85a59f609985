/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_locations.c - what is known of the locations.
 *
 * Nothing here goes through all of them at once: what the end of a reading, a new epoch or the
 * time has voided does not hold any more, and view_expire() frees it little by little.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cluster/view_parts.h"

/* So many calls of view_expire() see every location. */
#define SWEEPS 60

struct view_location *view_location_free(struct view *view, struct view_location *location)
{
	struct view_location *heir = view_index_take(view, location);
	struct view_node *node = location->node;

	view->gone -= location->is_gone;
	free(location);
	node->locations--;
	view_node_release(view, node);
	return heir;
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
static struct view_location *make(struct view *view, const struct location *one)
{
	cleanup_free struct view_location *location =
		calloc(1, sizeof(*location) + one->aor.length + one->device.length);

	if (!location)
		return NULL;
	location->node = view_node_of(view, one->node);
	if (!location->node)
		return NULL;
	write_texts(location, one);
	if (view_index_put(view, location)) {
		view_node_release(view, location->node);
		return NULL;
	}
	location->node->locations++;
	return take_ptr(location);
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

bool view_location_is_there(const struct view_location *location)
{
	return !location->is_gone && location->reading >= location->node->since;
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

/* What the latest reading has not found, be it spared, is of a Redis that is no more. */
static void refresh(struct view *view, struct view_location *location, const struct location *one)
{
	if (location->is_gone || location->reading < view->whole || !is_older(one, location))
		write_values(location, one);
	location->reading = view->reading;
	view->gone -= location->is_gone;
	location->is_gone = false;
}

static int add(struct view *view, const struct location *one, bool is_reported)
{
	struct view_location *location = make(view, one);

	if (!location)
		return -ENOMEM;
	write_values(location, one);
	location->reading = view->reading;
	location->is_reported = is_reported;
	return 0;
}

static int put(struct view *view, const struct location *one, bool is_reported)
{
	struct view_location *known;

	if (is_too_long(one))
		return -E2BIG;
	known = view_index_find(view, one);
	if ((!known || known->is_gone) && view_count(view) >= view->limit)
		return -ENOSPC;
	if (!known)
		return add(view, one, is_reported);
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
	struct view_location *known = view_index_find(view, location);

	if (!is_being_read(view)) {
		if (known)
			(void)view_location_free(view, known);
		return 0;
	}
	if (!known && (is_too_long(location) || view->gone >= view->limit))
		return -ENOSPC;
	if (!known)
		known = make(view, location);
	if (!known)
		return -ENOMEM;
	remember_gone(view, known);
	return 0;
}

void view_begin_reading(struct view *view)
{
	view->reading++;
}

bool view_location_is_void(const struct view_location *location)
{
	return location->node->is_known && location->epoch < location->node->node.whole;
}

/* One that is gone has to be remembered until the reading that it was dropped in has ended. */
static bool is_useless(const struct view *view, const struct view_location *location,
		       uint64_t now_ms)
{
	if (location->is_gone)
		return !is_being_read(view) || location->reading != view->reading;
	return !view_location_is_there(location) || location->ends_ms <= now_ms ||
	       view_location_is_void(location);
}

static void sweep_bucket(struct view *view, struct table_node *in, uint64_t now_ms)
{
	struct table_node *next;

	for (; in; in = next) {
		struct view_location *location = view_location_in(in);

		next = in->next;
		while (location && is_useless(view, location, now_ms))
			location = view_location_free(view, location);
	}
}

/* The table may grow meanwhile: what has not been seen by then is still ahead. */
static void sweep(struct view *view, const struct table *table, size_t *swept, uint64_t now_ms)
{
	for (size_t left = (table->bucket_count + SWEEPS - 1) / SWEEPS; left > 0; left--) {
		if (*swept >= table->bucket_count)
			*swept = 0;
		sweep_bucket(view, table->buckets[(*swept)++], now_ms);
	}
}

void view_expire(struct view *view, uint64_t now_ms)
{
	sweep(view, &view->leaders, &view->swept_leaders, now_ms);
	sweep(view, &view->followers, &view->swept_followers, now_ms);
}

size_t view_count(const struct view *view)
{
	return view->leaders.count + view->followers.count - view->gone;
}
