/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_masses.c - thousands of paths in simulated time: who waits for whom, and how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/wheel.h"
#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

/* A stamp may be one kernel tick old, and a path is looked at one wheel tick late. */
#define LATENESS (2 * WORLD_TICK_NS + 2 * WHEEL_TICK_NS)

/* What a phone may be quiet for until the NAT forgets it (trap 2). */
#define NAT_PATIENCE (30 * NS_PER_S)

/* As many as get their turns at the slowest rate within the horizon. */
#define UNHURRIED (PACER_RATE_FLOOR * PACER_HORIZON_NS / NS_PER_S * 9 / 10)

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

/* So many devices register at one time. */
static void register_mass(struct world *world, unsigned int devices)
{
	for (unsigned int i = 0; i < devices; i++)
		world_register(world, world_device(world), 200, 3600);
}

static void assert_none_too_quiet(const struct world *world, size_t from, uint64_t limit_ns)
{
	for (size_t i = from; i < world->device_count; i++)
		assert_true(world->devices[i].most_quiet_ns + world->devices[i].rtt_ns < limit_ns);
}

/* The most that may leave within 10 ms if so many leave evenly within the horizon, twice over. */
static uint64_t twice_even(unsigned int devices)
{
	return 2 * devices * 10 * NS_PER_MS / PACER_HORIZON_NS;
}

static void trap_09_a_mass_of_deadlines_at_one_time_is_no_burst(void **state)
{
	struct world *world = *state;

	register_mass(world, UNHURRIED);
	world_run(world, MINUTE);
	assert_true(world->datagrams >= UNHURRIED);
	assert_true(world->per_10ms_most <= PACER_RATE_FLOOR / 100 + 2);
	for (size_t i = 0; i < UNHURRIED; i++)
		assert_true(world->devices[i].least_quiet_ns >= THRESHOLD);
}

static void keep_mass(struct world *world, unsigned int devices, unsigned int minutes)
{
	register_mass(world, devices);
	world_run(world, minutes * MINUTE);
	for (unsigned int i = 0; i < devices; i++)
		assert_in_range(world->devices[i].prompts, 2 * minutes, 5 * minutes / 2);
	assert_none_too_quiet(world, 0, NAT_PATIENCE);
	assert_true(world->per_10ms_most <= twice_even(devices));
}

static void trap_02_pacing_loses_none_of_5000_phones(void **state)
{
	keep_mass(*state, 5000, 2);
}

static void trap_02_pacing_loses_none_of_20000_phones(void **state)
{
	keep_mass(*state, 20000, 1);
}

/* The dead take all the turns that there are; their repeats must not take those of the living. */
static void trap_10_dead_devices_do_not_delay_the_others(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2000; i++) {
		world_device(world)->answers = false;
		world_register(world, &world->devices[i], 200, 3600);
		world_run(world, NS_PER_S / 400);
	}
	for (int i = 2000; i < 2500; i++) {
		world_register(world, world_device(world), 200, 3600);
		world_run(world, NS_PER_S / 100);
	}
	world_run(world, MINUTE);
	assert_true(world->counts.value[COUNT_prompts_repeated] >= 2 * 2000);
	for (int i = 2000; i < 2500; i++)
		assert_true(world->devices[i].most_quiet_ns <= THRESHOLD + LATENESS);
}

static void trap_06_addresses_that_are_not_held_take_no_turns(void **state)
{
	struct world *world = *state;

	register_mass(world, 1100);
	for (int i = 0; i < 1100; i++)
		world->devices[i].elsewhere = i < 500 || i >= 600;
	world_run(world, MINUTE);
	assert_int_equal(world->datagrams, 2 * 100);
	assert_none_too_quiet(world, 0,
			      THRESHOLD + 100 * NS_PER_S / PACER_RATE_FLOOR + NS_PER_S / 10);
}

/* Runs to where a mass of paths waits for its turns. */
static void await_turns(struct world *world, unsigned int devices)
{
	register_mass(world, devices);
	world_run(world, THRESHOLD + NS_PER_S / 10);
	assert_in_range(world->datagrams, 1, devices / 2);
}

static void assert_turns_kept(struct world *world, unsigned int devices)
{
	world_run(world, PACER_HORIZON_NS + NS_PER_S);
	assert_true(world->datagrams >= devices);
	assert_true(world->per_10ms_most <= twice_even(devices));
}

static void trap_09_a_threshold_set_twice_makes_no_burst(void **state)
{
	struct world *world = *state;
	struct keeper *keeper = pipeline_keeper(world->pipeline);

	register_mass(world, 5000);
	world_run(world, 10 * NS_PER_S);
	keeper_set_threshold(keeper, 5 * NS_PER_S);
	world_run(world, NS_PER_S / 10);
	keeper_set_threshold(keeper, 5 * NS_PER_S);
	assert_turns_kept(world, 5000);
}

static void trap_09_a_new_binding_does_not_jump_the_queue(void **state)
{
	struct world *world = *state;

	await_turns(world, 5000);
	world->late_ns = 10 * NS_PER_MS; /* so that the phone has not just spoken */
	for (int i = 0; i < 5000; i++) {
		struct world_device *device = &world->devices[i];

		snprintf(device->user, sizeof(device->user), "other%d", i);
		world_register(world, device, 200, 3600);
	}
	assert_turns_kept(world, 5000);
}

/* The world goes on, and the agent is not let run. */
static void stand_still(struct world *world, uint64_t duration_ns)
{
	world->now_ns += duration_ns;
}

/*
 * Nobody has anything to lose any more, so the turns that were slept through are given anew.
 * The few prompts that were under way are repeated at once.
 */
static void trap_09_turns_that_were_slept_through_make_no_burst(void **state)
{
	struct world *world = *state;

	await_turns(world, 5000);
	stand_still(world, MINUTE);
	world_run(world, PACER_HORIZON_NS + NS_PER_S);
	assert_true(world->datagrams >= 5000);
	assert_true(world->per_10ms_most <= 2 * twice_even(5000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What found no room in the transmit queue is prompted again, and nobody is lost for it. */
static void prompts_that_find_no_room_leave_a_little_later(void **state)
{
	const unsigned int devices = 600, room = PACER_RATE_FLOOR / 100 - 2;
	struct world *world = *state;

	world->room_per_10ms = room;
	register_mass(world, devices);
	world_run(world, 2 * THRESHOLD - NS_PER_S);
	assert_int_equal(world->datagrams, devices);
	assert_true(world->refusals > 0);
	assert_true(world->per_10ms_most <= room);
	assert_none_too_quiet(world, 0, NAT_PATIENCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trap_02_pacing_loses_none_of_5000_phones),
		TEST(trap_02_pacing_loses_none_of_20000_phones),
		TEST(trap_06_addresses_that_are_not_held_take_no_turns),
		TEST(trap_09_a_mass_of_deadlines_at_one_time_is_no_burst),
		TEST(trap_09_a_new_binding_does_not_jump_the_queue),
		TEST(trap_09_a_threshold_set_twice_makes_no_burst),
		TEST(trap_09_turns_that_were_slept_through_make_no_burst),
		TEST(trap_10_dead_devices_do_not_delay_the_others),
		TEST(prompts_that_find_no_room_leave_a_little_later),
	};

	return cmocka_run_group_tests_name("masses", tests, NULL, NULL);
}
