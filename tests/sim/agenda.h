/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agenda.h - what happens next in a simulated world: a heap of things to come, the earliest first. */
#ifndef TESTS_SIM_AGENDA_H
#define TESTS_SIM_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct agenda_item {
	uint64_t when_ns;
	uint32_t kind; /* the world's own numbers */
	uint32_t subject; /* to whom it happens */
};

/* All zero is an empty one. Only agenda.c touches its members. */
struct agenda {
	struct agenda_item *items;
	size_t count, room;
};

void agenda_clear(struct agenda *agenda);

/* Adds a thing to come; cmocka fails the test without memory. */
void agenda_add(struct agenda *agenda, uint64_t when_ns, uint32_t kind, uint32_t subject);

/* When the first thing comes; CLOCK_NEVER if there is none. */
uint64_t agenda_next_ns(const struct agenda *agenda);

/* Takes off the first thing; there must be one. */
struct agenda_item agenda_take(struct agenda *agenda);

#endif
