/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_connection_map.c - sip_connections as the agent reads it, on a map of the kernel's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "kernel/connection_map.h"

#define ROOM 1024

static int map_fd = -1;

static int make_map(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	(void)state;
	map_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "sip_connections", sizeof(struct flow),
				sizeof(struct connection_entry), ROOM, &options);
	return map_fd < 0 ? -1 : 0;
}

static int close_map(void **state)
{
	(void)state;
	return close(map_fd);
}

static struct flow flow_of(uint16_t remote_port)
{
	return (struct flow){ .local_port = 5060,
			      .remote_port = remote_port,
			      .transport = FLOW_TCP };
}

static void fill(void)
{
	for (unsigned int i = 0; i < ROOM; i++) {
		struct flow flow = flow_of((uint16_t)i);
		struct connection_entry entry = { .confirmed_ns = i };

		assert_int_equal(bpf_map_update_elem(map_fd, &flow, &entry, BPF_NOEXIST), 0);
	}
}

static void must_not_go(void *context, const struct flow *flow)
{
	(void)context;
	fail_msg("%u is gone", flow->remote_port);
}

static void count(void *context, const struct flow *flow)
{
	unsigned char *told = context;

	assert_in_range(flow->remote_port, 0, ROOM - 1);
	told[flow->remote_port]++;
}

static void an_entry_is_read(void **state)
{
	struct flow flow = flow_of(40000);
	struct connection_entry entry, put = { .opened_ns = 7, .keepalive = 1, .opaque = 1 };

	(void)state;
	assert_int_equal(bpf_map_update_elem(map_fd, &flow, &put, BPF_ANY), 0);
	assert_int_equal(connection_map_read(map_fd, &flow, &entry), 0);
	assert_memory_equal(&entry, &put, sizeof(entry));
}

static void a_connection_that_does_not_stand_has_no_entry(void **state)
{
	struct flow flow = flow_of(40000);
	struct connection_entry entry = { .opened_ns = 7 };

	(void)state;
	assert_int_equal(connection_map_read(map_fd, &flow, &entry), -ENOENT);
	assert_int_equal(entry.opened_ns, 7);
}

static void a_walk_tells_every_connection_once(void **state)
{
	unsigned char told[ROOM] = { 0 };

	(void)state;
	fill();
	assert_int_equal(connection_map_walk(map_fd, 0, count, must_not_go, told), 0);
	for (unsigned int i = 0; i < ROOM; i++)
		assert_int_equal(told[i], 1);
}

static void count_and_delete(void *context, const struct flow *flow)
{
	count(context, flow);
	assert_int_equal(bpf_map_delete_elem(map_fd, flow), 0);
}

/* The programs delete an entry with its connection, whoever walks meanwhile. */
static void a_walk_goes_on_when_connections_go(void **state)
{
	unsigned char told[ROOM] = { 0 };

	(void)state;
	fill();
	assert_int_equal(connection_map_walk(map_fd, 0, count_and_delete, must_not_go, told), 0);
	for (unsigned int i = 0; i < ROOM; i++)
		assert_int_equal(told[i], 1);
}

struct walk {
	unsigned char stand[ROOM];
	unsigned char gone[ROOM];
};

static void count_standing(void *context, const struct flow *flow)
{
	count(((struct walk *)context)->stand, flow);
}

static void count_gone(void *context, const struct flow *flow)
{
	count(((struct walk *)context)->gone, flow);
}

static void what_was_not_confirmed_is_gone(void **state)
{
	struct walk walk = { 0 };

	(void)state;
	fill();
	for (int i = 1; i <= 2; i++)
		assert_int_equal(
			connection_map_walk(map_fd, ROOM / 3, count_standing, count_gone, &walk),
			0);
	for (unsigned int i = 0; i < ROOM; i++) {
		assert_int_equal(walk.stand[i], i < ROOM / 3 ? 0 : 2);
		assert_int_equal(walk.gone[i], i < ROOM / 3 ? 1 : 0);
	}
}

static void what_is_no_map_is_an_error(void **state)
{
	struct flow flow = flow_of(40000);
	struct connection_entry entry;
	unsigned char told[ROOM];
	int fd = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(connection_map_read(fd, &flow, &entry), -EINVAL);
	assert_int_equal(connection_map_walk(fd, 0, count, must_not_go, told), -EINVAL);
	close(fd);
}

#define ON_A_NEW_MAP(test) cmocka_unit_test_setup_teardown(test, make_map, close_map)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_NEW_MAP(an_entry_is_read),
		ON_A_NEW_MAP(a_connection_that_does_not_stand_has_no_entry),
		ON_A_NEW_MAP(a_walk_tells_every_connection_once),
		ON_A_NEW_MAP(a_walk_goes_on_when_connections_go),
		ON_A_NEW_MAP(what_was_not_confirmed_is_gone),
		ON_A_NEW_MAP(what_is_no_map_is_an_error),
	};

	return cmocka_run_group_tests_name("connection_map", tests, NULL, NULL);
}
