/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_connections.c - which TCP connections are written down and kept alive: real sockets
 * on the loopback of a network namespace, in a cgroup of the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "server.h"

static void assert_kept_alive(int fd)
{
	assert_int_equal(server_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), IDLE_S);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), INTERVAL_S);
	assert_int_equal(server_option(fd, IPPROTO_TCP, TCP_KEEPCNT), PROBES);
}

static bool is_known(struct server *server, const struct flow *flow)
{
	struct connection_entry entry;

	return kernel_connection(server->kernel, *flow, &entry);
}

/* IPv4, IPv6, and IPv4 on a socket of IPv6, which the listener for both makes of it. */
static void every_family_is_written_down_as_the_wire_shows_it(void **state)
{
	struct server *server = *state;
	int listeners[] = { server->listener, server->listener, -1 };
	const char *const addresses[] = { "::1", "127.0.0.1", "127.0.0.2" };
	static const uint16_t ports[] = { PORT, PORT, ALSO_PORT };

	server_begin(server);
	listeners[2] = host_listen(AF_INET, ALSO_PORT);
	for (size_t i = 0; i < 3; i++) {
		struct host_connection connection =
			host_connect(listeners[i], addresses[i], ports[i], 0);
		struct flow flow = host_flow(&connection);
		struct connection_entry entry;

		assert_int_equal(flow.local_port, ports[i]);
		server_told(server, SIGHTING_OPENED, &flow);
		assert_true(kernel_connection(server->kernel, flow, &entry));
		assert_in_range(entry.opened_ns, 1, kernel_now_ns());
		assert_int_equal(entry.keepalive, 1);
		assert_int_equal(entry.opaque, 0);
		assert_kept_alive(connection.server);
		assert_int_equal(server_option(connection.client, SOL_SOCKET, SO_KEEPALIVE), 0);
		host_disconnect(&connection);
		server_told(server, SIGHTING_CLOSED, &flow);
		assert_false(is_known(server, &flow));
	}
	close(listeners[2]);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_opened), 3);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_closed), 3);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_set), 3);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 0);
	assert_int_equal(kernel_count(server->kernel, COUNTER_sightings), 6);
}

static void assert_ignored(struct server *server, int listener, uint16_t port, uint16_t from)
{
	struct host_connection connection = host_connect(listener, "127.0.0.1", port, from);

	assert_int_equal(kernel_connections_held(server->kernel), 0);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(server_option(connection.client, SOL_SOCKET, SO_KEEPALIVE), 0);
	host_disconnect(&connection);
	assert_int_equal(kernel_sightings(server->kernel), 0);
}

/* Also one that the server itself opens, from a SIP port, to somebody else. */
static void only_what_a_sip_port_accepts_is_ours(void **state)
{
	struct server *server = *state;
	int other = host_listen(AF_INET, 5070);

	server_begin(server);
	assert_ignored(server, other, 5070, 0);
	close(server->listener);
	assert_ignored(server, other, 5070, PORT);
	server->listener = host_listen(AF_INET6, PORT);
	close(other);
}

static void only_our_network_namespace_is_ours(void **state)
{
	struct server *server = *state;

	server_watch(server);
	server_set(server, IDLE_S, 0);
	assert_ignored(server, server->listener, PORT, 0);
	server_set(server, IDLE_S, host_netns_cookie() + 1);
	assert_ignored(server, server->listener, PORT, 0);
}

static void without_an_idle_time_connections_are_known_and_not_kept(void **state)
{
	struct server *server = *state;
	struct host_connection connection;
	struct connection_entry entry;

	server_watch(server);
	server_set(server, 0, host_netns_cookie());
	connection = server_connect(server, "127.0.0.1");
	assert_true(kernel_connection(server->kernel, host_flow(&connection), &entry));
	assert_int_equal(entry.keepalive, 0);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	host_disconnect(&connection);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_set), 0);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 0);
}

static void a_refused_keepalive_is_counted(void **state)
{
	struct server *server = *state;
	struct host_connection connection;
	struct connection_entry entry;

	server_watch(server);
	server_set(server, 32768, host_netns_cookie()); /* the kernel takes 32767 s at most */
	connection = server_connect(server, "::1");
	assert_true(kernel_connection(server->kernel, host_flow(&connection), &entry));
	assert_int_equal(entry.keepalive, 0);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	host_disconnect(&connection);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 1);
}

static void send_reset(int fd)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(fd);
}

