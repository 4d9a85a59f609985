/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tick's number is read as digits of six bits. A path stands at the level of the
 * highest digit in which its tick differs from the wheel's, in the slot of that
 * digit. Three things follow:
 *
 *   - whatever stands at a level is due before everything at the levels above it,
 *     so the first occupied slot of the lowest occupied level is the next to turn to;
 *   - where a path stands follows from its tick and the wheel's at any time, because
 *     the wheel never passes an occupied slot;
 *   - eight digits hold every 64-bit time: nothing is too far away.
 */
#include "keep/wheel.h"

#include <stdlib.h>

#include "base/clock.h"

#define DIGIT_BITS 6
#define SLOTS (1 << DIGIT_BITS)
#define LEVELS 8

_Static_assert(UINT64_MAX / WHEEL_TICK_NS < (UINT64_C(1) << DIGIT_BITS * LEVELS) - 1,
	       "the levels hold every tick");

struct wheel {
	uint64_t tick; /* where the wheel was turned to last; everything up to here is in "due" */
	size_t count;
	struct wheel_node *due;
	uint64_t occupied[LEVELS]; /* a bit for each slot that is not empty */
	struct wheel_node *slots[LEVELS][SLOTS];
};

/* Where a path stands that is not due yet. */
struct place {
	unsigned int level, slot;
};

static struct path *path_of(struct wheel_node *node)
{
	return table_element(node, struct path, due);
}

/* The first tick that is not before the time. */
static uint64_t tick_not_before(uint64_t ns)
{
	return ns / WHEEL_TICK_NS + (ns % WHEEL_TICK_NS != 0);
}

static struct place place_of(const struct wheel *wheel, uint64_t tick)
{
	unsigned int highest_bit = 63 - (unsigned int)__builtin_clzll(tick ^ wheel->tick);
	unsigned int level = highest_bit / DIGIT_BITS;

	return (struct place){ level, tick >> level * DIGIT_BITS & (SLOTS - 1) };
}

static void push(struct wheel_node **list, struct wheel_node *node)
{
	node->next = *list;
	node->link = list;
	if (node->next)
		node->next->link = &node->next;
	*list = node;
}

/* Empties a list into another one that is empty. */
static void move_list(struct wheel_node **from, struct wheel_node **to)
{
	*to = *from;
	if (*to)
		(*to)->link = to;
	*from = NULL;
}

static void put(struct wheel *wheel, struct wheel_node *node)
{
	uint64_t tick = tick_not_before(node->due_ns);
	struct place at;

	if (tick <= wheel->tick) {
		push(&wheel->due, node);
		return;
	}
	at = place_of(wheel, tick);
	wheel->occupied[at.level] |= UINT64_C(1) << at.slot;
	push(&wheel->slots[at.level][at.slot], node);
}

static void take(struct wheel *wheel, struct wheel_node *node)
{
	uint64_t tick = tick_not_before(node->due_ns);
	struct place at;

	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	node->next = NULL;
	node->link = NULL;
	if (tick <= wheel->tick)
		return;
	at = place_of(wheel, tick);
	if (!wheel->slots[at.level][at.slot])
		wheel->occupied[at.level] &= ~(UINT64_C(1) << at.slot);
}

/* The next occupied slot and the tick at which it begins; false if all are empty. */
static bool next_place(const struct wheel *wheel, struct place *at, uint64_t *begins)
{
	for (unsigned int level = 0; level < LEVELS; level++) {
		unsigned int shift = level * DIGIT_BITS;

		if (wheel->occupied[level] == 0)
			continue;
		at->level = level;
		at->slot = (unsigned int)__builtin_ctzll(wheel->occupied[level]);
		*begins = (wheel->tick >> shift >> DIGIT_BITS << DIGIT_BITS | at->slot) << shift;
		return true;
	}
	return false;
}

/* Turns to a slot: what is due then becomes due, the rest moves to lower levels. */
static void turn_to(struct wheel *wheel, struct place at, uint64_t begins)
{
	struct wheel_node *moving = NULL;

	wheel->tick = begins;
	wheel->occupied[at.level] &= ~(UINT64_C(1) << at.slot);
	if (at.level == 0) {
		move_list(&wheel->slots[at.level][at.slot], &wheel->due);
		return;
	}
	move_list(&wheel->slots[at.level][at.slot], &moving);
	while (moving) {
		struct wheel_node *node = moving;

		moving = node->next;
		put(wheel, node);
	}
}

struct wheel *wheel_new(uint64_t now_ns)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	if (wheel)
		wheel->tick = now_ns / WHEEL_TICK_NS;
	return wheel;
}

void wheel_free(struct wheel *wheel)
{
	free(wheel);
}

void wheel_set(struct wheel *wheel, struct path *path, uint64_t due_ns)
{
	wheel_unset(wheel, path);
	path->due.due_ns = due_ns;
	put(wheel, &path->due);
	wheel->count++;
}

void wheel_unset(struct wheel *wheel, struct path *path)
{
	if (!path->due.link)
		return;
	take(wheel, &path->due);
	wheel->count--;
}

struct path *wheel_pop(struct wheel *wheel, uint64_t now_ns)
{
	uint64_t now = now_ns / WHEEL_TICK_NS, begins;
	struct path *path;
	struct place at;

	while (!wheel->due && next_place(wheel, &at, &begins) && begins <= now)
		turn_to(wheel, at, begins);
	if (!wheel->due)
		return NULL;
	path = path_of(wheel->due);
	wheel_unset(wheel, path);
	return path;
}

uint64_t wheel_next_ns(const struct wheel *wheel)
{
	uint64_t begins = wheel->tick;
	struct place at;

	if (!wheel->due && !next_place(wheel, &at, &begins))
		return CLOCK_NEVER;
	return begins > UINT64_MAX / WHEEL_TICK_NS ? CLOCK_NEVER : begins * WHEEL_TICK_NS;
}

size_t wheel_count(const struct wheel *wheel)
{
	return wheel->count;
}
