/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_strangers.c - how much flows that are not paths may cost: so many of them are noted in
 * a second, so many of their messages reported, and a network has its share of that alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "kernel.h"
#include "messages.h"
#include "segment.h"

#define RATE 40
#define BURST (RATE * SIPPATH_RATE_DEPTH_S)
#define SHARE (RATE / 4)
#define SHARE_BURST (BURST / 4)
#define NETWORKS 256

#define MESSAGE_ACCEPTED MESSAGE_RESPONSE("200 OK", "CSeq: 1 REGISTER")

static const struct sip_settings limited = { .flows_rate = RATE, .sightings_rate = RATE };
static const struct sip_settings unlimited = { .flows_rate = SIPPATH_RATE_UNLIMITED,
					       .sightings_rate = SIPPATH_RATE_UNLIMITED };

static int setup_limited(void **state)
{
	int error = kernel_setup(state);

	if (error == 0)
		kernel_set(*state, &limited);
	return error;
}

#define LIMITED_TEST(test) cmocka_unit_test_setup_teardown(test, setup_limited, kernel_teardown)

/* A flow of network 10.0."network".0/24. */
static struct flow stranger(unsigned int network, uint16_t port)
{
	struct flow flow = frame_flow4(port);

	flow.remote_addr[12] = 10;
	flow.remote_addr[13] = 0;
	flow.remote_addr[14] = (uint8_t)network;
	return flow;
}

/* One message each of so many networks; what passes is what is reported. */
static void flood(struct kernel *kernel, const char *payload)
{
	for (unsigned int i = 0; i < NETWORKS; i++)
		assert_int_equal(kernel_receive(kernel, stranger(i, 40001), payload), XDP_PASS);
}

static void flood_of_answers(struct kernel *kernel)
{
	for (unsigned int i = 0; i < NETWORKS; i++)
		assert_int_equal(kernel_send(kernel, stranger(i, 40001), MESSAGE_ACCEPTED, 0),
				 TC_ACT_UNSPEC);
}

/* A piece each of so many streams that the server has accepted. */
static void flood_of_pieces(struct kernel *kernel, enum sighting_direction direction)
{
	for (unsigned int i = 0; i < NETWORKS; i++) {
		struct frame_plan plan = segment_plan(stranger(i, 40001));

		plan.direction = direction;
		kernel_connect(kernel, plan.flow);
		pass(kernel, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
		kernel_disconnect(kernel, plan.flow);
	}
}

/* What the limit lets through: a full bucket, and what has come since the test began. */
static uint64_t allowance(uint64_t since_ns)
{
	return BURST + (kernel_now_ns() - since_ns) * RATE / 1000000000 + 1;
}

static void trap_44_so_many_new_flows_are_noted_in_a_second(void **state)
{
	struct kernel *kernel = *state;
	uint64_t begun_ns = kernel_now_ns();

	flood(kernel, "x");
	assert_in_range(kernel_flows_held(kernel), BURST / 2, allowance(begun_ns));
	assert_int_equal(kernel_count(kernel, COUNTER_flows_limited),
			 NETWORKS - kernel_flows_held(kernel));
	assert_int_equal(kernel_count(kernel, COUNTER_packets_in), NETWORKS);
}

static void trap_44_so_many_requests_are_reported_in_a_second(void **state)
{
	struct kernel *kernel = *state;
	uint64_t begun_ns = kernel_now_ns();

	flood(kernel, MESSAGE_REGISTER);
	assert_in_range(kernel_count(kernel, COUNTER_sightings), BURST / 2, allowance(begun_ns));
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_limited),
			 NETWORKS - kernel_count(kernel, COUNTER_sightings));
	assert_int_equal(kernel_sightings(kernel), kernel_count(kernel, COUNTER_sightings));
}

static void trap_44_so_many_answers_are_reported_in_a_second(void **state)
{
	struct kernel *kernel = *state;
	uint64_t begun_ns = kernel_now_ns();

	flood_of_answers(kernel);
	assert_in_range(kernel_count(kernel, COUNTER_sightings), BURST / 2, allowance(begun_ns));
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_limited),
			 NETWORKS - kernel_count(kernel, COUNTER_sightings));
}

