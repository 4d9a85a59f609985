/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cluster/view_parts.h"

/* What is found; once it is full, a heap: none matters less than the first one. */
struct found {
	struct location *locations;
	size_t count;
	size_t limit;
};

static bool holds(const struct view_location *location, uint64_t now_ms)
{
	return view_location_is_there(location) && location->node->is_known &&
	       !view_location_is_void(location) && location->ends_ms > now_ms;
}

static void describe(const struct view_location *location, struct location *out)
{
	*out = (struct location){
		.node = location->node->node.name,
		.aor = view_aor_of(location),
		.device = view_device_of(location),
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

static void swap(struct location *one, struct location *other)
{
	struct location kept = *one;

	*one = *other;
	*other = kept;
}

/* Lets one that matters more than those beneath it change places with the least of them. */
static void sink(struct found *found, size_t at)
{
	struct location *heap = found->locations;

	for (size_t beneath; (beneath = 2 * at + 1) < found->count; at = beneath) {
		if (beneath + 1 < found->count && matters_more(&heap[beneath], &heap[beneath + 1]))
			beneath++;
		if (!matters_more(&heap[at], &heap[beneath]))
			return;
		swap(&heap[at], &heap[beneath]);
	}
}

static void add(struct found *found, const struct location *one)
{
	if (found->count < found->limit) {
		found->locations[found->count++] = *one;
		for (size_t at = found->count; found->count == found->limit && at > 0; at--)
			sink(found, at - 1);
	} else if (found->limit > 0 && matters_more(one, &found->locations[0])) {
		found->locations[0] = *one;
		sink(found, 0);
	}
}

static int newest_first(const void *one, const void *other)
{
	uint64_t one_ms = ((const struct location *)one)->accepted_ms;
	uint64_t other_ms = ((const struct location *)other)->accepted_ms;

	return (one_ms < other_ms) - (one_ms > other_ms);
}

static void consider(struct found *found, const struct view_location *location, uint64_t now_ms)
{
	struct location one;

	if (!holds(location, now_ms))
		return;
	describe(location, &one);
	add(found, &one);
}

static size_t tell(const struct found *found)
{
	if (found->count > 0)
		qsort(found->locations, found->count, sizeof(*found->locations), newest_first);
	return found->count;
}

/* What was put last is most often the newest, so the ring is walked from its end. */
size_t view_where(const struct view *view, struct span aor, uint64_t now_ms,
		  struct location *locations, size_t limit)
{
	const struct view_location *first = view_index_first(view, aor), *location = first;
	struct found found = { .locations = locations, .limit = limit };

	while (location) {
		location = location->previous;
		consider(&found, location, now_ms);
		if (location == first)
			break;
	}
	return tell(&found);
}

size_t view_registrations(const struct view *view, struct span aor, uint64_t now_ms,
			  struct location *locations, size_t limit)
{
	const struct view_location *first = view_index_first(view, aor), *location = first;
	struct found found = { .locations = locations, .limit = limit };

	while (location && location->kind == BINDING_REGISTRATION) {
		consider(&found, location, now_ms);
		location = location->next != first ? location->next : NULL;
	}
	return tell(&found);
}
