/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attach_replace.c - programs of another build give way in place: what they know goes on,
 * and they come back if what replaced them is not kept.
 */
#include "attach_world.h"

#include <linux/if_link.h>

#include "../lab/another_build.h"
#include "flow.h"
#include "kernel/keepalive.h"
#include "path_entry.h"
#include "sippath.skel.h"

#define OTHER_OBJECT "/tmp/test_attach_replace_%d.bpf.o"

static const struct flow some_flow = { .local_port = 5070, .remote_port = 40000 };

/* Our object as another compiler would have made it. */
static struct bytes {
	unsigned char *at;
	size_t length;
} other_bytes(void)
{
	struct bytes bytes;
	const void *ours = sippath_bpf__elf_bytes(&bytes.length);

	bytes.at = malloc(bytes.length);
	assert_non_null(bytes.at);
	memcpy(bytes.at, ours, bytes.length);
	assert_true(another_build_of_object(bytes.at) > 0);
	return bytes;
}

static const char *const shared[] = { SIPPATH_MAP_PATHS,     SIPPATH_MAP_FLOWS,
				      SIPPATH_MAP_SIGHTINGS, SIPPATH_MAP_SETTINGS,
				      SIPPATH_MAP_COUNTERS,  SIPPATH_MAP_CONNECTIONS };

/* Another build's programs, with the attachment's maps. */
static struct bpf_object *load_other(const struct attachment *attachment)
{
	struct bytes bytes = other_bytes();
	struct bpf_object *object = bpf_object__open_mem(bytes.at, bytes.length, NULL);
	struct bpf_map *map;

	assert_non_null(object);
	bpf_object__for_each_map(map, object) assert_int_equal(bpf_map__set_pin_path(map, NULL), 0);
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		assert_int_equal(bpf_map__reuse_fd(bpf_object__find_map_by_name(object, shared[i]),
						   attach_map(attachment, shared[i])),
				 0);
	assert_int_equal(bpf_object__load(object), 0);
	free(bytes.at);
	return object;
}

static int program_of(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	assert_non_null(program);
	return bpf_program__fd(program);
}

static void hang_filter(const char *interface, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, place, .handle = 0x5060, .priority = 50);

	hook.ifindex = (int)if_nametoindex(interface);
	place.prog_fd = program_fd;
	place.flags = BPF_TC_F_REPLACE;
	assert_int_equal(bpf_tc_attach(&hook, &place), 0);
}

static void put_into_link(int program_fd)
{
	int link = bpf_obj_get(PIN_DIR "/" SIPPATH_PROGRAM_ACCEPT);

	assert_true(link >= 0);
	assert_int_equal(bpf_link_update(link, program_fd, NULL), 0);
	close(link);
}

/* The programs of an interface and of the hierarchy. */
struct programs {
	uint32_t ingress, egress, accept;
};

static struct programs programs_of(const struct attachment *attachment)
{
	return (struct programs){
		.ingress = interface_of(attachment, 0)->ingress_id,
		.egress = interface_of(attachment, 0)->egress_id,
		.accept = link_in(PIN_DIR).prog_id,
	};
}

/* Another build was attached to "v0", with the same ABI, and has learnt of a path. */
static struct programs leave_other_build(uint32_t mode)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct path_entry entry = { .packets_in = 7 };
	struct attachment *attachment;
	struct bpf_object *other;
	struct programs left;

	options.mode = mode == XDP_FLAGS_DRV_MODE ? ATTACH_NATIVE : ATTACH_GENERIC;
	attachment = must_open(&options);
	other = load_other(attachment);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex("v0"),
					program_of(other, SIPPATH_PROGRAM_INGRESS), mode, NULL),
			 0);
	hang_filter("v0", program_of(other, SIPPATH_PROGRAM_EGRESS));
	put_into_link(program_of(other, SIPPATH_PROGRAM_ACCEPT));
	assert_int_equal(bpf_map_update_elem(attach_map(attachment, SIPPATH_MAP_PATHS), &some_flow,
					     &entry, BPF_ANY),
			 0);
	left.ingress = xdp_of("v0");
	left.accept = link_in(PIN_DIR).prog_id;
	assert_int_not_equal(left.ingress, interface_of(attachment, 0)->ingress_id);
	bpf_object__close(other);
	attach_close(attachment);
	return left;
}

static void assert_path_goes_on(const struct attachment *attachment)
{
	struct path_entry entry;

	assert_int_equal(
		bpf_map_lookup_elem(attach_map(attachment, SIPPATH_MAP_PATHS), &some_flow, &entry),
		0);
	assert_int_equal(entry.packets_in, 7);
	assert_int_equal(map_of_program(xdp_of("v0"), SIPPATH_MAP_PATHS),
			 map_id(attach_map(attachment, SIPPATH_MAP_PATHS)));
}

