/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/registrations: what accepted REGISTERs, and their answers, begin, renew and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "register_world.h"

static void a_registration_begins_is_renewed_and_ends(void **state)
{
	struct world *world = *state;
	const struct registration *phone;

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	assert_one_change(world, BINDING_BEGINS);
	phone = registered(world, 40001, PHONE);
	assert_non_null(phone);
	assert_int_equal(phone->binding.kind, BINDING_REGISTRATION);
	assert_int_equal(phone->binding.ends_ns, world->now_ns + 60 * NS_PER_S);
	assert_true(span_equal(phone->binding.aor, SPAN("sip:alice@example.com")));
	assert_true(span_equal(phone->call_id, SPAN("call")));
	assert_null(phone->instance.at);

	register_contact(world, 40001, "call", 2, contact_of(PHONE, 120));
	assert_one_change(world, BINDING_RENEWED);
	assert_ptr_equal(world->changes[0].binding, &phone->binding);
	assert_int_equal(phone->binding.ends_ns, world->now_ns + 120 * NS_PER_S);
	assert_int_equal(phone->cseq, 2);

	register_contact(world, 40001, "call", 3, contact_of(PHONE, 0));
	assert_one_change(world, BINDING_ENDS);
	assert_int_equal(registrations_count(world->registrations), 0);
	assert_int_equal(bindings_at(world, 40001), 0);
	assert_int_equal(counted(world, COUNT_registers_accepted), 3);
	assert_int_equal(counted(world, COUNT_bindings_begun), 1);
	assert_int_equal(counted(world, COUNT_bindings_renewed), 1);
	assert_int_equal(counted(world, COUNT_bindings_ended), 1);
}

static void a_renewal_may_end_earlier(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_from(40001);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 600));
	register_contact(world, 40001, "call", 2, contact_of(PHONE, 60));
	assert_one_change(world, BINDING_RENEWED);
	assert_int_equal(path_first_end_ns(paths_find(world->paths, &flow)),
			 world->now_ns + 60 * NS_PER_S);
}

/* Two devices of one AOR; the 2xx to one of them is cut behind the other's entry. */
static void trap_24_a_cut_answer_ends_no_registration(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 600), response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	register_contact(world, 40009, "desk-call", 1, contact_of(DESK, 60));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&response, contact_of(DESK, 30));
	add_contact(&response, contact_of("sip:alice@203.0.113.9:5060", 30));
	response.incomplete = true;
	accept_at(world, 40001, &request, &response, world->now_ns + 1);
	assert_one_change(world, BINDING_RENEWED);
	assert_int_equal(registered(world, 40001, PHONE)->binding.ends_ns,
			 world->now_ns + 1 + 600 * NS_PER_S);
	assert_non_null(registered(world, 40009, DESK));
}

static void what_ends_is_readable_until_it_is_forgotten(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 0), response = answers(200, UNSTATED);
	const struct transaction transaction = { .flow = flow_from(40001), .facts = &request };

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	assert_int_equal(registrations_accept(world->registrations, &transaction, &response,
					      world->now_ns + 1, world->changes),
			 1);
	assert_true(span_equal(world->changes[0].binding->target, SPAN(PHONE)));
	apply(world, &world->changes[0]);
	assert_int_equal(registrations_count(world->registrations), 0);
}

static void an_aor_is_one_however_its_host_is_written(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 600);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	request.aor = SPAN("SIP:alice@EXAMPLE.com");
	add_contact(&request, contact_of(PHONE, UNSTATED));
	accept(world, 40001, &request);
	assert_one_change(world, BINDING_RENEWED);
	request.aor = SPAN("sip:Alice@example.com");
	accept(world, 40001, &request);
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(registrations_count(world->registrations), 2);
}

