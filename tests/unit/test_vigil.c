/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vigil_world.h"

static void what_is_well_stays_unsaid(void **state)
{
	(void)state;
	watch(agent_options());
	for (int i = 0; i < 100; i++) {
		bench.kernel[COUNTER_packets_in] += 10;
		bench.kernel[COUNTER_sightings]++;
		bench.counts.value[COUNT_prompts_sent]++;
		look();
	}
	assert_healthy();
	assert_int_equal(bench.mends_asked, 101);
	assert_int_equal(bench.looks, 101);
	assert_int_equal(bench.blinded, 0);
}

static void trap_11_nobody_is_prompted_while_a_program_is_missing(void **state)
{
	struct attach_finding *finding = &bench.repair.found[1];

	(void)state;
	watch(agent_options());
	*finding = (struct attach_finding){ .missing = ATTACH_PART_INGRESS,
					    .error = -EBUSY,
					    .other_part = ATTACH_PART_INGRESS,
					    .other_id = 42,
					    .other_name = "filter" };
	look();
	assert_only(TROUBLE_programs_lost);
	assert_detail(TROUBLE_programs_lost, "eth1: ");
	assert_detail(TROUBLE_programs_lost, "\"filter\" (program 42)");
	assert_true(bench.blind);
	assert_true(vigil_is_blind(bench.vigil));
	look();
	assert_int_equal(bench.blinded, 1); /* once, however long it lasts */

	*finding = (struct attach_finding){ .missing = ATTACH_PART_INGRESS,
					    .mended = ATTACH_PART_INGRESS };
	look();
	assert_false(bench.blind);
	*finding = (struct attach_finding){ 0 };
	let_events_end();
	assert_healthy();
	assert_int_equal(found(TROUBLE_programs_lost)->times, 1);
}

/* What went by in between was not stamped, however short it was. */
static void trap_11_what_was_put_back_at_once_was_missing(void **state)
{
	(void)state;
	watch(agent_options());
	bench.repair.found[0] = (struct attach_finding){ .missing = ATTACH_PART_EGRESS,
							 .mended = ATTACH_PART_EGRESS };
	look();
	assert_only(TROUBLE_programs_lost);
	assert_detail(TROUBLE_programs_lost, "eth0: put back");
	assert_int_equal(bench.blinded, 1);
	assert_false(bench.blind);
}

static void a_repair_may_come_later(void **state)
{
	(void)state;
	watch(agent_options());
	bench.mends = false;
	bench.repair.found[0] = (struct attach_finding){ .missing = ATTACH_PART_INGRESS };
	look();
	assert_healthy();
	vigil_mended(bench.vigil, &bench.repair, bench.reading.now_ns);
	assert_only(TROUBLE_programs_lost);
}

static void each_part_is_a_trouble_of_its_own(void **state)
{
	static const struct {
		enum attach_part part;
		bool shared;
		enum trouble trouble;
		bool blind;
	} cases[] = {
		{ ATTACH_PART_INTERFACE, false, TROUBLE_interface_gone, false },
		{ ATTACH_PART_CARRIER, false, TROUBLE_interface_down, false },
		{ ATTACH_PART_INGRESS, false, TROUBLE_programs_lost, true },
		{ ATTACH_PART_EGRESS, false, TROUBLE_programs_lost, true },
		{ ATTACH_PART_SETTINGS, true, TROUBLE_settings_lost, true },
		{ ATTACH_PART_PINS, true, TROUBLE_pins_lost, false },
		{ ATTACH_PART_CONNECTIONS, true, TROUBLE_connections_unseen, false },
	};

	(void)state;
	watch(agent_options());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct attach_finding *finding =
			cases[i].shared ? &bench.repair.shared : &bench.repair.found[0];

		*finding = (struct attach_finding){ .missing = cases[i].part, .error = -ENODEV };
		look();
		assert_only(cases[i].trouble);
		assert_detail(cases[i].trouble, strerror(ENODEV));
		assert_int_equal(bench.blind, cases[i].blind);
		*finding = (struct attach_finding){ 0 };
		look();
		assert_healthy();
		assert_false(bench.blind);
	}
}

