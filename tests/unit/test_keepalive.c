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

#include "base/clock.h"
#include "kernel/connection_hook.h"
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

static void must_not_go(void *context, const struct flow *flow)
{
	(void)context;
	(void)flow;
	fail_msg("a connection is gone");
}

static int connections_of(const struct attachment *attachment)
{
	int count = 0;

	assert_int_equal(connection_map_walk(attach_map(attachment, SIPPATH_MAP_CONNECTIONS), 0,
					     count_one, must_not_go, &count),
			 0);
	return count;
}

/* Sets the keepalive, also of the connections that stand, and returns how many do. */
static int set(struct attachment *attachment, uint64_t threshold_ns)
{
	int count = 0, map = attach_map(attachment, SIPPATH_MAP_CONNECTIONS);
	uint64_t now_ns = clock_now_ns();

	assert_int_equal(keepalive_set(attachment, threshold_ns), 0);
	assert_int_equal(connection_hook_visit(attach_connection_hook(attachment)), 0);
	assert_int_equal(connection_map_walk(map, now_ns, count_one, must_not_go, &count), 0);
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
	struct attachment *attachment = must_open_one("lo");

	(void)state;
	set(attachment, 24 * SECOND_NS);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct pair pair = connect_over(families[i], SIP_PORT);
		struct connection_entry entry = entry_of(attachment, &pair);

		assert_kept(pair.server, 24, 6, 127);
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
	struct attachment *attachment = must_open_one("lo");

	(void)state;
	assert_false(is_kept(pair.server));
	set(attachment, 24 * SECOND_NS);
	assert_kept(pair.server, 24, 6, 127);
	assert_kept(pair6.server, 24, 6, 127);
	assert_int_equal(entry_of(attachment, &pair).keepalive, 1);
	assert_int_equal(entry_of(attachment, &pair6).keepalive, 1);
	assert_int_equal(connections_of(attachment), 2);
	attach_close(attachment);
	close_pair(&pair);
	close_pair(&pair6);
}

static void a_new_threshold_reaches_connections_that_stand(void **state)
{
	struct attachment *attachment = must_open_one("lo");
	struct pair pair;

	(void)state;
	set(attachment, 24 * SECOND_NS);
	pair = connect_over(AF_INET, SIP_PORT);
	set(attachment, 120 * SECOND_NS);
	assert_kept(pair.server, 120, 30, 127);
	assert_int_equal(connections_of(attachment), 1);
	attach_close(attachment);
	close_pair(&pair);
}

static void connections_are_kept_while_no_agent_runs(void **state)
{
	struct attachment *attachment = must_open_one("lo");
	struct pair pair;

	(void)state;
	set(attachment, 24 * SECOND_NS);
	attach_close(attachment);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_kept(pair.server, 24, 6, 127);
	attachment = must_open_one("lo");
	assert_int_equal(entry_of(attachment, &pair).keepalive, 1);
	attach_close(attachment);
	close_pair(&pair);
}

