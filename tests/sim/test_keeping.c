/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keeping.c - the whole sentence in simulated time: what is prompted, when, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/wheel.h"
#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

/* A stamp may be one kernel tick old, and a path is looked at one wheel tick late. */
#define LATENESS (2 * WORLD_TICK_NS + 2 * WHEEL_TICK_NS)

static int set_up(void **state)
{
	*state = world_begin(THRESHOLD);
	return 0;
}

static int tear_down(void **state)
{
	world_end(*state);
	return 0;
}

static void an_idle_path_is_prompted_once_per_threshold(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world_run(world, 10 * MINUTE);
	assert_in_range(device->prompts, 24, 25);
	assert_true(device->least_quiet_ns >= THRESHOLD);
	assert_true(device->most_quiet_ns <= THRESHOLD + LATENESS);
	assert_int_equal(world->counts.value[COUNT_prompts_answered], device->prompts);
	assert_int_equal(world_path(world, device)->health, PATH_LIVE);
	assert_int_equal(world_path(world, device)->rtt_us, 20000);
}

static void trap_03_the_threshold_is_not_stretched_by_a_scan_period(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 500; i++) {
		world_register(world, world_device(world), 200, 3600);
		world_run(world, 37 * NS_PER_MS);
	}
	world_run(world, 3 * MINUTE);
	for (size_t i = 0; i < world->device_count; i++) {
		assert_true(world->devices[i].least_quiet_ns >= THRESHOLD);
		assert_true(world->devices[i].most_quiet_ns <= THRESHOLD + LATENESS);
	}
}

static void trap_21_what_the_network_refuses_makes_nobody_silent(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world_run(world, 20 * NS_PER_S);
	world->network_down = true;
	world_run(world, 10 * NS_PER_S);
	assert_int_equal(world_path(world, device)->health, PATH_LIVE);
	assert_int_equal(device->prompts, 0);

	/* As soon as the link is back the prompt goes out, not after a silent path's pause. */
	world->network_down = false;
	world_run(world, 2 * NS_PER_S);
	assert_int_equal(device->prompts, 1);
	assert_int_equal(world->counts.value[COUNT_paths_silenced], 0);
}

/* A rule of a firewall may stand for long: each attempt costs this host work for nothing. */
static void what_the_network_goes_on_refusing_is_tried_once_a_threshold(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world->network_down = true;
	world_run(world, 20 * MINUTE);
	assert_in_range(world->refusals, 20 * MINUTE / THRESHOLD - 2, 20 * MINUTE / THRESHOLD + 10);
	assert_int_equal(world->counts.value[COUNT_prompts_sent], 0);
	assert_int_equal(world_path(world, device)->prompts, 0);

	world->network_down = false;
	world_run(world, THRESHOLD + NS_PER_S);
	assert_int_equal(device->prompts, 1);
	assert_int_equal(world->counts.value[COUNT_prompts_sent], 1);
}

static void trap_22_a_path_that_talks_is_never_prompted(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	device->talks_every_ns = 20 * NS_PER_S;
	device->talk_due_ns = world->now_ns + device->talks_every_ns;
	world_register(world, device, 200, 3600);
	world_run(world, 10 * MINUTE);
	assert_int_equal(device->prompts, 0);
	assert_in_range(world->counts.value[COUNT_prompts_avoided], 23, 25); /* of 24 s each */
}

static void trap_02_threshold_detection_and_answer_fit_into_30_seconds(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	device->rtt_ns = 800 * NS_PER_MS;
	world_register(world, device, 200, 3600);
	world_run(world, THRESHOLD + 2 * NS_PER_S);
	assert_int_equal(device->prompts, 1);
	assert_true(device->most_quiet_ns + device->rtt_ns < 30 * NS_PER_S);
}

static void trap_11_blind_it_prompts_nobody_and_sees_again_without_a_storm(void **state)
{
	struct world *world = *state;
	struct keeper *keeper = pipeline_keeper(world->pipeline);

	for (int i = 0; i < 300; i++)
		world_register(world, world_device(world), 200, 3600);
	world_run(world, 20 * NS_PER_S);
	world->devices[0].rtt_ns = 10 * NS_PER_S; /* it is awaited when the programs go */
	assert_int_equal(
		keeper_prompt(keeper, world_path(world, &world->devices[0]), world->now_ns), 0);
	keeper_set_blind(keeper, true, world->now_ns);
	world_run(world, 5 * MINUTE);
	assert_int_equal(world->datagrams, 1);
	assert_int_equal(world_path(world, &world->devices[0])->health, PATH_LIVE);

	world->devices[0].rtt_ns = 20 * NS_PER_MS;
	keeper_set_blind(keeper, false, world->now_ns);
	world_run(world, 5 * NS_PER_S);
	assert_int_equal(world->datagrams, 1 + 300);
	assert_true(world->per_10ms_most <= PACER_RATE_FLOOR / 100 + 2);
}

