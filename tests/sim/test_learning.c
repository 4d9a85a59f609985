/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_learning.c - the whole sentence in simulated time: which messages make, move and end paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

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

static void trap_28_an_unregister_stops_prompts_at_once(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world_run(world, MINUTE);
	assert_int_equal(device->prompts, 2);
	world_register(world, device, 200, 0);
	world_run(world, 10 * MINUTE);
	assert_int_equal(device->prompts, 2);
	assert_null(world_path(world, device));
	assert_int_equal(world->map_count, 0);
}

static void an_expiry_stops_prompts_at_once(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 60);
	world_run(world, 59 * NS_PER_S);
	assert_int_equal(device->prompts, 2);
	assert_non_null(world_path(world, device));
	world_run(world, 10 * MINUTE);
	assert_int_equal(device->prompts, 2);
	assert_null(world_path(world, device));
	assert_int_equal(world->counts.value[COUNT_bindings_expired], 1);
	assert_int_equal(world->map_count, 0);
}

static void trap_27_a_refused_register_makes_no_path(void **state)
{
	struct world *world = *state;
	static const unsigned int refusals[] = { 401, 407, 423, 403, 404, 500 };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		world_register(world, world_device(world), refusals[i], 3600);
	world_run(world, 5 * MINUTE);
	assert_int_equal(world->datagrams, 0);
	assert_int_equal(world->map_count, 0);
}

static void trap_08_a_new_source_port_leaves_the_old_path_at_once(void **state)
{
	struct world *world = *state;
	struct world_device *before = world_device(world);
	struct world_device *after = world_device(world);

	world_register(world, before, 200, 3600);
	world_run(world, MINUTE);
	memcpy(after->user, before->user, sizeof(after->user));
	world_register(world, after, 200, 3600);
	assert_null(world_path(world, before));
	world_run(world, 5 * MINUTE);
	assert_int_equal(before->prompts, 2);
	assert_true(after->prompts >= 12);
	assert_int_equal(world->counts.value[COUNT_bindings_moved], 1);
}

static void trap_32_a_register_that_a_proxy_passed_on_is_no_path(void **state)
{
	static const char rest[] = "Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKp1\r\n"
				   "Via: SIP/2.0/UDP 192.168.0.9:5060;branch=z9hG4bKd1\r\n"
				   "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\n"
				   "Call-ID: relayed\r\nCSeq: 1 REGISTER\r\n"
				   "Contact: <sip:a@192.168.0.9>;expires=3600\r\n\r\n";
	struct world *world = *state;
	struct world_device *device = world_device(world);
	char message[1000];

	snprintf(message, sizeof(message), "REGISTER sip:example.com SIP/2.0\r\n%s", rest);
	world_see(world, &device->flow, true, message);
	snprintf(message, sizeof(message), "SIP/2.0 200 OK\r\n%s", rest);
	world_see(world, &device->flow, false, message);
	world_run(world, MINUTE);
	assert_null(world_path(world, device));
	assert_int_equal(world->counts.value[COUNT_requests_relayed], 1);
}

static void trap_32_a_register_that_the_server_sends_is_no_path(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	static const char rest[] = "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKs1\r\n"
				   "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\n"
				   "Call-ID: outbound\r\nCSeq: 1 REGISTER\r\n"
				   "Contact: <sip:a@192.0.2.10>;expires=3600\r\n\r\n";
	char message[1000];

	snprintf(message, sizeof(message), "REGISTER sip:carrier.example SIP/2.0\r\n%s", rest);
	world_see(world, &device->flow, false, message);
	snprintf(message, sizeof(message), "SIP/2.0 200 OK\r\n%s", rest);
	world_see(world, &device->flow, true, message);
	world_run(world, MINUTE);
	assert_null(world_path(world, device));
}

static void trap_44_spoofed_requests_cost_bounded_memory_and_no_prompt(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	char message[1000];

	for (int i = 0; i < 100000; i++) {
		snprintf(message, sizeof(message),
			 "REGISTER sip:example.com SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 192.168.0.9;branch=z9hG4bK%d\r\n"
			 "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\n"
			 "Call-ID: flood%d\r\nCSeq: 1 REGISTER\r\n"
			 "Contact: <sip:a@192.168.0.9>;expires=3600\r\n\r\n",
			 i, i);
		world_see(world, &device->flow, true, message);
	}
	assert_int_equal(world->counts.value[COUNT_registers_seen], 100000);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 100000 - 64);
	world_run(world, 2 * MINUTE);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 100000);
	assert_int_equal(world->datagrams, 0);
	assert_int_equal(world->map_count, 0);
}

