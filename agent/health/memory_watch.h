/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_watch.h - how much memory is left: to the host, and to us within our limits: those of our
 * cgroup and of all above it (systemd's MemoryMax= of the service and of its slices).
 */
#ifndef AGENT_HEALTH_MEMORY_WATCH_H
#define AGENT_HEALTH_MEMORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cgroups deeper in the hierarchy have no limits looked at above so many. */
#define MEMORY_LEVELS_MAX 8

/*
 * The files that tell, opened once: they can be read whatever is forbidden later. -1 where there
 * is none: such a host is not watched in that respect.
 */
struct memory_watch {
	int host; /* /proc/meminfo */
	size_t level_count;
	struct memory_level {
		int used; /* memory.stat of a cgroup */
		int limit; /* memory.max of the same */
	} levels[MEMORY_LEVELS_MAX]; /* ours first, then upwards */
};

/* What they say, in KiB; 0 for what is not known or not limited. */
struct memory_reading {
	uint64_t host_total, host_available;
	/*
	 * Of the cgroup whose limit is nearest, with all below it; without what the kernel can
	 * drop, such as cached files.
	 */
	uint64_t own_limit, own_used;
};

struct memory_watch memory_watch_open(void);

/* The same of cgroup "place" ("a/b/c", "." for the root) below directory "root". */
struct memory_watch memory_watch_open_at(int root, const char *place);
void memory_watch_close(struct memory_watch *watch);

struct memory_reading memory_watch_read(const struct memory_watch *watch);

/* Less than a fiftieth is left to the host, or a twentieth to us. */
bool memory_is_short(const struct memory_reading *reading);

/* The number behind a name at the start of a line ("MemAvailable:", "anon"); 0 if there is none. */
uint64_t memory_figure(const char *text, const char *name);

#endif