static void trap_15_a_mute_device_becomes_silent_and_is_kept(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	device->answers = false;
	world_register(world, device, 200, 3600);
	world_run(world, THRESHOLD + 10 * NS_PER_S);
	assert_int_equal(device->prompts, POLICY_TRIES_MAX);
	assert_true(device->last_prompt_ns - device->first_prompt_ns >= 3 * NS_PER_S);
	assert_int_equal(world_path(world, device)->health, PATH_SILENT);
	assert_int_equal(world_path(world, device)->binding_counts[BINDING_REGISTRATION], 1);

	/* 3 sendings, then ever more rarely: an hour of one prompt per threshold would be 150. */
	world_run(world, 50 * MINUTE);
	assert_in_range(device->prompts, 6, 15);
}

static void trap_15_a_silent_path_that_speaks_again_is_live_before_the_nat_forgets(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	uint32_t prompts;

	device->answers = false;
	world_register(world, device, 200, 3600);
	world_run(world, 20 * MINUTE);
	prompts = device->prompts;

	device->answers = true;
	world_speak(world, device);
	device->least_quiet_ns = CLOCK_NEVER;
	device->most_quiet_ns = 0;
	world_run(world, 2 * MINUTE);
	assert_true(device->prompts > prompts);
	assert_true(device->most_quiet_ns <= THRESHOLD + LATENESS);
	assert_int_equal(world_path(world, device)->health, PATH_LIVE);
	assert_int_equal(world->counts.value[COUNT_paths_revived], 1);
}

static void a_revived_path_that_waits_for_its_turn_is_revived_once(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 100; i++) {
		world_device(world)->answers = false;
		world_register(world, &world->devices[i], 200, 3600);
	}
	world_run(world, 2 * MINUTE);
	assert_int_equal(world->counts.value[COUNT_paths_silenced], 100);
	for (int i = 0; i < 100; i++) {
		world->devices[i].answers = true;
		world_speak(world, &world->devices[i]);
	}
	world_run(world, 5 * MINUTE);
	assert_int_equal(world->counts.value[COUNT_paths_revived], 100);
}

static void trap_21_one_lost_answer_is_not_a_dead_device(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	device->answers = false;
	world_run(world, THRESHOLD + NS_PER_S / 2);
	device->answers = true;
	world_run(world, 3 * NS_PER_S);
	assert_int_equal(device->prompts, 2);
	assert_int_equal(world_path(world, device)->health, PATH_LIVE);
	assert_int_equal(world->counts.value[COUNT_paths_silenced], 0);
}

static void trap_10_a_dead_device_does_not_delay_the_others(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 200; i++) {
		world_device(world)->answers = i % 2;
		world_register(world, &world->devices[i], 200, 3600);
		world_run(world, 50 * NS_PER_MS);
	}
	world_run(world, 5 * MINUTE);
	for (int i = 1; i < 200; i += 2)
		assert_true(world->devices[i].most_quiet_ns <= THRESHOLD + LATENESS);
}

static void an_answer_on_its_way_when_the_path_ends_still_finds_its_entry(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	device->rtt_ns = 500 * NS_PER_MS;
	world_register(world, device, 200, 3600);
	world_run(world, THRESHOLD + 100 * NS_PER_MS);
	assert_int_equal(device->prompts, 1);
	world_register(world, device, 200, 0);
	assert_int_equal(world->map_count, 1);
	world_run(world, 3 * NS_PER_S);
	assert_int_equal(world->map_count, 0);
	assert_null(world_path(world, device));
}

static void trap_11_a_missing_entry_is_unknown_and_not_idle(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world_run(world, 20 * NS_PER_S);
	world_lose_entry(world, device);
	world_run(world, 5 * NS_PER_S);
	assert_int_equal(device->prompts, 0);
	assert_int_equal(world->counts.value[COUNT_paths_unreadable], 1);
	world_run(world, MINUTE);
	assert_true(device->prompts >= 1);
}

