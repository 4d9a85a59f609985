/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cluster.c - what the agent tells the cluster, and does when the cluster tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "told.h"
#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)
#define AOR "sip:d0@example.com"
#define CONTACT "sip:d0@192.168.0.9:5060"

static struct told told;

static int set_up(void **state)
{
	told_begin(&told);
	*state = world_begin_sharing(THRESHOLD, &told.share);
	return 0;
}

static int tear_down(void **state)
{
	world_end(*state);
	return 0;
}

static struct order leave_at(uint64_t now_ns)
{
	return (struct order){
		.kind = ORDER_leave,
		.issued_ms = now_ns / NS_PER_MS,
		.node = SPAN("b"),
		.aor = SPAN(AOR),
		.device = SPAN(CONTACT),
	};
}

static void a_registration_is_told_and_so_is_its_end(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	const struct told_location *location;

	world_register(world, device, 200, 60);
	location = told_of(&told, BINDING_REGISTRATION, AOR);
	assert_non_null(location);
	assert_string_equal(location->device, CONTACT);
	assert_memory_equal(&location->flow, &device->flow, sizeof(device->flow));
	assert_int_equal(location->health, PATH_LIVE);
	world_run(world, 2 * MINUTE);
	assert_null(told_of(&told, BINDING_REGISTRATION, AOR));
	assert_int_equal(told.drops, 1);
}

static void a_new_contact_of_the_same_device_takes_the_place_of_the_old_one(void **state)
{
	struct world *world = *state;
	struct world_device *before = world_device(world);
	struct world_device *after = world_device(world);

	world_register(world, before, 200, 3600);
	memcpy(after->user, before->user, sizeof(after->user));
	world_register(world, after, 200, 3600);
	assert_int_equal(told.count, 1);
	assert_memory_equal(&told.locations[0].flow, &after->flow, sizeof(after->flow));
}

/* Call-ID and registrar's binding are those of before, the Contact's URI is another one. */
static void a_contact_that_is_rewritten_leaves_nothing_behind(void **state)
{
	static const char message[] = "%s\r\n"
				      "Via: SIP/2.0/UDP 192.168.0.9:5060;branch=z9hG4bK%u;rport\r\n"
				      "From: <sip:d0@example.com>;tag=d0\r\n"
				      "To: <sip:d0@example.com>\r\n"
				      "Call-ID: d0@192.168.0.9\r\n"
				      "CSeq: %u REGISTER\r\n"
				      "Contact: <sip:d0@192.168.0.9:5060>;expires=0, "
				      "<sip:d0@192.168.0.9:6060>;expires=600\r\n"
				      "Content-Length: 0\r\n\r\n";
	struct world *world = *state;
	struct world_device *device = world_device(world);
	unsigned int cseq = 99;
	char text[1024];

	world_register(world, device, 200, 3600);
	snprintf(text, sizeof(text), message, "REGISTER sip:example.com SIP/2.0", cseq, cseq);
	world_see(world, &device->flow, true, text);
	snprintf(text, sizeof(text), message, "SIP/2.0 200 OK", cseq, cseq);
	world_see(world, &device->flow, false, text);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.locations[0].device, "sip:d0@192.168.0.9:6060");
}

static void trap_30_a_device_that_has_gone_elsewhere_is_left(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	uint64_t accepted_ns = world->now_ns;
	struct order order;

	world_register(world, device, 200, 3600);
	world_run(world, MINUTE);
	assert_int_equal(device->prompts, 2);
	order = leave_at(world->now_ns);
	pipeline_order(world->pipeline, &order, accepted_ns, world->now_ns);
	world_run(world, MINUTE);
	assert_int_equal(device->prompts, 2);
	assert_null(world_path(world, device));
	assert_int_equal(told.count, 0);
}

/* The order was on its way: the newer registration's own report decides. */
static void trap_30_a_device_that_is_back_already_is_not_left(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	uint64_t accepted_ns = world->now_ns;
	struct order order;

	world_register(world, device, 200, 3600);
	world_run(world, NS_PER_S);
	order = leave_at(world->now_ns);
	world_register(world, device, 200, 3600);
	pipeline_order(world->pipeline, &order, accepted_ns, world->now_ns);
	assert_non_null(world_path(world, device));
	assert_int_equal(told.count, 1);
}

static void leaving_ends_no_other_device_and_no_dialog(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	uint64_t accepted_ns = world->now_ns;
	struct order order;

	world_register(world, device, 200, 3600);
	world_run(world, NS_PER_S);
	order = leave_at(world->now_ns);
	order.device = SPAN("sip:d0@192.168.0.10:5060");
	pipeline_order(world->pipeline, &order, accepted_ns, world->now_ns);
	order = leave_at(world->now_ns);
	order.aor = SPAN("sip:d1@example.com");
	pipeline_order(world->pipeline, &order, accepted_ns, world->now_ns);
	assert_non_null(world_path(world, device));
	assert_int_equal(told.count, 1);
}

static void health_is_told_when_it_changes(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	device->answers = false;
	world_register(world, device, 200, 3600);
	world_run(world, 2 * MINUTE);
	assert_int_equal(told_of(&told, BINDING_REGISTRATION, AOR)->health, PATH_SILENT);
	device->answers = true;
	world_speak(world, device);
	world_run(world, 11 * MINUTE); /* a silent path is looked at less and less often */
	assert_int_equal(told_of(&told, BINDING_REGISTRATION, AOR)->health, PATH_LIVE);
}

