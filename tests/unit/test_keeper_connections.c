/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keeper_connections.c - the keeper with TCP connections that stand, go, and crowd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keeper_world.h"
#include "state/connections.h"

static struct connections *connections;
static struct counts connection_counts;

static void begin_connections(void)
{
	connections = connections_new(2 * PATHS_MAX, &connection_counts);
	assert_non_null(connections);
}

/* The house's path is that of a connection as well, as sip_connections has it. */
static void connect_house(struct house *house)
{
	struct binding_change change;

	begin_connections();
	assert_true(
		connections_open(connections, &house->path->flow, connection_opened_ns, &change));
	assert_int_equal(keeper_join(house->keeper, change.binding, &change.flow, change.reason,
				     START, START),
			 0);
}

static void close_house(struct house *house)
{
	keeper_free(house->keeper);
	connections_free(connections);
	connections = NULL;
}

static void a_connection_that_is_gone_takes_its_bindings_with_it(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	connect_house(&house);
	turn_until(&house, START, DUE + 5 * NS_PER_S);
	assert_int_equal(keeper_kept(house.keeper), 1);
	assert_int_equal(house.path->note, PATH_NOTE_kept_by_tcp);

	connection_error = -ENOENT;
	turn_until(&house, DUE + 5 * NS_PER_S, DUE + 2 * THRESHOLD);
	assert_int_equal(keeper_kept(house.keeper), 0);
	assert_int_equal(house.latest.reason, REASON_disconnected);
	assert_int_equal(house.latest.state_after, PATH_IDLE);
	assert_non_null(house.expired);
	assert_non_null(house.expired->next);
	assert_null(house.expired->next->next);
	assert_int_equal(house.counts.value[COUNT_bindings_ended], 2);
	assert_int_equal(sent, 0);
	close_house(&house);
}

/* That it was closed was not reported, and its port has found another owner. */
static void a_connection_that_was_replaced_takes_its_bindings_with_it(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	connect_house(&house);
	turn_until(&house, START, DUE + 5 * NS_PER_S);
	assert_int_equal(keeper_kept(house.keeper), 1);

	connection_opened_ns = DUE;
	turn_until(&house, DUE + 5 * NS_PER_S, DUE + 2 * THRESHOLD);
	assert_int_equal(keeper_kept(house.keeper), 0);
	assert_int_equal(house.latest.reason, REASON_disconnected);
	assert_int_equal(house.counts.value[COUNT_bindings_ended], 2);
	close_house(&house);
}

static void a_connection_whose_beginning_is_unknown_is_not_taken_for_another(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	connection_opened_ns = 0;
	connect_house(&house);
	connection_opened_ns = START;
	turn_until(&house, START, START + HOUR / 2);
	assert_int_equal(keeper_kept(house.keeper), 1);
	close_house(&house);
}

/* A connection without anything else, from a port of its own. */
static int join_stranger(struct house *house, uint16_t number, struct binding_change *change)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(TCP_FLOW), &flow), 0);
	flow.remote_port = number;
	assert_true(connections_open(connections, &flow, START, change));
	return keeper_join(house->keeper, change->binding, &flow, REASON_connected, START, START);
}

static int join_phone(struct house *house, uint16_t number, struct binding *binding)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(UDP_FLOW), &flow), 0);
	flow.remote_port = number;
	*binding = (struct binding){ .kind = BINDING_REGISTRATION, .ends_ns = START + HOUR };
	return keeper_join(house->keeper, binding, &flow, REASON_registered, START, START);
}

static void connections_of_strangers_leave_half_of_the_paths_to_phones(void **state)
{
	struct binding phones[PATHS_MAX / 2];
	struct binding_change change;
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	begin_connections();
	for (uint16_t i = 0; i < PATHS_MAX / 2; i++)
		assert_int_equal(join_stranger(&house, 1000 + i, &change), 0);
	assert_int_equal(join_stranger(&house, 2000, &change), -ENOSPC);
	assert_null(change.binding->path);
	assert_int_equal(house.counts.value[COUNT_bindings_refused], 1);
	assert_int_equal(house.counts.value[COUNT_paths_refused], 0);
	for (uint16_t i = 0; i < PATHS_MAX / 2 - 1; i++)
		assert_int_equal(join_phone(&house, 3000 + i, &phones[i]), 0);
	assert_int_equal(house.counts.value[COUNT_paths_refused], 0);
	close_house(&house);
}

/* It is no stranger's any more: somebody was let in on it. */
static void a_connection_that_registers_makes_room_for_a_stranger(void **state)
{
	struct binding phone = { .kind = BINDING_REGISTRATION, .ends_ns = START + HOUR };
	struct binding_change change;
	struct house house;

	(void)state;
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	begin_connections();
	for (uint16_t i = 0; i < PATHS_MAX / 2; i++)
		assert_int_equal(join_stranger(&house, 1000 + i, &change), 0);
	assert_int_equal(
		keeper_join(house.keeper, &phone, &change.flow, REASON_registered, START, START),
		0);
	assert_int_equal(join_stranger(&house, 2000, &change), 0);
	assert_int_equal(join_stranger(&house, 2001, &change), -ENOSPC);
	keeper_leave(house.keeper, &phone, REASON_unregistered, START);
	assert_int_equal(join_stranger(&house, 2002, &change), -ENOSPC);
	close_house(&house);
}

/* Whoever is known keeps its connection whatever strangers do. */
static void the_connection_of_a_known_path_always_finds_room(void **state)
{
	struct binding_change change;
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	begin_connections();
	for (uint16_t i = 0; i < PATHS_MAX / 2; i++)
		assert_int_equal(join_stranger(&house, 1000 + i, &change), 0);
	assert_int_equal(join_stranger(&house, house.path->flow.remote_port, &change), 0);
	assert_ptr_equal(house.path->connection, change.binding);
	close_house(&house);
}

static void trap_11_a_connection_that_cannot_be_read_is_not_gone(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	connection_error = -EIO;
	turn_until(&house, START, START + HOUR / 2);
	assert_int_equal(keeper_kept(house.keeper), 1);
	assert_int_equal(house.path->note, PATH_NOTE_not_kept);
	close_house(&house);
}

static void a_connection_cannot_be_prompted_by_hand(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	assert_int_equal(keeper_prompt(house.keeper, house.path, START), -EPROTONOSUPPORT);
	close_house(&house);
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	assert_int_equal(keeper_prompt(house.keeper, house.path, START), 0);
	assert_int_equal(sent, 1);
	assert_int_equal(house.path->note, PATH_NOTE_prompted);
	close_house(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_is_gone_takes_its_bindings_with_it),
		cmocka_unit_test(a_connection_that_was_replaced_takes_its_bindings_with_it),
		cmocka_unit_test(a_connection_whose_beginning_is_unknown_is_not_taken_for_another),
		cmocka_unit_test(connections_of_strangers_leave_half_of_the_paths_to_phones),
		cmocka_unit_test(a_connection_that_registers_makes_room_for_a_stranger),
		cmocka_unit_test(the_connection_of_a_known_path_always_finds_room),
		cmocka_unit_test(trap_11_a_connection_that_cannot_be_read_is_not_gone),
		cmocka_unit_test(a_connection_cannot_be_prompted_by_hand),
	};

	return cmocka_run_group_tests_name("keeper_connections", tests, NULL, NULL);
}