static void trap_24_the_contacts_of_others_are_not_touched(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 600), response = answers(200, UNSTATED);
	uint64_t ends_ns;

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	register_contact(world, 40009, "desk-call", 1, contact_of(DESK, 60));
	assert_non_null(registered(world, 40009, DESK));
	ends_ns = registered(world, 40009, DESK)->binding.ends_ns;
	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&response, contact_of(DESK, 5000));
	add_contact(&response, contact_of(PHONE, 300));
	add_contact(&response, contact_of("sip:alice@203.0.113.9", 5000));
	accept_at(world, 40001, &request, &response, world->now_ns + NS_PER_S);
	assert_one_change(world, BINDING_RENEWED);
	assert_int_equal(registered(world, 40001, PHONE)->binding.ends_ns,
			 world->now_ns + 301 * NS_PER_S);
	assert_int_equal(registered(world, 40009, DESK)->binding.ends_ns, ends_ns);
	assert_int_equal(registrations_count(world->registrations), 2);
}

static void trap_24_a_contact_that_the_registrar_did_not_take_ends(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 600), response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&response, contact_of(DESK, 5000));
	add_contact(&response, contact_of("sip:alice@203.0.113.9", 5000));
	accept_at(world, 40001, &request, &response, world->now_ns + 1);
	assert_one_change(world, BINDING_ENDS);
	request.cseq++;
	accept_at(world, 40001, &request, &response, world->now_ns + 2);
	assert_no_change(world);
	assert_int_equal(registrations_count(world->registrations), 0);
}

static void trap_25_star_removes_all_of_the_aor(void **state)
{
	struct world *world = *state;
	struct facts request = asks("other-call", 1, 0), response = answers(200, UNSTATED);
	struct facts bob = asks("bob-call", 1, 600);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	register_contact(world, 40009, "desk-call", 1, contact_of(DESK, 60));
	bob.aor = SPAN("sip:bob@example.com");
	add_contact(&bob, contact_of("sip:bob@192.168.1.12", UNSTATED));
	accept(world, 40003, &bob);
	request.contact_star = true;
	accept_at(world, 40001, &request, &response, world->now_ns + 1);
	assert_int_equal(world->change_count, 2);
	assert_int_equal(counted(world, COUNT_bindings_ended), 2);
	assert_int_equal(bindings_at(world, 40001) + bindings_at(world, 40009), 0);
	assert_int_equal(bindings_at(world, 40003), 1);
}

static void trap_25_star_without_expires_0_changes_nothing(void **state)
{
	struct world *world = *state;
	struct facts request = asks("other-call", 1, UNSTATED), response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	request.contact_star = true;
	accept_at(world, 40001, &request, &response, world->now_ns + 1);
	assert_no_change(world);
	request.expires = 600;
	accept_at(world, 40001, &request, &response, world->now_ns + 2);
	assert_no_change(world);
	assert_int_equal(bindings_at(world, 40001), 1);
}

static void trap_27_a_query_changes_nothing(void **state)
{
	struct world *world = *state;
	struct facts query = asks("call", 2, UNSTATED), response = answers(200, UNSTATED);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&response, contact_of(PHONE, 5000));
	accept_at(world, 40002, &query, &response, world->now_ns + 1);
	assert_no_change(world);
	query.expires = 0;
	accept_at(world, 40002, &query, &response, world->now_ns + 2);
	assert_no_change(world);
	assert_int_equal(bindings_at(world, 40001), 1);
}

static void trap_27_any_answer_but_a_2xx_changes_nothing(void **state)
{
	static const uint16_t statuses[] = { 100, 199, 300, 401, 403, 404, 407, 423, 500, 603 };
	struct world *world = *state;
	struct facts request = asks("call", 2, 0);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct facts response = answers(statuses[i], UNSTATED);

		accept_at(world, 40001, &request, &response, world->now_ns + 1);
		assert_no_change(world);
	}
	assert_int_equal(counted(world, COUNT_registers_accepted), 1);
}

static void trap_28_a_stale_entry_of_the_answer_ends_the_registration(void **state)
{
	struct world *world = *state;
	struct facts request = asks("call", 2, 600), response = answers(200, 600);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	add_contact(&request, contact_of(PHONE, UNSTATED));
	add_contact(&response, contact_of(PHONE, 0));
	accept_at(world, 40001, &request, &response, world->now_ns + 1);
	assert_one_change(world, BINDING_ENDS);
	assert_int_equal(registrations_count(world->registrations), 0);
}

