/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_notify.c - what a service manager is told, over a real socket of its kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "health/notify.h"

#define PATIENCE_MS 20000

static char directory[] = "/tmp/sippath-test-notify-XXXXXX";
static struct ev_loop *loop;
static int manager;

/* Listens under a name; '@' stands for the zero byte of an abstract one. */
static void listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);

	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void expect(const char *wanted)
{
	struct pollfd ready = { .fd = manager, .events = POLLIN };
	char text[512];
	ssize_t length;

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	length = recv(manager, text, sizeof(text) - 1, 0);
	assert_true(length >= 0);
	text[length] = '\0';
	assert_string_equal(text, wanted);
}

static void expect_nothing(void)
{
	struct pollfd ready = { .fd = manager, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, 0), 0);
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	manager = -1;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	loop = ev_loop_new(EVFLAG_AUTO);
	return loop && mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[sizeof(directory) + 16];

	(void)state;
	if (manager >= 0)
		close(manager);
	ev_loop_destroy(loop);
	snprintf(path, sizeof(path), "%s/notify", directory);
	unlink(path);
	return rmdir(directory);
}

static struct notify *open_notify(void)
{
	struct notify *notify;

	assert_int_equal(notify_open(&notify), 0);
	return notify;
}

static void tell_all(const char *name)
{
	struct notify *notify;

	listen_at(name);
	notify = open_notify();
	expect_nothing();
	notify_ready(notify, loop);
	expect("READY=1");
	notify_status(notify, "all is well");
	expect("STATUS=all is well");
	notify_stopping(notify);
	expect("STOPPING=1");
	notify_close(notify);
	expect_nothing();
}

static void a_socket_in_the_file_system_is_told(void **state)
{
	char name[sizeof(directory) + 16];

	(void)state;
	snprintf(name, sizeof(name), "%s/notify", directory);
	tell_all(name);
}

static void an_abstract_socket_is_told(void **state)
{
	char name[sizeof(directory) + 16];

	(void)state;
	snprintf(name, sizeof(name), "@%s/notify", directory);
	tell_all(name);
}

/* What a child of ours says would be taken for ours. */
static void the_environment_is_cleared(void **state)
{
	(void)state;
	listen_at("@sippath-test-notify-environment");
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_close(open_notify());
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
}

static void without_a_manager_nothing_happens(void **state)
{
	static const char *const names[] = { NULL, "", "@", "relative", "/nowhere/at/all" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct notify *notify;

		if (names[i])
			setenv("NOTIFY_SOCKET", names[i], 1);
		notify = open_notify();
		notify_ready(notify, loop);
		notify_status(notify, "x");
		notify_stopping(notify);
		notify_close(notify);
	}
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	notify_close(open_notify());
}

static void a_manager_that_goes_away_does_no_harm(void **state)
{
	struct notify *notify;

	(void)state;
	listen_at("@sippath-test-notify-gone");
	notify = open_notify();
	close(manager);
	manager = -1;
	notify_ready(notify, loop);
	notify_stopping(notify);
	notify_close(notify);
}

/* A manager that does not read must not stop us. */
static void a_full_socket_is_not_waited_for(void **state)
{
	struct notify *notify;

	(void)state;
	alarm(60);
	listen_at("@sippath-test-notify-full");
	notify = open_notify();
	for (int i = 0; i < 10000; i++)
		notify_status(notify, "x");
	expect("STATUS=x");
	notify_close(notify);
	alarm(0);
}

static struct notify *open_watched(const char *usec, const char *pid)
{
	listen_at("@sippath-test-notify-watchdog");
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	return open_notify();
}

/* Only the turning loop says it. */
static void the_watchdog_hears_from_a_loop_that_turns(void **state)
{
	struct notify *notify = open_watched("20000", NULL);

	(void)state;
	notify_ready(notify, loop);
	expect("READY=1");
	usleep(50000); /* the loop does not turn */
	expect_nothing();
	for (int i = 0; i < 3; i++) {
		ev_run(loop, EVRUN_ONCE);
		expect("WATCHDOG=1");
	}
	notify_stopping(notify);
	expect("STOPPING=1");
	ev_run(loop, EVRUN_NOWAIT);
	expect_nothing();
	notify_close(notify);
}

static void assert_not_watched(const char *usec, const char *pid)
{
	struct notify *notify = open_watched(usec, pid);

	notify_ready(notify, loop);
	expect("READY=1");
	assert_false(ev_run(loop, EVRUN_ONCE)); /* nothing is waited for */
	expect_nothing();
	notify_close(notify);
	close(manager);
	manager = -1;
}

static void a_watchdog_that_is_not_ours_hears_nothing(void **state)
{
	char ours[24];

	(void)state;
	assert_not_watched("0", NULL);
	assert_not_watched("-1", NULL);
	assert_not_watched("20000x", NULL);
	assert_not_watched("99999999999999999999999", NULL);
	assert_not_watched("20000", "1");
	assert_not_watched("20000", "x");
	snprintf(ours, sizeof(ours), "%d", getpid());
	notify_close(open_watched("20000", ours));
}

#define NOTIFY_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTIFY_TEST(a_socket_in_the_file_system_is_told),
		NOTIFY_TEST(an_abstract_socket_is_told),
		NOTIFY_TEST(the_environment_is_cleared),
		NOTIFY_TEST(without_a_manager_nothing_happens),
		NOTIFY_TEST(a_name_that_is_too_long_is_refused),
		NOTIFY_TEST(a_manager_that_goes_away_does_no_harm),
		NOTIFY_TEST(a_full_socket_is_not_waited_for),
		NOTIFY_TEST(the_watchdog_hears_from_a_loop_that_turns),
		NOTIFY_TEST(a_watchdog_that_is_not_ours_hears_nothing),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
