/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/memory_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "kernel/cgroup.h"

#define FILE_MAX 4096 /* what is looked for stands at the start */
#define HOST_SHARE 50 /* the host is short of memory below such a part of it */
#define OWN_SHARE 20

static bool read_text(int fd, char text[FILE_MAX])
{
	ssize_t length = fd < 0 ? -1 : pread(fd, text, FILE_MAX - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* A number with whatever stands behind it. */
static uint64_t leading_number(const char *text)
{
	uint64_t number = 0;

	text += strspn(text, " \t");
	number_read((struct span){ text, strspn(text, "0123456789") }, 0, INT64_MAX, &number);
	return number;
}

uint64_t memory_figure(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (text && (strncmp(text, name, length) != 0 || !strchr(" \t", text[length]))) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text ? leading_number(text + length) : 0;
}

/* Where we are in the hierarchy, without the leading slash: the line is "0::/system.slice/...". */
static bool find_cgroup(char text[FILE_MAX], const char **place)
{
	cleanup_close int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char *line;

	if (!read_text(fd, text))
		return false;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line)
		return false;
	line = strchr(line, '/') + 1;
	line[strcspn(line, "\n")] = '\0';
	*place = *line ? line : ".";
	return true;
}

static int open_figure(int root, const char *place, const char *name)
{
	char path[FILE_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return openat(root, path, O_RDONLY | O_CLOEXEC);
}

/* "a/b" becomes "a", "a" the root, which has no limit. False if there is nothing above. */
static bool go_up(char *place)
{
	char *slash = strrchr(place, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

static void open_levels(struct memory_watch *watch, int root, char *place)
{
	do {
		watch->levels[watch->level_count++] = (struct memory_level){
			.used = open_figure(root, place, "memory.stat"),
			.limit = open_figure(root, place, "memory.max"),
		};
	} while (watch->level_count < MEMORY_LEVELS_MAX && go_up(place));
}

struct memory_watch memory_watch_open_at(int root, const char *place)
{
	struct memory_watch watch = { .host = open("/proc/meminfo", O_RDONLY | O_CLOEXEC) };
	char path[FILE_MAX];

	if (root >= 0 && snprintf(path, sizeof(path), "%s", place) < FILE_MAX)
		open_levels(&watch, root, path);
	return watch;
}

struct memory_watch memory_watch_open(void)
{
	cleanup_close int root = cgroup_open_root();
	char text[FILE_MAX];
	const char *place;

	if (root >= 0 && find_cgroup(text, &place))
		return memory_watch_open_at(root, place);
	return memory_watch_open_at(-1, "");
}

void memory_watch_close(struct memory_watch *watch)
{
	cleanup_close_(&watch->host);
	while (watch->level_count > 0) {
		struct memory_level *level = &watch->levels[--watch->level_count];

		cleanup_close_(&level->used);
		cleanup_close_(&level->limit);
	}
}

static double share(uint64_t used, uint64_t limit)
{
	return limit > 0 ? (double)used / (double)limit : -1;
}

/* "max": there is no limit. */
static void read_level(const struct memory_level *level, struct memory_reading *reading)
{
	uint64_t limit = 0, used = 0;
	char text[FILE_MAX];

	if (read_text(level->limit, text))
		limit = leading_number(text) / 1024;
	if (read_text(level->used, text))
		used = memory_figure(text, "anon") / 1024;
	if (limit == 0 || share(used, limit) <= share(reading->own_used, reading->own_limit))
		return;
	reading->own_limit = limit;
	reading->own_used = used;
}

struct memory_reading memory_watch_read(const struct memory_watch *watch)
{
	struct memory_reading reading = { 0 };
	char text[FILE_MAX];

	if (read_text(watch->host, text)) {
		reading.host_total = memory_figure(text, "MemTotal:");
		reading.host_available = memory_figure(text, "MemAvailable:");
	}
	for (size_t i = 0; i < watch->level_count; i++)
		read_level(&watch->levels[i], &reading);
	return reading;
}

bool memory_is_short(const struct memory_reading *reading)
{
	if (reading->host_available > 0 &&
	    reading->host_available < reading->host_total / HOST_SHARE)
		return true;
	return reading->own_limit > 0 &&
	       reading->own_used > reading->own_limit - reading->own_limit / OWN_SHARE;
}
