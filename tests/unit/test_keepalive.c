/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_keepalive.c - the kernel's keepalive on connections to the SIP server's port, read
 * back from the sockets of a server in the test.
 */
#include "attach_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel/connection_map.h"
#include "kernel/keepalive.h"

#define SECOND_NS 1000000000ULL
#define WAIT_MS 10000
#define SIP_PORT 5070 /* that of options_for() */

/* A connection over the loopback interface. */
struct pair {
	int device;
	int server;
};

static int listen_on(int family, uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in address4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool ipv6 = family == AF_INET6;
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, ipv6 ? (void *)&address : (void *)&address4,
			      ipv6 ? sizeof(address) : sizeof(address4)),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static struct pair connect_to(int listener)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);
	struct pair pair;

	assert_int_equal(getsockname(listener, (void *)&address, &length), 0);
	pair.device = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(pair.device >= 0);
	assert_int_equal(connect(pair.device, (void *)&address, length), 0);
	pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair.server >= 0);
	return pair;
}

static struct pair connect_over(int family, uint16_t port)
{
	int listener = listen_on(family, port);
	struct pair pair = connect_to(listener);

	close(listener);
	return pair;
}

static void close_pair(const struct pair *pair)
{
	close(pair->device);
	close(pair->server);
}

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &length), 0);
	return value;
}

static void assert_kept(int fd, int idle_s, int interval_s, int count)
{
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle_s);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), interval_s);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), count);
}

static bool is_kept(int fd)
{
	return option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == 1;
}

/* The flow of a connection as the server's host sees it: the local side is the server's. */
static struct flow flow_of(const struct pair *pair)
{
	struct flow flow = { .transport = FLOW_TCP };
	struct sockaddr_storage local, remote;
	socklen_t length = sizeof(local);
	const struct sockaddr_in *local4 = (void *)&local, *remote4 = (void *)&remote;
	const struct sockaddr_in6 *local6 = (void *)&local, *remote6 = (void *)&remote;

	assert_int_equal(getsockname(pair->server, (void *)&local, &length), 0);
	length = sizeof(remote);
	assert_int_equal(getpeername(pair->server, (void *)&remote, &length), 0);
	flow.local_port = ntohs(local4->sin_port);
	flow.remote_port = ntohs(remote4->sin_port);
	if (local.ss_family == AF_INET6) {
		memcpy(flow.local_addr, &local6->sin6_addr, 16);
		memcpy(flow.remote_addr, &remote6->sin6_addr, 16);
		return flow;
	}
	memset(flow.local_addr + 10, 0xff, 2);
	memset(flow.remote_addr + 10, 0xff, 2);
	memcpy(flow.local_addr + 12, &local4->sin_addr, 4);
	memcpy(flow.remote_addr + 12, &remote4->sin_addr, 4);
	return flow;
}

static void count_one(void *context, const struct flow *flow)
{
	(void)flow;
	(*(int *)context)++;
}

static int connections_of(const struct attachment *attachment)
{
	int count = 0;

	assert_int_equal(connection_map_walk(attach_map(attachment, SIPPATH_MAP_CONNECTIONS),
					     count_one, &count),
			 0);
	return count;
}

static struct connection_entry entry_of(const struct attachment *attachment,
					const struct pair *pair)
{
	struct flow flow = flow_of(pair);
	struct connection_entry entry;

	assert_int_equal(
		connection_map_read(attach_map(attachment, SIPPATH_MAP_CONNECTIONS), &flow, &entry),
		0);
	return entry;
}

static void wait_for_connections(const struct attachment *attachment, int count)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	int waited = 0;

	while (connections_of(attachment) != count && waited++ < WAIT_MS)
		nanosleep(&pause, NULL);
	assert_int_equal(connections_of(attachment), count);
}

static int make_world(void **state)
{
	return world_make(state) || run("ip link set dev lo up");
}

static void an_accepted_connection_is_kept_and_known_until_it_is_gone(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct pair pair = connect_over(families[i], SIP_PORT);
		struct connection_entry entry = entry_of(attachment, &pair);

		assert_kept(pair.server, 24, 6, 50);
		assert_false(is_kept(pair.device));
		assert_int_not_equal(entry.opened_ns, 0);
		assert_int_equal(entry.keepalive, 1);
		assert_int_equal(connections_of(attachment), 1);
		close_pair(&pair);
		wait_for_connections(attachment, 0);
	}
	attach_close(attachment);
}

static void a_connection_that_was_there_before_is_kept_too(void **state)
{
	struct pair pair = connect_over(AF_INET, SIP_PORT),
		    pair6 = connect_over(AF_INET6, SIP_PORT);
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	assert_false(is_kept(pair.server));
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	assert_kept(pair.server, 24, 6, 50);
	assert_kept(pair6.server, 24, 6, 50);
	assert_int_equal(entry_of(attachment, &pair).keepalive, 1);
	assert_int_equal(entry_of(attachment, &pair6).keepalive, 1);
	assert_int_equal(connections_of(attachment), 2);
	attach_close(attachment);
	close_pair(&pair);
	close_pair(&pair6);
}

