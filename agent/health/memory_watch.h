/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_watch.h - how much memory is left: to the host, and to us within our own limit, that of
 * the cgroup (systemd's MemoryMax=).
 */
#ifndef AGENT_HEALTH_MEMORY_WATCH_H
#define AGENT_HEALTH_MEMORY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The files that tell, opened once: they can be read whatever is forbidden later. -1 where there
 * is none: such a host is not watched in that respect.
 */
struct memory_watch {
	int host; /* /proc/meminfo */
	int used; /* memory.stat of our cgroup */
	int limit; /* memory.max of our cgroup */
};

/* What they say, in KiB; 0 for what is not known or not limited. */
struct memory_reading {
	uint64_t host_total, host_available;
	uint64_t own_limit, own_used; /* without what the kernel can drop, such as cached files */
};

struct memory_watch memory_watch_open(void);
void memory_watch_close(struct memory_watch *watch);

struct memory_reading memory_watch_read(const struct memory_watch *watch);

/* Less than a fiftieth is left to the host, or a twentieth to us. */
bool memory_is_short(const struct memory_reading *reading);

/* The number behind a name at the start of a line ("MemAvailable:", "anon"); 0 if there is none. */
uint64_t memory_figure(const char *text, const char *name);

#endif
