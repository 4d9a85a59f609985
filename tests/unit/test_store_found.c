/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agent finds that starts: another's directory, another boot, a damaged file. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "store_world.h"

/* Enough for a tree of several levels, and a list of free pages. */
#define RECORDS 300

static uint64_t ends_ns; /* of the record that was found */

static void what_cannot_be_read_is_set_aside(void **state)
{
	(void)state;
	overwrite("bindings.mdb", "this is no store\n");
	assert_int_equal(found().count, 0);
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
	in_a_child(put_flush_and_die);
	assert_int_equal(found().count, 1);
}

static void a_host_that_went_down_without_notice_begins_anew(void **state)
{
	(void)state;
	in_a_child(put_flush_and_die);
	overwrite("in-use", "00000000-0000-0000-0000-000000000000");
	assert_int_equal(found().count, 0);
	assert_int_equal(files("in-use"), 0);
}

static void put_in_another_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		_exit(2);
	put_flush_and_die();
}

/* An agent of another boot of the host: its store bears the id of that one. */
static void pretend_another_boot(void)
{
	static const char other[] = "00000000-0000-0000-0000-000000000000";
	static char bytes[1 << 20];
	char path[128], boot_id[sizeof(other)];
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
	size_t length, times = 0;

	assert_non_null(file);
	assert_non_null(fgets(boot_id, sizeof(boot_id), file));
	fclose(file);
	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	file = fopen(path, "r+");
	assert_non_null(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	for (char *at = bytes;
	     (at = memmem(at, length - (size_t)(at - bytes), boot_id, sizeof(other) - 1)); times++)
		memcpy(at, other, sizeof(other) - 1);
	assert_true(times > 0);
	rewind(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
	snprintf(path, sizeof(path), "%s/in-use", directory);
	unlink(path); /* as a host does that is shut down in order */
}

static void what_another_network_namespace_left_is_dropped(void **state)
{
	(void)state;
	in_a_child(put_in_another_namespace);
	assert_int_equal(found().count, 0);
}

/* Only the first namespace of a host has the same number in every boot. */
static void what_another_network_namespace_left_before_this_boot_is_dropped(void **state)
{
	(void)state;
	in_a_child(put_in_another_namespace);
	pretend_another_boot();
	assert_int_equal(found().count, 0);
}

/* Runs where CLOCK_MONOTONIC is a day ahead. */
static void put_a_day_ahead(void)
{
	static const char offset[] = "monotonic 86400 0\n";
	int fd = -1, status = 0;
	pid_t child;

	if (unshare(CLONE_NEWTIME) == 0)
		fd = open("/proc/self/timens_offsets", O_WRONLY);
	if (write(fd, offset, sizeof(offset) - 1) != sizeof(offset) - 1)
		_exit(3);
	child = fork();
	if (child == 0) {
		put_flush_and_die();
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		_exit(4);
}

static void assert_ends_in_about_an_hour(struct seen seen)
{
	uint64_t now_ns = clock_now_ns();

	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "killed");
	assert_in_range(seen.ends_ns[0], now_ns + 3000 * NS_PER_S, now_ns + 3600 * NS_PER_S);
}

static void keep_end(void *context, uint64_t id, const struct record *record)
{
	(void)context;
	(void)id;
	assert_int_equal(record->kind, BINDING_DIALOG);
	ends_ns = record->ends_ns;
}

/* What was found is written down with the times of this boot. */
static struct store *take_over(void)
{
	struct store_listener listener = { .binding = keep_end };
	struct record record = dialog_record("killed");
	struct store *store = NULL;

	if (store_open(directory, &store) || store_walk(store, &listener) != 1 ||
	    !store_begin_anew(store, clock_now_ns()))
		_exit(1);
	record.ends_ns = ends_ns;
	store_put(store, 0, &record);
	store_flush(store);
	return store;
}

static void take_over_half_and_die(void)
{
	if (!store_is_incomplete(take_over()))
		_exit(2);
}

static void take_over_and_die(void)
{
	struct store *store = take_over();

	store_complete(store);
	store_flush(store);
	if (store_is_incomplete(store))
		_exit(2);
}

static void what_was_written_before_this_boot_ends_when_it_did(void **state)
{
	(void)state;
	in_a_child(put_a_day_ahead);
	pretend_another_boot();
	assert_ends_in_about_an_hour(found());
	assert_ends_in_about_an_hour(found()); /* that one wrote nothing */
	in_a_child(take_over_half_and_die); /* what was there remains */
	assert_ends_in_about_an_hour(found());
	in_a_child(take_over_and_die);
	assert_ends_in_about_an_hour(found());
	pretend_another_boot();
	assert_ends_in_about_an_hour(found());
}

static void what_was_written_later_than_now_is_left_out(void **state)
{
	(void)state;
	in_a_child(put_a_day_ahead);
	assert_int_equal(found().count, 0);
	in_a_child(put_flush_and_die);
	assert_ends_in_about_an_hour(found());
}

static void put_records(struct store *store)
{
	struct record record = dialog_record("one of many");

	if (store_is_behind(store))
		assert_true(begin_anew(store, clock_now_ns()));
	for (size_t i = 1; i <= RECORDS; i++) {
		assert_int_equal(store_put(store, i, &record), i);
		if (i % 50 == 0)
			store_flush(store);
	}
	store_close(store);
}

static void cut(size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	assert_int_equal(truncate(path, (off_t)size), 0);
}

static void a_file_that_is_cut_off_is_set_aside(void **state)
{
	(void)state;
	put_records(opened());
	assert_int_equal(found().count, RECORDS);
	cut(file_size("bindings.mdb") / 2);
	assert_int_equal(found().count, 0);
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
}

static void a_file_of_no_bytes_begins_anew(void **state)
{
	(void)state;
	overwrite("bindings.mdb", "");
	assert_int_equal(found().count, 0);
	in_a_child(put_flush_and_die);
	assert_int_equal(found().count, 1);
}

static void fill_page(size_t page, size_t page_size, int byte)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)(page * page_size), SEEK_SET), 0);
	for (size_t i = 0; i < page_size; i++)
		fputc(byte, file);
	fclose(file);
}