static void several_aors_may_share_one_path(void **state)
{
	struct world *world = *state;
	struct facts bob = asks("bob-call", 1, 600);

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	bob.aor = SPAN("sip:bob@example.com");
	add_contact(&bob, contact_of(PHONE, UNSTATED));
	accept(world, 40001, &bob);
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(bindings_at(world, 40001), 2);
}

static void a_registration_on_no_path_begins_again(void **state)
{
	struct world *world = *state;

	register_contact(world, 40001, "call", 1, contact_of(PHONE, 60));
	assert_int_equal(world->change_count, 1);
	paths_detach(world->changes[0].binding);
	register_contact(world, 40001, "call", 2, contact_of(PHONE, 60));
	assert_one_change(world, BINDING_BEGINS);
	assert_int_equal(registrations_count(world->registrations), 1);
}

static void an_aor_has_a_bounded_number_of_registrations(void **state)
{
	struct world *world = *state;
	struct facts star = asks("other-call", 1, 0), response = answers(200, UNSTATED);
	char uri[64], call_id[32];

	for (uint32_t i = 0; i < REGISTRATIONS_PER_AOR_MAX + 2; i++) {
		snprintf(uri, sizeof(uri), "sip:alice@192.168.1.%u", i);
		snprintf(call_id, sizeof(call_id), "call-%u", i);
		register_contact(world, 40001, call_id, 1, contact_of(uri, 60));
	}
	assert_no_change(world);
	assert_int_equal(registrations_count(world->registrations), REGISTRATIONS_PER_AOR_MAX);
	assert_int_equal(counted(world, COUNT_bindings_refused), 2);
	star.contact_star = true;
	accept_at(world, 40001, &star, &response, world->now_ns + 1);
	assert_int_equal(world->change_count, REGISTRATIONS_PER_AOR_MAX);
	assert_int_equal(registrations_count(world->registrations), 0);
}

static void trap_44_a_full_room_refuses_the_new_and_renews_the_old(void **state)
{
	struct world *world = *state;
	char aor[64];

	for (uint32_t i = 0; i < LIMIT + 1; i++) {
		struct facts request = asks("call", 1, 60);

		snprintf(aor, sizeof(aor), "sip:%u@example.com", i);
		request.aor = span_of(aor);
		add_contact(&request, contact_of(PHONE, UNSTATED));
		accept(world, 40001, &request);
		assert_int_equal(world->change_count, i < LIMIT);
		if (i > 0)
			continue;
		request.cseq = 2;
		accept(world, 40001, &request);
		assert_one_change(world, BINDING_RENEWED);
	}
	assert_int_equal(registrations_count(world->registrations), LIMIT);
	assert_int_equal(counted(world, COUNT_bindings_refused), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_registration_begins_is_renewed_and_ends),
		WORLD_TEST(a_renewal_may_end_earlier),
		WORLD_TEST(trap_24_a_cut_answer_ends_no_registration),
		WORLD_TEST(what_ends_is_readable_until_it_is_forgotten),
		WORLD_TEST(an_aor_is_one_however_its_host_is_written),
		WORLD_TEST(trap_24_the_contacts_of_others_are_not_touched),
		WORLD_TEST(trap_24_a_contact_that_the_registrar_did_not_take_ends),
		WORLD_TEST(trap_25_star_removes_all_of_the_aor),
		WORLD_TEST(trap_25_star_without_expires_0_changes_nothing),
		WORLD_TEST(trap_27_a_query_changes_nothing),
		WORLD_TEST(trap_27_any_answer_but_a_2xx_changes_nothing),
		WORLD_TEST(trap_28_a_stale_entry_of_the_answer_ends_the_registration),
		WORLD_TEST(several_aors_may_share_one_path),
		WORLD_TEST(a_registration_on_no_path_begins_again),
		WORLD_TEST(an_aor_has_a_bounded_number_of_registrations),
		WORLD_TEST(trap_44_a_full_room_refuses_the_new_and_renews_the_old),
	};

	return cmocka_run_group_tests_name("registrations", tests, NULL, NULL);
}
