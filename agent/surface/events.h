/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - the latest events of paths, until every client that listens has read them.
 *
 * There is one ring for all clients; each remembers the number of the event that it reads
 * next. So whoever notes an event never waits for a reader, and a reader who is too slow
 * loses the oldest ones, whose number it is told.
 */
#ifndef AGENT_SURFACE_EVENTS_H
#define AGENT_SURFACE_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/event.h"

/* So many events are held; more than that in one go is more than anybody reads. */
#define EVENTS_HELD 4096

struct events;

/* NULL without memory. */
struct events *events_new(void);
void events_free(struct events *events);

/* Somebody listens from now on, and until events_part(); false if "most" do already. */
bool events_join(struct events *events, size_t most);
void events_part(struct events *events);

/* Notes an event. Without memory it counts as one that every reader has missed. */
void events_note(struct events *events, const struct path_event *event);

/* The number of the event that will be noted next. */
uint64_t events_next(const struct events *events);

/*
 * The event of this number as a row, the caller's, or the first one after it that is still
 * held: "missed" in it says how many lie between. *number becomes that of the event behind
 * it. -EAGAIN if there is none yet, -ENOMEM.
 */
int events_read(const struct events *events, uint64_t *number, json_t **row);

#endif
