/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/grant: which lifetime the server's 2xx gives to each Contact of a REGISTER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "register_facts.h"
#include "state/grant.h"

#define PRIVATE "sip:alice@192.168.1.10:5062"
#define PUBLIC "sip:alice@198.51.100.7:40001" /* PRIVATE as the NAT shows it */
#define ELSEWHERE "sip:alice@203.0.113.9:5060"
#define UUID_A "<urn:uuid:aaaaaaaa-0000-1000-8000-000000000001>"
#define UUID_B "<urn:uuid:bbbbbbbb-0000-1000-8000-000000000002>"

/* The lifetime of the Contact that the request has at this place. */
static uint32_t granted_at(const struct facts *request, const struct facts *response, size_t place)
{
	const struct transaction transaction = { .flow = flow_from(40001), .facts = request };
	uint32_t lifetimes_s[FACTS_CONTACTS_MAX];

	grant_lifetimes(&transaction, response, lifetimes_s);
	return lifetimes_s[place];
}

static uint32_t granted(struct facts_contact wish, struct facts_contact entry)
{
	struct facts request = asks("call", 1, UNSTATED), response = answers(200, UNSTATED);

	add_contact(&request, wish);
	add_contact(&response, entry);
	return granted_at(&request, &response, 0);
}

/* What is granted where each of four places states a lifetime, or does not. */
static uint32_t stated(uint32_t entry, uint32_t response_header, uint32_t wish,
		       uint32_t request_header)
{
	struct facts request = asks("call", 1, request_header);
	struct facts response = answers(200, response_header);

	add_contact(&request, contact_of(PRIVATE, wish));
	add_contact(&response, contact_of(PRIVATE, entry));
	return granted_at(&request, &response, 0);
}

static void trap_26_the_parameter_beats_the_header_and_the_answer_the_request(void **state)
{
	(void)state;
	assert_int_equal(stated(60, 120, 180, 240), 60);
	assert_int_equal(stated(UNSTATED, 120, 180, 240), 120);
	assert_int_equal(stated(UNSTATED, UNSTATED, 180, 240), 180);
	assert_int_equal(stated(UNSTATED, UNSTATED, UNSTATED, 240), 240);
	assert_int_equal(stated(UNSTATED, UNSTATED, UNSTATED, UNSTATED), 3600);
	assert_int_equal(stated(60, UNSTATED, UNSTATED, UNSTATED), 60);
	assert_int_equal(stated(UNSTATED, UNSTATED, 180, 0), 180);
}

static void a_lifetime_has_an_upper_limit(void **state)
{
	(void)state;
	assert_int_equal(stated(REGISTRATION_LIFETIME_MAX_S, UNSTATED, 1, 1),
			 REGISTRATION_LIFETIME_MAX_S);
	assert_int_equal(stated(REGISTRATION_LIFETIME_MAX_S + 1, UNSTATED, 1, 1),
			 REGISTRATION_LIFETIME_MAX_S);
	assert_int_equal(stated(UINT32_MAX - 1, UNSTATED, 1, 1), REGISTRATION_LIFETIME_MAX_S);
}

static void trap_28_what_the_device_removes_ends_whatever_the_answer_says(void **state)
{
	(void)state;
	assert_int_equal(stated(300, 300, 0, 240), 0);
	assert_int_equal(stated(300, 300, UNSTATED, 0), 0);
	assert_int_equal(granted(contact_of(PRIVATE, 0), contact_of(ELSEWHERE, 300)), 0);
}

static void trap_28_a_stale_entry_ends_its_contact(void **state)
{
	(void)state;
	assert_int_equal(granted(contact_of(PRIVATE, 600), contact_of(PRIVATE, 0)), 0);
	assert_int_equal(granted(contact_of(PRIVATE, 600), contact_of(ELSEWHERE, 0)), 0);
}

