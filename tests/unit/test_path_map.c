/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_path_map.c - sip_paths as the agent uses it, on a map of the kernel's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "kernel/path_map.h"

#define ROOM 1024

static int map_fd = -1;

static int make_map(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	(void)state;
	map_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "sip_paths", sizeof(struct flow),
				sizeof(struct path_entry), ROOM, &options);
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
			      .transport = FLOW_UDP };
}

static void fill(unsigned int entries)
{
	for (unsigned int i = 0; i < entries; i++) {
		struct flow flow = flow_of((uint16_t)i);

		assert_int_equal(path_map_insert(map_fd, &flow, i), 0);
	}
}

static void trap_11_a_missing_entry_is_unknown_not_idle(void **state)
{
	struct flow flow = flow_of(40000);
	struct path_entry entry = { .last_seen_ns = 7 };

	(void)state;
	assert_int_equal(path_map_read(map_fd, &flow, &entry), -ENOENT);
	assert_int_equal(entry.last_seen_ns, 7);
}

static void an_inserted_entry_says_when_it_was_seen_and_nothing_else(void **state)
{
	struct flow flow = flow_of(40000);
	struct path_entry entry, expected = { .last_seen_ns = 123456789 };

	(void)state;
	assert_int_equal(path_map_insert(map_fd, &flow, 123456789), 0);
	assert_int_equal(path_map_read(map_fd, &flow, &entry), 0);
	assert_memory_equal(&entry, &expected, sizeof(entry));
}

static void an_entry_that_stands_is_left_as_it_is(void **state)
{
	struct flow flow = flow_of(40000);
	struct path_entry entry, stamped = { .last_seen_ns = 1000, .packets_in = 5, .prompts = 2 };

	(void)state;
	assert_int_equal(bpf_map_update_elem(map_fd, &flow, &stamped, BPF_ANY), 0);
	assert_int_equal(path_map_insert(map_fd, &flow, 1), 0);
	assert_int_equal(path_map_read(map_fd, &flow, &entry), 0);
	assert_memory_equal(&entry, &stamped, sizeof(entry));
}

static void trap_44_a_full_map_refuses_the_new_path_and_keeps_the_old(void **state)
{
	struct flow old = flow_of(0), new = flow_of(ROOM);
	struct path_entry entry;

	(void)state;
	fill(ROOM);
	assert_int_equal(path_map_insert(map_fd, &new, 1), -E2BIG);
	assert_int_equal(path_map_read(map_fd, &old, &entry), 0);
	assert_int_equal(path_map_insert(map_fd, &old, 1), 0);
	assert_int_equal(path_map_delete(map_fd, &old), 0);
	assert_int_equal(path_map_insert(map_fd, &new, 1), 0);
}

static void deleting_what_is_not_there_is_no_error(void **state)
{
	struct flow flow = flow_of(40000);
	struct path_entry entry;

	(void)state;
	assert_int_equal(path_map_delete(map_fd, &flow), 0);
	assert_int_equal(path_map_insert(map_fd, &flow, 1), 0);
	assert_int_equal(path_map_delete(map_fd, &flow), 0);
	assert_int_equal(path_map_read(map_fd, &flow, &entry), -ENOENT);
}

static bool keep_odd_ports(void *context, const struct flow *flow)
{
	unsigned char *asked = context;

	asked[flow->remote_port]++;
	return flow->remote_port % 2 == 1;
}

static void a_sweep_asks_about_every_entry_once_and_deletes_what_is_not_kept(void **state)
{
	unsigned char asked[ROOM] = { 0 };

	(void)state;
	fill(ROOM);
	assert_int_equal(path_map_sweep(map_fd, keep_odd_ports, asked), ROOM / 2);
	for (unsigned int i = 0; i < ROOM; i++) {
		struct flow flow = flow_of((uint16_t)i);
		struct path_entry entry;

		assert_int_equal(asked[i], 1);
		assert_int_equal(path_map_read(map_fd, &flow, &entry), i % 2 == 1 ? 0 : -ENOENT);
	}
}

static bool keep_none(void *context, const struct flow *flow)
{
	(void)context;
	(void)flow;
	return false;
}

static void a_sweep_can_empty_the_map_and_sweep_an_empty_one(void **state)
{
	(void)state;
	fill(ROOM);
	assert_int_equal(path_map_sweep(map_fd, keep_none, NULL), ROOM);
	assert_int_equal(path_map_sweep(map_fd, keep_none, NULL), 0);
	fill(ROOM);
}

static void what_is_no_map_is_an_error(void **state)
{
	struct flow flow = flow_of(40000);
	struct path_entry entry;
	int fd = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(path_map_read(fd, &flow, &entry), -EINVAL);
	assert_int_equal(path_map_insert(fd, &flow, 1), -EINVAL);
	assert_int_equal(path_map_delete(fd, &flow), -EINVAL);
	assert_int_equal(path_map_sweep(fd, keep_none, NULL), -EINVAL);
	close(fd);
}

#define ON_A_NEW_MAP(test) cmocka_unit_test_setup_teardown(test, make_map, close_map)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_NEW_MAP(trap_11_a_missing_entry_is_unknown_not_idle),
		ON_A_NEW_MAP(an_inserted_entry_says_when_it_was_seen_and_nothing_else),
		ON_A_NEW_MAP(an_entry_that_stands_is_left_as_it_is),
		ON_A_NEW_MAP(trap_44_a_full_map_refuses_the_new_path_and_keeps_the_old),
		ON_A_NEW_MAP(deleting_what_is_not_there_is_no_error),
		ON_A_NEW_MAP(a_sweep_asks_about_every_entry_once_and_deletes_what_is_not_kept),
		ON_A_NEW_MAP(a_sweep_can_empty_the_map_and_sweep_an_empty_one),
		ON_A_NEW_MAP(what_is_no_map_is_an_error),
	};

	return cmocka_run_group_tests_name("path_map", tests, NULL, NULL);
}
