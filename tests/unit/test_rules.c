/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules hold for which remote address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "keep/rules.h"

static const struct path_rules defaults = { .threshold_ns = 24 * NS_PER_S };

static struct rules_network network(const char *address, unsigned int prefix)
{
	struct rules_network network = { .prefix = (uint8_t)prefix };

	assert_int_equal(address_read(span_of(address), network.address), 0);
	return network;
}

/* A network that is told from others by its threshold, in seconds. */
static struct rules_network with_threshold(const char *address, unsigned int prefix,
					   uint64_t threshold_s)
{
	struct rules_network result = network(address, prefix);

	result.has_threshold = true;
	result.own.threshold_ns = threshold_s * NS_PER_S;
	return result;
}

static const struct path_rules *find(const struct rules *rules, const char *address)
{
	uint8_t bytes[16];

	assert_int_equal(address_read(span_of(address), bytes), 0);
	return rules_find(rules, bytes);
}

static uint64_t threshold_s(const struct rules *rules, const char *address)
{
	return find(rules, address)->threshold_ns / NS_PER_S;
}

static void without_networks_the_defaults_hold(void **state)
{
	struct rules rules;

	(void)state;
	rules_init(&rules, &defaults, NULL, 0);
	assert_int_equal(threshold_s(&rules, "198.51.100.7"), 24);
	assert_int_equal(threshold_s(&rules, "2001:db8::1"), 24);
}

static void a_network_ends_at_its_prefix(void **state)
{
	struct rules_network networks[] = {
		with_threshold("203.0.113.128", 96 + 25, 40),
		with_threshold("2001:db8:8000::", 33, 50),
		with_threshold("192.0.2.7", 128, 60),
	};
	struct rules rules;

	(void)state;
	rules_init(&rules, &defaults, networks, 3);
	assert_int_equal(threshold_s(&rules, "203.0.113.127"), 24);
	assert_int_equal(threshold_s(&rules, "203.0.113.128"), 40);
	assert_int_equal(threshold_s(&rules, "203.0.113.255"), 40);
	assert_int_equal(threshold_s(&rules, "203.0.114.128"), 24);
	assert_int_equal(threshold_s(&rules, "2001:db8:7fff::1"), 24);
	assert_int_equal(threshold_s(&rules, "2001:db8:8000::1"), 50);
	assert_int_equal(threshold_s(&rules, "2001:db8:ffff:ffff::1"), 50);
	assert_int_equal(threshold_s(&rules, "192.0.2.6"), 24);
	assert_int_equal(threshold_s(&rules, "192.0.2.7"), 60);
}

static void the_longest_prefix_wins_in_any_order(void **state)
{
	struct rules_network networks[] = {
		with_threshold("203.0.113.0", 96 + 24, 40),
		with_threshold("203.0.113.9", 128, 60),
		with_threshold("203.0.0.0", 96 + 16, 30),
		with_threshold("0.0.0.0", 96, 20),
		with_threshold("::", 0, 25),
	};
	struct rules rules;

	(void)state;
	for (unsigned int first = 0; first < 5; first++) {
		struct rules_network turned[5];

		for (unsigned int i = 0; i < 5; i++)
			turned[i] = networks[(first + i) % 5];
		rules_init(&rules, &defaults, turned, 5);
		assert_int_equal(threshold_s(&rules, "203.0.113.9"), 60);
		assert_int_equal(threshold_s(&rules, "203.0.113.8"), 40);
		assert_int_equal(threshold_s(&rules, "203.0.112.8"), 30);
		assert_int_equal(threshold_s(&rules, "8.8.8.8"), 20);
		assert_int_equal(threshold_s(&rules, "2001:db8::1"), 25);
	}
}

/* Nobody who writes ::/0 or ::/8 means 198.51.100.7, which is ::ffff:198.51.100.7 here. */
static void a_network_of_ipv6_contains_no_ipv4(void **state)
{
	struct rules_network all = with_threshold("::", 0, 40);
	struct rules_network nearly = with_threshold("::fffe:0:0", 95, 50);
	struct rules_network mapped = with_threshold("::ffff:0:0", 96, 60);
	struct rules rules;

	(void)state;
	rules_init(&rules, &defaults, (struct rules_network[]){ all, nearly }, 2);
	assert_int_equal(threshold_s(&rules, "198.51.100.7"), 24);
	assert_int_equal(threshold_s(&rules, "::fffe:1:1"), 50);
	assert_int_equal(threshold_s(&rules, "2001:db8::1"), 40);
	rules_init(&rules, &defaults, (struct rules_network[]){ all, nearly, mapped }, 3);
	assert_int_equal(threshold_s(&rules, "198.51.100.7"), 60);
	assert_int_equal(threshold_s(&rules, "2001:db8::1"), 40);
}

