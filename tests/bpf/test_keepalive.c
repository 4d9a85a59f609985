/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_keepalive.c - what the SIP server has chosen for the keepalive of its connections, and
 * what is left for us to choose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "server.h"

static void choose(int fd, int level, int name, int value)
{
	assert_int_equal(setsockopt(fd, level, name, &value, sizeof(value)), 0);
}

static void choose_keepalive(int fd, int on, int idle_s)
{
	choose(fd, SOL_SOCKET, SO_KEEPALIVE, on);
	choose(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
	choose(fd, IPPROTO_TCP, TCP_KEEPINTVL, 11);
	choose(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

static void assert_options(int fd, int on, int idle_s, int interval_s, int probes)
{
	assert_int_equal(server_option(fd, SOL_SOCKET, SO_KEEPALIVE), on);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle_s);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), interval_s);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPCNT), probes);
}

static bool is_kept(struct server *server, const struct host_connection *connection)
{
	struct connection_entry entry;

	assert_true(kernel_connection(server->kernel, host_flow(connection), &entry));
	return entry.keepalive;
}

/* By the listening socket, whose options the kernel hands on, or after accepting. */
static void a_server_s_own_keepalive_is_left_alone(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	choose_keepalive(connection.server, 1, 10);
	server_look_around(server);
	assert_options(connection.server, 1, 10, 11, 3);
	assert_true(is_kept(server, &connection));
	host_disconnect(&connection);
	choose_keepalive(server->listener, 1, 12);
	connection = server_connect(server, "::1");
	assert_options(connection.server, 1, 12, 11, 3);
	assert_true(is_kept(server, &connection));
	host_disconnect(&connection);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 0);
}

static void a_server_s_own_keepalive_comes_early_enough_for_the_nat(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	choose_keepalive(server->listener, 1, 7200);
	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	assert_options(connection.server, 1, IDLE_S, 11, 3);
	server_set(server, 10 * IDLE_S, host_netns_cookie());
	server_look_around(server);
	assert_options(connection.server, 1, IDLE_S, 11, 3);
	assert_true(is_kept(server, &connection));
	host_disconnect(&connection);
}

/* With it set, a phone that sleeps would lose its connection to the first probes. */
static void trap_21_with_a_user_timeout_nothing_is_switched_on(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	choose(server->listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
		assert_false(is_kept(server, &connection));
		server_look_around(server);
	}
	choose_keepalive(connection.server, 1, 7200);
	server_look_around(server);
	assert_options(connection.server, 1, 7200, 11, 3);
	assert_false(is_kept(server, &connection));
	choose_keepalive(connection.server, 1, 20);
	server_look_around(server);
	assert_options(connection.server, 1, 20, 11, 3);
	assert_true(is_kept(server, &connection));
	host_disconnect(&connection);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 0);
}

static void trap_21_ours_is_switched_off_when_a_user_timeout_comes_later(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	assert_options(connection.server, 1, IDLE_S, INTERVAL_S, PROBES);
	choose(connection.server, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	server_look_around(server);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_false(is_kept(server, &connection));
	host_disconnect(&connection);
}

static void what_the_server_switches_off_stays_off(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	choose(connection.server, SOL_SOCKET, SO_KEEPALIVE, 0);
	for (int i = 0; i < 2; i++) {
		server_look_around(server);
		assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
		assert_false(is_kept(server, &connection));
	}
	host_disconnect(&connection);
}

/* Also when nobody remembers that it is ours: the entry may have been lost. */
static void ours_follows_the_threshold_either_way(void **state)
{
	static const int idle_s[] = { 60, 10, 1, 32767, 2 };
	struct server *server = *state;
	struct host_connection connection;
	struct flow flow;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	flow = host_flow(&connection);
	for (size_t i = 0; i < sizeof(idle_s) / sizeof(idle_s[0]); i++) {
		kernel_disconnect(server->kernel, flow);
		server_set(server, (uint32_t)idle_s[i], host_netns_cookie());
		server_look_around(server);
		assert_options(connection.server, 1, idle_s[i], idle_s[i] < 4 ? 1 : idle_s[i] / 4,
			       PROBES);
		assert_true(is_kept(server, &connection));
	}
	host_disconnect(&connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_server_s_own_keepalive_is_left_alone),
		SERVER_TEST(a_server_s_own_keepalive_comes_early_enough_for_the_nat),
		SERVER_TEST(trap_21_with_a_user_timeout_nothing_is_switched_on),
		SERVER_TEST(trap_21_ours_is_switched_off_when_a_user_timeout_comes_later),
		SERVER_TEST(what_the_server_switches_off_stays_off),
		SERVER_TEST(ours_follows_the_threshold_either_way),
	};

	return cmocka_run_group_tests_name("keepalive", tests, NULL, NULL);
}
