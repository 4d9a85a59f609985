/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_kept_key.c - call control is recognized after it has started again. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "callcontrol/kept_key.h"

struct world {
	char directory[64];
	char path[128];
};

static int open_directory(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	strcpy(world->directory, "/tmp/kept-key.XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof(world->path), "%s/" KEPT_KEY_FILE, world->directory);
	*state = world;
	return 0;
}

static int remove_directory(void **state)
{
	struct world *world = *state;

	unlink(world->path);
	assert_return_code(rmdir(world->directory), errno);
	free(world);
	return 0;
}

/* True if two starts in a row have the same key. */
static bool is_kept(const struct world *world)
{
	struct hash_key first, second;

	assert_int_equal(kept_key_get(world->directory, &first), 0);
	assert_int_equal(kept_key_get(world->directory, &second), 0);
	return memcmp(&first, &second, sizeof(first)) == 0;
}

static void it_is_the_same_after_a_restart(void **state)
{
	struct world *world = *state;
	struct stat about;

	assert_true(is_kept(world));
	assert_return_code(stat(world->path, &about), errno);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(about.st_size, 16);
}

static void each_server_has_its_own(void **state)
{
	struct world *world = *state;
	struct hash_key first, second;

	assert_int_equal(kept_key_get(world->directory, &first), 0);
	assert_return_code(unlink(world->path), errno);
	assert_int_equal(kept_key_get(world->directory, &second), 0);
	assert_memory_not_equal(&first, &second, sizeof(first));
}

static void one_that_others_may_read_is_not_used(void **state)
{
	struct world *world = *state;

	assert_true(is_kept(world));
	assert_return_code(chmod(world->path, 0640), errno);
	assert_false(is_kept(world));
}

static void one_of_somebody_else_is_not_used(void **state)
{
	struct world *world = *state;

	if (geteuid() != 0)
		skip();
	assert_true(is_kept(world));
	assert_return_code(chown(world->path, 65534, 65534), errno);
	assert_false(is_kept(world));
}

static void one_that_was_cut_short_is_not_used(void **state)
{
	struct world *world = *state;

	assert_true(is_kept(world));
	assert_return_code(truncate(world->path, 15), errno);
	assert_false(is_kept(world));
}

static void a_link_is_not_followed(void **state)
{
	struct world *world = *state;
	char other[160];

	assert_true(is_kept(world));
	snprintf(other, sizeof(other), "%s.other", world->path);
	assert_return_code(rename(world->path, other), errno);
	assert_return_code(symlink(other, world->path), errno);
	assert_false(is_kept(world));
	assert_return_code(unlink(other), errno);
}

static void what_was_begun_and_never_named_is_in_nobodys_way(void **state)
{
	struct world *world = *state;
	char begun[160];
	FILE *file;

	snprintf(begun, sizeof(begun), "%s.new", world->path);
	file = fopen(begun, "w");
	assert_non_null(file);
	assert_int_equal(fputs("half", file) >= 0 && fclose(file) == 0, true);
	assert_true(is_kept(world));
	assert_int_equal(access(begun, F_OK), -1);
}

static void without_a_directory_there_is_one_for_this_run(void **state)
{
	struct world nowhere = { .directory = "/nonexistent/directory" };

	(void)state;
	assert_false(is_kept(&nowhere));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_directory, remove_directory)

/* On a host where nothing has been kept yet. */
static void a_directory_that_is_not_there_is_made(void **state)
{
	struct world *world = *state;
	struct hash_key first, second;
	char directory[80], path[128];

	snprintf(directory, sizeof(directory), "%s/new", world->directory);
	snprintf(path, sizeof(path), "%s/" KEPT_KEY_FILE, directory);
	assert_int_equal(kept_key_get(directory, &first), 0);
	assert_int_equal(kept_key_get(directory, &second), 0);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_return_code(unlink(path), errno);
	assert_return_code(rmdir(directory), errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_the_same_after_a_restart),
		TEST(a_directory_that_is_not_there_is_made),
		TEST(each_server_has_its_own),
		TEST(one_that_others_may_read_is_not_used),
		TEST(one_of_somebody_else_is_not_used),
		TEST(one_that_was_cut_short_is_not_used),
		TEST(a_link_is_not_followed),
		TEST(what_was_begun_and_never_named_is_in_nobodys_way),
		TEST(without_a_directory_there_is_one_for_this_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
