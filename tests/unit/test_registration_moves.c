/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/registrations: which Contacts are one device, and where it is now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "register_world.h"

static void trap_8_the_same_contact_from_another_port_moves(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_from(40002);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	register_contact(world, 40002, "after-reboot", 1, contact_of(PHONE, 60));
	assert_one_change(world, BINDING_MOVED);
	assert_memory_equal(&world->changes[0].flow, &flow, sizeof(flow));
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_int_equal(bindings_at(world, 40002), 1);
	assert_int_equal(counted(world, COUNT_bindings_moved), 1);
}

static void trap_8_a_rewritten_contact_from_another_port_moves(void **state)
{
	struct world *world = *state;
	const struct registration *phone;

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	phone = registered(world, 40001, PHONE);
	register_contact(world, 40002, "call", 2, contact_of(PHONE_MOVED, 60));
	assert_one_change(world, BINDING_MOVED);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_ptr_equal(registered(world, 40002, PHONE_MOVED), phone);
	assert_int_equal(registrations_count(world->registrations), 1);
}

static void trap_8_two_contacts_move_together(void **state)
{
	struct world *world = *state;
	struct facts before = asks("call", 1, 60), after = asks("call", 2, 60);

	add_contact(&before, contact_of(PHONE, UNSTATED));
	add_contact(&before, contact_of("sip:alice@192.168.1.10:5064", UNSTATED));
	accept(world, 40001, &before);
	assert_int_equal(bindings_at(world, 40001), 2);
	add_contact(&after, contact_of(PHONE_MOVED, UNSTATED));
	add_contact(&after, contact_of("sip:alice@198.51.100.7:40003", UNSTATED));
	accept(world, 40002, &after);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_int_equal(bindings_at(world, 40002), 2);
	assert_int_equal(registrations_count(world->registrations), 2);
}

static void trap_8_a_contact_that_is_new_may_come_with_one_that_moves(void **state)
{
	struct world *world = *state;
	struct facts after = asks("call", 2, 60);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&after, contact_of(PHONE_MOVED, UNSTATED));
	add_contact(&after, contact_of(PHONE, UNSTATED));
	accept(world, 40002, &after);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_non_null(registered(world, 40002, PHONE));
	assert_non_null(registered(world, 40002, PHONE_MOVED));
	assert_int_equal(bindings_at(world, 40002), 2);
}

static void trap_5_one_call_id_towards_two_local_ports_is_two_registrations(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 60), response = answers(200, UNSTATED);
	struct transaction transaction = { .flow = flow_from(40001), .facts = &request };

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	transaction.flow.local_port = 5080;
	add_contact(&request, contact_of("sip:alice@192.168.1.10:5064", UNSTATED));
	add_contact(&response, contact_of("sip:alice@192.168.1.10:5064", 60));
	world->change_count = registrations_accept(world->registrations, &transaction, &response,
						   world->now_ns + 1, world->changes);
	assert_one_change(world, BINDING_BEGINS);
	apply(world, &world->changes[0]);
	assert_non_null(registered(world, 40001, PHONE));
}

static void two_contacts_of_one_register_are_two_registrations(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 1, 60);

	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&request, contact_of(PHONE_MOVED, 120));
	accept(world, 40001, &request);
	assert_int_equal(world->change_count, 2);
	assert_int_equal(bindings_at(world, 40001), 2);
	request.cseq = 2;
	accept(world, 40001, &request);
	assert_int_equal(counted(world, COUNT_bindings_renewed), 2);
	register_contact(world, 40001, "call", 3, contact_of(PHONE, 0));
	assert_one_change(world, BINDING_ENDS);
	assert_non_null(registered(world, 40001, PHONE_MOVED));
}

static void one_contact_written_twice_is_one_registration(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 1, 60);

	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	accept(world, 40001, &request);
	assert_one_change(world, BINDING_BEGINS);
	request = asks("another-call", 1, 0);
	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	accept(world, 40001, &request);
	assert_one_change(world, BINDING_ENDS);
}

/* The device has added a Contact: the registrar now has both, and both are on one path. */
static void a_contact_added_on_the_same_flow_begins(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	register_contact(world, 40001, "call", 2, contact_of(PHONE_MOVED, 60));
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(bindings_at(world, 40001), 2);
	register_contact(world, 40001, "call", 3, contact_of(PHONE, 0));
	assert_one_change(world, BINDING_ENDS);
	assert_non_null(registered(world, 40001, PHONE_MOVED));
}

/* An old Contact with expires=0 and a new one in one REGISTER, from this port. */
static void rewrite_contact(struct world *world, uint16_t port, const char *instance,
			    uint32_t reg_id)
{
	struct facts request = asks("call", 2, UNSTATED), response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, instance_of(PHONE, instance, reg_id, 60));
	add_contact(&request, instance_of(PHONE, instance, reg_id, 0));
	add_contact(&request, instance_of(PHONE_MOVED, instance, reg_id, 60));
	add_contact(&response, instance_of(PHONE, instance, reg_id, 0));
	add_contact(&response, instance_of(PHONE_MOVED, instance, reg_id, 90));
	world->now_ns += NS_PER_S;
	accept_at(world, port, &request, &response, world->now_ns);
}

