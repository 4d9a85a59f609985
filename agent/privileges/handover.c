/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges/handover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#define ROOT 0
#define DIRECTORY_MODE 0700
#define PARENT_MODE 0755 /* the user must get through */

/* What the names begin with of all that sippathd keeps: others are none of its business. */
static const char *const ours[] = { "in-use", "bindings.mdb", "call-control.key" };

struct receiver {
	uid_t user;
	gid_t group;
};

static void cleanup_directory_(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

#define cleanup_directory __attribute__((cleanup(cleanup_directory_)))

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strncmp(name, ours[i], strlen(ours[i])) == 0)
			return true;
	return false;
}

/* Those above it need no check: whether it can be made tells. */
static int make(const char *path)
{
	char above[PATH_MAX];

	if ((size_t)snprintf(above, sizeof(above), "%s", path) >= sizeof(above))
		return -ENAMETOOLONG;
	for (char *slash = strchr(above + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(above, PARENT_MODE);
		*slash = '/';
	}
	return mkdir(path, DIRECTORY_MODE) && errno != EEXIST ? -errno : 0;
}

/* The next name but "." and ".."; NULL at the end. */
static const char *next_name(DIR *directory)
{
	const struct dirent *entry;

	do {
		entry = readdir(directory);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry ? entry->d_name : NULL;
}

/* True, and its name is said, if something is there that is not sippathd's. */
static bool holds_others(DIR *directory, char name[NAME_MAX + 1])
{
	const char *next;

	while ((next = next_name(directory))) {
		if (is_ours(next))
			continue;
		snprintf(name, NAME_MAX + 1, "%s", next);
		return true;
	}
	return false;
}

/* Opened first, so that what was looked at is what is given. */
static int give_file(int directory, const char *name, const struct receiver *to)
{
	cleanup_close int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_uid != ROOT)
		return 0;
	return fchown(fd, to->user, to->group) ? -errno : 0;
}

static int give_files(DIR *directory, const struct receiver *to)
{
	const char *name;
	int error = 0;

	rewinddir(directory);
	while (!error && (name = next_name(directory)))
		if (is_ours(name))
			error = give_file(dirfd(directory), name, to);
	return error;
}

/* The directory in the end: before, nobody but root can put anything into it. */
static int give(DIR *directory, const struct receiver *to)
{
	int error = give_files(directory, to);

	if (!error && fchown(dirfd(directory), to->user, to->group))
		error = -errno;
	return error;
}

/* One that is not to be given away stays root's, which is said. */
static int give_if_ours(const char *path, DIR *directory, const struct receiver *to,
			const char *user_name)
{
	char other[NAME_MAX + 1];
	struct stat status;

	if (fstat(dirfd(directory), &status))
		return -errno;
	if (status.st_uid != ROOT && status.st_uid != to->user)
		return 0; /* whoever opens it says so */
	if (status.st_uid == ROOT && holds_others(directory, other)) {
		log_warning("%s, the state directory, is root's and holds what is not sippathd's"
			    " (%s): choose another --state-dir, or give it to %s yourself",
			    path, other, user_name);
		return 0;
	}
	return give(directory, to);
}

static int give_at(const char *path, const struct receiver *to, const char *user_name)
{
	cleanup_directory DIR *directory = opendir(path);

	return directory ? give_if_ours(path, directory, to, user_name) : -errno;
}

void handover_directory(const char *path, uid_t user, gid_t group, const char *user_name)
{
	struct receiver to = { user, group };
	int error = make(path);

	if (!error)
		error = give_at(path, &to, user_name);
	if (error)
		log_warning("cannot give the state directory %s to %s: %s", path, user_name,
			    strerror(-error));
}