/* Messages that nobody has to know use up nothing, and neither do requests for their answers. */
static void a_limit_is_used_up_by_what_it_limits_alone(void **state)
{
	struct kernel *kernel = *state;

	for (unsigned int i = 0; i < NETWORKS; i++)
		kernel_send(kernel, stranger(i, 40001),
			    MESSAGE_RESPONSE("401 Unauthorized", "CSeq: 1 REGISTER"), 0);
	flood(kernel, "\r\n\r\n");
	flood(kernel, MESSAGE_REGISTER);
	assert_in_range(kernel_sightings(kernel), BURST / 2, NETWORKS - 1);
	kernel_send(kernel, stranger(1, 40001), MESSAGE_ACCEPTED, 0);
	assert_int_equal(kernel_sightings(kernel), 1);
	assert_int_equal(kernel_sighting(kernel)->direction, SIGHTING_TO_DEVICE);
}

static void trap_44_a_network_gets_its_share_alone(void **state)
{
	struct kernel *kernel = *state;
	uint64_t begun_ns = kernel_now_ns();
	struct flow_entry entry;
	uint64_t most;

	for (uint16_t i = 0; i < NETWORKS; i++)
		kernel_receive(kernel, stranger(1, 40000 + i), MESSAGE_REGISTER);
	most = SHARE_BURST + (kernel_now_ns() - begun_ns) * SHARE / 1000000000 + 1;
	assert_in_range(kernel_flows_held(kernel), SHARE_BURST / 2, most);
	assert_in_range(kernel_sightings(kernel), SHARE_BURST / 2, most);

	kernel_receive(kernel, stranger(2, 40001), MESSAGE_REGISTER);
	assert_true(kernel_flow(kernel, stranger(2, 40001), &entry));
	assert_int_equal(kernel_sightings(kernel), 1);
}

static void trap_44_an_ipv6_network_is_a_48(void **state)
{
	struct kernel *kernel = *state;
	uint64_t begun_ns = kernel_now_ns();
	struct flow_entry entry;
	struct flow other = frame_flow6(40001);

	for (uint16_t i = 0; i < NETWORKS; i++) {
		struct flow flow = frame_flow6(40001);

		flow.remote_addr[6] = flow.remote_addr[15] = (uint8_t)i;
		kernel_receive(kernel, flow, "x");
	}
	assert_in_range(kernel_flows_held(kernel), SHARE_BURST / 2,
			SHARE_BURST + (kernel_now_ns() - begun_ns) * SHARE / 1000000000 + 1);
	other.remote_addr[5] ^= 1;
	kernel_receive(kernel, other, "x");
	assert_true(kernel_flow(kernel, other, &entry));
}

static void trap_44_known_paths_and_flows_have_no_limit(void **state)
{
	struct path_entry entry = { 0 };
	struct flow path = stranger(1, 40001), known = stranger(2, 40002);
	struct kernel *kernel = *state;
	struct flow_entry heard;

	kernel_add_path(kernel, path, &entry);
	kernel_receive(kernel, known, "x");
	flood(kernel, MESSAGE_REGISTER);
	flood_of_answers(kernel);
	kernel_sightings(kernel);

	for (uint64_t i = 1; i <= 2 * RATE; i++) {
		kernel_receive(kernel, path, MESSAGE_REGISTER);
		kernel_send(kernel, path, MESSAGE_ACCEPTED, 0);
		assert_int_equal(kernel_sightings(kernel), 2);
		kernel_receive(kernel, known, "x");
	}
	assert_in_range(kernel_path(kernel, path).packets_in, 2 * RATE, 2 * RATE + 1);
	assert_true(kernel_flow(kernel, known, &heard));
	assert_int_equal(heard.packets_in, 1 + 2 * RATE);
}