/* Whether or not it is one that is read: the agent lives, and writes. */
static void no_damaged_page_ends_the_agent(void **state)
{
	static const int fillings[] = { 0x00, 0x01, 0xa5, 0xff };
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE), pages;
	struct store *store;

	(void)state;
	put_records(opened());
	pages = file_size("bindings.mdb") / page_size;
	assert_true(pages > 10);
	for (size_t i = 0; i < 4 * pages; i++) {
		fill_page(i / 4, page_size, fillings[i % 4]);
		store = opened();
		assert_true(walk(store).count <= RECORDS);
		put_records(store);
		assert_int_equal(found().count, RECORDS);
	}
}

static void a_directory_is_made_with_those_above_it(void **state)
{
	struct store *store = NULL;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/a/b", directory);
	assert_int_equal(store_open(path, &store), 0);
	store_close(store);
	overwrite("file", "x");
	snprintf(path, sizeof(path), "%s/file/b", directory);
	assert_int_not_equal(store_open(path, &store), 0);
}

static void what_is_made_is_for_nobody_else(void **state)
{
	mode_t mask = umask(0);
	struct store *store = NULL;
	struct stat status;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/a", directory);
	assert_int_equal(store_open(path, &store), 0);
	assert_true(begin_anew(store, clock_now_ns()));
	store_flush(store);
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/a/bindings.mdb", directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/a/in-use", directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	store_close(store);
}

static void a_directory_that_others_write_into_is_refused(void **state)
{
	struct store *store = NULL;

	(void)state;
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(store_open(directory, &store), -EPERM);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(chown(directory, 65534, 65534), 0);
	assert_int_equal(store_open(directory, &store), -EPERM);
	assert_int_equal(chown(directory, geteuid(), getegid()), 0);
	assert_int_equal(store_open(directory, &store), 0);
	store_close(store);
}

static void no_link_is_followed_to_somebody_elses_file(void **state)
{
	struct store *store = NULL;
	char path[128];

	(void)state;
	overwrite("other", "x");
	snprintf(path, sizeof(path), "%s/in-use", directory);
	assert_int_equal(symlink("other", path), 0);
	assert_int_equal(store_open(directory, &store), 0);
	assert_int_equal(file_size("other"), 1000);
	assert_int_equal(files("in-use.aside-*"), 1);
	store_close(store);
}

/* A file system of its own for the directory; tear_down() takes it off. */
static void mount_small(const char *options, unsigned long flags)
{
	assert_int_equal(mount("none", directory, "tmpfs", flags, options), 0);
}

static void a_directory_that_cannot_be_written_is_refused(void **state)
{
	struct store *store = NULL;

	(void)state;
	mount_small("size=64k,mode=0700", MS_RDONLY);
	assert_int_equal(store_open(directory, &store), -EROFS);
}

/* A mark that is no mark would look as if the host had gone down. */
static void a_full_directory_is_refused_and_nothing_is_left_in_it(void **state)
{
	struct store *store = NULL;

	(void)state;
	mount_small("size=4k,mode=0700", 0);
	overwrite("filler", "xxxx");
	assert_int_equal(store_open(directory, &store), -ENOSPC);
	assert_int_equal(files("in-use"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_read_is_set_aside),
		TEST(a_host_that_went_down_without_notice_begins_anew),
		TEST(what_another_network_namespace_left_is_dropped),
		TEST(what_another_network_namespace_left_before_this_boot_is_dropped),
		TEST(what_was_written_before_this_boot_ends_when_it_did),
		TEST(what_was_written_later_than_now_is_left_out),
		TEST(a_file_that_is_cut_off_is_set_aside),
		TEST(a_file_of_no_bytes_begins_anew),
		TEST(no_damaged_page_ends_the_agent),
		TEST(a_directory_is_made_with_those_above_it),
		TEST(what_is_made_is_for_nobody_else),
		TEST(a_directory_that_others_write_into_is_refused),
		TEST(no_link_is_followed_to_somebody_elses_file),
		TEST(a_directory_that_cannot_be_written_is_refused),
		TEST(a_full_directory_is_refused_and_nothing_is_left_in_it),
	};

	return cmocka_run_group_tests_name("what the store finds", tests, NULL, NULL);
}