static void what_a_network_does_not_say_is_as_the_defaults_are(void **state)
{
	const struct path_rules all = { 30 * NS_PER_S, PROMPT_NOTIFY, RULES_NAT_AUTO, false };
	struct rules_network silent = network("203.0.113.0", 96 + 24);
	struct rules_network trunk = network("198.51.100.0", 96 + 24);
	const struct path_rules *found;
	struct rules rules;

	(void)state;
	trunk.own.ignored = true;
	trunk.has_method = true;
	trunk.own.method = PROMPT_CRLF;
	rules_init(&rules, &all, (struct rules_network[]){ silent, trunk }, 2);
	found = find(&rules, "203.0.113.1");
	assert_int_equal(found->threshold_ns, 30 * NS_PER_S);
	assert_int_equal(found->method, PROMPT_NOTIFY);
	assert_int_equal(found->nat, RULES_NAT_AUTO);
	assert_false(found->ignored);
	found = find(&rules, "198.51.100.1");
	assert_int_equal(found->method, PROMPT_CRLF);
	assert_int_equal(found->nat, RULES_NAT_AUTO);
	assert_true(found->ignored);
}

static void a_new_threshold_is_for_whoever_has_none_of_its_own(void **state)
{
	struct rules_network networks[] = {
		with_threshold("203.0.113.0", 96 + 24, 40),
		network("198.51.100.0", 96 + 24),
	};
	const struct path_rules *own, *inherited, *other;
	struct rules rules;

	(void)state;
	rules_init(&rules, &defaults, networks, 2);
	own = find(&rules, "203.0.113.1");
	inherited = find(&rules, "198.51.100.1");
	other = find(&rules, "192.0.2.1");
	rules_set_threshold(&rules, 15 * NS_PER_S);
	assert_int_equal(own->threshold_ns, 40 * NS_PER_S);
	assert_int_equal(inherited->threshold_ns, 15 * NS_PER_S);
	assert_int_equal(other->threshold_ns, 15 * NS_PER_S);
}

static void a_network_given_twice_is_the_later_one(void **state)
{
	struct rules_network networks[] = {
		with_threshold("203.0.113.0", 96 + 24, 40),
		with_threshold("203.0.112.0", 96 + 24, 41),
		with_threshold("203.0.113.0", 96 + 24, 50),
	};
	struct rules rules;

	(void)state;
	rules_init(&rules, &defaults, networks, 3);
	assert_int_equal(rules.count, 2);
	assert_int_equal(threshold_s(&rules, "203.0.113.1"), 50);
	assert_int_equal(threshold_s(&rules, "203.0.112.1"), 41);
}

static void as_many_networks_as_there_is_room_for(void **state)
{
	struct rules_network networks[RULES_NETWORKS_MAX + 1];
	struct rules rules;

	(void)state;
	for (unsigned int i = 0; i <= RULES_NETWORKS_MAX; i++) {
		networks[i] = with_threshold("203.0.113.0", 128, 30 + i);
		networks[i].address[15] = (uint8_t)i;
	}
	rules_init(&rules, &defaults, networks, RULES_NETWORKS_MAX + 1);
	assert_int_equal(rules.count, RULES_NETWORKS_MAX);
	assert_int_equal(threshold_s(&rules, "203.0.113.0"), 30);
	assert_int_equal(threshold_s(&rules, "203.0.113.63"), 93);
	assert_int_equal(threshold_s(&rules, "203.0.113.64"), 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_networks_the_defaults_hold),
		cmocka_unit_test(a_network_ends_at_its_prefix),
		cmocka_unit_test(the_longest_prefix_wins_in_any_order),
		cmocka_unit_test(a_network_of_ipv6_contains_no_ipv4),
		cmocka_unit_test(what_a_network_does_not_say_is_as_the_defaults_are),
		cmocka_unit_test(a_new_threshold_is_for_whoever_has_none_of_its_own),
		cmocka_unit_test(a_network_given_twice_is_the_later_one),
		cmocka_unit_test(as_many_networks_as_there_is_room_for),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
