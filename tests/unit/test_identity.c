/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_identity.c - who the agent works as, and what of the state directory becomes his. Most of
 * it takes root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "privileges/identity.h"

#define USER 4242
#define GROUP 4343
#define NOBODY 65534

static char top[] = "/tmp/sippath-test-identity-XXXXXX";
static char paths[8][sizeof(top) + 64];
static bool has_sippath;

/* The accounts of a host that has the user, or has not. */
struct passwd *getpwnam(const char *name)
{
	static char nobody[] = "nobody", sippath[] = "sippath", root[] = "root";
	static struct passwd accounts[] = {
		{ .pw_name = nobody, .pw_uid = NOBODY, .pw_gid = NOBODY },
		{ .pw_name = root },
		{ .pw_name = sippath, .pw_uid = USER, .pw_gid = GROUP },
	};

	for (size_t i = 0; i < (has_sippath ? 3 : 2); i++)
		if (strcmp(accounts[i].pw_name, name) == 0)
			return &accounts[i];
	return NULL;
}

/* A path below the directory of the test, in one of a few buffers. */
static const char *at(const char *name)
{
	static size_t turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void make_file(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static uid_t owner(const char *name)
{
	struct stat status;

	assert_int_equal(lstat(at(name), &status), 0);
	return status.st_uid;
}

static int begin(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	has_sippath = true;
	strcpy(top + sizeof(top) - 7, "XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int end(void **state)
{
	static const char *const names[] = {
		"state/bindings.mdb", "state/in-use",         "state/call-control.key",
		"state/photo.jpeg",   "state/bindings.mdb.d", "elsewhere",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (unlink(at(names[i])))
			rmdir(at(names[i]));
	rmdir(at("a/b/state"));
	rmdir(at("a/b"));
	rmdir(at("a"));
	rmdir(at("state"));
	return rmdir(top);
}

static void take_root_for_granted(void)
{
	if (geteuid() != 0)
		skip();
}

static int hand_over_to(const char *user, const char *name)
{
	struct identity identity;

	assert_int_equal(identity_find(user, &identity), 0);
	return identity_hand_over(&identity, at(name));
}

static void hand_over(const char *name)
{
	assert_int_equal(hand_over_to("sippath", name), 0);
}

static void the_default_user_is_sippath_or_nobody(void **state)
{
	struct identity identity;

	(void)state;
	take_root_for_granted();
	assert_int_equal(identity_find("", &identity), 0);
	assert_int_equal(identity.user, USER);
	assert_int_equal(identity.group, GROUP);
	assert_true(identity.other);
	has_sippath = false;
	assert_int_equal(identity_find("", &identity), 0);
	assert_int_equal(identity.user, NOBODY);
}

static void a_user_is_named_or_refused(void **state)
{
	struct identity identity = { .user = 7 };

	(void)state;
	take_root_for_granted();
	assert_int_equal(identity_find("nosuchuser", &identity), -ENOENT);
	assert_int_equal(identity.user, 7);
	assert_int_equal(identity_find("root", &identity), 0);
	assert_int_equal(identity.user, 0);
	assert_false(identity.other);
}

static void a_directory_that_is_missing_is_made_for_the_user(void **state)
{
	struct stat status;

	(void)state;
	take_root_for_granted();
	hand_over("a/b/state");
	assert_int_equal(owner("a/b/state"), USER);
	assert_int_equal(owner("a/b"), 0);
	assert_int_equal(stat(at("a/b/state"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(status.st_gid, GROUP);
	assert_int_equal(stat(at("a/b"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void what_root_had_made_there_becomes_the_users(void **state)
{
	(void)state;
	take_root_for_granted();
	assert_int_equal(mkdir(at("state"), 0700), 0);
	make_file("state/bindings.mdb");
	make_file("state/in-use");
	make_file("state/call-control.key");
	hand_over("state");
	assert_int_equal(owner("state"), USER);
	assert_int_equal(owner("state/bindings.mdb"), USER);
	assert_int_equal(owner("state/in-use"), USER);
	assert_int_equal(owner("state/call-control.key"), USER);
}

/* Such as /root, by mistake. */
static void a_directory_that_holds_anything_else_stays_roots(void **state)
{
	(void)state;
	take_root_for_granted();
	assert_int_equal(mkdir(at("state"), 0700), 0);
	make_file("state/bindings.mdb");
	make_file("state/photo.jpeg");
	hand_over("state");
	assert_int_equal(owner("state"), 0);
	assert_int_equal(owner("state/bindings.mdb"), 0);
	assert_int_equal(owner("state/photo.jpeg"), 0);
}

/* Whoever got into the agent could have prepared it so. */
static void links_and_second_names_give_nothing_away(void **state)
{
	(void)state;
	take_root_for_granted();
	assert_int_equal(mkdir(at("state"), 0700), 0);
	assert_int_equal(chown(at("state"), USER, GROUP), 0);
	make_file("elsewhere");
	make_file("state/in-use");
	make_file("state/photo.jpeg");
	assert_int_equal(symlink(at("elsewhere"), at("state/call-control.key")), 0);
	assert_int_equal(link(at("elsewhere"), at("state/bindings.mdb")), 0);
	assert_int_equal(mkdir(at("state/bindings.mdb.d"), 0700), 0);
	hand_over("state");
	assert_int_equal(owner("elsewhere"), 0);
	assert_int_equal(owner("state/call-control.key"), 0);
	assert_int_equal(owner("state/bindings.mdb.d"), 0);
	assert_int_equal(owner("state/photo.jpeg"), 0);
	assert_int_equal(owner("state/in-use"), USER);
}

static void a_directory_of_somebody_else_stays_his(void **state)
{
	(void)state;
	take_root_for_granted();
	assert_int_equal(mkdir(at("state"), 0700), 0);
	make_file("state/in-use");
	assert_int_equal(chown(at("state"), USER + 1, GROUP), 0);
	assert_int_equal(hand_over_to("sippath", "state"), -EPERM);
	assert_int_equal(owner("state"), USER + 1);
	assert_int_equal(owner("state/in-use"), 0);
}

/* Before there was a user of its own it worked as nobody, and said how to make one. */
static void what_nobody_had_becomes_the_users(void **state)
{
	(void)state;
	take_root_for_granted();
	has_sippath = false;
	assert_int_equal(hand_over_to("", "state"), 0);
	make_file("state/bindings.mdb");
	make_file("state/call-control.key");
	assert_int_equal(hand_over_to("", "state"), 0);
	assert_int_equal(owner("state"), NOBODY);
	assert_int_equal(owner("state/bindings.mdb"), NOBODY);
	has_sippath = true;
	make_file("state/in-use");
	hand_over("state");
	assert_int_equal(owner("state"), USER);
	assert_int_equal(owner("state/bindings.mdb"), USER);
	assert_int_equal(owner("state/call-control.key"), USER);
	assert_int_equal(owner("state/in-use"), USER);
}

/* It may be anybody's who has no user of his own. */
static void what_else_nobody_has_stays_his(void **state)
{
	(void)state;
	take_root_for_granted();
	assert_int_equal(mkdir(at("state"), 0700), 0);
	make_file("state/bindings.mdb");
	make_file("state/photo.jpeg");
	assert_int_equal(chown(at("state"), NOBODY, NOBODY), 0);
	assert_int_equal(hand_over_to("sippath", "state"), -EPERM);
	assert_int_equal(owner("state"), NOBODY);
	assert_int_equal(owner("state/bindings.mdb"), 0);
}

static void root_takes_nothing_from_a_user(void **state)
{
	(void)state;
	take_root_for_granted();
	hand_over("state");
	assert_int_equal(hand_over_to("root", "state"), -EPERM);
	assert_int_equal(owner("state"), USER);
	assert_int_equal(chown(at("state"), NOBODY, NOBODY), 0);
	assert_int_equal(hand_over_to("root", "state"), 0);
	assert_int_equal(owner("state"), 0);
	make_file("state/photo.jpeg");
	assert_int_equal(hand_over_to("root", "state"), 0);
	assert_int_equal(owner("state"), 0);
}

#define IDENTITY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IDENTITY_TEST(the_default_user_is_sippath_or_nobody),
		IDENTITY_TEST(a_user_is_named_or_refused),
		IDENTITY_TEST(a_directory_that_is_missing_is_made_for_the_user),
		IDENTITY_TEST(what_root_had_made_there_becomes_the_users),
		IDENTITY_TEST(a_directory_that_holds_anything_else_stays_roots),
		IDENTITY_TEST(links_and_second_names_give_nothing_away),
		IDENTITY_TEST(a_directory_of_somebody_else_stays_his),
		IDENTITY_TEST(what_nobody_had_becomes_the_users),
		IDENTITY_TEST(what_else_nobody_has_stays_his),
		IDENTITY_TEST(root_takes_nothing_from_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