static void shut(int fd)
{
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

/* Whoever ends it, and however: by FIN, without waiting for the other side's, or by RST. */
static void the_first_word_of_the_end_is_the_end(void **state)
{
	void (*const ends[])(int fd) = { shut, send_reset };
	struct server *server = *state;

	server_begin(server);
	for (size_t i = 0; i < 4; i++) {
		struct host_connection connection = server_connect(server, "127.0.0.1");
		struct flow flow = host_flow(&connection);

		server_told(server, SIGHTING_OPENED, &flow);
		ends[i / 2](i % 2 ? connection.client : connection.server);
		server_told(server, SIGHTING_CLOSED, &flow);
		assert_false(is_known(server, &flow));
		if (i / 2 == 0)
			host_disconnect(&connection);
		else
			close(i % 2 ? connection.server : connection.client);
	}
	assert_int_equal(kernel_sightings(server->kernel), 0);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_closed), 4);
}

static void the_end_counts_also_when_the_port_is_no_sip_port_any_more(void **state)
{
	struct sip_settings settings = { .port_count = 1, .ports = { 5070 } };
	struct server *server = *state;
	struct host_connection connection;
	struct flow flow;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	flow = host_flow(&connection);
	server_told(server, SIGHTING_OPENED, &flow);
	settings.netns_cookie = host_netns_cookie();
	kernel_set(server->kernel, &settings);
	host_disconnect(&connection);
	server_told(server, SIGHTING_CLOSED, &flow);
	assert_int_equal(kernel_connections_held(server->kernel), 0);
}

static void trap_44_connections_without_room_are_counted_and_kept_alive(void **state)
{
	struct host_connection connections[KERNEL_CONNECTIONS + 1];
	struct server *server = *state;
	struct flow last;

	server_begin(server);
	for (size_t i = 0; i <= KERNEL_CONNECTIONS; i++)
		connections[i] = server_connect(server, "127.0.0.1");
	last = host_flow(&connections[KERNEL_CONNECTIONS]);
	assert_int_equal(kernel_connections_held(server->kernel), KERNEL_CONNECTIONS);
	assert_false(is_known(server, &last));
	assert_kept_alive(connections[KERNEL_CONNECTIONS].server);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_refused), 1);
	assert_int_equal(kernel_sightings(server->kernel), KERNEL_CONNECTIONS);
	for (size_t i = 0; i <= KERNEL_CONNECTIONS; i++)
		host_disconnect(&connections[i]);
	assert_int_equal(kernel_sightings(server->kernel), KERNEL_CONNECTIONS);
	assert_int_equal(kernel_connections_held(server->kernel), 0);
}

static void connections_that_were_there_are_found_and_their_end_is_told(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct host_connection connections[2];
	struct server *server = *state;
	struct connection_entry entry;

	for (size_t i = 0; i < 2; i++)
		connections[i] = server_connect(server, addresses[i]);
	server_begin(server);
	server_look_around(server);
	assert_int_equal(kernel_sightings(server->kernel), 0);
	assert_int_equal(kernel_connections_held(server->kernel), 2);
	for (size_t i = 0; i < 2; i++) {
		struct flow flow = host_flow(&connections[i]);

		assert_true(kernel_connection(server->kernel, flow, &entry));
		assert_in_range(entry.opened_ns, 1, kernel_now_ns());
		assert_int_equal(entry.keepalive, 1);
		assert_kept_alive(connections[i].server);
		assert_int_equal(server_option(connections[i].client, SOL_SOCKET, SO_KEEPALIVE), 0);
		host_disconnect(&connections[i]);
		server_told(server, SIGHTING_CLOSED, &flow);
		assert_false(is_known(server, &flow));
	}
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_opened), 2);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_closed), 2);
}

static void looking_again_refreshes_the_keepalive_alone(void **state)
{
	struct connection_entry before, after;
	struct host_connection connection;
	struct server *server = *state;
	struct flow flow;

	server_watch(server);
	server_set(server, 0, host_netns_cookie());
	connection = server_connect(server, "127.0.0.1");
	flow = host_flow(&connection);
	assert_true(kernel_connection(server->kernel, flow, &before));
	server_set(server, IDLE_S, host_netns_cookie());
	server_look_around(server);
	assert_true(kernel_connection(server->kernel, flow, &after));
	assert_int_equal(after.opened_ns, before.opened_ns);
	assert_int_equal(after.keepalive, 1);
	assert_kept_alive(connection.server);
	host_disconnect(&connection);
	server_told(server, SIGHTING_OPENED, &flow);
	server_told(server, SIGHTING_CLOSED, &flow);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_opened), 1);
}

