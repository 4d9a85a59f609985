/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach_mend.c - what is taken from under an agent is noticed, said once, and put back. */
#include "mend_world.h"

#include <linux/if_link.h>
#include <sys/file.h>

#include "kernel/keepalive.h"

static void when_all_is_well_nothing_is_changed(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	const struct attach_interface before = *interface_of(agent, 0);

	(void)state;
	assert_well(agent);
	assert_memory_equal(interface_of(agent, 0), &before, sizeof(before));
	assert_int_equal(xdp_of("v0"), before.ingress_id);
	attach_close(agent);
}

static void trap_11_an_xdp_program_that_was_taken_off_comes_back(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	assert_int_not_equal(xdp_of("v0"), 0);
	assert_true(interface_of(agent, 0)->native);
	assert_int_equal(map_of_program(xdp_of("v0"), SIPPATH_MAP_PATHS),
			 map_id(attach_map(agent, SIPPATH_MAP_PATHS)));
	attach_close(agent);
}

static void it_comes_back_in_the_mode_that_it_had(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_GENERIC);

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdpgeneric off"), 0);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	assert_false(interface_of(agent, 0)->native);
	assert_int_equal(run("ip link show dev v0 | grep -q xdpgeneric"), 0);
	attach_close(agent);
}

static void the_place_of_a_program_of_others_is_left_until_it_is_free(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair repair;
	uint32_t foreign;

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	foreign = attach_foreign("v0", "somebody");
	assert_left(agent, ATTACH_PART_INGRESS, -EBUSY, "'somebody'");
	assert_int_equal(xdp_of("v0"), foreign);
	repair = mend(agent);
	assert_int_equal(repair.found[0].other_id, foreign);
	assert_string_equal(repair.found[0].other_name, "somebody");
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	attach_close(agent);
}

static void a_filter_or_its_qdisc_comes_back(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);

	(void)state;
	assert_int_equal(run("tc filter del dev v0 egress"), 0);
	assert_mended(agent, ATTACH_PART_EGRESS, 0);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(run("tc qdisc del dev v0 clsact"), 0);
	assert_mended(agent, ATTACH_PART_EGRESS, 0);
	assert_int_equal(filters_on("v0"), 1);
	attach_close(agent);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
}

static void a_filter_of_others_in_our_place_is_left(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);

	(void)state;
	assert_int_equal(run("tc filter del dev v0 egress"), 0);
	filter_foreign("v0", BPF_TC_EGRESS, 50, 0x5060);
	assert_left(agent, ATTACH_PART_EGRESS, -EBUSY, "tc filter");
	assert_int_equal(filters_on("v0"), 0);
	attach_close(agent);
}

static void an_interface_that_is_back_is_attached_again(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	unsigned int before = if_nametoindex("v0");

	(void)state;
	assert_int_equal(run("ip link del v0"), 0);
	assert_left(agent, ATTACH_PART_INTERFACE, -ENODEV, "v0: the interface is gone");
	assert_int_equal(run("ip link add v0 type veth peer name p0"), 0);
	set_up("v0", "p0");
	assert_int_not_equal(if_nametoindex("v0"), before);
	assert_mended(agent, ATTACH_PART_INTERFACE | ATTACH_PART_INGRESS | ATTACH_PART_EGRESS, 0);
	assert_int_equal(interface_of(agent, 0)->index, if_nametoindex("v0"));
	assert_int_equal(interface_of(agent, 0)->ingress_id, xdp_of("v0"));
	assert_true(interface_of(agent, 0)->native);
	assert_int_equal(filters_on("v0"), 1);
	assert_int_equal(settings_of(agent).watched[0], if_nametoindex("v0"));
	assert_int_equal(settings_of(agent).watched[1], 0);
	attach_close(agent);
	assert_int_equal(attach_remove("v0", PIN_DIR), 0);
	assert_untouched("v0");
}

static void an_interface_that_is_renamed_is_followed(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);

	(void)state;
	assert_int_equal(
		run("ip link set v0 down && ip link set v0 name wan && ip link set wan up"), 0);
	assert_well(agent);
	assert_string_equal(interface_of(agent, 0)->name, "wan");
	assert_int_equal(run("ip link set dev wan xdp off"), 0);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	attach_close(agent);
}

