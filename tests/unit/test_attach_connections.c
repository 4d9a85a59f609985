/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attach_connections.c - the one program of a pin directory that sees TCP connections:
 * how it comes, stays, gives way and goes.
 */
#include "attach_world.h"

#include <time.h>

#include "base/clock.h"
#include "flow.h"
#include "kernel/connection_hook.h"
#include "kernel/connection_map.h"
#include "kernel/keepalive.h"
#include "path_entry.h"

#define WAIT_MS 10000
#define SHOWN "/mnt" /* any directory that is there */
#define THRESHOLD_NS 24000000000

/* The kernel frees what was taken off a moment later. */
static void assert_goes(int (*open_by_id)(uint32_t id), uint32_t id)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };

	for (int waited = 0; waited < WAIT_MS; waited++) {
		int fd = open_by_id(id);

		if (fd == -ENOENT)
			return;
		if (fd >= 0)
			close(fd);
		nanosleep(&pause, NULL);
	}
	fail_msg("%u is still there", id);
}

static void assert_no_link(const struct bpf_link_info *before)
{
	struct bpf_link_info info;

	assert_false(find_link(PIN_DIR, &info));
	assert_goes(bpf_link_get_fd_by_id, before->id);
	assert_goes(bpf_prog_get_fd_by_id, before->prog_id);
}

static void ignore(void *context, const struct flow *flow)
{
	(void)context;
	(void)flow;
}

static struct flow some_flow(void)
{
	return (struct flow){ .local_port = 5070, .remote_port = 40000, .transport = FLOW_TCP };
}

static void put_connection(const struct attachment *attachment)
{
	struct flow flow = some_flow();
	struct connection_entry entry = { .opened_ns = 1 };

	assert_int_equal(bpf_map_update_elem(attach_map(attachment, SIPPATH_MAP_CONNECTIONS), &flow,
					     &entry, BPF_ANY),
			 0);
}

static bool has_connection(const struct attachment *attachment)
{
	struct flow flow = some_flow();
	struct connection_entry entry;

	return bpf_map_lookup_elem(attach_map(attachment, SIPPATH_MAP_CONNECTIONS), &flow,
				   &entry) == 0;
}

static void the_program_stays_when_the_agent_ends(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct bpf_link_info link = link_in(PIN_DIR);

	(void)state;
	assert_true(keepalive_works(attachment));
	put_connection(attachment);
	attach_close(attachment);
	assert_int_equal(link_in(PIN_DIR).id, link.id);
	attachment = must_open_one("v0");
	assert_true(keepalive_works(attachment));
	assert_int_equal(link_in(PIN_DIR).id, link.id);
	assert_int_equal(link_in(PIN_DIR).prog_id, link.prog_id);
	assert_true(has_connection(attachment));
	attach_close(attachment);
}

