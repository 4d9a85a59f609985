/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/log.h"

#define DESCRIPTORS "/proc/self/fd"

/* How the kernel names maps, programs, links, and their types. */
static const char *const of_bpf[] = { "anon_inode:bpf", "anon_inode:btf", "anon_inode:[btf" };

static bool is_bpf_object(int directory, const char *name)
{
	char target[32] = "";

	if (readlinkat(directory, name, target, sizeof(target) - 1) < 0)
		return false;
	for (size_t i = 0; i < sizeof(of_bpf) / sizeof(of_bpf[0]); i++)
		if (strncmp(target, of_bpf[i], strlen(of_bpf[i])) == 0)
			return true;
	return false;
}

static bool is_in_bpf_file_system(int fd)
{
	struct statfs file_system;

	return fstatfs(fd, &file_system) == 0 && file_system.f_type == BPF_FS_MAGIC;
}

/* "." and ".." read as 0, which stays. */
static void close_unless_needed(int directory, const char *name, int kept)
{
	int fd = atoi(name);

	if (fd <= STDERR_FILENO || fd == kept || fd == directory)
		return;
	if (!is_bpf_object(directory, name) && !is_in_bpf_file_system(fd))
		close(fd);
}

int descriptors_close_others(int kept)
{
	DIR *directory = opendir(DESCRIPTORS);
	const struct dirent *entry;

	if (!directory)
		return log_errno(errno, "cannot read " DESCRIPTORS ": %s: is /proc mounted?",
				 strerror(errno));
	while ((entry = readdir(directory)))
		close_unless_needed(dirfd(directory), entry->d_name, kept);
	closedir(directory);
	return 0;
}
