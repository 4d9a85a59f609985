/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define FILE_MODE 0600
#define DIRECTORY_MODE 0700

/* There while an agent has the directory, with its boot's id in it. */
#define MARK_NAME "in-use"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static int identify(struct place *place)
{
	cleanup_close int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || read(fd, place->boot_id, PLACE_BOOT_ID_LENGTH) != PLACE_BOOT_ID_LENGTH ||
	    stat("/proc/self/ns/net", &status))
		return log_errno(errno ? errno : EIO,
				 "cannot tell this boot and network namespace from others "
				 "(" BOOT_ID_FILE ", /proc/self/ns/net): is /proc mounted?");
	place->netns = status.st_ino;
	return 0;
}

/* Makes the directory, with those above it, and locks it. */
static int open_directory(const char *state_dir)
{
	cleanup_close int fd = -1;
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s", state_dir) >= sizeof(path))
		return log_errno(ENAMETOOLONG, "the state directory %s: its name is too long",
				 state_dir);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, DIRECTORY_MODE);
		*slash = '/';
	}
	if (mkdir(path, DIRECTORY_MODE) && errno != EEXIST)
		return log_errno(errno, "cannot make the state directory %s: %s", state_dir,
				 strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return log_errno(errno, "cannot open the state directory %s: %s", state_dir,
				 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return log_errno(errno,
				 errno == EWOULDBLOCK
					 ? "another sippathd remembers its paths in "
					   "%s: choose another --state-dir for this one"
					 : "cannot lock the state directory %s",
				 state_dir);
	return take_fd(fd);
}

static bool was_cut_off(const struct place *place)
{
	cleanup_close int fd = openat(place->fd, MARK_NAME, O_RDONLY | O_CLOEXEC);
	char boot_id[PLACE_BOOT_ID_LENGTH];

	if (fd < 0)
		return false;
	return read(fd, boot_id, sizeof(boot_id)) != sizeof(boot_id) ||
	       memcmp(boot_id, place->boot_id, sizeof(boot_id)) != 0;
}

static int mark(const struct place *place)
{
	cleanup_close int fd =
		openat(place->fd, MARK_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);

	if (fd < 0 || write(fd, place->boot_id, PLACE_BOOT_ID_LENGTH) != PLACE_BOOT_ID_LENGTH)
		return log_errno(errno ? errno : EIO, "cannot write into the state directory: %s",
				 strerror(errno));
	return 0;
}

int place_take(const char *state_dir, struct place *place)
{
	int error;

	*place = (struct place){ .fd = open_directory(state_dir) };
	error = place->fd < 0 ? place->fd : identify(place);
	if (!error) {
		place->cut_off = was_cut_off(place);
		error = mark(place);
	}
	if (error) {
		if (place->fd >= 0)
			close(place->fd);
		place->fd = -1;
	}
	return error;
}

void place_leave(struct place *place, bool synced)
{
	if (place->fd < 0)
		return;
	if (synced)
		unlinkat(place->fd, MARK_NAME, 0);
	close(place->fd);
	place->fd = -1;
}