static void assert_rewritten(const struct world *world, uint16_t port)
{
	const struct registration *phone = registered(world, port, PHONE_MOVED);

	assert_int_equal(registrations_count(world->registrations), 1);
	assert_int_equal(bindings_at(world, 40001) + bindings_at(world, 40002), 1);
	assert_non_null(phone);
	assert_int_equal(phone->binding.ends_ns, world->now_ns + 90 * NS_PER_S);
}

static void trap_28_an_old_contact_gives_way_to_a_new_one_on_the_same_flow(void **state)
{
	struct world *world = *state;

	rewrite_contact(world, 40001, NULL, 0);
	assert_one_change(world, BINDING_RENEWED);
	assert_rewritten(world, 40001);
}

static void trap_28_an_old_contact_gives_way_to_a_new_one_on_another_flow(void **state)
{
	struct world *world = *state;

	rewrite_contact(world, 40002, NULL, 0);
	assert_one_change(world, BINDING_MOVED);
	assert_rewritten(world, 40002);
}

static void trap_28_an_instance_outlives_its_old_contact(void **state)
{
	struct world *world = *state;

	rewrite_contact(world, 40002, UUID, 0);
	assert_one_change(world, BINDING_MOVED);
	assert_rewritten(world, 40002);
}

static void trap_28_a_flow_of_an_instance_outlives_its_old_contact(void **state)
{
	struct world *world = *state;

	rewrite_contact(world, 40002, UUID, 1);
	assert_one_change(world, BINDING_MOVED);
	assert_rewritten(world, 40002);
}

/* The same in two REGISTERs: first the new Contact, then the end of the old one. */
static void trap_28_a_late_end_of_the_old_contact_ends_nothing_else(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 1, instance_of(PHONE, UUID, 0, 60));
	register_contact(world, 40002, "call", 2, instance_of(PHONE_MOVED, UUID, 0, 60));
	assert_one_change(world, BINDING_MOVED);
	register_contact(world, 40002, "call", 3, instance_of(PHONE, UUID, 0, 0));
	assert_no_change(world);
	assert_non_null(registered(world, 40002, PHONE_MOVED));
}

static void trap_30_the_newest_register_wins_wherever_it_is_reported_first(void **state)
{
	struct world *world = *state;
	struct facts older = asks("before-reboot", 9, 60), newer = asks("after-reboot", 1, 60);
	struct facts response = answers(200, 60);

	add_contact(&older, contact_of(PHONE, UNSTATED));
	add_contact(&newer, contact_of(PHONE, UNSTATED));
	accept_at(world, 40002, &newer, &response, 200 * NS_PER_S);
	accept_at(world, 40001, &older, &response, 100 * NS_PER_S);
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_registers_stale), 1);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_int_equal(registered(world, 40002, PHONE)->binding.ends_ns, 260 * NS_PER_S);
}

static void trap_30_an_older_removal_changes_nothing(void **state)
{
	struct world *world = *state;
	struct facts removal = asks("before-reboot", 9, 0), star = asks("before-reboot", 10, 0);
	struct facts response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&removal, contact_of(PHONE, UNSTATED));
	accept_at(world, 40001, &removal, &response, world->now_ns - 1);
	assert_no_change(world);
	star.contact_star = true;
	accept_at(world, 40001, &star, &response, world->now_ns - 1);
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_registers_stale), 2);
}

static void trap_27_a_retransmission_changes_nothing(void **state)
{
	struct world *world = *state;
	uint64_t ends_ns;

	register_contact(world, 40001, "call", 5, contact_of(PHONE, 60));
	ends_ns = registered(world, 40001, PHONE)->binding.ends_ns;
	register_contact(world, 40001, "call", 5, contact_of(PHONE, 60));
	assert_no_change(world);
	assert_int_equal(registered(world, 40001, PHONE)->binding.ends_ns, ends_ns);
	assert_int_equal(counted(world, COUNT_registers_stale), 0);
}

static void trap_27_a_lower_cseq_changes_nothing(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 5, contact_of(PHONE, 60));
	register_contact(world, 40002, "call", 4, contact_of(PHONE, 60));
	assert_no_change(world);
	register_contact(world, 40001, "call", 4, contact_of(PHONE, 0));
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_registers_stale), 2);
	assert_int_equal(bindings_at(world, 40001), 1);
	register_contact(world, 40002, "other-call", 1, contact_of(PHONE, 60));
	assert_one_change(world, BINDING_MOVED);
}

