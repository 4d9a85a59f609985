/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_listener.c - who may open the control socket, and what is in its way.
 *
 * getgrnam(), bind() and lchown() are replaced here: the group need not exist on the
 * host, and what the file's permissions are at each moment can be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "surface/listener.h"

static char directory[] = "/tmp/sippath-test-listener-XXXXXX";
static char path[sizeof(directory) + 16];

static bool group_exists;
static gid_t group_id;
static mode_t mode_when_bound, mode_when_given; /* 0: that has not happened */

static mode_t mode_of(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0 ? status.st_mode & 07777 : 0;
}

struct group *getgrnam(const char *name)
{
	static struct group group;

	assert_string_equal(name, "sippath");
	group.gr_gid = group_id;
	return group_exists ? &group : NULL;
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	long result = syscall(SYS_bind, fd, address, length);

	mode_when_bound = mode_of(((const struct sockaddr_un *)(const void *)address)->sun_path);
	return (int)result;
}

int lchown(const char *name, uid_t owner, gid_t group)
{
	mode_when_given = mode_of(name);
	return (int)syscall(SYS_lchown, name, owner, group);
}

static int begin(void **state)
{
	(void)state;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/run/s.sock", directory);
	group_exists = false;
	group_id = geteuid() == 0 ? 4242 : getegid();
	mode_when_bound = 0;
	mode_when_given = 0;
	return 0;
}

static int end(void **state)
{
	char run[sizeof(directory) + 16];

	(void)state;
	unlink(path);
	snprintf(run, sizeof(run), "%s/run", directory);
	rmdir(run);
	return rmdir(directory);
}

static int reach(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int error = 0;

	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		error = -errno;
	close(fd);
	return error;
}

static void only_root_may_without_the_group(void **state)
{
	mode_t old = umask(0);
	int fd = listener_open(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(listener_admit_group(path), 0);
	umask(old);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(reach(), 0);
	close(fd);
}

static void the_group_may_and_nobody_else_at_any_moment(void **state)
{
	mode_t old = umask(0);
	struct stat status;
	int fd;

	(void)state;
	group_exists = true;
	fd = listener_open(path);
	assert_true(fd >= 0);
	assert_int_equal(mode_when_bound, 0600);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(listener_admit_group(path), 0);
	umask(old);
	assert_int_equal(mode_when_given, 0600);
	assert_int_equal(mode_of(path), 0660);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_gid, group_id);
	assert_int_equal(status.st_uid, geteuid());
	close(fd);
}

static void the_directory_is_made_open_whatever_the_umask(void **state)
{
	char run[sizeof(directory) + 16];
	mode_t old = umask(0077);
	int fd = listener_open(path);
	mode_t left = umask(old);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(left, 0077);
	snprintf(run, sizeof(run), "%s/run", directory);
	assert_int_equal(mode_of(run), 0755);
	close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
	int fd = listener_open(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(reach(), -ECONNREFUSED);
	fd = listener_open(path);
	assert_true(fd >= 0);
	assert_int_equal(reach(), 0);
	close(fd);
}

static void closing_takes_the_socket_file_along(void **state)
{
	int fd = listener_open(path);

	(void)state;
	assert_true(fd >= 0);
	listener_close(fd, path);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_socket_in_use_is_left_alone(void **state)
{
	int fd = listener_open(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(listener_open(path), -EADDRINUSE);
	assert_int_equal(reach(), 0);
	close(fd);
}

/* A listener whose queue is full does not let anybody in, but it is there. */
static void a_socket_with_a_full_queue_is_in_use(void **state)
{
	int fds[64], fd = listener_open(path);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t count = 0;

	(void)state;
	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	do {
		assert_true(count < 64);
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(fds[count] >= 0);
	} while (connect(fds[count++], (const struct sockaddr *)&address, sizeof(address)) == 0);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(listener_open(path), -EADDRINUSE);
	while (count > 0)
		close(fds[--count]);
	close(fd);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	int fd = listener_open(path);
	FILE *file;

	(void)state;
	close(fd);
	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(listener_open(path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(listener_open(longest), -ENAMETOOLONG);
	assert_int_equal(listener_open("/proc/nowhere/s.sock"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_root_may_without_the_group, begin, end),
		cmocka_unit_test_setup_teardown(the_group_may_and_nobody_else_at_any_moment, begin,
						end),
		cmocka_unit_test_setup_teardown(the_directory_is_made_open_whatever_the_umask,
						begin, end),
		cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced, begin, end),
		cmocka_unit_test_setup_teardown(closing_takes_the_socket_file_along, begin, end),
		cmocka_unit_test_setup_teardown(a_socket_in_use_is_left_alone, begin, end),
		cmocka_unit_test_setup_teardown(a_socket_with_a_full_queue_is_in_use, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, begin, end),
		cmocka_unit_test_setup_teardown(a_path_that_cannot_be_is_refused, begin, end),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
