/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: when a path is due again after its bindings have changed, and events of health.
 * Its long life is in tests/sim/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keeper_world.h"

/* Whatever it was stamped while no agent was there. */
static void trap_40_the_stamp_of_an_earlier_agent_goes_on(void **state)
{
	struct house house;

	(void)state;
	earlier_ns = START + 5 * NS_PER_S;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	assert_int_equal(house.path->last_seen_ns, earlier_ns);
	turn_until(&house, START, earlier_ns + THRESHOLD - NS_PER_S);
	assert_int_equal(sent, 0);
	turn_until(&house, earlier_ns + THRESHOLD - NS_PER_S, earlier_ns + THRESHOLD + TICK);
	assert_int_equal(sent, 1);
	earlier_ns = 0;
	keeper_free(house.keeper);
}

static void what_is_no_path_is_swept(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	swept = house.path->flow;
	keeper_settle(house.keeper);
	assert_true(swept_is_kept);
	swept.remote_port++;
	keeper_settle(house.keeper);
	assert_false(swept_is_kept);
	keeper_free(house.keeper);
}

static void a_path_that_ends_soon_goes_without_a_prompt(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, FORGOTTEN - NS_PER_S, NULL);
	turn_until(&house, START, DUE + NS_PER_S);
	assert_int_equal(house.path->note, PATH_NOTE_ends_soon);
	turn_until(&house, DUE + NS_PER_S, FORGOTTEN);
	assert_ptr_equal(house.expired, &house.binding);
	assert_int_equal(house.latest.state_after, PATH_IDLE);
	assert_int_equal(house.latest.reason, REASON_dialog_too_long);
	assert_int_equal(sent, 0);
	keeper_free(house.keeper);
}

/* The server's packet may have renewed it: the NAT has not seen that. */
static void a_path_that_ends_soon_is_prompted_once_it_is_renewed(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, FORGOTTEN - NS_PER_S, NULL);
	turn_until(&house, START, DUE + NS_PER_S);
	assert_int_equal(sent, 0);
	paths_set_end(&house.binding, START + HOUR);
	keeper_renew(house.keeper, &house.binding);
	turn_until(&house, DUE + NS_PER_S, DUE + NS_PER_S + TICK);
	assert_int_equal(sent, 1);
	keeper_free(house.keeper);
}

static void a_path_that_ends_soon_is_prompted_once_another_joins(void **state)
{
	struct binding second = { .kind = BINDING_DIALOG, .ends_ns = START + HOUR };
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, FORGOTTEN - NS_PER_S, NULL);
	turn_until(&house, START, DUE + NS_PER_S);
	assert_int_equal(keeper_join(house.keeper, &second, &house.path->flow,
				     REASON_dialog_confirmed, DUE + NS_PER_S, DUE + NS_PER_S),
			 0);
	turn_until(&house, DUE + NS_PER_S, DUE + NS_PER_S + TICK);
	assert_int_equal(sent, 1);
	keeper_free(house.keeper);
}

static void a_dialog_that_lingers_longer_than_it_had_left_is_prompted(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, FORGOTTEN - NS_PER_S, NULL);
	turn_until(&house, START, DUE + NS_PER_S);
	keeper_linger(house.keeper, &house.binding, START + HOUR, REASON_dialog_bye,
		      DUE + NS_PER_S);
	assert_int_equal(house.latest.state_after, PATH_LINGERING);
	turn_until(&house, DUE + NS_PER_S, DUE + NS_PER_S + TICK);
	assert_int_equal(sent, 1);
	keeper_free(house.keeper);
}

static void trap_15_silence_and_its_end_are_events(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	assert_int_equal(house.events, 1);
	turn_until(&house, START, DUE + 6 * NS_PER_S);
	assert_int_equal(house.events, 2);
	assert_int_equal(house.latest.health_before, PATH_AWAITING);
	assert_int_equal(house.latest.health_after, PATH_SILENT);
	assert_int_equal(house.latest.state_before, house.latest.state_after);
	assert_null(house.latest.binding);

	turn_until(&house, DUE + 6 * NS_PER_S, START + HOUR / 2);
	assert_int_equal(house.events, 2);
	entry.last_seen_ns = START + HOUR / 2;
	turn_until(&house, START + HOUR / 2, START + HOUR / 2 + THRESHOLD);
	assert_int_equal(house.events, 3);
	assert_int_equal(house.latest.health_before, PATH_SILENT);
	assert_int_not_equal(house.latest.health_after, PATH_SILENT);
	keeper_free(house.keeper);
}