static void trap_27_a_lower_cseq_brings_no_dropped_contact_back(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 5, contact_of(PHONE, 60));
	register_contact(world, 40002, "call", 7, contact_of(PHONE_MOVED, 60));
	register_contact(world, 40001, "call", 6, contact_of(PHONE, 60));
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_registers_stale), 1);
	assert_int_equal(bindings_at(world, 40001), 0);
}

/* On one flow: the REGISTER that still had the old Contact is reported late. */
static void trap_27_a_lower_cseq_brings_no_rewritten_contact_back(void **state)
{
	struct world *world = *state;

	rewrite_contact(world, 40001, NULL, 0);
	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_registers_stale), 1);
	assert_null(registered(world, 40001, PHONE));
}

static void trap_31_two_reg_ids_are_two_flows(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 1, instance_of(PHONE, UUID, 1, 60));
	register_contact(world, 40002, "call", 2, instance_of(PHONE, UUID, 2, 60));
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(bindings_at(world, 40001), 1);
	assert_int_equal(bindings_at(world, 40002), 1);
	register_contact(world, 40003, "call", 3, instance_of(PHONE_MOVED, UUID, 1, 60));
	assert_one_change(world, BINDING_MOVED);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_int_equal(registered(world, 40003, PHONE_MOVED)->reg_id, 1);
	register_contact(world, 40002, "call", 4, instance_of(PHONE, UUID, 2, 0));
	assert_one_change(world, BINDING_ENDS);
	assert_non_null(registered(world, 40003, PHONE_MOVED));
}

static void trap_31_reg_ids_may_be_accepted_in_any_order(void **state)
{
	struct world *world = *state;

	register_contact(world, 40002, "call", 2, instance_of(PHONE, UUID, 2, 60));
	register_contact(world, 40001, "call", 1, instance_of(PHONE, UUID, 1, 60));
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(counted(world, COUNT_registers_stale), 0);
}

static void an_instance_is_one_device_whatever_its_contact_and_call_id(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 9, instance_of(PHONE, UUID, 0, 60));
	register_contact(world, 40002, "after-reboot", 1, instance_of(PHONE_MOVED, UUID, 0, 60));
	assert_one_change(world, BINDING_MOVED);
	assert_int_equal(registrations_count(world->registrations), 1);
	assert_true(
		span_equal(registered(world, 40002, PHONE_MOVED)->call_id, SPAN("after-reboot")));
}

/* Behind two NATs two devices may well have the same private address. */
static void two_instances_at_one_contact_are_two_devices(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 1, instance_of(PHONE, UUID, 0, 60));
	register_contact(world, 40002, "other", 1, instance_of(PHONE, "<urn:uuid:b>", 0, 60));
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(bindings_at(world, 40001), 1);
	assert_int_equal(bindings_at(world, 40002), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(trap_8_the_same_contact_from_another_port_moves),
		WORLD_TEST(trap_8_a_rewritten_contact_from_another_port_moves),
		WORLD_TEST(trap_8_two_contacts_move_together),
		WORLD_TEST(trap_8_a_contact_that_is_new_may_come_with_one_that_moves),
		WORLD_TEST(trap_5_one_call_id_towards_two_local_ports_is_two_registrations),
		WORLD_TEST(two_contacts_of_one_register_are_two_registrations),
		WORLD_TEST(one_contact_written_twice_is_one_registration),
		WORLD_TEST(a_contact_added_on_the_same_flow_begins),
		WORLD_TEST(trap_28_an_old_contact_gives_way_to_a_new_one_on_the_same_flow),
		WORLD_TEST(trap_28_an_old_contact_gives_way_to_a_new_one_on_another_flow),
		WORLD_TEST(trap_28_an_instance_outlives_its_old_contact),
		WORLD_TEST(trap_28_a_flow_of_an_instance_outlives_its_old_contact),
		WORLD_TEST(trap_28_a_late_end_of_the_old_contact_ends_nothing_else),
		WORLD_TEST(trap_30_the_newest_register_wins_wherever_it_is_reported_first),
		WORLD_TEST(trap_30_an_older_removal_changes_nothing),
		WORLD_TEST(trap_27_a_retransmission_changes_nothing),
		WORLD_TEST(trap_27_a_lower_cseq_changes_nothing),
		WORLD_TEST(trap_27_a_lower_cseq_brings_no_dropped_contact_back),
		WORLD_TEST(trap_27_a_lower_cseq_brings_no_rewritten_contact_back),
		WORLD_TEST(trap_31_two_reg_ids_are_two_flows),
		WORLD_TEST(trap_31_reg_ids_may_be_accepted_in_any_order),
		WORLD_TEST(an_instance_is_one_device_whatever_its_contact_and_call_id),
		WORLD_TEST(two_instances_at_one_contact_are_two_devices),
	};

	return cmocka_run_group_tests_name("registration_moves", tests, NULL, NULL);
}