static void all_programs_of_another_build_give_way(void **state)
{
	struct programs other = leave_other_build(XDP_FLAGS_DRV_MODE), now;
	uint32_t link = link_in(PIN_DIR).id;
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	now = programs_of(attachment);
	assert_int_not_equal(now.ingress, other.ingress);
	assert_int_equal(now.ingress, xdp_of("v0"));
	assert_true(interface_of(attachment, 0)->native);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(run("tc filter show dev v0 egress | grep -q 'id %u '", now.egress), 0);
	assert_int_not_equal(now.accept, other.accept);
	assert_int_equal(link_in(PIN_DIR).id, link);
	assert_true(keepalive_works(attachment));
	assert_path_goes_on(attachment);
	attach_close(attachment);
	attachment = must_open_one("v0");
	assert_int_equal(programs_of(attachment).ingress, now.ingress);
	assert_int_equal(programs_of(attachment).egress, now.egress);
	assert_int_equal(programs_of(attachment).accept, now.accept);
	attach_close(attachment);
}

static void the_mode_stays_whatever_is_asked_for(void **state)
{
	uint32_t other = leave_other_build(XDP_FLAGS_SKB_MODE).ingress;
	struct attachment *attachment = must_open_one("v0");

	(void)state;
	assert_int_not_equal(xdp_of("v0"), other);
	assert_false(interface_of(attachment, 0)->native);
	assert_path_goes_on(attachment);
	attach_close(attachment);
}

static void what_is_not_kept_gives_the_place_back(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct programs other = leave_other_build(XDP_FLAGS_DRV_MODE);
	struct attachment *attachment = NULL;

	(void)state;
	assert_int_equal(attach_open(&options, &attachment), 0);
	assert_int_not_equal(xdp_of("v0"), other.ingress);
	attach_close(attachment);
	assert_int_equal(xdp_of("v0"), other.ingress);
	assert_int_equal(link_in(PIN_DIR).prog_id, other.accept);
	assert_int_equal(filters_on("v0"), 1);
	attach_close(must_open_one("v0"));
}

/* "lo" has no native mode: it fails when "v0" has been seen to already. */
static void a_failure_on_another_interface_gives_the_place_back(void **state)
{
	const char *const interfaces[] = { "v0", "lo" };
	struct attach_options options = options_for(interfaces, 2);
	struct programs other = leave_other_build(XDP_FLAGS_DRV_MODE);
	struct attachment *attachment = NULL;

	(void)state;
	options.mode = ATTACH_NATIVE;
	assert_int_equal(open_said(&options, &attachment), -EOPNOTSUPP);
	assert_int_equal(xdp_of("v0"), other.ingress);
	assert_int_equal(link_in(PIN_DIR).prog_id, other.accept);
	assert_int_equal(filters_on("v0"), 1);
}

static void write_other_object(char path[64])
{
	struct bytes bytes = other_bytes();
	FILE *file;

	snprintf(path, 64, OTHER_OBJECT, (int)getpid());
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.at, 1, bytes.length, file), bytes.length);
	assert_int_equal(fclose(file), 0);
	free(bytes.at);
}

static void a_program_from_ip_link_gives_way_with_its_maps(void **state)
{
	struct attachment *attachment;
	uint32_t other, paths;
	char path[64];

	(void)state;
	write_other_object(path);
	assert_int_equal(run("ip link set dev v0 xdp obj %s sec xdp", path), 0);
	unlink(path);
	other = xdp_of("v0");
	paths = map_of_program(other, SIPPATH_MAP_PATHS);
	attachment = must_open_one("v0");
	assert_int_not_equal(xdp_of("v0"), other);
	assert_int_equal(map_id(attach_map(attachment, SIPPATH_MAP_PATHS)), paths);
	assert_int_equal(map_of_program(xdp_of("v0"), SIPPATH_MAP_PATHS), paths);
	attach_close(attachment);
}

/* Where the kernel lets libxdp use its dispatcher; else xdp-loader attaches it plainly. */
static void trap_42_behind_a_dispatcher_it_stays_and_that_is_said(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;
	uint32_t attached;
	char path[64];

	(void)state;
	write_other_object(path);
	assert_int_equal(run("xdp-loader load -m skb v0 %s -s xdp >&2", path), 0);
	unlink(path);
	attached = xdp_of("v0");
	assert_int_equal(open_said(&options, &attachment), 0);
	attach_keep(attachment);
	if (interface_of(attachment, 0)->ingress_id != xdp_of("v0")) {
		assert_said("was loaded with xdp-loader");
		assert_int_equal(xdp_of("v0"), attached);
	} else {
		assert_int_not_equal(xdp_of("v0"), attached);
	}
	assert_int_equal(map_of_program(interface_of(attachment, 0)->ingress_id, SIPPATH_MAP_PATHS),
			 map_id(attach_map(attachment, SIPPATH_MAP_PATHS)));
	attach_close(attachment);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(all_programs_of_another_build_give_way),
		IN_A_WORLD(the_mode_stays_whatever_is_asked_for),
		IN_A_WORLD(what_is_not_kept_gives_the_place_back),
		IN_A_WORLD(a_failure_on_another_interface_gives_the_place_back),
		IN_A_WORLD(a_program_from_ip_link_gives_way_with_its_maps),
		IN_A_WORLD(trap_42_behind_a_dispatcher_it_stays_and_that_is_said),
	};

	return cmocka_run_group_tests_name("attach_replace", tests, NULL, NULL);
}
