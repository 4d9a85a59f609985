/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/observer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

/*
 * The map's memory, as the kernel lays it out (Documentation/bpf/ringbuf.rst): a page with the
 * consumer's position, which we write; a page with the producer's; and the data, twice in a row,
 * so that a record which goes over the end can be read in one piece. Positions count bytes for
 * ever: the place in the data is what is left of them by a mask.
 */
struct observer {
	int map_fd;
	observer_handler *handler;
	void *context;
	size_t page_bytes;
	uint64_t data_bytes; /* a power of two */
	unsigned long *consumer; /* a page of its own */
	const unsigned long *producer; /* the data begin a page after it */
	const char *data;
	unsigned long position; /* everything before it has been read */
};

/* What stands before each record, followed by a number that is the kernel's own. */
#define HEADER_BYTES BPF_RINGBUF_HDR_SZ
#define FLAGS (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)

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

static int check_map(struct observer *observer)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(observer->map_fd, &info, &length))
		return -errno;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	observer->data_bytes = info.max_entries;
	return 0;
}

static int map_memory(struct observer *observer)
{
	size_t page = observer->page_bytes;
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, observer->map_fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	observer->consumer = memory;
	memory = mmap(NULL, page + 2 * observer->data_bytes, PROT_READ, MAP_SHARED,
		      observer->map_fd, (off_t)page);
	if (memory == MAP_FAILED)
		return -errno;
	observer->producer = memory;
	observer->data = (const char *)memory + page;
	return 0;
}

struct observer *observer_new(int map_fd, observer_handler *handler, void *context)
{
	struct observer *observer = calloc(1, sizeof(*observer));
	int error;

	if (!observer)
		return NULL;
	observer->map_fd = map_fd;
	observer->handler = handler;
	observer->context = context;
	observer->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	error = check_map(observer);
	if (!error)
		error = map_memory(observer);
	if (error) {
		observer_free(observer);
		errno = -error;
		return NULL;
	}
	observer->position = *observer->consumer; /* nobody but an observer writes it */
	return observer;
}

void observer_free(struct observer *observer)
{
	if (!observer)
		return;
	if (observer->consumer)
		munmap(observer->consumer, observer->page_bytes);
	if (observer->producer)
		munmap((void *)observer->producer, observer->page_bytes + 2 * observer->data_bytes);
	free(observer);
}

/*
 * The map itself: the kernel says that it is readable while the producer's position is not the
 * consumer's. It wakes whoever waits only when a record is finished that the consumer's position
 * has come to; one that is finished before wakes nobody. Nothing is missed by that: an epoll that
 * is level-triggered looks at the positions again after each report, so after the release, before
 * it sleeps. What was there by then it finds; what comes later the position has come to.
 */
int observer_fd(const struct observer *observer)
{
	return observer->map_fd;
}

/* The record's length is the last that the kernel writes: whoever has seen it sees the record. */
static uint32_t read_header(const struct observer *observer)
{
	const char *at = observer->data + (observer->position & (observer->data_bytes - 1));

	return __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE);
}

/* Positions that no kernel has written make no sense of their records: all of them are skipped. */
static bool makes_sense(const struct observer *observer, unsigned long end, unsigned long bytes)
{
	unsigned long ahead = end - observer->position;

	return ahead <= observer->data_bytes && bytes <= ahead &&
	       observer->position % HEADER_BYTES == 0;
}

static bool hand_over(const struct observer *observer, uint32_t size)
{
	unsigned long at = (observer->position + HEADER_BYTES) & (observer->data_bytes - 1);
	const struct sighting *sighting = (const void *)(observer->data + at);

	if (!is_whole(sighting, size))
		return false;
	observer->handler(observer->context, sighting);
	return true;
}

/* Sets *handed if the record was a sighting; false if there is none that is finished. */
static bool take_record(struct observer *observer, unsigned long end, bool *handed)
{
	unsigned long bytes = HEADER_BYTES;
	uint32_t header = 0;

	*handed = false;
	if (observer->position == end)
		return false;
	if (makes_sense(observer, end, bytes)) {
		header = read_header(observer);
		if (header & BPF_RINGBUF_BUSY_BIT)
			return false;
		bytes += ((header & ~FLAGS) + HEADER_BYTES - 1UL) / HEADER_BYTES * HEADER_BYTES;
	}
	if (!makes_sense(observer, end, bytes)) {
		observer->position = end;
		return false;
	}
	if (!(header & BPF_RINGBUF_DISCARD_BIT))
		*handed = hand_over(observer, header);
	observer->position += bytes;
	return true;
}

int observer_read(struct observer *observer, int limit)
{
	unsigned long end = __atomic_load_n(observer->producer, __ATOMIC_ACQUIRE);
	int sightings = 0;
	bool handed;

	for (int i = 0; i < limit && take_record(observer, end, &handed); i++)
		sightings += handed;
	return sightings;
}

/*
 * The kernel may write over what is released: all reading of it comes before. And whoever polls
 * next must not see the positions as they were before it: see observer_fd().
 */
void observer_release(struct observer *observer)
{
	__atomic_store_n(observer->consumer, observer->position, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
