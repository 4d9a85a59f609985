/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"

#define ROOM_FIRST 1024

void agenda_clear(struct agenda *agenda)
{
	free(agenda->items);
	*agenda = (struct agenda){ 0 };
}

static void grow(struct agenda *agenda)
{
	size_t room = agenda->room ? 2 * agenda->room : ROOM_FIRST;
	struct agenda_item *items = realloc(agenda->items, room * sizeof(*items));

	assert_non_null(items);
	agenda->items = items;
	agenda->room = room;
}

void agenda_add(struct agenda *agenda, uint64_t when_ns, uint32_t kind, uint32_t subject)
{
	size_t at = agenda->count, parent;

	if (agenda->count == agenda->room)
		grow(agenda);
	agenda->count++;
	for (; at > 0; at = parent) {
		parent = (at - 1) / 2;
		if (agenda->items[parent].when_ns <= when_ns)
			break;
		agenda->items[at] = agenda->items[parent];
	}
	agenda->items[at] = (struct agenda_item){ when_ns, kind, subject };
}

uint64_t agenda_next_ns(const struct agenda *agenda)
{
	return agenda->count > 0 ? agenda->items[0].when_ns : CLOCK_NEVER;
}

/* The earlier one of the two below "at"; there is at least one. */
static size_t earlier_child(const struct agenda *agenda, size_t at)
{
	size_t left = 2 * at + 1, right = left + 1;

	return right < agenda->count && agenda->items[right].when_ns < agenda->items[left].when_ns
		       ? right
		       : left;
}

struct agenda_item agenda_take(struct agenda *agenda)
{
	struct agenda_item first = agenda->items[0];
	struct agenda_item last = agenda->items[--agenda->count];
	size_t at = 0, child;

	for (; 2 * at + 1 < agenda->count; at = child) {
		child = earlier_child(agenda, at);
		if (agenda->items[child].when_ns >= last.when_ns)
			break;
		agenda->items[at] = agenda->items[child];
	}
	agenda->items[at] = last;
	return first;
}