/* One that is found anew is told apart from one whose end nobody noticed. */
static void looking_confirms_what_stands(void **state)
{
	struct connection_entry before, after, lost = { .opened_ns = 1, .confirmed_ns = 1 };
	struct flow nobody = frame_tcp(frame_flow4(40001));
	struct host_connection connection;
	struct server *server = *state;
	uint64_t now_ns;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	assert_true(kernel_connection(server->kernel, host_flow(&connection), &before));
	assert_int_equal(before.confirmed_ns, before.opened_ns);
	kernel_connect_as(server->kernel, nobody, &lost);
	now_ns = kernel_now_ns();
	server_look_around(server);
	assert_true(kernel_connection(server->kernel, host_flow(&connection), &after));
	assert_in_range(after.confirmed_ns, now_ns, kernel_now_ns());
	assert_int_equal(after.opened_ns, before.opened_ns);
	assert_true(kernel_connection(server->kernel, nobody, &after));
	assert_int_equal(after.confirmed_ns, 1);
	host_disconnect(&connection);
}

static void looking_again_counts_nothing_again(void **state)
{
	struct server *server = *state;
	struct host_connection connection;

	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	for (int i = 0; i < 3; i++)
		server_look_around(server);
	assert_int_equal(kernel_count(server->kernel, COUNTER_connections_opened), 1);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_set), 1);
	server_set(server, 32768, host_netns_cookie());
	for (int i = 0; i < 3; i++)
		server_look_around(server);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_refused), 1);
	host_disconnect(&connection);
}

/* Programs see every socket of the host, also those that came in by other interfaces. */
static void only_what_came_by_an_interface_of_ours_is_ours(void **state)
{
	struct server *server = *state;
	struct sip_settings settings = { .keepalive_idle_s = IDLE_S, .watched = { 7, LOOPBACK } };
	struct host_connection connection;

	assert_int_equal(bpf_xdp_detach(LOOPBACK, XDP_FLAGS_SKB_MODE, NULL), 0);
	server_begin(server);
	connection = server_connect(server, "127.0.0.1");
	server_look_around(server);
	assert_int_equal(kernel_connections_held(server->kernel), 0);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	settings.netns_cookie = host_netns_cookie();
	kernel_set(server->kernel, &settings);
	server_look_around(server);
	assert_int_equal(kernel_connections_held(server->kernel), 1);
	assert_int_equal(server_option(connection.server, SOL_SOCKET, SO_KEEPALIVE), 1);
	host_disconnect(&connection);
}

/* A trunk that the server holds open to another server, from its own SIP port. */
static void what_the_server_has_opened_is_not_found(void **state)
{
	struct server *server = *state;
	int other = host_listen(AF_INET, 5070);
	struct host_connection trunk;

	close(server->listener);
	trunk = host_connect(other, "127.0.0.1", 5070, PORT);
	server_begin(server);
	server_look_around(server);
	assert_int_equal(kernel_connections_held(server->kernel), 0);
	assert_int_equal(server_option(trunk.client, SOL_SOCKET, SO_KEEPALIVE), 0);
	host_disconnect(&trunk);
	server->listener = host_listen(AF_INET6, PORT);
	close(other);
}

static void what_is_closing_or_on_another_port_is_not_found(void **state)
{
	struct server *server = *state;
	int other = host_listen(AF_INET, 5070);
	struct host_connection closing = server_connect(server, "127.0.0.1");
	struct host_connection strange = host_connect(other, "127.0.0.1", 5070, 0);

	server_begin(server);
	shut(closing.client);
	server_look_around(server);
	assert_int_equal(kernel_connections_held(server->kernel), 0);
	assert_int_equal(kernel_count(server->kernel, COUNTER_keepalives_set), 0);
	host_disconnect(&closing);
	host_disconnect(&strange);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(every_family_is_written_down_as_the_wire_shows_it),
		SERVER_TEST(only_what_a_sip_port_accepts_is_ours),
		SERVER_TEST(only_our_network_namespace_is_ours),
		SERVER_TEST(without_an_idle_time_connections_are_known_and_not_kept),
		SERVER_TEST(a_refused_keepalive_is_counted),
		SERVER_TEST(the_first_word_of_the_end_is_the_end),
		SERVER_TEST(the_end_counts_also_when_the_port_is_no_sip_port_any_more),
		SERVER_TEST(trap_44_connections_without_room_are_counted_and_kept_alive),
		SERVER_TEST(connections_that_were_there_are_found_and_their_end_is_told),
		SERVER_TEST(looking_again_refreshes_the_keepalive_alone),
		SERVER_TEST(looking_confirms_what_stands),
		SERVER_TEST(looking_again_counts_nothing_again),
		SERVER_TEST(only_what_came_by_an_interface_of_ours_is_ours),
		SERVER_TEST(what_the_server_has_opened_is_not_found),
		SERVER_TEST(what_is_closing_or_on_another_port_is_not_found),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