static void an_interface_that_is_down_is_said_and_keeps_its_programs(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	uint32_t program = xdp_of("v0");

	(void)state;
	assert_int_equal(run("ip link set v0 down"), 0);
	assert_left(agent, ATTACH_PART_CARRIER, -ENETDOWN, "v0: the interface is down");
	assert_int_equal(xdp_of("v0"), program);
	assert_int_equal(run("ip link set v0 up && ip link set p0 down"), 0);
	assert_int_equal(mend(agent).found[0].missing, ATTACH_PART_CARRIER);
	assert_string_equal(said, "");
	assert_int_equal(run("ip link set p0 up"), 0);
	assert_int_equal(mend(agent).found[0].missing, 0);
	assert_said("v0: the interface is up");
	attach_close(agent);
}

static void settings_that_were_wiped_are_written_again(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct sip_settings before, wiped = { 0 }, after;
	uint32_t key = 0;

	(void)state;
	assert_int_equal(keepalive_set(agent, 17000000000), 0);
	assert_well(agent);
	before = settings_of(agent);
	assert_int_equal(before.keepalive_idle_s, 17);
	for (wiped.abi = 0; wiped.abi < 100; wiped.abi += 99) {
		assert_int_equal(bpf_map_update_elem(attach_map(agent, SIPPATH_MAP_SETTINGS), &key,
						     &wiped, BPF_ANY),
				 0);
		assert_mended(agent, 0, ATTACH_PART_SETTINGS);
		after = settings_of(agent);
		assert_memory_equal(&after, &before, sizeof(after));
	}
	attach_close(agent);
}

