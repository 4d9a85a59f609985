/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach_refused.c - what attaching refuses, in which words, and what it leaves behind. */
#include "attach_world.h"

#include <sys/wait.h>

#include "sippath.skel.h"

static void assert_refused(const char *const *interfaces, size_t count, int err, const char *part)
{
	struct attach_options options = options_for(interfaces, count);
	struct attachment *attachment = NULL;

	assert_int_equal(open_said(&options, &attachment), err);
	assert_null(attachment);
	assert_said(part);
}

static void assert_one_refused(const char *interface, int err, const char *part)
{
	assert_refused(&interface, 1, err, part);
}

/* Nothing of ours is left anywhere. */
static void assert_nothing_left(void)
{
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
	assert_untouched("v0");
	assert_untouched("v1");
}

static void interfaces_must_exist_and_be_named_once(void **state)
{
	const char *const twice[] = { "v0", "v1", "v0" };
	const char *const too_many[SIPPATH_HOOKS_MAX + 1] = { "v0" };

	(void)state;
	assert_one_refused("eth99", -ENODEV, "no such interface: 'eth99'");
	assert_one_refused("an-interface-name-of-no-device-at-all", -ENODEV, "no such interface");
	assert_refused(twice, 3, -EINVAL, "interface 'v0' is named twice");
	assert_refused(twice, 0, -EINVAL, "needs 1 to 16 interfaces, not 0");
	assert_refused(too_many, SIPPATH_HOOKS_MAX + 1, -EINVAL, "needs 1 to 16 interfaces");
	assert_nothing_left();
}

