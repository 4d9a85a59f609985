/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper with its kernel and its wire replaced by what stands here: when a path is due
 * again after its bindings have changed, connections that go, and events of health. Its long
 * life is in tests/sim/.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "keep/keeper.h"
#include "kernel/connection_map.h"
#include "kernel/flow_map.h"
#include "kernel/path_map.h"

#define START (1000 * NS_PER_S)
#define HOUR (3600 * NS_PER_S)
#define THRESHOLD (24 * NS_PER_S)
#define DUE (START + THRESHOLD)
#define FORGOTTEN (DUE + THRESHOLD / 4)
#define TICK (3 * NS_PER_MS) /* the wheel may be so late */

static struct path_entry entry; /* of the one path there is */
static bool has_entry;
static int connection_error; /* of reading sip_connections */
static unsigned int sent;

/* --- in place of the kernel's maps and of keep/wire --- */

int path_map_read(int map_fd, const struct flow *flow, struct path_entry *out)
{
	(void)map_fd;
	(void)flow;
	if (!has_entry)
		return -ENOENT;
	*out = entry;
	return 0;
}

int path_map_insert(int map_fd, const struct flow *flow, uint64_t last_seen_ns)
{
	(void)map_fd;
	(void)flow;
	entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	has_entry = true;
	return 0;
}

int path_map_delete(int map_fd, const struct flow *flow)
{
	(void)map_fd;
	(void)flow;
	has_entry = false;
	return 0;
}

static struct flow swept; /* the one flow that a sweep asks about */
static bool swept_is_kept;

int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context)
{
	(void)map_fd;
	swept_is_kept = keep(context, &swept);
	return 0;
}

int flow_map_last_seen(int map_fd, const struct flow *flow, uint64_t *last_seen_ns)
{
	(void)map_fd;
	(void)flow;
	(void)last_seen_ns;
	return -ENOENT;
}

int connection_map_read(int map, const struct flow *flow, struct connection_entry *out)
{
	(void)map;
	(void)flow;
	*out = (struct connection_entry){ .keepalive = 1 };
	return connection_error;
}

bool wire_holds(struct wire *wire, const struct flow *flow)
{
	(void)wire;
	(void)flow;
	return true;
}

int wire_queue(struct wire *wire, const struct flow *flow, struct span payload)
{
	(void)wire;
	(void)flow;
	(void)payload;
	sent++;
	return 0;
}

void wire_flush(struct wire *wire)
{
	(void)wire;
}

void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context)
{
	(void)wire;
	(void)handler;
	(void)context;
}

void wire_addresses_changed(struct wire *wire)
{
	(void)wire;
}

/* --- a keeper with one binding on one path --- */

struct house {
	struct counts counts;
	struct keeper *keeper;
	struct binding binding;
	struct path *path;
	struct binding *expired;
	unsigned int events;
	struct path_event latest; /* but for its path */
};

static void note_event(void *context, const struct path_event *event)
{
	struct house *house = context;

	house->events++;
	house->latest = *event;
}

static uint64_t earlier_ns; /* when an agent before this one has heard the path; 0: never */

static void open_house(struct house *house, const char *flow_text, uint64_t ends_ns,
		       const struct rules_network *network)
{
	struct keeper_options options = {
		.path_map = -1,
		.flow_map = -1,
		.connection_map = 1,
		.wire = (struct wire *)(void *)house, /* only has to be there */
		.counts = &house->counts,
		.paths_max = 8,
		.defaults.threshold_ns = THRESHOLD,
		.networks = network,
		.network_count = network ? 1 : 0,
	};
	struct flow flow;

	*house = (struct house){ .binding = { .kind = BINDING_DIALOG, .ends_ns = ends_ns } };
	house->binding.expiry = REASON_dialog_too_long;
	sent = 0;
	connection_error = 0;
	has_entry = earlier_ns > 0;
	entry = (struct path_entry){ .last_seen_ns = earlier_ns };
	assert_int_equal(keeper_new(&options, START, &house->keeper), 0);
	keeper_on_event(house->keeper, note_event, house);
	assert_int_equal(flow_read(span_of(flow_text), &flow), 0);
	assert_int_equal(keeper_join(house->keeper, &house->binding, &flow, REASON_dialog_confirmed,
				     START, START),
			 0);
	house->path = house->binding.path;
}

#define UDP_FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"
#define TCP_FLOW "tcp 192.0.2.1:5060 198.51.100.7:40001"

/* Turns the keeper whenever it asks to be, and a last time at the end. */
static void turn_until(struct house *house, uint64_t from_ns, uint64_t until_ns)
{
	uint64_t now_ns = from_ns;

	while (now_ns < until_ns && !house->expired) {
		uint64_t next_ns = keeper_turn(house->keeper, now_ns, &house->expired);

		now_ns = next_ns > now_ns ? next_ns : now_ns + NS_PER_MS;
	}
	if (!house->expired)
		keeper_turn(house->keeper, until_ns, &house->expired);
}

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

static void a_connection_that_is_gone_takes_its_bindings_with_it(void **state)
{
	struct binding connection = { .kind = BINDING_CONNECTION, .ends_ns = CLOCK_NEVER };
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	assert_int_equal(keeper_join(house.keeper, &connection, &house.path->flow, REASON_connected,
				     START, START),
			 0);
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
	keeper_free(house.keeper);
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
	keeper_free(house.keeper);
}

static void a_connection_cannot_be_prompted_by_hand(void **state)
{
	struct house house;

	(void)state;
	open_house(&house, TCP_FLOW, START + HOUR, NULL);
	assert_int_equal(keeper_prompt(house.keeper, house.path, START), -EPROTONOSUPPORT);
	keeper_free(house.keeper);
	open_house(&house, UDP_FLOW, START + HOUR, NULL);
	assert_int_equal(keeper_prompt(house.keeper, house.path, START), 0);
	assert_int_equal(sent, 1);
	assert_int_equal(house.path->note, PATH_NOTE_prompted);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_40_the_stamp_of_an_earlier_agent_goes_on),
		cmocka_unit_test(what_is_no_path_is_swept),
		cmocka_unit_test(a_path_that_ends_soon_goes_without_a_prompt),
		cmocka_unit_test(a_path_that_ends_soon_is_prompted_once_it_is_renewed),
		cmocka_unit_test(a_path_that_ends_soon_is_prompted_once_another_joins),
		cmocka_unit_test(a_dialog_that_lingers_longer_than_it_had_left_is_prompted),
		cmocka_unit_test(trap_15_silence_and_its_end_are_events),
		cmocka_unit_test(a_connection_that_is_gone_takes_its_bindings_with_it),
		cmocka_unit_test(trap_11_a_connection_that_cannot_be_read_is_not_gone),
		cmocka_unit_test(a_connection_cannot_be_prompted_by_hand),
		cmocka_unit_test(a_network_has_its_own_threshold_whatever_the_default_becomes),
		cmocka_unit_test(a_network_has_no_say_in_a_connection),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