static void an_interface_attached_beside_leaves_the_keepalive_as_it_is(void **state)
{
	const char *const interfaces[] = { "v1" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = must_open_one("lo");
	struct sip_settings before, after;

	(void)state;
	set(attachment, 24 * SECOND_NS);
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
	struct attachment *attachment = must_open_one("lo");
	struct pair before = connect_over(AF_INET, SIP_PORT + 1), after;

	(void)state;
	set(attachment, 24 * SECOND_NS);
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
	struct attachment *attachment = must_open_one("lo");
	struct pair pair;

	(void)state;
	set(attachment, 24 * SECOND_NS);
	attach_close(attachment);
	assert_int_equal(attach_remove("lo", PIN_DIR), 0);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_false(is_kept(pair.server));
	close_pair(&pair);
}

/* A program sees the sockets of the whole host, those of containers included. */
static void each_network_namespace_has_its_own(void **state)
{
	const char *const interfaces[] = { "lo" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *here = must_open_one("lo"), *there;
	struct pair pair;

	(void)state;
	set(here, 24 * SECOND_NS);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(run("ip link set dev lo up"), 0);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_false(is_kept(pair.server));
	options.pin_dir = BPF_FILE_SYSTEM "/there";
	there = must_open(&options);
	set(there, 60 * SECOND_NS);
	assert_int_not_equal(link_in(options.pin_dir).id, link_in(PIN_DIR).id);
	assert_kept(pair.server, 60, 15, 127);
	close_pair(&pair);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_kept(pair.server, 60, 15, 127);
	assert_int_equal(connections_of(here), 0);
	attach_close(here);
	attach_close(there);
	close_pair(&pair);
}

static void the_idle_time_is_the_threshold_in_whole_seconds(void **state)
{
	static const struct {
		uint64_t threshold_ns;
		uint32_t idle_s;
	} cases[] = {
		{ 0, 1 },
		{ 1, 1 },
		{ 1000000001, 2 },
		{ 1999999999, 2 },
		{ 24 * SECOND_NS, 24 },
		{ 32767 * SECOND_NS, 32767 },
		{ 32767 * SECOND_NS + 1, 32767 },
		{ UINT64_MAX, 32767 },
	};
	struct attachment *attachment = must_open_one("lo");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(keepalive_set(attachment, cases[i].threshold_ns), 0);
		assert_int_equal(settings_of(attachment).keepalive_idle_s, cases[i].idle_s);
	}
	attach_close(attachment);
}

/* The settings are right from the beginning: an agent that starts may be killed at once. */
static void no_start_leaves_connections_without_keepalive(void **state)
{
	const char *const interfaces[] = { "lo" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment;
	struct pair pair;

	(void)state;
	keepalive_fill(&options.settings, 24 * SECOND_NS);
	attachment = must_open(&options);
	pair = connect_over(AF_INET, SIP_PORT);
	assert_kept(pair.server, 24, 6, 127);
	attach_close(attachment);
	close_pair(&pair);
}

static void copy_flow(void *context, const struct flow *flow)
{
	memcpy(context, flow, sizeof(*flow));
}

static void must_not_stand(void *context, const struct flow *flow)
{
	(void)context;
	(void)flow;
	fail_msg("a connection stands");
}

static void one_whose_end_nobody_noticed_is_gone(void **state)
{
	struct flow flow = { .local_port = SIP_PORT, .remote_port = 1, .transport = FLOW_TCP };
	struct attachment *attachment = must_open_one("lo");
	struct connection_entry entry = { .opened_ns = 1, .confirmed_ns = clock_now_ns() };
	struct flow told = { 0 };

	(void)state;
	assert_int_equal(bpf_map_update_elem(attach_map(attachment, SIPPATH_MAP_CONNECTIONS), &flow,
					     &entry, BPF_ANY),
			 0);
	assert_int_equal(connection_map_walk(attach_map(attachment, SIPPATH_MAP_CONNECTIONS),
					     clock_now_ns() + 1, must_not_stand, copy_flow, &told),
			 0);
	assert_memory_equal(&told, &flow, sizeof(told));
	assert_int_equal(connections_of(attachment), 0);
	attach_close(attachment);
}

/* By an interface that the program is on, and not by others, whatever their port. */
static void only_connections_of_watched_interfaces_are_kept(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct pair before, after;

	(void)state;
	before = connect_over(AF_INET, SIP_PORT);
	assert_int_equal(set(attachment, 24 * SECOND_NS), 0);
	after = connect_over(AF_INET, SIP_PORT);
	assert_int_equal(set(attachment, 24 * SECOND_NS), 0);
	assert_false(is_kept(before.server) || is_kept(after.server));
	attach_close(attachment);
	attachment = must_open_one("lo");
	assert_int_equal(set(attachment, 24 * SECOND_NS), 2);
	assert_true(is_kept(before.server) && is_kept(after.server));
	attach_close(attachment);
	close_pair(&before);
	close_pair(&after);
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
		IN_A_WORLD(the_idle_time_is_the_threshold_in_whole_seconds),
		IN_A_WORLD(no_start_leaves_connections_without_keepalive),
		IN_A_WORLD(one_whose_end_nobody_noticed_is_gone),
		IN_A_WORLD(only_connections_of_watched_interfaces_are_kept),
	};

	return cmocka_run_group_tests_name("keepalive", tests, NULL, NULL);
}
