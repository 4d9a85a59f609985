/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "base/cleanup.h"

#define MOUNTS "/proc/self/mountinfo"

/* Columns of its lines, counted from 0: see proc(5). */
#define COLUMN_ROOT 3 /* which directory of the file system is mounted */
#define COLUMN_PLACE 4
#define COLUMNS 5

/* Stands before the type; no column before it can hold it, for spaces in them are escaped. */
#define TYPE_MARK " - "
#define TYPE TYPE_MARK "cgroup2 "

static void cleanup_file_(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define cleanup_file __attribute__((cleanup(cleanup_file_)))

static bool is_octal(const char *digits)
{
	return strspn(digits, "01234567") >= 3;
}

/* In place: the kernel writes a space, a tab, a newline and a backslash as "\040" and so on. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		if (from[0] == '\\' && is_octal(from + 1)) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Where the line says that the whole hierarchy is mounted; NULL if it says something else. */
static char *place_of_root(char *line)
{
	char *columns[COLUMNS] = { NULL }, *rest = NULL, *type = strstr(line, TYPE_MARK);

	if (!type || strncmp(type, TYPE, strlen(TYPE)) != 0)
		return NULL;
	*type = '\0';
	columns[0] = strtok_r(line, " ", &rest);
	for (int i = 1; i < COLUMNS && columns[i - 1]; i++)
		columns[i] = strtok_r(NULL, " ", &rest);
	if (!columns[COLUMN_PLACE] || strcmp(columns[COLUMN_ROOT], "/") != 0)
		return NULL;
	unescape(columns[COLUMN_PLACE]);
	return columns[COLUMN_PLACE];
}

/* Something else may be mounted over it. */
static bool is_cgroup2(int fd)
{
	struct statfs file_system;

	return fstatfs(fd, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC;
}

int cgroup_open_root(void)
{
	cleanup_file FILE *mounts = fopen(MOUNTS, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	if (!mounts)
		return -errno;
	while (getline(&line, &size, mounts) >= 0) {
		const char *place = place_of_root(line);
		cleanup_close int fd = place ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

		if (fd >= 0 && is_cgroup2(fd))
			return take_fd(fd);
	}
	return -ENOENT;
}
