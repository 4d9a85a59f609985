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

struct memory_watch memory_watch_open(void)
{
	struct memory_watch watch = { .used = -1, .limit = -1 };
	cleanup_close int root = cgroup_open_root();
	char text[FILE_MAX];
	const char *place;

	watch.host = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	if (root >= 0 && find_cgroup(text, &place)) {
		watch.used = open_figure(root, place, "memory.stat");
		watch.limit = open_figure(root, place, "memory.max");
	}
	return watch;
}

void memory_watch_close(struct memory_watch *watch)
{
	cleanup_close_(&watch->host);
	cleanup_close_(&watch->used);
	cleanup_close_(&watch->limit);
}

struct memory_reading memory_watch_read(const struct memory_watch *watch)
{
	struct memory_reading reading = { 0 };
	char text[FILE_MAX];

	if (read_text(watch->host, text)) {
		reading.host_total = memory_figure(text, "MemTotal:");
		reading.host_available = memory_figure(text, "MemAvailable:");
	}
	if (read_text(watch->limit, text))
		reading.own_limit = leading_number(text) / 1024; /* "max": there is none */
	if (read_text(watch->used, text))
		reading.own_used = memory_figure(text, "anon") / 1024;
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
