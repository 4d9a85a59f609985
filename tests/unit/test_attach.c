/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach.c - attaching, and finding what is attached, in a network of the test's own. */
#include "attach_world.h"

static void a_fresh_interface_is_attached_natively_at_both_ends(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	const struct attach_interface *interface = interface_of(attachment, 0);
	struct stat directory;

	(void)state;
	assert_string_equal(interface->name, "v0");
	assert_int_equal(interface->index, if_nametoindex("v0"));
	assert_true(interface->native);
	assert_false(interface->found);
	assert_int_equal(interface->ingress_id, xdp_of("v0"));
	assert_int_not_equal(interface->egress_id, 0);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(stat(PIN_DIR, &directory), 0);
	assert_int_equal(directory.st_mode & 0777, 0700);
	assert_true(is_pinned(SIPPATH_MAP_PATHS) && is_pinned(SIPPATH_MAP_FLOWS) &&
		    is_pinned(SIPPATH_MAP_SIGHTINGS) && is_pinned(SIPPATH_MAP_SETTINGS) &&
		    is_pinned(SIPPATH_MAP_COUNTERS) && is_pinned(SIPPATH_MAP_CONNECTIONS));
	attach_close(attachment);
	assert_int_not_equal(xdp_of("v0"), 0);
}

static void the_maps_are_those_of_the_program_and_filled(void **state)
{
	struct attachment *attachment = must_open_one("v0");
	uint32_t program = interface_of(attachment, 0)->ingress_id, key = 0;
	struct sip_settings settings;

	(void)state;
	assert_int_equal(map_id(attach_map(attachment, SIPPATH_MAP_PATHS)),
			 map_of_program(program, SIPPATH_MAP_PATHS));
	assert_int_equal(attach_paths_max(attachment), 1000);
	assert_true(attach_map(attachment, "no_such_map") < 0);
	assert_int_equal(
		bpf_map_lookup_elem(attach_map(attachment, SIPPATH_MAP_SETTINGS), &key, &settings),
		0);
	assert_int_equal(settings.abi, SIPPATH_ABI);
	assert_int_equal(settings.port_count, 1);
	assert_int_equal(settings.ports[0], 5070);
	assert_int_equal(settings.clsact_created[0], if_nametoindex("v0"));
	assert_int_not_equal(settings.netns_cookie, 0);
	assert_int_equal(map_id(attach_map(attachment, SIPPATH_MAP_CONNECTIONS)),
			 map_of_program(link_in(PIN_DIR).prog_id, SIPPATH_MAP_CONNECTIONS));
	attach_close(attachment);
}

static void opening_twice_finds_what_the_first_left(void **state)
{
	struct attachment *first = must_open_one("v0"), *second = must_open_one("v0");
	const struct attach_interface *before = interface_of(first, 0);
	const struct attach_interface *now = interface_of(second, 0);

	(void)state;
	assert_true(now->found);
	assert_true(now->native);
	assert_int_equal(now->ingress_id, before->ingress_id);
	assert_int_equal(now->egress_id, before->egress_id);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(map_id(attach_map(second, SIPPATH_MAP_SIGHTINGS)),
			 map_id(attach_map(first, SIPPATH_MAP_SIGHTINGS)));
	attach_close(first);
	attach_close(second);
}

static void two_interfaces_share_one_set_of_maps(void **state)
{
	const char *const both[] = { "v0", "v1" };
	struct attach_options options = options_for(both, 2);
	struct attachment *attachment = must_open(&options);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct attach_interface *interface = interface_of(attachment, i);

		assert_string_equal(interface->name, both[i]);
		assert_int_equal(map_of_program(interface->ingress_id, SIPPATH_MAP_PATHS),
				 map_id(attach_map(attachment, SIPPATH_MAP_PATHS)));
	}
	attach_close(attachment);
}

static void an_interface_attached_later_joins_the_pinned_maps(void **state)
{
	struct attachment *first = must_open_one("v0"), *second;
	uint32_t paths = map_id(attach_map(first, SIPPATH_MAP_PATHS));

	(void)state;
	attach_close(first);
	second = must_open_one("v1");
	assert_false(interface_of(second, 0)->found);
	assert_int_equal(map_id(attach_map(second, SIPPATH_MAP_PATHS)), paths);
	attach_close(second);
}

static void a_program_from_ip_link_is_found_and_completed(void **state)
{
	struct attachment *attachment, *other;
	const struct attach_interface *interface;
	uint32_t program, paths;

	(void)state;
	attach_by_ip_link("v0");
	program = xdp_of("v0");
	paths = map_of_program(program, SIPPATH_MAP_PATHS);
	attachment = must_open_one("v0");
	interface = interface_of(attachment, 0);
	assert_true(interface->found);
	assert_int_equal(interface->ingress_id, program);
	assert_int_equal(map_id(attach_map(attachment, SIPPATH_MAP_PATHS)), paths);
	assert_int_equal(attach_paths_max(attachment), SIPPATH_PATHS_DEFAULT);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(map_of_program(interface->egress_id, SIPPATH_MAP_SETTINGS),
			 map_id(attach_map(attachment, SIPPATH_MAP_SETTINGS)));
	other = must_open_one("v1");
	assert_int_equal(map_id(attach_map(other, SIPPATH_MAP_PATHS)), paths);
	attach_close(other);
	attach_close(attachment);
}

