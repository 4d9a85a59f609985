/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach_remove.c - taking an interface out of our hands. */
#include "attach_world.h"

static void removing_leaves_nothing(void **state)
{
	(void)state;
	attach_close(must_open_one("v0"));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
	assert_int_equal(remove_said("v0"), -ENOENT);
	assert_said("v0 carries no program of ours");
}

static void what_was_removed_can_be_attached_again(void **state)
{
	(void)state;
	attach_close(must_open_one("v0"));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	attach_close(must_open_one("v0"));
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
}

static void generic_mode_is_taken_off_too(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);

	(void)state;
	options.mode = ATTACH_GENERIC;
	attach_close(must_open(&options));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
}

static void the_pins_go_with_the_last_interface(void **state)
{
	const char *const both[] = { "v0", "v1" };
	struct attach_options options = options_for(both, 2);

	(void)state;
	attach_close(must_open(&options));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
	assert_true(is_pinned(SIPPATH_MAP_PATHS));
	assert_int_equal(filters_on("v1"), 1);
	assert_int_equal(attach_remove("v1", PIN_DIR), 0);
	assert_untouched("v1");
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void a_program_from_ip_link_is_taken_off(void **state)
{
	(void)state;
	attach_by_ip_link("v0");
	attach_close(must_open_one("v0"));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
	attach_by_ip_link("v0");
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
}

/* iproute2 leaves its pins whatever becomes of the program, so the next one gets the old maps. */
static void the_pins_of_ip_link_go_with_the_last_interface(void **state)
{
	(void)state;
	attach_by_ip_link("v0");
	attach_close(must_open_one("v0"));
	attach_close(must_open_one("v1"));
	assert_true(is_pinned_by_ip_link(SIPPATH_MAP_PATHS));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_true(is_pinned_by_ip_link(SIPPATH_MAP_PATHS));
	assert_int_equal(attach_remove("v1", PIN_DIR), 0);
	assert_false(is_pinned_by_ip_link(SIPPATH_MAP_PATHS));
	assert_false(is_pinned_by_ip_link(SIPPATH_MAP_SETTINGS));
}

static void pins_of_ip_link_for_other_maps_stay(void **state)
{
	int other = bpf_map_create(BPF_MAP_TYPE_ARRAY, SIPPATH_MAP_FLOWS, 4, 4, 1, NULL);

	(void)state;
	attach_by_ip_link("v0");
	assert_int_equal(unlink(BPF_FILE_SYSTEM "/tc/globals/" SIPPATH_MAP_FLOWS), 0);
	assert_int_equal(bpf_obj_pin(other, BPF_FILE_SYSTEM "/tc/globals/" SIPPATH_MAP_FLOWS), 0);
	close(other);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_false(is_pinned_by_ip_link(SIPPATH_MAP_PATHS));
	assert_true(is_pinned_by_ip_link(SIPPATH_MAP_FLOWS));
}

static void nothing_is_taken_from_an_agent_that_works_with_it(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *agent;
	uint32_t program;

	(void)state;
	options.agent = true;
	agent = must_open(&options);
	program = xdp_of("v0");
	attach_close(must_open_one("v1"));
	assert_int_equal(remove_said("v0"), -EBUSY);
	assert_said("v0: sippathd works with the maps in " PIN_DIR);
	assert_int_equal(remove_said("v1"), -EBUSY);
	assert_int_equal(xdp_of("v0"), program);
	assert_int_equal(filters_on("v0"), 1);
	assert_true(is_pinned(SIPPATH_MAP_PATHS));
	attach_close(agent);
	assert_int_equal(remove_said("v0"), 0);
	assert_int_equal(remove_said("v1"), 0);
	assert_untouched("v0");
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

/* Maps of an older instance are nothing to the agent. */
static void what_the_agent_does_not_work_with_is_taken_off(void **state)
{
	const char *const interfaces[] = { "v1" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *agent;

	(void)state;
	options.agent = true;
	agent = must_open(&options);
	attach_by_ip_link("v0");
	assert_int_equal(remove_said("v0"), 0);
	assert_untouched("v0");
	attach_close(agent);
}

static void a_program_of_others_stays(void **state)
{
	uint32_t foreign = attach_foreign("v0", "somebody");

	(void)state;
	assert_int_equal(remove_said("v0"), -ENOENT);
	assert_int_equal(xdp_of("v0"), foreign);
	assert_int_equal(remove_said("eth99"), -ENODEV);
	assert_said("no such interface: 'eth99'");
}

static void our_filter_goes_when_others_have_taken_the_ingress(void **state)
{
	uint32_t foreign;

	(void)state;
	attach_close(must_open_one("v0"));
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	foreign = attach_foreign("v0", "somebody");
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(xdp_of("v0"), foreign);
	assert_false(has_clsact("v0"));
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void a_clsact_qdisc_of_others_stays(void **state)
{
	(void)state;
	assert_int_equal(run("tc qdisc add dev v0 clsact"), 0);
	attach_close(must_open_one("v0"));
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(filters_on("v0"), 0);
	assert_true(has_clsact("v0"));
}

static void our_clsact_qdisc_stays_while_others_have_filters_there(void **state)
{
	(void)state;
	attach_close(must_open_one("v0"));
	filter_foreign("v0", BPF_TC_INGRESS, 7, 1);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_int_equal(filters_on("v0"), 0);
	assert_int_equal(run("tc filter show dev v0 ingress | grep -q somebody"), 0);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(removing_leaves_nothing),
		IN_A_WORLD(what_was_removed_can_be_attached_again),
		IN_A_WORLD(generic_mode_is_taken_off_too),
		IN_A_WORLD(the_pins_go_with_the_last_interface),
		IN_A_WORLD(a_program_from_ip_link_is_taken_off),
		IN_A_WORLD(the_pins_of_ip_link_go_with_the_last_interface),
		IN_A_WORLD(pins_of_ip_link_for_other_maps_stay),
		IN_A_WORLD(nothing_is_taken_from_an_agent_that_works_with_it),
		IN_A_WORLD(what_the_agent_does_not_work_with_is_taken_off),
		IN_A_WORLD(a_program_of_others_stays),
		IN_A_WORLD(our_filter_goes_when_others_have_taken_the_ingress),
		IN_A_WORLD(a_clsact_qdisc_of_others_stays),
		IN_A_WORLD(our_clsact_qdisc_stays_while_others_have_filters_there),
	};

	return cmocka_run_group_tests_name("attach_remove", tests, NULL, NULL);
}
