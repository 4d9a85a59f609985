/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define DIRECTORY_MODE 0700 /* who opens a map can write it */
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* In the pin directory; the agent holds a lock on it for as long as it lives. */
#define AGENT_DIRECTORY "agent"

/* A turn lasts as long as loading the programs does. */
#define TURN_WAIT_MAX_NS (10 * NS_PER_S)
#define TURN_ASK_AGAIN_NS (20 * NS_PER_MS)

static int open_directory(const char *pin_dir, bool *made)
{
	bool new_directory = false;
	int fd;

	if (made && mkdir(pin_dir, DIRECTORY_MODE) == 0)
		new_directory = true;
	else if (made && errno != EEXIST)
		return log_errno(errno, "cannot make the pin directory %s: %s", pin_dir,
				 strerror(errno));
	fd = open(pin_dir, DIRECTORY_FLAGS);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return log_errno(errno, "cannot open the pin directory %s: %s", pin_dir,
				 strerror(errno));
	if (new_directory)
		*made = true;
	return fd;
}

/* By asking time and again: asleep in flock() it could wait for ever, deaf to signals. */
static int wait_for_turn(int fd, const char *pin_dir)
{
	static const struct timespec pause = { .tv_nsec = TURN_ASK_AGAIN_NS };
	uint64_t end_ns = clock_now_ns() + TURN_WAIT_MAX_NS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return log_errno(errno, "cannot lock the pin directory %s: %s", pin_dir,
					 strerror(errno));
		if (clock_now_ns() >= end_ns)
			return log_errno(EBUSY,
					 "another sippathd is attaching or detaching in %s and"
					 " does not come to an end: stop it, then try again",
					 pin_dir);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Whoever had the turn before may have removed the directory. */
static bool is_removed(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_nlink == 0;
}

int lock_turn(const char *pin_dir, bool *made)
{
	for (;;) {
		cleanup_close int fd = open_directory(pin_dir, made);
		int err;

		if (fd == -ENOENT && made)
			continue;
		if (fd < 0)
			return fd;
		err = wait_for_turn(fd, pin_dir);
		if (err < 0)
			return err;
		if (!is_removed(fd))
			return take_fd(fd);
		if (made)
			*made = false;
	}
}

int lock_turn_now(const char *pin_dir)
{
	cleanup_close int fd = open(pin_dir, DIRECTORY_FLAGS);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return is_removed(fd) ? -ENOENT : take_fd(fd);
}

/* The lock of the agent, if it can be had; -EWOULDBLOCK if an agent has it. */
static int take_agent(int turn)
{
	cleanup_close int fd = openat(turn, AGENT_DIRECTORY, DIRECTORY_FLAGS);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return take_fd(fd);
}

int lock_agent_again(int turn)
{
	if (mkdirat(turn, AGENT_DIRECTORY, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return -errno;
	return take_agent(turn);
}

int lock_agent(int turn, const char *pin_dir)
{
	int fd = lock_agent_again(turn);

	if (fd == -EWOULDBLOCK)
		return log_errno(EBUSY,
				 "another sippathd works with the maps in %s: stop it first, or,"
				 " for other interfaces, choose another directory with --pin-dir",
				 pin_dir);
	if (fd < 0)
		return log_errno(-fd, "cannot make and lock " AGENT_DIRECTORY " in %s: %s", pin_dir,
				 strerror(-fd));
	return fd;
}

bool lock_has_agent(int turn)
{
	cleanup_close int fd = take_agent(turn);

	return fd == -EWOULDBLOCK;
}

bool lock_agent_stands(const char *pin_dir)
{
	cleanup_close int fd = open(pin_dir, DIRECTORY_FLAGS);

	return fd >= 0 && lock_has_agent(fd);
}

void lock_clear(int turn)
{
	unlinkat(turn, AGENT_DIRECTORY, AT_REMOVEDIR);
}