static void a_second_later_strangers_are_noted_again(void **state)
{
	struct kernel *kernel = *state;
	struct flow_entry entry;
	uint64_t deadline_ns = kernel_now_ns() + 10ULL * 1000000000;

	flood(kernel, MESSAGE_REGISTER);
	kernel_sightings(kernel);
	do {
		kernel_receive(kernel, stranger(1, 40002), MESSAGE_REGISTER);
	} while (kernel_sightings(kernel) == 0 && kernel_now_ns() < deadline_ns);
	assert_int_equal(kernel_sighting(kernel)->flow.remote_port, 40002);
	/* Its flow may have to wait for longer: that has a limit of its own. */
	while (!kernel_flow(kernel, stranger(1, 40002), &entry) && kernel_now_ns() < deadline_ns)
		kernel_receive(kernel, stranger(1, 40002), "x");
	assert_true(kernel_flow(kernel, stranger(1, 40002), &entry));
}

/* What opens a connection must have been noted before. */
static void trap_44_a_flood_over_udp_takes_nothing_from_tcp(void **state)
{
	struct flow connecting = frame_tcp(stranger(1, 40002));
	struct kernel *kernel = *state;
	struct flow_entry entry;

	flood(kernel, "x");
	kernel_receive(kernel, connecting, "");
	assert_true(kernel_flow(kernel, connecting, &entry));
}

/* Nobody sends a piece again: what the server has got TCP does not repeat. */
static void trap_44_a_flood_over_udp_takes_no_piece_of_a_stream(void **state)
{
	struct frame_plan plan = segment_plan(stranger(1, 40002));
	struct kernel *kernel = *state;

	flood(kernel, MESSAGE_REGISTER);
	flood_of_answers(kernel);
	kernel_sightings(kernel);
	kernel_connect(kernel, plan.flow);
	for (int direction = 0; direction <= 1; direction++) {
		plan.direction = direction;
		pass(kernel, &plan, MESSAGE_REGISTER, strlen(MESSAGE_REGISTER));
		assert_int_equal(kernel_sightings(kernel), 1);
		assert_int_equal(kernel_sighting(kernel)->direction, direction);
	}
}

static void trap_44_so_many_pieces_are_reported_in_a_second(void **state)
{
	struct kernel *kernel = *state;

	for (int direction = 0; direction <= 1; direction++) {
		uint64_t begun_ns = kernel_now_ns();

		flood_of_pieces(kernel, direction);
		assert_in_range(kernel_sightings(kernel), BURST / 2, allowance(begun_ns));
	}
	/* That is no business of datagrams. */
	kernel_receive(kernel, stranger(1, 40001), MESSAGE_REGISTER);
	kernel_send(kernel, stranger(1, 40001), MESSAGE_ACCEPTED, 0);
	assert_int_equal(kernel_sightings(kernel), 2);
}

/* The bucket of an IPv4 network without a seed: anybody can look that up. */
static unsigned int public_bucket(const struct flow *flow)
{
	uint64_t network;

	memcpy(&network, flow->remote_addr + 8, sizeof(network));
	network &= htobe64(~0xffULL);
	return (unsigned int)(network * 0x9e3779b97f4a7c15 >> (64 - 10));
}

/* Another network that shares the bucket of this one. */
static struct flow neighbour_of(const struct flow *flow)
{
	struct flow other = stranger(0, 40001);

	for (unsigned int i = 1; i < 65536; i++) {
		other.remote_addr[13] = (uint8_t)(i >> 8);
		other.remote_addr[14] = (uint8_t)i;
		if (public_bucket(&other) == public_bucket(flow))
			return other;
	}
	fail_msg("no network shares a bucket");
	return other;
}

static void use_up_share(struct kernel *kernel, struct flow flow)
{
	for (uint16_t i = 0; i <= 2 * SHARE_BURST; i++) {
		flow.remote_port = 40000 + i;
		kernel_receive(kernel, flow, "x");
	}
}

