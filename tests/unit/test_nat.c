/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/nat: who is taken to be behind a NAT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "register_facts.h"
#include "state/nat.h"

static struct facts says(const char *sent_by, uint16_t sent_by_port, const char *contact)
{
	struct facts facts = asks("call", 1, 60);

	facts.sent_by = span_of(sent_by);
	facts.sent_by_port = sent_by_port;
	if (contact)
		add_contact(&facts, contact_of(contact, UNSTATED));
	return facts;
}

static void who_says_where_he_is_is_not_behind_a_nat(void **state)
{
	struct flow flow = flow_from(40001);
	struct facts facts = says("198.51.100.7", 40001, "sip:a@198.51.100.7:40001");

	(void)state;
	assert_false(nat_between(&flow, &facts));
	facts = says("198.51.100.7", 40001, NULL);
	assert_false(nat_between(&flow, &facts));
}

static void another_address_or_port_is_a_nats(void **state)
{
	struct flow flow = flow_from(40001);
	const struct facts facts[] = {
		says("192.168.1.10", 40001, "sip:a@198.51.100.7:40001"),
		says("198.51.100.7", 5062, "sip:a@198.51.100.7:40001"),
		says("198.51.100.7", 0, "sip:a@198.51.100.7:40001"),
		says("198.51.100.7", 40001, "sip:a@192.168.1.10:40001"),
		says("198.51.100.7", 40001, "sip:a@198.51.100.7:5062"),
		says("198.51.100.7", 40001, "sip:a@198.51.100.7"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		assert_true(nat_between(&flow, &facts[i]));
}

static void no_port_is_the_default_one(void **state)
{
	struct flow flow = flow_from(5060);
	struct facts facts = says("198.51.100.7", 0, "sip:a@198.51.100.7");

	(void)state;
	assert_false(nat_between(&flow, &facts));
}

static void every_contact_counts(void **state)
{
	struct flow flow = flow_from(40001);
	struct facts facts = says("198.51.100.7", 40001, "sip:a@198.51.100.7:40001");

	(void)state;
	add_contact(&facts, contact_of("sip:a@192.168.1.10:40001", UNSTATED));
	assert_true(nat_between(&flow, &facts));
}

static void a_name_or_nothing_leaves_it_open(void **state)
{
	struct flow flow = flow_from(40001);
	struct facts by_name = says("198.51.100.7", 40001, "sip:a@phone.example.com:40001");
	struct facts telephone = says("198.51.100.7", 40001, NULL);
	struct facts silent = answers(180, UNSTATED);

	(void)state;
	assert_true(nat_between(&flow, &by_name));
	add_contact(&telephone, (struct facts_contact){ .uri = SPAN("tel:+4930123456") });
	assert_true(nat_between(&flow, &telephone));
	assert_true(nat_between(&flow, &silent));
}

static void ports_of_a_connection_say_nothing(void **state)
{
	struct flow flow = flow_from(40001);
	struct facts facts = says("198.51.100.7", 5062, "sip:a@198.51.100.7:5062");

	(void)state;
	flow.transport = FLOW_TCP;
	assert_false(nat_between(&flow, &facts));
	facts = says("192.168.1.10", 40001, "sip:a@198.51.100.7:40001");
	assert_true(nat_between(&flow, &facts));
}

/* The topmost Via of a response is the server's own. */
static void of_a_response_the_contact_alone_is_the_devices(void **state)
{
	struct flow flow = flow_from(40001);
	struct facts facts = answers(200, UNSTATED);

	(void)state;
	facts.sent_by = SPAN("192.0.2.1");
	add_contact(&facts, contact_of("sip:a@198.51.100.7:40001", UNSTATED));
	assert_false(nat_between(&flow, &facts));
}

static void addresses_of_both_families_compare(void **state)
{
	struct flow flow = { .remote_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
			     .remote_port = 5060,
			     .transport = FLOW_UDP };
	struct facts facts = says("2001:db8::1", 0, NULL);

	(void)state;
	assert_false(nat_between(&flow, &facts));
	facts.sent_by = SPAN("2001:DB8:0::0:1");
	assert_false(nat_between(&flow, &facts));
	facts.sent_by = SPAN("fd00::1");
	assert_true(nat_between(&flow, &facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_where_he_is_is_not_behind_a_nat),
		cmocka_unit_test(another_address_or_port_is_a_nats),
		cmocka_unit_test(no_port_is_the_default_one),
		cmocka_unit_test(every_contact_counts),
		cmocka_unit_test(a_name_or_nothing_leaves_it_open),
		cmocka_unit_test(ports_of_a_connection_say_nothing),
		cmocka_unit_test(of_a_response_the_contact_alone_is_the_devices),
		cmocka_unit_test(addresses_of_both_families_compare),
	};

	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