/* Nothing passes over what is not there: the phones of the others are kept. */
static void trap_11_an_interface_that_is_gone_leaves_the_others_their_sight(void **state)
{
	struct attach_finding *finding = &bench.repair.found[1];

	(void)state;
	watch(agent_options());
	*finding = (struct attach_finding){ .missing = ATTACH_PART_INTERFACE, .error = -ENODEV };
	look();
	look();
	assert_only(TROUBLE_interface_gone);
	assert_detail(TROUBLE_interface_gone, "eth1: ");
	assert_int_equal(bench.blinded, 0);

	/* It is back, and somebody else has the turn: what passes now is not seen. */
	finding->error = -EAGAIN;
	look();
	assert_true(bench.blind);
	*finding = (struct attach_finding){ .missing = ATTACH_PART_INTERFACE | ATTACH_PART_INGRESS,
					    .mended = ATTACH_PART_INTERFACE | ATTACH_PART_INGRESS };
	look();
	assert_false(bench.blind);
	assert_int_equal(bench.blinded, 1);
}

static void trap_11_what_is_back_begins_again(void **state)
{
	(void)state;
	watch(agent_options());
	bench.repair.found[1] =
		(struct attach_finding){ .missing = ATTACH_PART_INTERFACE | ATTACH_PART_EGRESS,
					 .mended = ATTACH_PART_INTERFACE | ATTACH_PART_EGRESS };
	look();
	assert_int_equal(bench.blinded, 1);
	assert_false(bench.blind);
}

static void trap_11_over_an_interface_that_is_down_nothing_passes_unseen(void **state)
{
	struct attach_finding *finding = &bench.repair.found[0];

	(void)state;
	watch(agent_options());
	*finding = (struct attach_finding){ .missing = ATTACH_PART_CARRIER | ATTACH_PART_INGRESS,
					    .error = -ENETDOWN };
	look();
	assert_int_equal(bench.blinded, 0);
	*finding = (struct attach_finding){ .missing = ATTACH_PART_INGRESS, .error = -EBUSY };
	look();
	assert_true(bench.blind);
}

static void trap_11_without_any_interface_nobody_is_prompted(void **state)
{
	static const struct attach_finding gone = { .missing = ATTACH_PART_INTERFACE,
						    .error = -ENODEV };

	(void)state;
	watch(agent_options());
	bench.repair.found[0] = bench.repair.found[1] = gone;
	look();
	assert_only(TROUBLE_interface_gone);
	assert_true(bench.blind);
	bench.repair.found[0] = (struct attach_finding){ 0 };
	look();
	assert_false(bench.blind);
}

static void counters_that_grow_are_troubles(void **state)
{
	static const struct {
		enum agent_counter counter;
		enum trouble trouble;
	} cases[] = {
		{ COUNT_prompts_failed_congested, TROUBLE_sends_congested },
		{ COUNT_prompts_failed_denied, TROUBLE_sends_denied },
		{ COUNT_prompts_failed_unreachable, TROUBLE_sends_unreachable },
		{ COUNT_prompts_capped_host, TROUBLE_prompts_capped },
		{ COUNT_requests_dropped, TROUBLE_memory_short },
		{ COUNT_requests_crowded, TROUBLE_flood },
		{ COUNT_paths_refused, TROUBLE_tables_full },
		{ COUNT_bindings_refused, TROUBLE_tables_full },
		{ COUNT_streams_refused, TROUBLE_tables_full },
		{ COUNT_paths_unreadable, TROUBLE_maps_unreadable },
	};

	(void)state;
	watch(agent_options());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t *counter = &bench.counts.value[cases[i].counter];

		*counter += 3;
		if (cases[i].counter >= COUNT_prompts_failed_congested &&
		    cases[i].counter <= COUNT_prompts_failed_unreachable)
			bench.counts.value[COUNT_prompts_failed] += 3;
		look();
		assert_only(cases[i].trouble);
		assert_detail(cases[i].trouble, "grew by 3 to 3");
		let_events_end();
		assert_healthy();
	}
}

