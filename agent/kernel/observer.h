/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observer.h - reads sightings from the ring buffer, oldest first. */
#ifndef AGENT_KERNEL_OBSERVER_H
#define AGENT_KERNEL_OBSERVER_H

#include "sighting.h"

struct observer;

/* Called with each sighting; "bytes" and the sighting are good during the call only. */
typedef void observer_handler(void *context, const struct sighting *sighting);

/* Opens the ring buffer behind map_fd; NULL with errno set. */
struct observer *observer_new(int map_fd, observer_handler *handler, void *context);
void observer_free(struct observer *observer);

/* Readable when there are sightings. */
int observer_fd(const struct observer *observer);

/*
 * Hands over at most "limit" sightings and returns how many there were, or -errno.
 * A record that is too short for what it claims, or claims what cannot be, is skipped: it
 * is not ours.
 */
int observer_read(struct observer *observer, int limit);

#endif