static void trap_28_a_stale_entry_hides_no_living_one(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(PRIVATE, 0));
	add_contact(&response, contact_of(ELSEWHERE, 0));
	add_contact(&response, contact_of(PUBLIC, 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
}

static void trap_24_only_the_matching_contact_counts(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	add_contact(&response, contact_of(PRIVATE, 300));
	add_contact(&response, contact_of("sip:alice@192.168.1.10:5063", 2000));
	assert_int_equal(granted_at(&request, &response, 0), 300);
}

static void trap_24_uris_are_compared_as_sip_does(void **state)
{
	static const struct {
		const char *entry;
		uint32_t granted;
	} entries[] = {
		{ "SIP:alice@PHONE.example.com;Transport=UDP", 300 },
		{ "sip:alice@phone.example.com;transport=udp", 300 },
		{ "sip:Alice@phone.example.com;transport=udp", 0 },
		{ "sip:alice@phone.example.com:5060;transport=udp", 0 },
		{ "sips:alice@phone.example.com;transport=udp", 0 },
		{ "sip:alice@phone.example.com", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

		add_contact(&request, contact_of("sip:alice@phone.example.com;transport=udp", 600));
		add_contact(&response, contact_of(entries[i].entry, 300));
		add_contact(&response, contact_of(ELSEWHERE, 1000));
		assert_int_equal(granted_at(&request, &response, 0), entries[i].granted);
	}
}

static void trap_29_a_semicolon_may_be_part_of_the_user(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of("sip:alice;Day=tuesday@192.168.1.10", 600));
	add_contact(&response, contact_of("sip:alice;day=tuesday@192.168.1.10", 100));
	add_contact(&response, contact_of("sip:alice;Day=tuesday@192.168.1.10", 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
}

static void trap_24_a_sole_entry_may_be_rewritten(void **state)
{
	(void)state;
	assert_int_equal(granted(contact_of(PRIVATE, 600), contact_of(ELSEWHERE, 300)), 300);
	assert_int_equal(granted(instance_of(PRIVATE, UUID_A, 1, 600), contact_of(ELSEWHERE, 300)),
			 300);
	assert_int_equal(granted(instance_of(PRIVATE, UUID_A, 1, 600),
				 instance_of(ELSEWHERE, UUID_B, 1, 300)),
			 0);
}

static void trap_24_a_sole_entry_counts_for_a_sole_contact_only(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&request, contact_of("sip:alice@192.168.1.10:5063", UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 300));
	assert_int_equal(granted_at(&request, &response, 0), 0);
	assert_int_equal(granted_at(&request, &response, 1), 0);
}

static void trap_24_a_contact_rewritten_to_the_wire_address_is_known(void **state)
{
	static const char *const others[] = {
		"sip:bob@198.51.100.7:40001",
		"sip:alice@198.51.100.7:40002",
		"sip:alice@198.51.100.7",
		"sip:alice@198.51.100.8:40001",
	};
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		add_contact(&response, contact_of(others[i], 1000));
	assert_int_equal(granted_at(&request, &response, 0), 0);
	add_contact(&response, contact_of(PUBLIC, 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
}

static void trap_31_entries_are_told_apart_by_their_reg_id(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, instance_of(PRIVATE, UUID_A, 2, UNSTATED));
	add_contact(&response, instance_of(PRIVATE, UUID_A, 1, 100));
	add_contact(&response, instance_of(PRIVATE, UUID_B, 2, 200));
	add_contact(&response, instance_of(ELSEWHERE, UUID_A, 2, 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
}

static void a_registrar_may_drop_instance_and_reg_id(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, instance_of(PRIVATE, UUID_A, 1, UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	add_contact(&response, contact_of(PRIVATE, 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
	response.contacts[1] = instance_of(PRIVATE, UUID_A, 0, 400);
	assert_int_equal(granted_at(&request, &response, 0), 400);
}

static void an_answer_may_list_no_contact_at_all(void **state)
{
	struct facts request = asks("call", 1, UNSTATED), response = answers(200, UNSTATED);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, 600));
	add_contact(&request, contact_of(ELSEWHERE, 0));
	assert_int_equal(granted_at(&request, &response, 0), 600);
	assert_int_equal(granted_at(&request, &response, 1), 0);
	response.expires = 120;
	assert_int_equal(granted_at(&request, &response, 0), 120);
	assert_int_equal(granted_at(&request, &response, 1), 0);
}

static void trap_24_an_answer_that_lists_others_only_took_none(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, 600);

	(void)state;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	add_contact(&response, contact_of("sip:alice@203.0.113.10", 1000));
	assert_int_equal(granted_at(&request, &response, 0), 0);
}

/* A registrar that writes one Contact header for each device; this device's is behind the cut. */
static void trap_41_a_contact_behind_the_cut_does_not_end(void **state)
{
	struct facts request = asks("call", 1, UNSTATED), response = answers(200, UNSTATED);

	(void)state;
	response.incomplete = true;
	add_contact(&request, contact_of(PRIVATE, 600));
	assert_int_equal(granted_at(&request, &response, 0), 600);
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	add_contact(&response, contact_of("sip:alice@203.0.113.10", 1000));
	assert_int_equal(granted_at(&request, &response, 0), 600);
	response.expires = 120;
	assert_int_equal(granted_at(&request, &response, 0), 120);
}

static void trap_24_a_sole_entry_before_the_cut_is_not_the_only_one(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	response.incomplete = true;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	assert_int_equal(granted_at(&request, &response, 0), 600);
}

static void trap_24_an_entry_before_the_cut_counts(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, 120);

	(void)state;
	response.incomplete = true;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(ELSEWHERE, 1000));
	add_contact(&response, contact_of(PRIVATE, 300));
	assert_int_equal(granted_at(&request, &response, 0), 300);
	request.contacts[0].expires = 0;
	assert_int_equal(granted_at(&request, &response, 0), 0);
}

static void trap_28_a_stale_entry_before_the_cut_hides_no_living_one(void **state)
{
	struct facts request = asks("call", 1, 600), response = answers(200, UNSTATED);

	(void)state;
	response.incomplete = true;
	add_contact(&request, contact_of(PRIVATE, UNSTATED));
	add_contact(&response, contact_of(PRIVATE, 0));
	assert_int_equal(granted_at(&request, &response, 0), 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_26_the_parameter_beats_the_header_and_the_answer_the_request),
		cmocka_unit_test(a_lifetime_has_an_upper_limit),
		cmocka_unit_test(trap_28_what_the_device_removes_ends_whatever_the_answer_says),
		cmocka_unit_test(trap_28_a_stale_entry_ends_its_contact),
		cmocka_unit_test(trap_28_a_stale_entry_hides_no_living_one),
		cmocka_unit_test(trap_24_only_the_matching_contact_counts),
		cmocka_unit_test(trap_24_uris_are_compared_as_sip_does),
		cmocka_unit_test(trap_29_a_semicolon_may_be_part_of_the_user),
		cmocka_unit_test(trap_24_a_sole_entry_may_be_rewritten),
		cmocka_unit_test(trap_24_a_sole_entry_counts_for_a_sole_contact_only),
		cmocka_unit_test(trap_24_a_contact_rewritten_to_the_wire_address_is_known),
		cmocka_unit_test(trap_31_entries_are_told_apart_by_their_reg_id),
		cmocka_unit_test(a_registrar_may_drop_instance_and_reg_id),
		cmocka_unit_test(an_answer_may_list_no_contact_at_all),
		cmocka_unit_test(trap_24_an_answer_that_lists_others_only_took_none),
		cmocka_unit_test(trap_41_a_contact_behind_the_cut_does_not_end),
		cmocka_unit_test(trap_24_a_sole_entry_before_the_cut_is_not_the_only_one),
		cmocka_unit_test(trap_24_an_entry_before_the_cut_counts),
		cmocka_unit_test(trap_28_a_stale_entry_before_the_cut_hides_no_living_one),
	};

	return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