static void trap_44_a_seed_hides_which_networks_share_a_bucket(void **state)
{
	struct sip_settings seeded = limited;
	struct flow victim = stranger(0, 40001), neighbour = neighbour_of(&victim);
	struct kernel *kernel = *state;
	struct flow_entry entry;

	use_up_share(kernel, neighbour);
	kernel_receive(kernel, victim, "x");
	assert_false(kernel_flow(kernel, victim, &entry));

	seeded.limit_seed = 0x0123456789abcdef;
	kernel_set(kernel, &seeded);
	use_up_share(kernel, neighbour);
	kernel_receive(kernel, victim, "x");
	assert_true(kernel_flow(kernel, victim, &entry));
}

static void trap_45_strangers_leave_half_of_the_room(void **state)
{
	struct path_entry entry = { 0 };
	const size_t some = KERNEL_SIGHTINGS_BYTES / 4 / 1024;
	struct kernel *kernel = *state;
	uint64_t lost;

	kernel_set(kernel, &unlimited);
	kernel_add_path(kernel, frame_flow4(40001), &entry);
	for (size_t i = 0; i < 2 * KERNEL_SIGHTINGS_BYTES / sizeof(MESSAGE_REGISTER); i++)
		kernel_receive(kernel, stranger(1, 40001), MESSAGE_REGISTER);
	lost = kernel_count(kernel, COUNTER_sightings_lost);
	assert_true(lost > 0);
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_limited), 0);
	for (size_t i = 0; i < some; i++) {
		kernel_receive(kernel, frame_flow4(40001), MESSAGE_REGISTER);
		kernel_send(kernel, frame_flow4(40001), MESSAGE_ACCEPTED, 0);
	}
	assert_int_equal(kernel_count(kernel, COUNTER_sightings_lost), lost);
}

static void without_a_limit_everything_is_noted(void **state)
{
	struct kernel *kernel = *state;

	kernel_set(kernel, &unlimited);
	for (uint16_t i = 0; i < 2 * RATE; i++)
		kernel_receive(kernel, stranger(1, 40001 + i), MESSAGE_REGISTER);
	assert_int_equal(kernel_flows_held(kernel), 2 * RATE);
	assert_int_equal(kernel_sightings(kernel), 2 * RATE);
}

/* 2,000 phones behind one NAT that come back at once, each with two REGISTERs. */
static void trap_44_a_power_cut_is_no_flood(void **state)
{
	struct kernel *kernel = *state;
	size_t reported = 0;

	kernel_set(kernel, &(struct sip_settings){ 0 });
	for (uint16_t i = 0; i < 2000; i++) {
		kernel_receive(kernel, stranger(1, 40000 + i), MESSAGE_REGISTER);
		kernel_receive(kernel, stranger(1, 40000 + i), MESSAGE_REGISTER);
		kernel_send(kernel, stranger(1, 40000 + i), MESSAGE_ACCEPTED, 0);
		reported += kernel_sightings(kernel);
	}
	assert_int_equal(reported, 6000);
	assert_int_equal(kernel_count(kernel, COUNTER_flows_limited), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIMITED_TEST(trap_44_so_many_new_flows_are_noted_in_a_second),
		LIMITED_TEST(trap_44_so_many_requests_are_reported_in_a_second),
		LIMITED_TEST(trap_44_so_many_answers_are_reported_in_a_second),
		LIMITED_TEST(a_limit_is_used_up_by_what_it_limits_alone),
		LIMITED_TEST(trap_44_a_network_gets_its_share_alone),
		LIMITED_TEST(trap_44_an_ipv6_network_is_a_48),
		LIMITED_TEST(trap_44_known_paths_and_flows_have_no_limit),
		LIMITED_TEST(a_second_later_strangers_are_noted_again),
		LIMITED_TEST(trap_44_a_flood_over_udp_takes_nothing_from_tcp),
		LIMITED_TEST(trap_44_a_flood_over_udp_takes_no_piece_of_a_stream),
		LIMITED_TEST(trap_44_so_many_pieces_are_reported_in_a_second),
		LIMITED_TEST(trap_44_a_seed_hides_which_networks_share_a_bucket),
		KERNEL_TEST(trap_45_strangers_leave_half_of_the_room),
		KERNEL_TEST(without_a_limit_everything_is_noted),
		KERNEL_TEST(trap_44_a_power_cut_is_no_flood),
	};

	return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
