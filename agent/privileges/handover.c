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

static bool is_given(uid_t owner, const struct handover *to)
{
	return owner == ROOT || owner == to->former;
}

/* Opened first, so that what was looked at is what is given. */
static int give_file(int directory, const char *name, const struct handover *to)
{
	cleanup_close int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || !is_given(status.st_uid, to))
		return 0;
	return fchown(fd, to->user, to->group) ? -errno : 0;
}

static int give_files(DIR *directory, const struct handover *to)
{
	const char *name;
	int error = 0;

	rewinddir(directory);
	while (!error && (name = next_name(directory)))
		if (is_ours(name))
			error = give_file(dirfd(directory), name, to);
	return error;
}

/* The directory in the end: before, the user can put nothing into it. */
static int give(DIR *directory, const struct handover *to)
{
	int error = give_files(directory, to);

	if (!error && fchown(dirfd(directory), to->user, to->group))
		error = -errno;
	return error;
}

/* Whoever opens it says what that costs. */
static int warn(const char *path, int error, const struct handover *to)
{
	if (error)
		log_warning("cannot give the state directory %s to %s: %s", path, to->name,
			    strerror(error));
	return 0;
}

/* Root's own that is not to be given away stays root's: paths are kept, and not remembered. */
static void leave_to_root(const char *path, const char *other, const struct handover *to)
{
	log_warning("%s, the state directory, is root's and holds what is not sippathd's (%s):"
		    " choose another --state-dir, or give it to %s yourself",
		    path, other, to->name);
}

static int refuse(const char *path, uid_t owner, const struct handover *to)
{
	return log_errno(EPERM,
			 "the state directory %s is that of user %u, not of %s: type `chown -hR"
			 " %s: %s`, or choose another --state-dir",
			 path, owner, to->name, to->name, path);
}

static int give_if_ours(const char *path, DIR *directory, const struct handover *to)
{
	char other[NAME_MAX + 1];
	struct stat status;
	bool mixed;

	if (fstat(dirfd(directory), &status))
		return warn(path, errno, to);
	mixed = status.st_uid != to->user && holds_others(directory, other);
	if (status.st_uid == ROOT && mixed) {
		leave_to_root(path, other, to);
		return 0;
	}
	if (mixed || (status.st_uid != to->user && !is_given(status.st_uid, to)))
		return refuse(path, status.st_uid, to);
	return warn(path, -give(directory, to), to);
}

int handover_directory(const char *path, const struct handover *to)
{
	cleanup_directory DIR *directory = NULL;
	int error = make(path);

	if (error)
		return warn(path, -error, to);
	directory = opendir(path);
	return directory ? give_if_ours(path, directory, to) : warn(path, errno, to);
}