static void trap_44_a_full_map_refuses_the_new_path_and_never_an_old_one(void **state)
{
	struct world *world = *state;

	world->map_room = 3;
	for (int i = 0; i < 5; i++)
		world_register(world, world_device(world), 200, 3600);
	world_run(world, MINUTE);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world->devices[i].prompts, 2);
	for (int i = 3; i < 5; i++)
		assert_null(world_path(world, &world->devices[i]));
	assert_int_equal(world->counts.value[COUNT_paths_refused], 2);

	/* There is room again as soon as an old one leaves. */
	world_register(world, &world->devices[0], 200, 0);
	world_run(world, 3 * NS_PER_S);
	world_register(world, &world->devices[4], 200, 3600);
	assert_non_null(world_path(world, &world->devices[4]));
}

/* A move needs room for two paths while an answer is still on its way to the first. */
static void move_without_room(struct world *world)
{
	struct world_device *before = world_device(world);
	struct world_device *after = world_device(world);

	before->rtt_ns = 500 * NS_PER_MS;
	world_register(world, before, 200, 3600);
	world_run(world, THRESHOLD + 100 * NS_PER_MS);
	assert_int_equal(before->prompts, 1);
	memcpy(after->user, before->user, sizeof(after->user));
	world_register(world, after, 200, 3600);
	assert_null(world_path(world, before));
	assert_non_null(world_path(world, after));
	assert_int_equal(world->map_count, 1);
	assert_int_equal(world->counts.value[COUNT_paths_refused], 0);
	world_run(world, MINUTE);
	assert_int_equal(after->prompts, 2);
}

static void trap_08_a_move_in_a_full_map_keeps_the_phone(void **state)
{
	struct world *world = *state;

	world->map_room = 1;
	move_without_room(world);
}

static void trap_08_a_move_in_a_full_table_keeps_the_phone(void **state)
{
	world_end(*state);
	*state = world_begin_small(THRESHOLD, 1);
	move_without_room(*state);
}

static void trap_13_an_entry_that_cannot_be_deleted_is_not_left_behind(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	world->map_stuck = true;
	world_register(world, device, 200, 0);
	world_run(world, MINUTE);
	assert_int_equal(world->map_count, 1);
	assert_int_equal(device->prompts, 0);
	assert_true(world->counts.value[COUNT_paths_unreadable] > 1);
	world->map_stuck = false;
	world_run(world, 5 * NS_PER_S);
	assert_int_equal(world->map_count, 0);
	assert_null(world_path(world, device));
}

static void paths_that_are_about_to_go_are_not_kept(void **state)
{
	struct world *world = *state;
	const struct keeper *keeper = pipeline_keeper(world->pipeline);
	struct world_device *leaves = world_device(world);
	struct world_device *runs_out = world_device(world);

	leaves->rtt_ns = 500 * NS_PER_MS;
	assert_int_equal(keeper_kept(keeper), 0);
	world_register(world, leaves, 200, 3600);
	world_register(world, leaves, 200, 3600);
	world_register(world, runs_out, 200, 60);
	assert_int_equal(keeper_kept(keeper), 2);
	world_run(world, THRESHOLD + 100 * NS_PER_MS);
	world_register(world, leaves, 200, 0);
	assert_non_null(world_path(world, leaves));
	assert_int_equal(keeper_kept(keeper), 1);
	world_run(world, MINUTE);
	assert_int_equal(keeper_kept(keeper), 0);
}

static void several_aors_on_one_path_make_one_prompt(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_register(world, device, 200, 3600);
	strcpy(device->user, "other");
	world_register(world, device, 200, 3600);
	world_run(world, MINUTE);
	assert_int_equal(world_path(world, device)->binding_counts[BINDING_REGISTRATION], 2);
	assert_int_equal(device->prompts, 2);

	/* One of the two leaves: the other still keeps the path. */
	world_register(world, device, 200, 0);
	world_run(world, MINUTE);
	assert_in_range(device->prompts, 4, 5);
}