static void it_is_shared_by_all_interfaces_and_goes_with_the_last(void **state)
{
	struct attachment *first = must_open_one("v0"), *second;
	struct bpf_link_info link = link_in(PIN_DIR);

	(void)state;
	second = must_open_one("v1");
	assert_int_equal(link_in(PIN_DIR).id, link.id);
	assert_true(keepalive_works(first) && keepalive_works(second));
	attach_close(first);
	attach_close(second);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(link_in(PIN_DIR).id, link.id);
	assert_int_equal(attach_remove("v1", PIN_DIR), 0);
	assert_no_link(&link);
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void what_is_not_kept_is_undone(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;
	struct bpf_link_info link;

	(void)state;
	assert_int_equal(attach_open(&options, &attachment), 0);
	link = link_in(PIN_DIR);
	assert_int_equal(keepalive_set(attachment, THRESHOLD_NS), 0);
	attach_close(attachment);
	assert_no_link(&link);
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

/* An instance with other maps: its interface lost its program, and "ip link" brought another. */
static struct bpf_link_info leave_older_instance(void)
{
	attach_close(must_open_one("v0"));
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	attach_by_ip_link("v0");
	return link_in(PIN_DIR);
}

static void the_program_of_an_older_instance_gives_way_in_place(void **state)
{
	struct bpf_link_info old = leave_older_instance();
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	assert_int_equal(link_in(PIN_DIR).id, old.id);
	assert_int_not_equal(link_in(PIN_DIR).prog_id, old.prog_id);
	assert_int_equal(map_of_program(link_in(PIN_DIR).prog_id, SIPPATH_MAP_SETTINGS),
			 map_id(attach_map(attachment, SIPPATH_MAP_SETTINGS)));
	assert_goes(bpf_prog_get_fd_by_id, old.prog_id);
	attach_close(attachment);
}

static void the_program_of_an_older_instance_comes_back(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct bpf_link_info old = leave_older_instance();
	struct attachment *attachment = NULL;

	(void)state;
	assert_int_equal(attach_open(&options, &attachment), 0);
	assert_int_not_equal(link_in(PIN_DIR).prog_id, old.prog_id);
	attach_close(attachment);
	assert_int_equal(link_in(PIN_DIR).id, old.id);
	assert_int_equal(link_in(PIN_DIR).prog_id, old.prog_id);
}

static void taking_it_off_by_hand_is_noticed(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct bpf_link_info link = link_in(PIN_DIR);

	(void)state;
	assert_int_equal(unlink(PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT), 0);
	assert_goes(bpf_link_get_fd_by_id, link.id);
	assert_false(keepalive_works(attachment));
	assert_int_equal(keepalive_set(attachment, THRESHOLD_NS), -EOPNOTSUPP);
	attach_close(attachment);
}

/* Such a link stays pinned; what the map says is true as soon as somebody looks around. */
static void what_was_detached_by_force_is_made_anew(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct bpf_link_info link = link_in(PIN_DIR);
	int fd = bpf_link_get_fd_by_id(link.id);
	uint64_t now_ns;

	(void)state;
	put_connection(attachment);
	assert_int_equal(bpf_link_detach(fd), 0);
	close(fd);
	assert_false(keepalive_works(attachment));
	attach_close(attachment);
	attachment = must_open_one("v0");
	assert_true(keepalive_works(attachment));
	assert_int_not_equal(link_in(PIN_DIR).id, link.id);
	assert_int_not_equal(link_in(PIN_DIR).cgroup.cgroup_id, 0);
	now_ns = clock_now_ns();
	assert_int_equal(connection_hook_visit(attach_connection_hook(attachment)), 0);
	assert_int_equal(connection_map_walk(attach_map(attachment, SIPPATH_MAP_CONNECTIONS),
					     now_ns, ignore, ignore, NULL),
			 0);
	assert_false(has_connection(attachment));
	attach_close(attachment);
}

static void what_was_taken_off_is_put_back(void **state)
{
	struct attachment *attachment = must_open_up("v0");
	struct bpf_link_info link = link_in(PIN_DIR);
	struct attach_repair repair;

	(void)state;
	assert_int_equal(attach_mend(attachment, &repair), 0);
	assert_int_equal(link_in(PIN_DIR).id, link.id);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(unlink(PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT), 0);
		assert_goes(bpf_link_get_fd_by_id, link.id);
		assert_false(keepalive_works(attachment));
		assert_int_equal(attach_mend(attachment, &repair), 0);
		assert_true(keepalive_works(attachment));
		link = link_in(PIN_DIR);
		assert_int_equal(map_of_program(link.prog_id, SIPPATH_MAP_CONNECTIONS),
				 map_id(attach_map(attachment, SIPPATH_MAP_CONNECTIONS)));
	}
	attach_close(attachment);
	assert_int_equal(link_in(PIN_DIR).id, link.id);
}

static void a_detached_interface_is_not_watched_any_more(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = must_open_one("v1");

	(void)state;
	options.keep_settings = true;
	attach_close(must_open(&options));
	assert_int_equal(settings_of(attachment).watched[0], if_nametoindex("v1"));
	assert_int_equal(settings_of(attachment).watched[1], if_nametoindex("v0"));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(settings_of(attachment).watched[0], if_nametoindex("v1"));
	assert_int_equal(settings_of(attachment).watched[1], 0);
	attach_close(attachment);
}

static void a_pin_of_others_is_left_and_said(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "somebody", 4, 4, 1, NULL);

	(void)state;
	assert_int_equal(mkdir(PIN_DIR, 0700), 0);
	assert_int_equal(bpf_obj_pin(map, PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT), 0);
	close(map);
	assert_int_equal(open_said(&options, &attachment), 0);
	assert_said("the pin " PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT " is none of ours");
	assert_false(keepalive_works(attachment));
	attach_close(attachment);
	assert_int_equal(access(PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT, F_OK), 0);
}