static void prompts_that_fail_for_no_common_cause_are_a_trouble(void **state)
{
	(void)state;
	watch(agent_options());
	bench.counts.value[COUNT_prompts_failed] = 5;
	bench.counts.value[COUNT_prompts_failed_denied] = 4;
	look();
	assert_true(found(TROUBLE_sends_denied)->present);
	assert_true(found(TROUBLE_sends_failed)->present);
	assert_detail(TROUBLE_sends_failed, "1 of them");
}

static void trap_45_sightings_that_are_lost_are_noticed(void **state)
{
	(void)state;
	bench.kernel[COUNTER_sightings_lost] = 1000; /* before our time */
	watch(agent_options());
	look();
	assert_healthy();
	bench.kernel[COUNTER_sightings_lost] = 1007;
	look();
	assert_only(TROUBLE_sightings_lost);
	assert_detail(TROUBLE_sightings_lost, "grew by 7 to 1007");
	let_events_end();
	assert_healthy();
}

/* Somebody has written to sip_counters. */
static void a_counter_that_went_down_has_not_grown(void **state)
{
	(void)state;
	bench.kernel[COUNTER_sightings_lost] = 1000;
	watch(agent_options());
	bench.kernel[COUNTER_sightings_lost] = 3;
	look();
	assert_healthy();
	bench.kernel[COUNTER_sightings_lost] = 4;
	look();
	assert_only(TROUBLE_sightings_lost);
	assert_detail(TROUBLE_sightings_lost, "grew by 1 to 4");
}

static void counters_that_cannot_be_read_are_a_trouble(void **state)
{
	(void)state;
	watch(agent_options());
	bench.kernel_error = -EBADF;
	look();
	assert_only(TROUBLE_maps_unreadable);
}

/* So many seconds in which prompts are sent and nothing comes back. */
static void prompt_in_vain(unsigned int seconds)
{
	while (seconds-- > 0) {
		bench.counts.value[COUNT_prompts_sent]++;
		look();
	}
}

static void trap_11_a_counter_that_stands_still_is_noticed(void **state)
{
	(void)state;
	watch(agent_options());
	bench.kept = 5;
	prompt_in_vain(3 * 24 - 1);
	assert_healthy();
	prompt_in_vain(1);
	assert_only(TROUBLE_nothing_seen);
	assert_detail(TROUBLE_nothing_seen, "5 paths");
	bench.kernel[COUNTER_packets_in]++;
	look();
	assert_healthy();
}

static void silence_is_no_trouble_where_nobody_was_asked(void **state)
{
	(void)state;
	watch(agent_options());
	bench.kept = 5;
	for (int i = 0; i < 1000; i++)
		look();
	assert_healthy();
	bench.kept = 0;
	prompt_in_vain(1000);
	assert_healthy();
}

static void silence_ends_with_the_last_path(void **state)
{
	(void)state;
	watch(agent_options());
	bench.kept = 1;
	prompt_in_vain(3 * 24);
	assert_only(TROUBLE_nothing_seen);
	bench.kept = 0;
	look();
	assert_healthy();
}

static void trap_12_after_a_sleep_the_keeper_begins_again(void **state)
{
	(void)state;
	watch(agent_options());
	look_after(NS_PER_S, 40 * NS_PER_S);
	assert_only(TROUBLE_host_suspended);
	assert_int_equal(bench.slept_ns, 40 * NS_PER_S);
	bench.slept_ns = 0;
	let_events_end();
	assert_int_equal(bench.slept_ns, 0);
	assert_healthy();
}

static void trap_12_a_step_of_the_wall_clock_moves_nothing(void **state)
{
	(void)state;
	watch(agent_options());
	bench.reading.wall_ns -= 3600 * NS_PER_S;
	look();
	assert_only(TROUBLE_clock_stepped);
	assert_detail(TROUBLE_clock_stepped, "-3600");
	assert_int_equal(bench.slept_ns, 0);
	assert_int_equal(bench.blinded, 0);
}