static struct rules_network network_of_the_device(uint64_t threshold_ns)
{
	struct rules_network network = { .prefix = 128, .has_threshold = true };

	assert_int_equal(address_read(SPAN("198.51.100.7"), network.address), 0);
	network.own.threshold_ns = threshold_ns;
	return network;
}

static void a_network_has_its_own_threshold_whatever_the_default_becomes(void **state)
{
	struct rules_network network = network_of_the_device(2 * THRESHOLD);
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, &network);
	keeper_set_threshold(house.keeper, 15 * NS_PER_S);
	turn_until(&house, START, START + 2 * THRESHOLD - NS_PER_S);
	assert_int_equal(sent, 0);
	turn_until(&house, START + 2 * THRESHOLD - NS_PER_S, START + 2 * THRESHOLD + TICK);
	assert_int_equal(sent, 1);
	keeper_free(house.keeper);
}

/* The kernel has one keepalive for all. */
static void a_network_has_no_say_in_a_connection(void **state)
{
	struct rules_network network = network_of_the_device(2 * NS_PER_S);
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, &network);
	turn_until(&house, START, DUE);
	assert_int_equal(house.path->health, PATH_LIVE);
	keeper_set_threshold(house.keeper, 2 * NS_PER_S);
	turn_until(&house, DUE, DUE + NS_PER_S);
	assert_int_equal(house.path->health, PATH_SILENT);
	keeper_free(house.keeper);
}

/* Looking through all of them for each that ends would be most of what the agent does. */
static void the_ends_of_a_trunk_are_looked_for_once_a_second(void **state)
{
	enum { COUNT = 300, SECONDS = 10 };
	static struct binding bindings[COUNT];
	uint64_t now_ns = START;
	unsigned int looks = 0, over = 0;
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	for (unsigned int i = 0; i < COUNT; i++) {
		bindings[i] = (struct binding){ .kind = BINDING_LINGERING };
		bindings[i].ends_ns = START + (i + 1) * SECONDS * NS_PER_S / COUNT;
		assert_int_equal(keeper_join(house.keeper, &bindings[i], &house.path->flow,
					     REASON_dialog_bye, START, START),
				 0);
	}
	while (COUNT + 1 - over > PATH_TRUNK_BINDINGS) {
		uint64_t next_ns = keeper_turn(house.keeper, now_ns, &house.expired);

		looks += house.expired != NULL;
		for (struct binding *binding = house.expired; binding; binding = binding->next) {
			assert_true(binding->ends_ns <= now_ns);
			assert_true(now_ns - binding->ends_ns <= NS_PER_S + TICK);
			over++;
		}
		assert_true(next_ns < START + SECONDS * NS_PER_S);
		now_ns = next_ns > now_ns ? next_ns : now_ns + NS_PER_MS;
	}
	assert_in_range(looks, 1, (now_ns - START) / NS_PER_S + 1);
	keeper_free(house.keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ends_of_a_trunk_are_looked_for_once_a_second),
		cmocka_unit_test(trap_40_the_stamp_of_an_earlier_agent_goes_on),
		cmocka_unit_test(what_is_no_path_is_swept),
		cmocka_unit_test(a_path_that_ends_soon_goes_without_a_prompt),
		cmocka_unit_test(a_path_that_ends_soon_is_prompted_once_it_is_renewed),
		cmocka_unit_test(a_path_that_ends_soon_is_prompted_once_another_joins),
		cmocka_unit_test(a_dialog_that_lingers_longer_than_it_had_left_is_prompted),
		cmocka_unit_test(trap_15_silence_and_its_end_are_events),
		cmocka_unit_test(a_network_has_its_own_threshold_whatever_the_default_becomes),
		cmocka_unit_test(a_network_has_no_say_in_a_connection),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