static void trap_11_an_entry_that_cannot_be_mended_is_counted(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world_lose_entry(world, device);
	world->map_stuck = true;
	world_run(world, THRESHOLD + NS_PER_S);
	assert_int_equal(world->counts.value[COUNT_paths_unreadable], 2);
	assert_int_equal(device->prompts, 0);
}

static void trap_11_a_path_opened_late_is_not_idle_if_its_phone_has_spoken(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_run(world, 10 * MINUTE);
	world_speak(world, device);
	world_run(world, NS_PER_S);
	world->late_ns = 10 * MINUTE;
	world_register(world, device, 200, 3600);
	world->late_ns = 0;
	world_run(world, THRESHOLD - 2 * NS_PER_S);
	assert_int_equal(device->prompts, 0);
	world_run(world, 2 * NS_PER_S);
	assert_int_equal(device->prompts, 1);
	assert_true(device->least_quiet_ns >= THRESHOLD);
	assert_true(device->most_quiet_ns <= THRESHOLD + LATENESS);
}

static void trap_06_nothing_is_sent_from_an_address_that_is_not_held(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world->address_held = false;
	world_run(world, 5 * MINUTE);
	assert_int_equal(device->prompts, 0);
	assert_int_equal(world_path(world, device)->health, PATH_LIVE);
	/* When the address arrives, what was held back goes out at once. */
	world->address_held = true;
	keeper_addresses_changed(pipeline_keeper(world->pipeline), world->now_ns);
	world_run(world, NS_PER_S / 10);
	assert_int_equal(device->prompts, 1);
}

static void change_addresses(struct world *world)
{
	keeper_addresses_changed(pipeline_keeper(world->pipeline), world->now_ns);
	world_run(world, 10 * NS_PER_MS);
}

static void trap_06_a_busy_routing_table_costs_one_round_per_second(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	uint64_t before;

	world->address_held = false;
	world_register(world, device, 200, 3600);
	world_run(world, THRESHOLD + NS_PER_S);
	before = world->holds_asked;
	for (int i = 0; i < 300; i++)
		change_addresses(world);
	assert_in_range(world->holds_asked - before, 3, 4);

	/* What arrives between two rounds waits for the next one, and for no other event. */
	world_run(world, 2 * NS_PER_S);
	change_addresses(world);
	world->address_held = true;
	change_addresses(world);
	assert_int_equal(device->prompts, 0);
	world_run(world, NS_PER_S);
	assert_int_equal(device->prompts, 1);
}

static void a_new_threshold_takes_effect_at_once(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	keeper_set_threshold(pipeline_keeper(world->pipeline), 5 * NS_PER_S);
	world_run(world, 6 * NS_PER_S);
	assert_int_equal(device->prompts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_idle_path_is_prompted_once_per_threshold),
		TEST(trap_02_threshold_detection_and_answer_fit_into_30_seconds),
		TEST(trap_03_the_threshold_is_not_stretched_by_a_scan_period),
		TEST(trap_06_nothing_is_sent_from_an_address_that_is_not_held),
		TEST(trap_06_a_busy_routing_table_costs_one_round_per_second),
		TEST(trap_10_a_dead_device_does_not_delay_the_others),
		TEST(trap_11_a_missing_entry_is_unknown_and_not_idle),
		TEST(trap_11_an_entry_that_cannot_be_mended_is_counted),
		TEST(trap_11_a_path_opened_late_is_not_idle_if_its_phone_has_spoken),
		TEST(trap_11_blind_it_prompts_nobody_and_sees_again_without_a_storm),
		TEST(trap_15_a_mute_device_becomes_silent_and_is_kept),
		TEST(trap_15_a_silent_path_that_speaks_again_is_live_before_the_nat_forgets),
		TEST(a_revived_path_that_waits_for_its_turn_is_revived_once),
		TEST(trap_21_one_lost_answer_is_not_a_dead_device),
		TEST(trap_21_what_the_network_refuses_makes_nobody_silent),
		TEST(what_the_network_goes_on_refusing_is_tried_once_a_threshold),
		TEST(trap_22_a_path_that_talks_is_never_prompted),
		TEST(an_answer_on_its_way_when_the_path_ends_still_finds_its_entry),
		TEST(a_new_threshold_takes_effect_at_once),
	};

	return cmocka_run_group_tests_name("keeping", tests, NULL, NULL);
}
