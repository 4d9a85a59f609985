/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * observer.h - reads sightings from the ring buffer, oldest first, and gives their room back
 * to the kernel only when it is told to.
 *
 * What has been read but not released is read again by whoever observes next: so an agent that
 * writes down what it has learnt before it releases loses nothing when it is killed, and what
 * takes sightings must take some of them twice.
 */
#ifndef AGENT_KERNEL_OBSERVER_H
#define AGENT_KERNEL_OBSERVER_H

#include "sighting.h"

struct observer;

/* Called with each sighting; "bytes" and the sighting are good during the call only. */
typedef void observer_handler(void *context, const struct sighting *sighting);

/*
 * Opens the ring buffer behind map_fd, which stays the caller's and open; NULL with errno set.
 * All of its memory is mapped here: to read it takes no privilege.
 */
struct observer *observer_new(int map_fd, observer_handler *handler, void *context);
void observer_free(struct observer *observer);

/* Readable (level-triggered, in a poll or an epoll) while there is what has not been released. */
int observer_fd(const struct observer *observer);

/*
 * Hands over at most "limit" sightings that were not handed over by this observer before, and
 * returns how many there were. A record that is too short for what it claims, or claims what
 * cannot be, is skipped: it is not ours. So is all that is there if the positions in the map
 * make no sense.
 */
int observer_read(struct observer *observer, int limit);

/* Gives the room of everything that was read back to the kernel. */
void observer_release(struct observer *observer);

#endif
