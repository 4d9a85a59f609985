/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire_world.h"

static void trap_05_two_local_ports_of_one_device_are_two_paths(void **state)
{
	static const char other[] = "udp 198.18.0.1:5080 198.18.0.2:40001";
	struct bench *bench = *state;

	send_one(bench, FLOW4, SPAN("first"));
	assert_received(bench->device4, FLOW4, SPAN("first"));
	send_one(bench, other, SPAN("second"));
	assert_received(bench->device4, other, SPAN("second"));
}

static void assert_held_back(struct bench *bench, const char *flow_text)
{
	uint64_t before = counted(bench, COUNT_prompts_held);

	assert_int_equal(queue(bench, flow_text, SPAN("x")), -EADDRNOTAVAIL);
	assert_int_equal(counted(bench, COUNT_prompts_held), before + 1);
	wire_flush(bench->wire);
	assert_nothing_received(bench->device4);
	assert_nothing_received(bench->device6);
}

/* Waits until the wire is told of a change. */
static void await_change(struct bench *bench)
{
	struct pollfd ready = { .fd = wire_watch_fd(bench->wire), .events = POLLIN };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	wire_addresses_changed(bench->wire);
	assert_int_equal(poll(&ready, 1, 0), 0);
}

static void follow_virtual_address(struct bench *bench, const char *flow_text, int device,
				   const char *come, const char *leave)
{
	struct flow flow = flow_of(flow_text);

	assert_held_back(bench, flow_text);
	assert_held_back(bench, flow_text);
	assert_false(wire_holds(bench->wire, &flow));
	run(come);
	await_change(bench);
	assert_true(wire_holds(bench->wire, &flow));
	send_one(bench, flow_text, SPAN("held"));
	assert_received(device, flow_text, SPAN("held"));
	run(leave);
	await_change(bench);
	assert_held_back(bench, flow_text);
	assert_int_equal(counted(bench, COUNT_prompts_failed), 0);
}

static void trap_06_a_virtual_address_is_used_only_while_it_is_held(void **state)
{
	struct bench *bench = *state;

	follow_virtual_address(bench, "udp 192.0.2.1:5060 198.18.0.2:40001", bench->device4,
			       "ip addr add 192.0.2.1/32 dev lo",
			       "ip addr del 192.0.2.1/32 dev lo");
	follow_virtual_address(bench, "udp [2001:db8:2::1]:5060 [2001:db8:1::2]:40001",
			       bench->device6, "ip addr add 2001:db8:2::1/128 dev lo nodad",
			       "ip addr del 2001:db8:2::1/128 dev lo");
}

static void trap_06_binding_to_any_address_does_not_deceive(void **state)
{
	struct bench *bench = *state;

	run("echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind");
	run("echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind");
	assert_held_back(bench, "udp 192.0.2.1:5060 198.18.0.2:40001");
	assert_held_back(bench, "udp [2001:db8:2::1]:5060 [2001:db8:1::2]:40001");
	run("echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind");
	run("echo 0 >/proc/sys/net/ipv6/ip_nonlocal_bind");
}

/* An address may be out of reach, or another host's, which is where it goes in a failover. */
static void trap_06_an_address_elsewhere_is_not_held(void **state)
{
	run("ip route add 198.51.100.0/24 dev out");
	run("ip -6 route add 2001:db8:3::/64 dev out");
	assert_held_back(*state, "udp 203.0.113.8:5060 198.18.0.2:40001");
	assert_held_back(*state, "udp 198.51.100.1:5060 198.18.0.2:40001");
	assert_held_back(*state, "udp [2001:db8:3::1]:5060 [2001:db8:1::2]:40001");
}

/* Far more addresses than are remembered, half of them held. */
static void trap_06_many_addresses_are_told_apart(void **state)
{
	struct bench *bench = *state;

	for (unsigned int i = 0; i < 1000; i++) {
		struct flow held = flow_of(FLOW4), foreign = flow_of(FLOW4);

		held.local_addr[14] = foreign.local_addr[14] = (uint8_t)(i / 250);
		held.local_addr[15] = foreign.local_addr[15] = (uint8_t)(i % 250);
		foreign.local_addr[12] = 192;
		assert_int_equal(wire_queue(bench->wire, &held, SPAN("x")), 0);
		assert_int_equal(wire_queue(bench->wire, &foreign, SPAN("x")), -EADDRNOTAVAIL);
	}
	assert_int_equal(counted(bench, COUNT_prompts_held), 1000);
}

static void trap_07_only_the_flow_says_where_it_goes(void **state)
{
	static const char text[] = "OPTIONS sip:alice@192.0.2.77:5999;maddr=192.0.2.78 SIP/2.0";
	struct bench *bench = *state;

	send_one(bench, FLOW4, span_of(text));
	assert_received(bench->device4, FLOW4, span_of(text));
}