/* Whoever attaches beside the agent notes it in the settings. */
static void notes_of_others_in_the_settings_stay(void **state)
{
	const char *const interfaces[] = { "v1" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *agent = agent_of("v0", ATTACH_ANY);

	(void)state;
	options.keep_settings = true;
	attach_close(must_open(&options));
	assert_well(agent);
	assert_int_equal(settings_of(agent).watched[1], if_nametoindex("v1"));
	assert_int_equal(settings_of(agent).clsact_created[1], if_nametoindex("v1"));
	attach_close(agent);
}

static void pins_come_back_and_the_agent_stays_the_only_one(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *agent = agent_of("v0", ATTACH_ANY), *second = NULL;

	(void)state;
	assert_int_equal(unlink(PIN_DIR "/" SIPPATH_MAP_FLOWS), 0);
	assert_mended(agent, 0, ATTACH_PART_PINS);
	assert_true(is_pinned(SIPPATH_MAP_FLOWS));
	assert_int_equal(run("rm -r " PIN_DIR), 0);
	assert_mended(agent, 0, ATTACH_PART_PINS | ATTACH_PART_CONNECTIONS);
	assert_true(is_pinned(SIPPATH_MAP_PATHS));
	assert_true(keepalive_works(agent));
	options.agent = true;
	assert_int_equal(open_said(&options, &second), -EBUSY);
	assert_said("another sippathd");
	attach_close(agent);
}

static void nothing_is_mended_while_somebody_attaches(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	int turn = open(PIN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct attach_repair repair;

	(void)state;
	assert_int_equal(flock(turn, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	repair = mend(agent);
	assert_int_equal(repair.found[0].missing, ATTACH_PART_INGRESS);
	assert_int_equal(repair.found[0].mended, 0);
	assert_int_equal(repair.found[0].error, -EAGAIN);
	assert_string_equal(said, "");
	assert_int_equal(xdp_of("v0"), 0);
	close(turn);
	assert_mended(agent, ATTACH_PART_INGRESS, 0);
	attach_close(agent);
}

static void all_at_once_is_put_back_without_loading(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	uint32_t program = interface_of(agent, 0)->ingress_id;

	(void)state;
	assert_int_equal(run("rm -r " PIN_DIR "; ip link set dev v0 xdp off;"
			     " tc qdisc del dev v0 clsact"),
			 0);
	assert_mended(agent, ATTACH_PART_INGRESS | ATTACH_PART_EGRESS,
		      ATTACH_PART_PINS | ATTACH_PART_CONNECTIONS);
	assert_int_equal(xdp_of("v0"), program);
	attach_close(agent);
}

static void a_copy_takes_over_what_the_other_has_mended(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_interface renewed[2] = { *interface_of(agent, 0) };
	size_t count;

	(void)state;
	renewed[0].index = 77;
	renewed[0].ingress_id = 4711;
	attach_interfaces_renew(agent, renewed, 2);
	assert_int_equal(interface_of(agent, 0)->index, 77);
	assert_int_equal(interface_of(agent, 0)->ingress_id, 4711);
	(void)attach_interfaces(agent, &count);
	assert_int_equal(count, 1);
	attach_close(agent);
}

/* Sees so much without mending and without a word, which attach_mend() then mends. */
static void assert_seen(struct attachment *agent, struct attach_repair *latest, uint32_t parts,
			uint32_t shared_parts)
{
	int memory, before = listen_begin(&memory);

	attach_look(agent, latest);
	listen_end(memory, before);
	assert_string_equal(said, "");
	assert_int_equal(latest->count, 1);
	assert_int_equal(latest->found[0].missing, parts);
	assert_int_equal(latest->found[0].mended, 0);
	assert_int_equal(latest->shared.missing, shared_parts);
	if (!parts && !shared_parts)
		return;
	mend(agent);
	attach_look(agent, latest);
	assert_int_equal(latest->found[0].missing, 0);
}

static void trap_11_what_is_missing_is_seen_without_mending(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair latest = { .shared = { .missing = ATTACH_PART_PINS } };

	(void)state;
	attach_look(agent, &latest);
	assert_int_equal(latest.shared.missing, ATTACH_PART_PINS); /* that it cannot see */
	latest.shared.mended = ATTACH_PART_PINS;
	assert_seen(agent, &latest, 0, 0);
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	assert_seen(agent, &latest, ATTACH_PART_INGRESS, 0);
	assert_int_equal(run("tc qdisc del dev v0 clsact"), 0);
	assert_seen(agent, &latest, ATTACH_PART_EGRESS, 0);
	assert_int_equal(run("ip link set dev v0 down"), 0);
	attach_look(agent, &latest);
	assert_int_equal(latest.found[0].missing, ATTACH_PART_CARRIER);
	attach_close(agent);
}

static void trap_11_a_program_of_others_is_seen_without_mending(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair latest = { 0 };

	(void)state;
	assert_int_equal(run("ip link set dev v0 xdp off"), 0);
	attach_foreign("v0", "somebody");
	attach_look(agent, &latest);
	assert_int_equal(latest.found[0].missing, ATTACH_PART_INGRESS);
	attach_close(agent);
}

static void an_interface_that_is_gone_or_new_is_seen_without_mending(void **state)
{
	struct attachment *agent = agent_of("v0", ATTACH_ANY);
	struct attach_repair latest = { 0 };

	(void)state;
	assert_int_equal(run("ip link delete v0"), 0);
	attach_look(agent, &latest);
	assert_int_equal(latest.found[0].missing, ATTACH_PART_INTERFACE);
	assert_int_equal(latest.found[0].error, -ENODEV);
	assert_int_equal(run("ip link add v0 type veth peer name p0"), 0);
	attach_look(agent, &latest);
	assert_int_equal(latest.found[0].missing, ATTACH_PART_INTERFACE);
	assert_int_equal(latest.found[0].error, 0);
	attach_close(agent);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(when_all_is_well_nothing_is_changed),
		IN_A_WORLD(trap_11_an_xdp_program_that_was_taken_off_comes_back),
		IN_A_WORLD(it_comes_back_in_the_mode_that_it_had),
		IN_A_WORLD(the_place_of_a_program_of_others_is_left_until_it_is_free),
		IN_A_WORLD(a_filter_or_its_qdisc_comes_back),
		IN_A_WORLD(a_filter_of_others_in_our_place_is_left),
		IN_A_WORLD(an_interface_that_is_back_is_attached_again),
		IN_A_WORLD(an_interface_that_is_renamed_is_followed),
		IN_A_WORLD(an_interface_that_is_down_is_said_and_keeps_its_programs),
		IN_A_WORLD(settings_that_were_wiped_are_written_again),
		IN_A_WORLD(notes_of_others_in_the_settings_stay),
		IN_A_WORLD(pins_come_back_and_the_agent_stays_the_only_one),
		IN_A_WORLD(nothing_is_mended_while_somebody_attaches),
		IN_A_WORLD(all_at_once_is_put_back_without_loading),
		IN_A_WORLD(a_copy_takes_over_what_the_other_has_mended),
		IN_A_WORLD(trap_11_what_is_missing_is_seen_without_mending),
		IN_A_WORLD(trap_11_a_program_of_others_is_seen_without_mending),
		IN_A_WORLD(an_interface_that_is_gone_or_new_is_seen_without_mending),
	};

	return cmocka_run_group_tests_name("attach_mend", tests, NULL, NULL);
}