static void a_malformed_message_is_counted_and_teaches_nothing(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	world_see(world, &device->flow, true,
		  "REGISTER sip:example.com SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n");
	assert_int_equal(world->counts.value[COUNT_messages_malformed], 1);
	world_see(world, &device->flow, true, "REGISTER sip:example.com SIP/3.0\r\n\r\n");
	assert_int_equal(world->counts.value[COUNT_messages_malformed], 2);
	world_see(world, &device->flow, true,
		  "OPTIONS sip:example.com SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n");
	assert_int_equal(world->counts.value[COUNT_messages_ignored], 1);
	assert_null(world_path(world, device));
}

/* The request of a device, or the 2xx to it with whatever Vias are left of it. */
static void see_register(struct world *world, const struct world_device *at, bool from_remote,
			 const char *first_line, const char *vias)
{
	char message[1000];

	snprintf(message, sizeof(message),
		 "%s\r\n%s"
		 "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\n"
		 "Call-ID: passed-on\r\nCSeq: 1 REGISTER\r\n"
		 "Contact: <sip:a@192.168.0.9>;expires=3600\r\n\r\n",
		 first_line, vias);
	world_see(world, &at->flow, from_remote, message);
}

#define VIA_DEVICE "Via: SIP/2.0/UDP 192.168.0.9:5060;branch=z9hG4bKd1\r\n"
#define VIA_SERVER "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKs1\r\n"

static void trap_32_an_edge_proxy_learns_from_its_registrars_answer(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct world_device *registrar = world_device(world);

	see_register(world, device, true, "REGISTER sip:example.com SIP/2.0", VIA_DEVICE);
	see_register(world, registrar, false, "REGISTER sip:example.com SIP/2.0",
		     VIA_SERVER VIA_DEVICE);
	see_register(world, registrar, true, "SIP/2.0 200 OK", VIA_SERVER VIA_DEVICE);
	see_register(world, device, false, "SIP/2.0 200 OK", VIA_DEVICE);
	assert_non_null(world_path(world, device));
	assert_null(world_path(world, registrar));
}

/* A proxy passes a response on by its second Via, asked for or not. */
static void trap_44_an_acceptance_from_a_stranger_is_not_the_servers(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct world_device *stranger = world_device(world);

	see_register(world, stranger, true, "SIP/2.0 200 OK", VIA_SERVER VIA_DEVICE);
	see_register(world, device, true, "REGISTER sip:example.com SIP/2.0", VIA_DEVICE);
	see_register(world, device, false, "SIP/2.0 200 OK", VIA_DEVICE);
	assert_null(world_path(world, device));
	assert_int_equal(world->counts.value[COUNT_answers_doubted], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trap_08_a_new_source_port_leaves_the_old_path_at_once),
		TEST(trap_08_a_move_in_a_full_map_keeps_the_phone),
		TEST(trap_08_a_move_in_a_full_table_keeps_the_phone),
		TEST(trap_13_an_entry_that_cannot_be_deleted_is_not_left_behind),
		TEST(trap_32_an_edge_proxy_learns_from_its_registrars_answer),
		TEST(trap_44_an_acceptance_from_a_stranger_is_not_the_servers),
		TEST(trap_27_a_refused_register_makes_no_path),
		TEST(trap_28_an_unregister_stops_prompts_at_once),
		TEST(trap_32_a_register_that_a_proxy_passed_on_is_no_path),
		TEST(trap_32_a_register_that_the_server_sends_is_no_path),
		TEST(trap_44_a_full_map_refuses_the_new_path_and_never_an_old_one),
		TEST(trap_44_spoofed_requests_cost_bounded_memory_and_no_prompt),
		TEST(a_malformed_message_is_counted_and_teaches_nothing),
		TEST(an_expiry_stops_prompts_at_once),
		TEST(paths_that_are_about_to_go_are_not_kept),
		TEST(several_aors_on_one_path_make_one_prompt),
	};

	return cmocka_run_group_tests_name("learning", tests, NULL, NULL);
}
