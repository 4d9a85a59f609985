/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_connections.c - TCP connections as bindings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "state/connections.h"

#define LIMIT 3
#define OPENED (7 * NS_PER_S)

static struct counts counts;

static struct connections *new_room(void)
{
	struct connections *connections = connections_new(LIMIT, &counts);

	memset(&counts, 0, sizeof(counts));
	assert_non_null(connections);
	return connections;
}

static struct flow flow_of(uint16_t remote_port)
{
	return (struct flow){ .local_port = 5061,
			      .remote_port = remote_port,
			      .transport = FLOW_TCP };
}

static struct binding *must_open(struct connections *connections, uint16_t remote_port)
{
	struct flow flow = flow_of(remote_port);
	struct binding_change change;

	assert_true(connections_open(connections, &flow, OPENED, &change));
	return change.binding;
}

static void a_connection_begins_a_binding_that_does_not_end_by_itself(void **state)
{
	struct connections *connections = new_room();
	struct flow flow = flow_of(40001);
	struct binding_change change;

	(void)state;
	assert_true(connections_open(connections, &flow, OPENED, &change));
	assert_int_equal(change.kind, BINDING_BEGINS);
	assert_int_equal(change.reason, REASON_connected);
	assert_memory_equal(&change.flow, &flow, sizeof(flow));
	assert_int_equal(change.binding->kind, BINDING_CONNECTION);
	assert_true(change.binding->ends_ns == CLOCK_NEVER);
	assert_int_equal(change.binding->expiry, REASON_disconnected);
	assert_null(change.binding->path);
	assert_false(change.binding->behind_nat);
	assert_int_equal(change.binding->target.length, 0);
	assert_int_equal(change.binding->aor.length, 0);
	assert_int_equal(connections_count(connections), 1);
	assert_int_equal(counts.value[COUNT_bindings_begun], 1);
	connections_free(connections);
}

static void beyond_the_limit_a_connection_is_refused_and_counted(void **state)
{
	struct connections *connections = new_room();
	struct binding *first = must_open(connections, 1);
	struct binding_change change = { .binding = NULL };
	struct flow flow = flow_of(4);

	(void)state;
	must_open(connections, 2);
	must_open(connections, 3);
	assert_false(connections_open(connections, &flow, OPENED, &change));
	assert_null(change.binding);
	assert_int_equal(counts.value[COUNT_bindings_refused], 1);
	assert_int_equal(connections_count(connections), LIMIT);
	connections_forget(connections, first);
	assert_int_equal(connections_count(connections), LIMIT - 1);
	assert_true(connections_open(connections, &flow, OPENED, &change));
	connections_free(connections);
}

static void connections_are_forgotten_in_any_order(void **state)
{
	static const int orders[][LIMIT] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 }, { 1, 2, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct connections *connections = new_room();
		struct binding *bindings[LIMIT];

		for (int j = 0; j < LIMIT; j++)
			bindings[j] = must_open(connections, (uint16_t)j);
		for (int j = 0; j < LIMIT; j++)
			connections_forget(connections, bindings[orders[i][j]]);
		assert_int_equal(connections_count(connections), 0);
		must_open(connections, 9);
		connections_free(connections);
	}
	connections_free(NULL);
}

static void another_connection_on_the_same_flow_is_told_from_it(void **state)
{
	struct connections *connections = new_room();
	struct binding *binding = must_open(connections, 40001), *unknown;
	struct flow flow = flow_of(40001), other = flow_of(40002);
	struct binding_change change;

	(void)state;
	assert_memory_equal(connections_flow(binding), &flow, sizeof(flow));
	assert_false(connections_replaced(binding, OPENED));
	assert_true(connections_replaced(binding, OPENED + 1));
	assert_true(connections_replaced(binding, OPENED - 1));
	assert_true(connections_open(connections, &other, 0, &change));
	unknown = change.binding;
	assert_false(connections_replaced(unknown, OPENED));
	assert_memory_equal(connections_flow(unknown), &other, sizeof(other));
	connections_free(connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_connection_on_the_same_flow_is_told_from_it),
		cmocka_unit_test(a_connection_begins_a_binding_that_does_not_end_by_itself),
		cmocka_unit_test(beyond_the_limit_a_connection_is_refused_and_counted),
		cmocka_unit_test(connections_are_forgotten_in_any_order),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
