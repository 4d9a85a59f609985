/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define FILE_MODE 0600
#define DIRECTORY_MODE 0700

/* There while an agent has the directory, with its boot's id in it. */
#define MARK_NAME "in-use"

/* For two seconds: to start again is as quick as that, too. */
#define LOCK_TRIES 40
#define LOCK_PAUSE_NS (50 * NS_PER_MS)

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

static int make_directory(const char *state_dir)
{
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
	return 0;
}

/* Somebody else could put links there for us to follow, or addresses to prompt. */
static int check_owner(int fd, const char *state_dir)
{
	struct stat status;

	if (fstat(fd, &status))
		return log_errno(errno, "cannot look at the state directory %s: %s", state_dir,
				 strerror(errno));
	if (status.st_uid != geteuid() || (status.st_mode & S_IWOTH))
		return log_errno(EPERM,
				 "the state directory %s belongs to somebody else, or everybody "
				 "may write into it: choose another --state-dir",
				 state_dir);
	return 0;
}

/*
 * Whoever has it may be about to go: a killed agent's memory is freed before its lock is. To wait
 * for the lock itself would take as long as another agent lives.
 */
static int lock_soon(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (unsigned int tries = 1; flock(fd, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int lock(int fd, const char *state_dir)
{
	if (lock_soon(fd) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return log_errno(EWOULDBLOCK,
				 "another sippathd remembers its paths in %s: choose another "
				 "--state-dir for this one",
				 state_dir);
	return log_errno(errno, "cannot lock the state directory %s: %s", state_dir,
			 strerror(errno));
}

static int open_directory(const char *state_dir)
{
	cleanup_close int fd = -1;
	int error = make_directory(state_dir);

	if (error)
		return error;
	fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return log_errno(errno, "cannot open the state directory %s: %s", state_dir,
				 strerror(errno));
	error = check_owner(fd, state_dir);
	if (!error)
		error = lock(fd, state_dir);
	return error ? error : take_fd(fd);
}

/* No two agents of one second give the same name. */
void place_set_aside(const char *path, const char *why)
{
	char aside[PATH_MAX + 48];

	snprintf(aside, sizeof(aside), "%s.aside-%" PRIu64 "-%d", path, clock_wall_ns() / NS_PER_S,
		 getpid());
	if (rename(path, aside) == 0)
		log_warning("%s %s: it is %s now, and a new one begins", path, why, aside);
	else if (errno != ENOENT)
		log_warning("%s %s, and cannot be set aside: %s", path, why, strerror(errno));
}

bool place_is_no_file(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* A mark of this boot is what a killed agent leaves; what it wrote is whole. */
static bool was_cut_off(const struct place *place)
{
	cleanup_close int fd =
		openat(place->fd, MARK_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char boot_id[PLACE_BOOT_ID_LENGTH];

	if (fd < 0)
		return errno != ENOENT;
	return read(fd, boot_id, sizeof(boot_id)) != sizeof(boot_id) ||
	       memcmp(boot_id, place->boot_id, sizeof(boot_id)) != 0;
}

/* On the disk before anything else is, or a host that goes down would leave no mark. */
static bool write_mark(const struct place *place)
{
	cleanup_close int fd =
		openat(place->fd, MARK_NAME,
		       O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);

	return fd >= 0 && write(fd, place->boot_id, PLACE_BOOT_ID_LENGTH) == PLACE_BOOT_ID_LENGTH &&
	       fsync(fd) == 0 && fsync(place->fd) == 0;
}

/* A FIFO or a directory is no mark, and would not become one. */
static void clear_mark(const char *state_dir)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/" MARK_NAME, state_dir) < sizeof(path) &&
	    place_is_no_file(path))
		place_set_aside(path, "is no file");
}

/*
 * Where it cannot be written none is left: the next agent would take it for that of a host that
 * went down.
 */
static int mark(const struct place *place)
{
	bool found = faccessat(place->fd, MARK_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int error;

	errno = 0;
	if (write_mark(place))
		return 0;
	error = errno ? errno : ENOSPC; /* a short write says no more */
	if (!found)
		unlinkat(place->fd, MARK_NAME, 0);
	return log_errno(error, "cannot write into the state directory: %s", strerror(error));
}

int place_take(const char *state_dir, struct place *place)
{
	int error;

	*place = (struct place){ .fd = open_directory(state_dir) };
	error = place->fd < 0 ? place->fd : identify(place);
	if (!error) {
		place->cut_off = was_cut_off(place);
		clear_mark(state_dir);
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
	if (synced && fsync(place->fd) == 0)
		unlinkat(place->fd, MARK_NAME, 0);
	close(place->fd);
	place->fd = -1;
}
