/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/listener.h"

#include <control.h> /* of include/, not the one beside this file */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BACKLOG 16

static int stream_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd >= 0 ? fd : log_errno(errno, "cannot make a Unix socket: %s", strerror(errno));
}

/* Makes the directory of the socket, as /run/sippath is gone after each boot. */
static int make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *directory = NULL;

	if (!slash || slash == path)
		return 0;
	directory = strndup(path, (size_t)(slash - path));
	if (!directory)
		return log_errno(ENOMEM, "out of memory");
	if (mkdir(directory, 0755)) {
		if (errno == EEXIST)
			return 0;
		return log_errno(errno, "cannot make %s for the control socket: %s", directory,
				 strerror(errno));
	}
	/* Whatever the umask is: members of the group must get through. */
	if (chmod(directory, 0755))
		return log_errno(errno, "cannot open up %s: %s", directory, strerror(errno));
	return 0;
}

/* Makes way: nothing is at the path, or a socket that nobody listens on any more. */
static int remove_stale(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	cleanup_close int probe = -1;
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : log_errno(errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return log_errno(EEXIST,
				 "%s is in the way and no socket: remove it, or choose "
				 "another path with --socket",
				 path);
	probe = stream_socket();
	if (probe < 0)
		return probe;
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno == EAGAIN)
		return log_errno(EADDRINUSE,
				 "%s is in use: another sippathd runs; stop it, or "
				 "choose another path with --socket",
				 path);
	if (errno != ECONNREFUSED)
		return log_errno(errno, "%s: cannot tell whether it is in use: %s", path,
				 strerror(errno));
	if (unlink(path))
		return log_errno(errno, "cannot remove the stale %s: %s", path, strerror(errno));
	return 0;
}

int listener_admit_group(const char *path)
{
	const struct group *group = getgrnam(CONTROL_GROUP);

	if (!group) {
		log_info("there is no group \"" CONTROL_GROUP "\": only root may open %s", path);
		return 0;
	}
	if (lchown(path, (uid_t)-1, group->gr_gid) || chmod(path, 0660))
		return log_errno(errno, "cannot give %s to the group " CONTROL_GROUP ": %s", path,
				 strerror(errno));
	return 0;
}

/* Binds with the narrowest permissions: the file is never there with others. */
static int bind_narrowly(int fd, const struct sockaddr_un *address)
{
	mode_t old = umask(0177);
	int error = 0;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		error = errno;
	umask(old);
	if (error)
		return log_errno(error, "cannot listen on %s: %s", address->sun_path,
				 strerror(error));
	return 0;
}

int listener_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = -1;
	size_t length = strlen(path);
	int error;

	if (length >= sizeof(address.sun_path))
		return log_errno(ENAMETOOLONG, "%s: a socket's path has at most %zu bytes", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, length);
	error = make_directory(path);
	if (!error)
		error = remove_stale(&address);
	if (error)
		return error;
	fd = stream_socket();
	if (fd < 0)
		return fd;
	error = bind_narrowly(fd, &address);
	if (error)
		return error;
	if (listen(fd, BACKLOG)) {
		error = log_errno(errno, "cannot listen on %s: %s", path, strerror(errno));
		unlink(path);
		return error;
	}
	return take_fd(fd);
}

void listener_close(int fd, const char *path)
{
	if (unlink(path) && errno != ENOENT)
		log_warning("cannot remove %s: %s", path, strerror(errno));
	close(fd);
}