static void an_agent_that_was_not_let_run_says_so(void **state)
{
	(void)state;
	watch(agent_options());
	look_after(10 * NS_PER_S, 0);
	assert_only(TROUBLE_held_up);
	assert_detail(TROUBLE_held_up, "9.0 s");
}

static void store_cluster_and_helper_are_looked_at(void **state)
{
	(void)state;
	watch(agent_options());
	bench.store_behind = true;
	look();
	assert_only(TROUBLE_store_behind);
	bench.store_behind = false;
	bench.in_reach = false;
	look();
	assert_only(TROUBLE_cluster_lost);
	bench.in_reach = true;
	bench.helper_lives = false;
	look();
	assert_only(TROUBLE_helper_gone);
	bench.helper_lives = true;
	look();
	assert_healthy();
}

static void a_store_that_could_not_be_opened_is_a_trouble(void **state)
{
	struct vigil_options options = agent_options();

	(void)state;
	options.store = NULL;
	vigil_watch(bench.vigil, &options);
	bench.reading = clocks_read();
	look();
	assert_only(TROUBLE_store_behind);
}

static void call_control_has_neither_paths_nor_programs(void **state)
{
	struct vigil_options options = { .loop = bench.loop,
					 .in_reach = in_reach,
					 .context = &bench };

	(void)state;
	watch(options);
	bench.in_reach = false;
	look_after(NS_PER_S, 60 * NS_PER_S);
	assert_true(found(TROUBLE_cluster_lost)->present);
	assert_true(found(TROUBLE_host_suspended)->present);
	assert_int_equal(troubles_present(vigil_troubles(bench.vigil)), 2);
	assert_int_equal(bench.mends_asked, 0);
	assert_int_equal(bench.slept_ns, 0);
}

static void the_loop_looks_by_itself(void **state)
{
	(void)state;
	vigil_watch(bench.vigil, &(struct vigil_options){ .loop = bench.loop,
							  .in_reach = in_reach,
							  .context = &bench });
	bench.in_reach = false;
	ev_run(bench.loop, EVRUN_ONCE);
	assert_only(TROUBLE_cluster_lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIGIL_TEST(what_is_well_stays_unsaid),
		VIGIL_TEST(trap_11_nobody_is_prompted_while_a_program_is_missing),
		VIGIL_TEST(trap_11_what_was_put_back_at_once_was_missing),
		VIGIL_TEST(a_repair_may_come_later),
		VIGIL_TEST(each_part_is_a_trouble_of_its_own),
		VIGIL_TEST(trap_11_an_interface_that_is_gone_leaves_the_others_their_sight),
		VIGIL_TEST(trap_11_what_is_back_begins_again),
		VIGIL_TEST(trap_11_over_an_interface_that_is_down_nothing_passes_unseen),
		VIGIL_TEST(trap_11_without_any_interface_nobody_is_prompted),
		VIGIL_TEST(counters_that_grow_are_troubles),
		VIGIL_TEST(a_counter_that_went_down_has_not_grown),
		VIGIL_TEST(prompts_that_fail_for_no_common_cause_are_a_trouble),
		VIGIL_TEST(trap_45_sightings_that_are_lost_are_noticed),
		VIGIL_TEST(counters_that_cannot_be_read_are_a_trouble),
		VIGIL_TEST(trap_11_a_counter_that_stands_still_is_noticed),
		VIGIL_TEST(silence_is_no_trouble_where_nobody_was_asked),
		VIGIL_TEST(silence_ends_with_the_last_path),
		VIGIL_TEST(trap_12_after_a_sleep_the_keeper_begins_again),
		VIGIL_TEST(trap_12_a_step_of_the_wall_clock_moves_nothing),
		VIGIL_TEST(an_agent_that_was_not_let_run_says_so),
		VIGIL_TEST(store_cluster_and_helper_are_looked_at),
		VIGIL_TEST(a_store_that_could_not_be_opened_is_a_trouble),
		VIGIL_TEST(call_control_has_neither_paths_nor_programs),
		VIGIL_TEST(the_loop_looks_by_itself),
	};

	return cmocka_run_group_tests_name("vigil", tests, NULL, NULL);
}