static void a_prompt_as_ordered_is_told_once_it_is_answered(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct order order = { .kind = ORDER_prompt };
	uint64_t asked_ns;

	world_register(world, device, 200, 3600);
	world_run(world, 10 * NS_PER_S);
	order.flow = device->flow;
	asked_ns = world->now_ns;
	pipeline_order(world->pipeline, &order, 0, asked_ns);
	assert_true(told_of(&told, BINDING_REGISTRATION, AOR)->seen_ns < asked_ns);
	world_run(world, device->rtt_ns + 20 * NS_PER_MS);
	assert_int_equal(device->prompts, 1);
	assert_true(told_of(&told, BINDING_REGISTRATION, AOR)->seen_ns >= asked_ns);
}

/* It has just been prompted anyway: no second prompt, and no waiting for one. */
static void a_prompt_that_is_on_its_way_does_as_well(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct order order = { .kind = ORDER_prompt };

	world_register(world, device, 200, 3600);
	world_run(world, THRESHOLD);
	while (device->prompts == 0)
		world_run(world, 10 * NS_PER_MS);
	world_run(world, 2 * device->rtt_ns);
	assert_true(told_of(&told, BINDING_REGISTRATION, AOR)->seen_ns < device->last_prompt_ns);
	order.flow = device->flow;
	pipeline_order(world->pipeline, &order, 0, world->now_ns);
	world_run(world, 10 * NS_PER_MS);
	assert_int_equal(device->prompts, 1);
	assert_true(told_of(&told, BINDING_REGISTRATION, AOR)->seen_ns >= device->last_prompt_ns);
}

/* A PBX: many AORs on one flow, told of as there is room. */
static void a_trunk_is_told_of_bit_by_bit(void **state)
{
	struct world *world = *state;
	struct world_device *trunk = world_device(world);

	for (int i = 0; i < 1000; i++) {
		snprintf(trunk->user, sizeof(trunk->user), "n%d", i);
		world_register(world, trunk, 200, 3600);
	}
	told.puts = told.count = 0;
	told.room = 100;
	told.epoch = 7;
	world_run(world, NS_PER_S);
	assert_int_equal(told.puts, 100);
	assert_int_equal(told.announced, 0);
	told.room = SIZE_MAX;
	world_run(world, NS_PER_S);
	assert_int_equal(told.puts, 1000);
	assert_int_equal(told.announced, 7);

	trunk->answers = false;
	told.room = 100;
	world_run(world, 2 * MINUTE);
	assert_int_equal(told.puts, 1100);
	told.room = SIZE_MAX;
	world_run(world, NS_PER_S);
	assert_int_equal(told.puts, 2000);
	for (size_t i = 0; i < told.count; i++)
		assert_int_equal(told.locations[i].health, PATH_SILENT);
}

static void a_path_is_dropped_as_ordered(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct order order = { .kind = ORDER_drop };

	world_register(world, device, 200, 3600);
	order.flow = device->flow;
	pipeline_order(world->pipeline, &order, 0, world->now_ns);
	world_run(world, MINUTE);
	assert_int_equal(device->prompts, 0);
	assert_null(world_path(world, device));
	assert_int_equal(told.count, 0);
}

static void all_is_told_anew_as_far_as_there_is_room(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 1500; i++)
		world_register(world, world_device(world), 200, 3600);
	told.puts = told.count = 0;
	told.room = 1000;
	told.epoch = 7;
	world_run(world, NS_PER_S);
	assert_int_equal(told.puts, 1000);
	assert_int_equal(told.announced, 0);
	told.room = 1000;
	world_run(world, NS_PER_S);
	assert_int_equal(told.count, 1500);
	assert_int_equal(told.announced, 7);
	assert_int_equal(told.puts, 1500);
}

static void what_is_wanted_anew_meanwhile_begins_at_the_first_one(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 100; i++)
		world_register(world, world_device(world), 200, 3600);
	told.puts = told.count = 0;
	told.room = 60;
	told.epoch = 7;
	world_run(world, NS_PER_S);
	told.count = 0; /* all is forgotten */
	told.room = SIZE_MAX;
	told.epoch = 8;
	world_run(world, NS_PER_S);
	assert_int_equal(told.count, 100);
	assert_int_equal(told.announced, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_registration_is_told_and_so_is_its_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_new_contact_of_the_same_device_takes_the_place_of_the_old_one, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_contact_that_is_rewritten_leaves_nothing_behind,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(trap_30_a_device_that_has_gone_elsewhere_is_left,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(trap_30_a_device_that_is_back_already_is_not_left,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_prompt_that_is_on_its_way_does_as_well, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_trunk_is_told_of_bit_by_bit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaving_ends_no_other_device_and_no_dialog, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(health_is_told_when_it_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_prompt_as_ordered_is_told_once_it_is_answered,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_path_is_dropped_as_ordered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_is_told_anew_as_far_as_there_is_room, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_wanted_anew_meanwhile_begins_at_the_first_one, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