/*
 * Where the kernel lets libxdp use its dispatcher, our program is behind that; else
 * xdp-loader attaches it as it is.
 */
static void trap_42_a_program_from_xdp_loader_is_found(void **state)
{
	struct attachment *attachment;
	const struct attach_interface *interface;
	bool dispatched;

	(void)state;
	assert_int_equal(run("xdp-loader load -m skb v0 %s -s xdp >&2", object_path()), 0);
	attachment = must_open_one("v0");
	interface = interface_of(attachment, 0);
	assert_true(interface->found);
	assert_false(interface->native);
	assert_int_equal(map_of_program(interface->ingress_id, SIPPATH_MAP_PATHS),
			 map_id(attach_map(attachment, SIPPATH_MAP_PATHS)));
	assert_int_equal(filters_on("v0"), 1);
	dispatched = interface->ingress_id != xdp_of("v0");
	attach_close(attachment);
	assert_int_equal(remove_said("v0"), dispatched ? -EBUSY : 0);
	if (dispatched)
		assert_said("xdp-loader unload v0");
	assert_int_equal(filters_on("v0"), dispatched ? 1 : 0);
}

static void generic_mode_is_taken_when_it_is_asked_for(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment;

	(void)state;
	options.mode = ATTACH_GENERIC;
	attachment = must_open(&options);
	assert_false(interface_of(attachment, 0)->native);
	attach_close(attachment);
	attachment = must_open_one("v0");
	assert_true(interface_of(attachment, 0)->found);
	assert_false(interface_of(attachment, 0)->native);
	attach_close(attachment);
}

static void trap_42_where_native_is_refused_generic_is_taken_and_said(void **state)
{
	const char *const interfaces[] = { "lo" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;

	(void)state;
	assert_int_equal(open_said(&options, &attachment), 0);
	assert_said("lo: native XDP is refused");
	assert_false(interface_of(attachment, 0)->native);
	attach_close(attachment);
}

static void settings_that_are_there_are_kept_when_asked(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = must_open(&options);

	(void)state;
	attach_close(attachment);
	options.settings.ports[0] = 5080;
	options.keep_settings = true;
	attachment = must_open(&options);
	assert_int_equal(settings_of(attachment).ports[0], 5070);
	attach_close(attachment);
	options.keep_settings = false;
	attachment = must_open(&options);
	assert_int_equal(settings_of(attachment).ports[0], 5080);
	assert_int_equal(settings_of(attachment).clsact_created[0], if_nametoindex("v0"));
	attach_close(attachment);
}

/* The map of a program from "ip link" is there, but nobody has made settings. */
static void settings_that_nobody_made_are_not_kept(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment;

	(void)state;
	attach_by_ip_link("v0");
	options.keep_settings = true;
	attachment = must_open(&options);
	assert_int_equal(settings_of(attachment).ports[0], 5070);
	attach_close(attachment);
}

static void a_pin_directory_may_have_a_slash_at_its_end(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);

	(void)state;
	options.pin_dir = PIN_DIR "//";
	options.agent = true;
	attach_close(must_open(&options));
	assert_true(is_pinned(SIPPATH_MAP_PATHS));
	assert_int_equal(attach_remove("v0", PIN_DIR "//"), 0);
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void a_filter_and_pins_of_an_older_instance_give_way(void **state)
{
	struct attachment *old = must_open_one("v0"), *new;
	uint32_t old_filter = interface_of(old, 0)->egress_id;
	int pinned;

	(void)state;
	attach_close(old);
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	attach_by_ip_link("v0");
	new = must_open_one("v0");
	assert_int_equal(map_id(attach_map(new, SIPPATH_MAP_PATHS)),
			 map_of_program(xdp_of("v0"), SIPPATH_MAP_PATHS));
	assert_int_not_equal(interface_of(new, 0)->egress_id, old_filter);
	assert_int_equal(map_of_program(interface_of(new, 0)->egress_id, SIPPATH_MAP_SETTINGS),
			 map_id(attach_map(new, SIPPATH_MAP_SETTINGS)));
	assert_int_equal(filters_on("v0"), 1);
	pinned = bpf_obj_get(PIN_DIR "/" SIPPATH_MAP_PATHS);
	assert_int_equal(map_id(pinned), map_id(attach_map(new, SIPPATH_MAP_PATHS)));
	close(pinned);
	attach_close(new);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_fresh_interface_is_attached_natively_at_both_ends),
		IN_A_WORLD(the_maps_are_those_of_the_program_and_filled),
		IN_A_WORLD(opening_twice_finds_what_the_first_left),
		IN_A_WORLD(two_interfaces_share_one_set_of_maps),
		IN_A_WORLD(an_interface_attached_later_joins_the_pinned_maps),
		IN_A_WORLD(a_program_from_ip_link_is_found_and_completed),
		IN_A_WORLD(trap_42_a_program_from_xdp_loader_is_found),
		IN_A_WORLD(generic_mode_is_taken_when_it_is_asked_for),
		IN_A_WORLD(trap_42_where_native_is_refused_generic_is_taken_and_said),
		IN_A_WORLD(settings_that_are_there_are_kept_when_asked),
		IN_A_WORLD(settings_that_nobody_made_are_not_kept),
		IN_A_WORLD(a_pin_directory_may_have_a_slash_at_its_end),
		IN_A_WORLD(a_filter_and_pins_of_an_older_instance_give_way),
	};

	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
