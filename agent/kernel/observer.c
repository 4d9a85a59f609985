/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/observer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/libbpf_log.h"

struct observer {
	struct ring_buffer *ring;
	observer_handler *handler;
	void *context;
	int records_left; /* of the current observer_read() */
	int sightings; /* handed over by it */
};

/* What a callback returns to end a ring_buffer__consume(); no error of the library's own. */
#define STOP_READING (-ECANCELED)

/* What comes and goes has no bytes; of a kind that is not known nothing is known. */
static bool is_whole(const struct sighting *sighting, size_t size)
{
	if (size < sizeof(*sighting) || sighting->captured > size - sizeof(*sighting) ||
	    sighting->captured > SIGHTING_CAPTURE_MAX || sighting->direction > SIGHTING_TO_DEVICE)
		return false;
	switch (sighting->kind) {
	case SIGHTING_MESSAGE:
	case SIGHTING_SEGMENT:
		return true;
	case SIGHTING_OPENED:
	case SIGHTING_CLOSED:
		return sighting->captured == 0;
	default:
		return false;
	}
}

/*
 * The library counts a record as consumed before it looks at what the callback
 * returned, so the record that ends a reading is not seen again.
 */
static int take_record(void *context, void *data, size_t size)
{
	struct observer *observer = context;
	const struct sighting *sighting = data;

	if (is_whole(sighting, size)) {
		observer->handler(observer->context, sighting);
		observer->sightings++;
	}
	observer->records_left--;
	return observer->records_left > 0 ? 0 : STOP_READING;
}

struct observer *observer_new(int map_fd, observer_handler *handler, void *context)
{
	cleanup_free struct observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		return NULL;
	observer->handler = handler;
	observer->context = context;
	libbpf_log_begin();
	observer->ring = ring_buffer__new(map_fd, take_record, observer, NULL);
	if (!observer->ring)
		return NULL;
	return take_ptr(observer);
}

void observer_free(struct observer *observer)
{
	if (!observer)
		return;
	ring_buffer__free(observer->ring);
	free(observer);
}

int observer_fd(const struct observer *observer)
{
	return ring_buffer__epoll_fd(observer->ring);
}

int observer_read(struct observer *observer, int limit)
{
	int err;

	if (limit <= 0)
		return 0;
	observer->records_left = limit;
	observer->sightings = 0;
	err = ring_buffer__consume(observer->ring);
	return err < 0 && err != STOP_READING ? err : observer->sightings;
}