static void trap_10_a_device_out_of_reach_takes_no_others_with_it(void **state)
{
	struct bench *bench = *state;

	for (unsigned int i = 0; i < BATCH; i++)
		assert_int_equal(queue(bench,
				       i % 2 ? FLOW4 : "udp 198.18.0.1:5060 203.0.113.8:5060",
				       SPAN("x")),
				 0);
	wire_flush(bench->wire);
	assert_int_equal(counted(bench, COUNT_prompts_failed), BATCH / 2);
	for (unsigned int i = 0; i < BATCH / 2; i++)
		assert_received(bench->device4, FLOW4, SPAN("x"));
	assert_nothing_received(bench->device4);
}

/* Sends far more than a slow line takes; everything that waited would hit the alarm. */
static void flood_slow_line(struct bench *bench, const char *discipline)
{
	static const char bytes[1000];

	run(discipline);
	for (unsigned int i = 0; i < 5000; i++)
		assert_int_equal(queue(bench, "udp " SOURCE_WITH_ROUTE ":5060 203.0.113.8:5060",
				       (struct span){ bytes, sizeof(bytes) }),
				 0);
	wire_flush(bench->wire);
	assert_in_range(counted(bench, COUNT_prompts_failed), 1, 4999);
	send_one(bench, FLOW4, SPAN("x"));
	run("tc qdisc del dev out root");
}

static void trap_10_a_full_transmit_queue_is_counted_and_not_waited_for(void **state)
{
	struct bench *bench = *state;

	flood_slow_line(bench, "tc qdisc add dev out root tbf rate 8kbit burst 1600 limit 3000");
	assert_received(bench->device4, FLOW4, SPAN("x"));
}

static void trap_10_a_full_send_buffer_is_counted_and_not_waited_for(void **state)
{
	flood_slow_line(*state,
			"tc qdisc add dev out root tbf rate 8kbit burst 1600 limit 100000000");
}

/* Told of what was refused. */
struct refusals {
	unsigned int count, congested;
};

static void note_refusal(void *context, const struct flow *flow, bool congested)
{
	struct refusals *refusals = context;

	assert_int_equal(flow->transport, FLOW_UDP);
	refusals->count++;
	refusals->congested += congested;
}

/* The causes are counted apart: each has something else that helps. */
static void assert_cause(struct bench *bench, enum agent_counter cause, const char *flow)
{
	static const enum agent_counter causes[] = { COUNT_prompts_failed_congested,
						     COUNT_prompts_failed_denied,
						     COUNT_prompts_failed_unreachable };
	struct refusals refusals = { 0 };

	memset(&bench->counts, 0, sizeof(bench->counts));
	wire_on_refusal(bench->wire, note_refusal, &refusals);
	send_one(bench, flow, SPAN("x"));
	wire_on_refusal(bench->wire, NULL, NULL);
	assert_int_equal(counted(bench, COUNT_prompts_failed), 1);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		assert_int_equal(counted(bench, causes[i]), causes[i] == cause);
	assert_int_equal(refusals.count, 1);
	assert_int_equal(refusals.congested, cause == COUNT_prompts_failed_congested);
}

static void each_cause_of_a_refusal_is_counted(void **state)
{
	struct bench *bench = *state;

	assert_cause(bench, COUNT_prompts_failed_unreachable,
		     "udp 198.18.0.1:5060 203.0.113.8:5060");
	run("nft add table inet refusing");
	run("nft 'add chain inet refusing output { type filter hook output priority 0; }'");
	run("nft add rule inet refusing output udp sport 5060 drop");
	assert_cause(bench, COUNT_prompts_failed_denied, FLOW4);
	assert_cause(bench, COUNT_prompts_failed_denied, FLOW6);
	run("nft delete table inet refusing");
	send_one(bench, FLOW4, SPAN("x"));
	assert_received(bench->device4, FLOW4, SPAN("x"));
}

static void a_full_queue_is_told_to_whoever_paces(void **state)
{
	struct bench *bench = *state;
	struct refusals refusals = { 0 };

	wire_on_refusal(bench->wire, note_refusal, &refusals);
	flood_slow_line(bench, "tc qdisc add dev out root tbf rate 8kbit burst 1600 limit 3000");
	wire_on_refusal(bench->wire, NULL, NULL);
	assert_true(refusals.count > 0);
	assert_int_equal(refusals.congested, refusals.count);
	assert_int_equal(counted(bench, COUNT_prompts_failed_congested), refusals.count);
	assert_received(bench->device4, FLOW4, SPAN("x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		wire_test(trap_05_two_local_ports_of_one_device_are_two_paths),
		wire_test(trap_06_a_virtual_address_is_used_only_while_it_is_held),
		wire_test(trap_06_binding_to_any_address_does_not_deceive),
		wire_test(trap_06_an_address_elsewhere_is_not_held),
		wire_test(trap_06_many_addresses_are_told_apart),
		wire_test(trap_07_only_the_flow_says_where_it_goes),
		wire_test(trap_10_a_device_out_of_reach_takes_no_others_with_it),
		wire_test(trap_10_a_full_transmit_queue_is_counted_and_not_waited_for),
		wire_test(trap_10_a_full_send_buffer_is_counted_and_not_waited_for),
		wire_test(each_cause_of_a_refusal_is_counted),
		wire_test(a_full_queue_is_told_to_whoever_paces),
	};

	return cmocka_run_group_tests_name("wire_traps", tests, enter_namespace, NULL);
}
