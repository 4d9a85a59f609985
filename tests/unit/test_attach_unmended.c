/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach_unmended.c - what cannot be put back as it was: said once, and why. */
#include "mend_world.h"

static void trap_42_a_driver_that_refuses_by_now_is_said_with_its_reason(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair repair;

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdp off && ethtool -L p0 tx 2"), 0);
	repair = mend(agent);
	assert_int_equal(repair.found[0].mended, ATTACH_PART_INGRESS);
	assert_non_null(strstr(said, "v0: native XDP is refused"));
	assert_non_null(strstr(said, "queues"));
	assert_false(interface_of(agent, 0)->native);
	assert_well(agent);
	attach_close(agent);
}

static void native_alone_is_tried_until_the_driver_takes_it(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_NATIVE);

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdp off && ethtool -L p0 tx 2"), 0);
	assert_int_equal(mend(agent).found[0].mended, 0);
	assert_said("v0: it does not carry our XDP program any more");
	assert_int_equal(mend(agent).found[0].mended, 0);
	assert_string_equal(said, "");
	assert_int_equal(run("ethtool -L p0 tx 1"), 0);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	assert_true(interface_of(agent, 0)->native);
	attach_close(agent);
}

/* Each part has its own reason, whatever else is amiss. */
static void what_is_in_the_place_is_said_of_that_place_alone(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair repair;

	(void)state;
	assert_int_equal(run("ip link set v0 down; ip link set dev v0 xdp off"), 0);
	attach_foreign("v0", "somebody");
	repair = mend(agent);
	assert_int_equal(repair.found[0].missing, ATTACH_PART_INGRESS | ATTACH_PART_CARRIER);
	assert_int_equal(repair.found[0].error, -EBUSY);
	assert_int_equal(repair.found[0].other_part, ATTACH_PART_INGRESS);
	assert_non_null(strstr(said, "v0: the interface is down or has no carrier"));
	assert_non_null(strstr(said, "our XDP program any more: the program 'somebody'"));
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	assert_int_equal(mend(agent).found[0].mended, ATTACH_PART_INGRESS);
	attach_close(agent);
}

/* For who has it may be just changing what would be mended. */
static void nothing_is_mended_where_no_turn_can_be_had(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair repair;

	(void)state;
	assert_int_equal(run("mv " PIN_DIR " " PIN_DIR "-away && ln -s " PIN_DIR " " PIN_DIR
			     " && ip link set dev v0 xdp off"),
			 0);
	repair = mend(agent);
	assert_int_equal(repair.found[0].error, -ELOOP);
	assert_int_equal(repair.found[0].mended, 0);
	assert_non_null(strstr(said, "v0: it does not carry our XDP program any more"));
	mend(agent);
	assert_string_equal(said, "");
	assert_int_equal(xdp_of("v0"), 0);
	assert_int_equal(run("rm " PIN_DIR " && mv " PIN_DIR "-away " PIN_DIR), 0);
	repair = mend(agent);
	assert_int_equal(repair.found[0].mended, ATTACH_PART_INGRESS);
	assert_well(agent);
	attach_close(agent);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(trap_42_a_driver_that_refuses_by_now_is_said_with_its_reason),
		IN_A_WORLD(native_alone_is_tried_until_the_driver_takes_it),
		IN_A_WORLD(what_is_in_the_place_is_said_of_that_place_alone),
		IN_A_WORLD(nothing_is_mended_where_no_turn_can_be_had),
	};

	return cmocka_run_group_tests_name("attach_unmended", tests, NULL, NULL);
}