/* What is unmounted here is missing in later worlds as well: tests that need it come first. */
static void no_cgroup_hierarchy(void)
{
	char path[256];
	FILE *mounts = popen("sed -n 's/^\\([^ ]* \\)\\{4\\}\\([^ ]*\\) .* - cgroup2 .*/\\2/p'"
			     " /proc/self/mountinfo",
			     "r");

	assert_non_null(mounts);
	/* One that is mounted twice, for a chroot, may go with the first of them. */
	while (fscanf(mounts, "%255s", path) == 1)
		assert_true(umount2(path, MNT_DETACH) == 0 || errno == EINVAL);
	pclose(mounts);
}

static void without_the_hierarchy_udp_goes_on(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;
	struct bpf_link_info info;

	(void)state;
	no_cgroup_hierarchy();
	assert_int_equal(open_said(&options, &attachment), 0);
	assert_said("no cgroup v2 hierarchy is mounted");
	assert_false(keepalive_works(attachment));
	assert_false(find_link(PIN_DIR, &info));
	assert_int_not_equal(xdp_of("v0"), 0);
	assert_true(attach_map(attachment, SIPPATH_MAP_CONNECTIONS) >= 0);
	attach_keep(attachment);
	attach_close(attachment);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void the_hierarchy_is_found_wherever_it_is_mounted(void **state)
{
	char top[] = "/tmp/test_attach_XXXXXX", place[64];
	struct attachment *attachment;

	(void)state;
	no_cgroup_hierarchy();
	assert_non_null(mkdtemp(top));
	assert_int_equal(mount("tmpfs", top, "tmpfs", 0, NULL), 0);
	snprintf(place, sizeof(place), "%s/a b\\040c", top);
	assert_int_equal(mkdir(place, 0700), 0);
	assert_int_equal(mount("cgroup2", place, "cgroup2", 0, NULL), 0);
	attachment = must_open_one("v0");
	assert_true(keepalive_works(attachment));
	attach_close(attachment);
	assert_int_equal(umount2(top, MNT_DETACH), 0);
	assert_int_equal(rmdir(top), 0);
}

static void a_mount_that_is_covered_or_shows_a_part_is_not_the_root(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	char top[] = "/tmp/test_attach_XXXXXX", part[64];
	struct attachment *attachment = NULL;

	(void)state;
	no_cgroup_hierarchy();
	assert_non_null(mkdtemp(top));
	assert_int_equal(mount("cgroup2", top, "cgroup2", 0, NULL), 0);
	snprintf(part, sizeof(part), "%s/test_attach_%d", top, (int)getpid());
	assert_int_equal(mkdir(part, 0700), 0);
	assert_int_equal(mount(part, SHOWN, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount("tmpfs", top, "tmpfs", 0, NULL), 0);
	assert_int_equal(open_said(&options, &attachment), 0);
	assert_int_equal(umount2(top, MNT_DETACH), 0);
	assert_int_equal(umount2(SHOWN, MNT_DETACH), 0);
	assert_int_equal(rmdir(part), 0);
	assert_int_equal(umount2(top, MNT_DETACH), 0);
	assert_int_equal(rmdir(top), 0);
	assert_said("no cgroup v2 hierarchy is mounted");
	attach_close(attachment);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(the_program_stays_when_the_agent_ends),
		IN_A_WORLD(it_is_shared_by_all_interfaces_and_goes_with_the_last),
		IN_A_WORLD(what_is_not_kept_is_undone),
		IN_A_WORLD(the_program_of_an_older_instance_gives_way_in_place),
		IN_A_WORLD(the_program_of_an_older_instance_comes_back),
		IN_A_WORLD(taking_it_off_by_hand_is_noticed),
		IN_A_WORLD(what_was_detached_by_force_is_made_anew),
		IN_A_WORLD(what_was_taken_off_is_put_back),
		IN_A_WORLD(a_detached_interface_is_not_watched_any_more),
		IN_A_WORLD(a_pin_of_others_is_left_and_said),
		IN_A_WORLD(without_the_hierarchy_udp_goes_on),
		IN_A_WORLD(the_hierarchy_is_found_wherever_it_is_mounted),
		IN_A_WORLD(a_mount_that_is_covered_or_shows_a_part_is_not_the_root),
	};

	return cmocka_run_group_tests_name("attach_connections", tests, NULL, NULL);
}
