/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_syn_flood.c - SYNs in the names of others hide no connection of those who mean it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "server.h"

#define STRANGERS 64

/* SYNs in the names of so many networks; afterwards no new flow is noted for a long time. */
static void flood_with_syns(struct server *server)
{
	for (unsigned int i = 0; i < STRANGERS; i++) {
		struct frame_plan plan =
			frame_plan(frame_tcp(frame_flow4(40001)), SIGHTING_FROM_DEVICE);
		static struct frame frame;

		plan.flow.remote_addr[14] ^= (uint8_t)i;
		plan.tcp_flags = FRAME_TCP_SYN;
		frame_build(&frame, &plan, "", 0);
		assert_int_equal(kernel_ingress(server->kernel, &frame), XDP_PASS);
	}
	assert_in_range(kernel_count(server->kernel, COUNTER_flows_limited), 1, STRANGERS - 1);
}

static void trap_44_a_flood_of_syns_hides_nobody_who_connects(void **state)
{
	struct sip_settings settings = { .netns_cookie = host_netns_cookie(), .flows_rate = 1 };
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct server *server = *state;

	server_watch(server);
	kernel_set(server->kernel, &settings);
	flood_with_syns(server);
	for (size_t i = 0; i < 2; i++) {
		struct host_connection connection = server_connect(server, addresses[i]);
		struct flow flow = host_flow(&connection);
		struct flow_entry entry;

		server_told(server, SIGHTING_OPENED, &flow);
		assert_true(kernel_flow(server->kernel, flow, &entry));
		host_disconnect(&connection);
		server_told(server, SIGHTING_CLOSED, &flow);
	}
}

/* With them the kernel knows nothing of a handshake, but by which interface it was ended. */
static void trap_44_neither_do_syn_cookies(void **state)
{
	struct sip_settings settings = { .netns_cookie = host_netns_cookie(),
					 .flows_rate = 1,
					 .watched = { 7, LOOPBACK } };
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct server *server = *state;

	host_set("/proc/sys/net/ipv4/tcp_syncookies", "2");
	server_watch(server);
	kernel_set(server->kernel, &settings);
	flood_with_syns(server);
	for (size_t i = 0; i < 2; i++) {
		struct host_connection connection = server_connect(server, addresses[i]);
		struct flow flow = host_flow(&connection);

		server_told(server, SIGHTING_OPENED, &flow);
		host_disconnect(&connection);
		server_told(server, SIGHTING_CLOSED, &flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(trap_44_a_flood_of_syns_hides_nobody_who_connects),
		SERVER_TEST(trap_44_neither_do_syn_cookies),
	};

	return cmocka_run_group_tests_name("syn flood", tests, NULL, NULL);
}
