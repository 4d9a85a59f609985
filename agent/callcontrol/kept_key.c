/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/kept_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* A key that somebody else may read, or has put there, lets them forge answers. */
static int check(int fd)
{
	struct stat about;

	if (fstat(fd, &about))
		return -errno;
	if (!S_ISREG(about.st_mode) || about.st_size != sizeof(struct hash_key))
		return -EINVAL;
	if (about.st_uid != geteuid() || (about.st_mode & (S_IRWXG | S_IRWXO)))
		return -EPERM;
	return 0;
}

static int read_key(const char *path, struct hash_key *key)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct hash_key read_one;
	int error = fd < 0 ? -errno : check(fd);

	if (error)
		return error;
	if (read(fd, &read_one, sizeof(read_one)) != sizeof(read_one))
		return -EIO;
	*key = read_one;
	return 0;
}

static int write_new(const char *path, const struct hash_key *key)
{
	cleanup_close int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd < 0)
		return -errno;
	if (write(fd, key, sizeof(*key)) != sizeof(*key))
		return -EIO;
	return fsync(fd) ? -errno : 0;
}

/* Whole, or not at all: the name is given to what has been written. */
static int keep(const char *path, const struct hash_key *key)
{
	char new_path[PATH_MAX];
	int error;

	if (snprintf(new_path, sizeof(new_path), "%s.new", path) >= (int)sizeof(new_path))
		return -ENAMETOOLONG;
	/* One that was begun before and never named. */
	if (unlink(new_path) && errno != ENOENT)
		return -errno;
	error = write_new(new_path, key);
	if (!error && rename(new_path, path))
		error = -errno;
	if (error)
		unlink(new_path);
	return error;
}

int kept_key_get(const char *directory, struct hash_key *key)
{
	char path[PATH_MAX];
	int error;

	if (snprintf(path, sizeof(path), "%s/" KEPT_KEY_FILE, directory) >= (int)sizeof(path))
		return log_errno(ENAMETOOLONG, "%s is too long a name of a directory", directory);
	/* Where nothing has been kept yet; without it the key cannot be written, which is said. */
	(void)mkdir(directory, 0700);
	error = read_key(path, key);
	if (!error)
		return 0;
	if (hash_key_make(key))
		return log_errno(EIO, "the kernel has no random numbers for a key");
	if (error == -ENOENT)
		error = keep(path, key);
	if (error)
		log_warning("%s: %s: calls that ring while call control starts again are lost; it "
			    "must be a file of 16 bytes that its user alone may read",
			    path, strerror(-error));
	return 0;
}