static void a_new_threshold_reaches_connections_that_stand(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct pair pair;

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_int_equal(keepalive_set(attachment, 120 * SECOND_NS), 0);
	assert_kept(pair.server, 120, 30, 10);
	assert_int_equal(connections_of(attachment), 1);
	attach_close(attachment);
	close_pair(&pair);
}

static void connections_are_kept_while_no_agent_runs(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct pair pair;

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	attach_close(attachment);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_kept(pair.server, 24, 6, 50);
	attachment = must_open_one("v0");
	assert_int_equal(entry_of(attachment, &pair).keepalive, 1);
	attach_close(attachment);
	close_pair(&pair);
}

static void an_interface_attached_beside_leaves_the_keepalive_as_it_is(void **state)
{
	const char *const interfaces[] = { "v1" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = must_open_one("v0");
	struct sip_settings before, after;

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	before = settings_of(attachment);
	options.keep_settings = true;
	attach_close(must_open(&options));
	after = settings_of(attachment);
	assert_int_equal(after.keepalive_idle_s, 24);
	assert_int_equal(after.netns_cookie, before.netns_cookie);
	attach_close(attachment);
}

static void connections_to_other_ports_are_left_alone(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct pair before = connect_over(AF_INET, SIP_PORT + 1), after;

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	after = connect_over(AF_INET, SIP_PORT + 1);
	assert_false(is_kept(before.server));
	assert_false(is_kept(after.server));
	assert_int_equal(connections_of(attachment), 0);
	attach_close(attachment);
	close_pair(&before);
	close_pair(&after);
}

static void after_the_last_detach_connections_are_left_alone(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct pair pair;

	(void)state;
	assert_int_equal(keepalive_set(attachment, 24 * SECOND_NS), 0);
	attach_close(attachment);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_false(is_kept(pair.server));
	close_pair(&pair);
}

/* A program sees the sockets of the whole host, those of containers included. */
static void each_network_namespace_has_its_own(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *here = must_open_one("v0"), *there;
	struct pair pair;

	(void)state;
	assert_int_equal(keepalive_set(here, 24 * SECOND_NS), 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(run("ip link set dev lo up; ip link add v0 type veth peer name p0"), 0);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_false(is_kept(pair.server));
	options.pin_dir = BPF_FILE_SYSTEM "/there";
	there = must_open(&options);
	assert_int_equal(keepalive_set(there, 60 * SECOND_NS), 0);
	assert_int_not_equal(link_in(options.pin_dir).id, link_in(PIN_DIR).id);
	assert_kept(pair.server, 60, 15, 20);
	close_pair(&pair);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_kept(pair.server, 60, 15, 20);
	assert_int_equal(connections_of(here), 0);
	attach_close(here);
	attach_close(there);
	close_pair(&pair);
}

static void trap_21_no_connection_is_given_up_before_some_minutes(void **state)
{
	static const struct {
		uint64_t threshold_ns;
		uint32_t idle_s, interval_s, count;
	} cases[] = {
		{ 0, 1, 1, 127 },
		{ 1999999999, 1, 1, 127 },
		{ 10 * SECOND_NS, 10, 2, 127 },
		{ 24 * SECOND_NS, 24, 6, 50 },
		{ 28 * SECOND_NS, 28, 7, 43 },
		{ 3600 * SECOND_NS, 3600, 900, 9 },
		{ 86400 * SECOND_NS, 32767, 8191, 9 },
	};
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_settings settings;

		assert_int_equal(keepalive_set(attachment, cases[i].threshold_ns), 0);
		settings = settings_of(attachment);
		assert_int_equal(settings.keepalive_idle_s, cases[i].idle_s);
		assert_int_equal(settings.keepalive_interval_s, cases[i].interval_s);
		assert_int_equal(settings.keepalive_count, cases[i].count);
	}
	attach_close(attachment);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, make_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(an_accepted_connection_is_kept_and_known_until_it_is_gone),
		IN_A_WORLD(a_connection_that_was_there_before_is_kept_too),
		IN_A_WORLD(a_new_threshold_reaches_connections_that_stand),
		IN_A_WORLD(connections_are_kept_while_no_agent_runs),
		IN_A_WORLD(an_interface_attached_beside_leaves_the_keepalive_as_it_is),
		IN_A_WORLD(connections_to_other_ports_are_left_alone),
		IN_A_WORLD(after_the_last_detach_connections_are_left_alone),
		IN_A_WORLD(each_network_namespace_has_its_own),
		IN_A_WORLD(trap_21_no_connection_is_given_up_before_some_minutes),
	};

	return cmocka_run_group_tests_name("keepalive", tests, NULL, NULL);
}