static void another_xdp_program_is_refused_and_left(void **state)
{
	uint32_t foreign = attach_foreign("v0", "somebody");
	char id[32];

	(void)state;
	snprintf(id, sizeof(id), "'somebody' (id %u)", foreign);
	assert_one_refused("v0", -EBUSY, id);
	assert_said("ip link set dev v0 xdp off");
	assert_int_equal(xdp_of("v0"), foreign);
	assert_false(has_clsact("v0"));
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void trap_42_a_dispatcher_without_our_program_is_refused_and_left(void **state)
{
	uint32_t dispatcher = attach_foreign("v0", "xdp_dispatcher");

	(void)state;
	assert_one_refused("v0", -EBUSY, "xdp-loader load v0");
	assert_int_equal(xdp_of("v0"), dispatcher);
}

/* The place of our filter, as tc shows it. */
static void find_our_place(const char *interface, uint32_t *priority, uint32_t *handle)
{
	char line[64], command[256];
	FILE *listing;

	snprintf(command, sizeof(command),
		 "tc filter show dev %s egress | sed -n 's/.*pref \\([0-9]*\\) .*handle"
		 " \\(0x[0-9a-f]*\\) .*/\\1 \\2/p'",
		 interface);
	listing = popen(command, "r");
	assert_non_null(listing);
	assert_non_null(fgets(line, sizeof(line), listing));
	pclose(listing);
	assert_int_equal(sscanf(line, "%u %x", priority, handle), 2);
}

static void another_tc_filter_in_our_place_is_refused_and_left(void **state)
{
	uint32_t priority, handle;

	(void)state;
	attach_close(must_open_one("v0"));
	find_our_place("v0", &priority, &handle);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(run("tc qdisc add dev v0 clsact"), 0);
	filter_foreign("v0", BPF_TC_EGRESS, priority, handle);
	assert_one_refused("v0", -EBUSY, "v0 carries the tc filter 'somebody' where ours belongs");
	assert_int_equal(xdp_of("v0"), 0);
	assert_int_equal(run("tc filter show dev v0 egress | grep -q somebody"), 0);
}

static void pins_need_a_bpf_file_system(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;

	(void)state;
	no_bpf_file_system();
	assert_one_refused("v0", -ENOTDIR, "mount -t bpf bpf /sys/fs/bpf");
	options.pin_dir = "sippath";
	assert_int_equal(open_said(&options, &attachment), -EINVAL);
	assert_said("'sippath' is no absolute path");
	assert_untouched("v0");
}

static void whoever_is_not_root_is_told_so(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		const char *const interfaces[] = { "v0" };
		struct attach_options options = options_for(interfaces, 1);
		struct attachment *attachment = NULL;
		bool refused = setuid(65534) == 0 && open_said(&options, &attachment) == -EPERM &&
			       strstr(said, "needs root") && remove_said("v0") == -EPERM;

		_exit(refused ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Loads the object as another version would have made it, and attaches it. */
static void attach_with_abi(const char *interface, uint32_t abi)
{
	struct sippath_bpf *skeleton = sippath_bpf__open();
	struct bpf_map *map;

	assert_non_null(skeleton);
	bpf_object__for_each_map(map, skeleton->obj)
		assert_int_equal(bpf_map__set_pin_path(map, NULL), 0);
	skeleton->rodata->sippath_abi = abi;
	assert_int_equal(sippath_bpf__load(skeleton), 0);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex(interface),
					bpf_program__fd(skeleton->progs.sippath_ingress), 0, NULL),
			 0);
	sippath_bpf__destroy(skeleton);
}

static void trap_47_a_program_of_another_abi_is_refused_with_both_numbers(void **state)
{
	uint32_t program;
	char numbers[64];

	(void)state;
	attach_with_abi("v0", 99);
	program = xdp_of("v0");
	snprintf(numbers, sizeof(numbers), "ABI 99, this one has ABI %u", SIPPATH_ABI);
	assert_one_refused("v0", -EPROTO, numbers);
	assert_said("sippath detach v0");
	assert_int_equal(xdp_of("v0"), program);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_nothing_left();
	attach_with_abi("v0", SIPPATH_ABI);
	attach_close(must_open_one("v0"));
}

static void trap_47_pins_of_another_abi_are_refused_with_both_numbers(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	struct sip_settings settings = { .abi = 99 };
	char numbers[64];
	uint32_t key = 0;

	(void)state;
	assert_int_equal(bpf_map_update_elem(attach_map(attachment, SIPPATH_MAP_SETTINGS), &key,
					     &settings, BPF_ANY),
			 0);
	attach_close(attachment);
	snprintf(numbers, sizeof(numbers), "ABI 99, this one has ABI %u", SIPPATH_ABI);
	assert_one_refused("v1", -EPROTO, numbers);
	assert_untouched("v1");
	assert_true(is_pinned(SIPPATH_MAP_SETTINGS));
}

static void a_foreign_map_under_our_name_is_refused_and_left(void **state)
{
	int foreign = bpf_map_create(BPF_MAP_TYPE_HASH, SIPPATH_MAP_PATHS, 4, 8, 10, NULL), pinned;

	(void)state;
	assert_int_equal(mkdir(PIN_DIR, 0700), 0);
	assert_int_equal(bpf_obj_pin(foreign, PIN_DIR "/" SIPPATH_MAP_PATHS), 0);
	assert_one_refused("v0", -EINVAL, SIPPATH_MAP_PATHS " is a foreign map");
	assert_untouched("v0");
	pinned = bpf_obj_get(PIN_DIR "/" SIPPATH_MAP_PATHS);
	assert_int_equal(map_id(pinned), map_id(foreign));
	assert_false(is_pinned(SIPPATH_MAP_FLOWS));
	close(pinned);
	close(foreign);
}

static void a_program_with_our_name_only_is_refused(void **state)
{
	uint32_t impostor = attach_foreign("v0", SIPPATH_PROGRAM_INGRESS);

	(void)state;
	assert_one_refused("v0", -EINVAL, "tells no ABI number");
	assert_int_equal(xdp_of("v0"), impostor);
}

static void two_interfaces_with_maps_of_their_own_are_refused(void **state)
{
	const char *const both[] = { "v0", "v1" };
	uint32_t first, second;

	(void)state;
	attach_with_abi("v0", SIPPATH_ABI);
	attach_with_abi("v1", SIPPATH_ABI);
	first = xdp_of("v0");
	second = xdp_of("v1");
	assert_refused(both, 2, -EBUSY, "v1 carries a program of ours with maps of its own");
	assert_int_equal(xdp_of("v0"), first);
	assert_int_equal(xdp_of("v1"), second);
	assert_false(has_clsact("v0"));
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void pins_that_another_interface_uses_do_not_give_way(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	uint32_t paths = map_id(attach_map(attachment, SIPPATH_MAP_PATHS));
	int pinned;

	(void)state;
	attach_close(attachment);
	attach_with_abi("v1", SIPPATH_ABI);
	assert_one_refused("v1", -EBUSY, "is pinned for a program on another interface");
	pinned = bpf_obj_get(PIN_DIR "/" SIPPATH_MAP_PATHS);
	assert_int_equal(map_id(pinned), paths);
	close(pinned);
	assert_false(has_clsact("v1"));
}

/* "lo" has no native mode: it fails when "v0" has been attached already. */
static void a_failure_on_the_second_interface_takes_the_first_back(void **state)
{
	const char *const interfaces[] = { "v0", "lo" };
	struct attach_options options = options_for(interfaces, 2);
	struct attachment *attachment = NULL;

	(void)state;
	options.mode = ATTACH_NATIVE;
	assert_int_equal(open_said(&options, &attachment), -EOPNOTSUPP);
	assert_said("lo: native XDP is refused");
	assert_nothing_left();
	assert_untouched("lo");
}

static void a_failure_gives_an_older_instance_its_place_back(void **state)
{
	const char *const interfaces[] = { "v0", "lo" };
	struct attach_options options = options_for(interfaces, 2);
	struct attachment *old = must_open_one("v0"), *attachment = NULL;
	uint32_t old_paths = map_id(attach_map(old, SIPPATH_MAP_PATHS)), found_program;
	uint32_t old_filter = interface_of(old, 0)->egress_id;
	int pinned;

	(void)state;
	attach_close(old);
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	attach_with_abi("v0", SIPPATH_ABI);
	found_program = xdp_of("v0");
	options.mode = ATTACH_NATIVE;
	assert_int_equal(open_said(&options, &attachment), -EOPNOTSUPP);
	pinned = bpf_obj_get(PIN_DIR "/" SIPPATH_MAP_PATHS);
	assert_int_equal(map_id(pinned), old_paths);
	close(pinned);
	assert_int_equal(xdp_of("v0"), found_program);
	assert_int_equal(run("tc filter show dev v0 egress | grep -q 'id %u '", old_filter), 0);
	assert_int_equal(filters_on("v0"), 1);
}

static void a_failure_leaves_settings_that_were_there(void **state)
{
	const char *const interfaces[] = { "v0", "lo" };
	struct attach_options options = options_for(interfaces, 2);
	struct attachment *first = must_open_one("v0"), *attachment = NULL;
	struct sip_settings before, after;
	uint32_t key = 0;

	(void)state;
	assert_int_equal(
		bpf_map_lookup_elem(attach_map(first, SIPPATH_MAP_SETTINGS), &key, &before), 0);
	options.mode = ATTACH_NATIVE;
	options.settings.ports[0] = 5090;
	assert_int_equal(open_said(&options, &attachment), -EOPNOTSUPP);
	assert_int_equal(bpf_map_lookup_elem(attach_map(first, SIPPATH_MAP_SETTINGS), &key, &after),
			 0);
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(xdp_of("v0"), interface_of(first, 0)->ingress_id);
	assert_int_equal(filters_on("v0"), 1);
	attach_close(first);
}

static void an_ingress_qdisc_in_the_place_of_clsact_is_named(void **state)
{
	(void)state;
	assert_int_equal(run("tc qdisc add dev v1 clsact"), 0);
	assert_int_equal(run("tc qdisc add dev v0 ingress"), 0);
	assert_one_refused("v0", -EBUSY, "tc qdisc del dev v0 ingress");
	assert_int_equal(xdp_of("v0"), 0);
	assert_int_equal(run("tc qdisc show dev v0 | grep -q '^qdisc ingress'"), 0);
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void an_interface_without_an_ethernet_header_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run("ip tuntap add dev t0 mode tun"), 0);
	assert_one_refused("t0", -EOPNOTSUPP, "t0 carries packets without an Ethernet header");
	assert_untouched("t0");
}

static void too_many_paths_for_the_host_are_refused_by_name(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;

	(void)state;
	options.paths_max = UINT32_MAX;
	assert_true(open_said(&options, &attachment) < 0);
	assert_said("cannot make room for 4294967295 paths");
	assert_said("lower paths_max");
	assert_nothing_left();
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(interfaces_must_exist_and_be_named_once),
		IN_A_WORLD(another_xdp_program_is_refused_and_left),
		IN_A_WORLD(trap_42_a_dispatcher_without_our_program_is_refused_and_left),
		IN_A_WORLD(another_tc_filter_in_our_place_is_refused_and_left),
		IN_A_WORLD(pins_need_a_bpf_file_system),
		IN_A_WORLD(whoever_is_not_root_is_told_so),
		IN_A_WORLD(trap_47_a_program_of_another_abi_is_refused_with_both_numbers),
		IN_A_WORLD(trap_47_pins_of_another_abi_are_refused_with_both_numbers),
		IN_A_WORLD(a_foreign_map_under_our_name_is_refused_and_left),
		IN_A_WORLD(a_program_with_our_name_only_is_refused),
		IN_A_WORLD(two_interfaces_with_maps_of_their_own_are_refused),
		IN_A_WORLD(pins_that_another_interface_uses_do_not_give_way),
		IN_A_WORLD(a_failure_on_the_second_interface_takes_the_first_back),
		IN_A_WORLD(a_failure_gives_an_older_instance_its_place_back),
		IN_A_WORLD(a_failure_leaves_settings_that_were_there),
		IN_A_WORLD(an_ingress_qdisc_in_the_place_of_clsact_is_named),
		IN_A_WORLD(an_interface_without_an_ethernet_header_is_refused),
		IN_A_WORLD(too_many_paths_for_the_host_are_refused_by_name),
	};

	return cmocka_run_group_tests_name("attach_refused", tests, NULL, NULL);
}
