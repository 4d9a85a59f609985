/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "keep/caps.h"

#define START (1000 * NS_PER_S)
#define PATHS_MAX 100000
#define NO_TICKETS 0

#define ASKERS_MAX 5000
#define TICKET(level) ((uint8_t)(1U << (level)))

struct address {
	uint8_t bytes[16];
};

static struct address address(const char *text)
{
	struct address read;

	assert_int_equal(address_read(span_of(text), read.bytes), 0);
	return read;
}

static struct caps *new_caps(uint32_t per_address, uint32_t per_network, uint32_t per_host)
{
	struct caps_limits limits = { per_address, per_network, per_host };
	struct caps *caps = caps_new(&limits, PATHS_MAX);

	assert_non_null(caps);
	return caps;
}

static bool take(struct caps *caps, const struct address *to, uint64_t now_ns)
{
	enum caps_level by;

	return caps_take(caps, to->bytes, NO_TICKETS, now_ns, &by);
}

/* How many leave at one time when as many as ever may are wanted. */
static unsigned int take_all(struct caps *caps, const struct address *to, uint64_t now_ns)
{
	unsigned int taken = 0;

	while (take(caps, to, now_ns))
		taken++;
	return taken;
}

/* Wants one every millisecond, without ever queueing. */
static unsigned int take_for(struct caps *caps, const struct address *to, uint64_t from_ns,
			     uint64_t duration_ns)
{
	unsigned int taken = 0;

	for (uint64_t now_ns = from_ns; now_ns < from_ns + duration_ns; now_ns += NS_PER_MS)
		taken += take_all(caps, to, now_ns);
	return taken;
}

static void no_window_has_more_than_the_cap_a_tenth_and_one(void **state)
{
	static const uint32_t limits[] = { 1, 2, 9, 500, 100000 };
	struct address to = address("198.51.100.7");

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct caps *caps = new_caps(limits[i], 0, 0);
		unsigned int most = limits[i] + limits[i] / 10 + 1;

		assert_in_range(take_for(caps, &to, START, NS_PER_S), limits[i], most);
		assert_in_range(take_for(caps, &to, START + NS_PER_S, 10 * NS_PER_S),
				10 * limits[i] - 1, 10 * limits[i] + 1);
		/* A rest makes nothing grow beyond that. */
		assert_in_range(take_all(caps, &to, START + 3600 * NS_PER_S), 1,
				limits[i] / 10 + 1);
		caps_free(caps);
	}
}

static void without_a_cap_nothing_is_refused(void **state)
{
	struct caps *caps = new_caps(0, 0, 0);
	struct address to = address("198.51.100.7");

	(void)state;
	for (unsigned int i = 0; i < 1000000; i++)
		assert_true(take(caps, &to, START));
	caps_free(caps);
}

struct neighbours {
	const char *one, *other;
	bool same;
};

/* True if what is sent to the one counts for the other as well. */
static bool share_a_network(const struct neighbours *pair)
{
	struct caps *caps = new_caps(0, 1, 0);
	struct address one = address(pair->one), other = address(pair->other);
	bool shared;

	take_all(caps, &one, START);
	shared = !take(caps, &other, START);
	caps_free(caps);
	return shared;
}

static void a_network_is_a_24_of_ipv4_and_a_48_of_ipv6(void **state)
{
	static const struct neighbours pairs[] = {
		{ "198.51.100.0", "198.51.100.255", true },
		{ "198.51.100.0", "198.51.101.0", false },
		{ "2001:db8:7::1", "2001:db8:7:ffff:ffff:ffff:ffff:ffff", true },
		{ "2001:db8:7::1", "2001:db8:8::1", false },
		{ "0.0.0.1", "::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(share_a_network(&pairs[i]), pairs[i].same);
}

static void an_address_is_all_of_its_bits(void **state)
{
	struct caps *caps = new_caps(1, 0, 0);
	struct address one = address("198.51.100.6"), other = address("198.51.100.7");
	struct address six = address("2001:db8::6"), seven = address("2001:db8::7");

	(void)state;
	assert_int_equal(take_all(caps, &one, START), 1);
	assert_int_equal(take_all(caps, &other, START), 1);
	assert_int_equal(take_all(caps, &six, START), 1);
	assert_int_equal(take_all(caps, &seven, START), 1);
	caps_free(caps);
}

static void the_host_is_one_for_all_addresses(void **state)
{
	struct caps *caps = new_caps(0, 0, 10);
	struct address one = address("198.51.100.6"), other = address("2001:db8::7");
	enum caps_level by = CAPS_ADDRESS;

	(void)state;
	assert_int_equal(take_all(caps, &one, START), 2);
	assert_false(caps_take(caps, other.bytes, NO_TICKETS, START, &by));
	assert_int_equal(by, CAPS_HOST);
	caps_free(caps);
}

/* Otherwise the one that is used up would use up the others. */
static void what_one_cap_refuses_costs_the_others_nothing(void **state)
{
	struct caps *caps = new_caps(1, 100, 100);
	struct address one = address("198.51.100.6"), other = address("198.51.100.7");
	enum caps_level by = CAPS_HOST;

	(void)state;
	take_all(caps, &one, START);
	for (unsigned int i = 0; i < 10000; i++)
		assert_false(caps_take(caps, one.bytes, NO_TICKETS, START, &by));
	assert_int_equal(by, CAPS_ADDRESS);
	assert_true(take(caps, &other, START));
	caps_free(caps);
}

/* An attacker who spreads over as many networks as there are frees nobody's cap. */
static void a_million_addresses_later_a_cap_that_is_used_up_still_is(void **state)
{
	struct caps *caps = new_caps(10, 0, 0);
	struct address victim = address("198.51.100.7"), other = address("10.0.0.0");

	(void)state;
	take_all(caps, &victim, START);
	for (uint32_t i = 0; i < 1000000; i++) {
		other.bytes[13] = (uint8_t)(i >> 16);
		other.bytes[14] = (uint8_t)(i >> 8);
		other.bytes[15] = (uint8_t)i;
		take(caps, &other, START);
		assert_false(take(caps, &victim, START));
	}
	caps_free(caps);
}

/* As many as a threshold of a host whose paths are all used. */
static void addresses_that_share_places_hurt_nobody(void **state)
{
	struct caps *caps = new_caps(10, 0, 0);
	struct address to = address("10.0.0.0");
	unsigned int refused = 0;

	(void)state;
	for (uint32_t i = 0; i < PATHS_MAX; i++) {
		to.bytes[13] = (uint8_t)(i >> 16);
		to.bytes[14] = (uint8_t)(i >> 8);
		to.bytes[15] = (uint8_t)i;
		refused += !take(caps, &to, START + i * (24 * NS_PER_S / PATHS_MAX));
	}
	assert_int_equal(refused, 0);
	caps_free(caps);
}

/* Those that want a prompt each at one time, and where they are in their queue. */
struct asker {
	uint64_t again_ns;
	uint8_t tickets;
	uint64_t sent_ns;
};

/* Hands out turns in the order of time until all have had theirs; returns when the last had it. */
static uint64_t let_all_through(struct caps *caps, const struct address *to, struct asker *askers,
				size_t count)
{
	size_t left = count, tries = 0;
	uint64_t now_ns = START;

	while (left > 0) {
		size_t next = count;

		for (size_t i = 0; i < count; i++)
			if (askers[i].sent_ns == 0 &&
			    (next == count || askers[i].again_ns < askers[next].again_ns))
				next = i;
		if (askers[next].again_ns > now_ns)
			now_ns = askers[next].again_ns;
		assert_true(++tries <= 3 * count);
		enum caps_level by;
		if (caps_take(caps, to->bytes, askers[next].tickets, now_ns, &by)) {
			askers[next].sent_ns = now_ns;
			left--;
			continue;
		}
		askers[next].again_ns = caps_queue(caps, to->bytes, by, now_ns);
		askers[next].tickets |= TICKET(by);
		assert_true(askers[next].again_ns > now_ns);
	}
	return now_ns;
}

static void whoever_queues_gets_his_turn_in_the_order_of_asking(void **state)
{
	static struct asker askers[ASKERS_MAX];
	struct caps *caps = new_caps(500, 0, 0);
	struct address to = address("198.51.100.7");
	uint64_t last_ns;

	(void)state;
	for (size_t i = 0; i < ASKERS_MAX; i++)
		askers[i] = (struct asker){ .again_ns = START };
	last_ns = let_all_through(caps, &to, askers, ASKERS_MAX);
	assert_in_range(last_ns - START, 9 * NS_PER_S, 10 * NS_PER_S);
	for (size_t i = 1; i < ASKERS_MAX; i++)
		assert_true(askers[i].sent_ns >= askers[i - 1].sent_ns);
	caps_free(caps);
}

static void two_queues_after_each_other_starve_nobody(void **state)
{
	static struct asker askers[ASKERS_MAX];
	struct caps *caps = new_caps(1000, 900, 800);
	struct address to = address("2001:db8::7");

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		askers[i] = (struct asker){ .again_ns = START };
	assert_in_range(let_all_through(caps, &to, askers, 1000) - START, 1100 * NS_PER_MS,
			1400 * NS_PER_MS);
	caps_free(caps);
}

static void nobody_overtakes_those_who_queue(void **state)
{
	struct caps *caps = new_caps(1, 0, 0);
	struct address to = address("198.51.100.7");
	uint64_t ticket_ns;
	enum caps_level by;

	(void)state;
	take_all(caps, &to, START);
	ticket_ns = caps_queue(caps, to.bytes, CAPS_ADDRESS, START);
	assert_in_range(ticket_ns - START, 9 * NS_PER_S / 10, NS_PER_S);
	assert_false(take(caps, &to, ticket_ns));
	assert_true(caps_take(caps, to.bytes, TICKET(CAPS_ADDRESS), ticket_ns, &by));
	/* Nor does a ticket that has been used, or was slept through, let more through. */
	assert_false(caps_take(caps, to.bytes, TICKET(CAPS_ADDRESS), ticket_ns, &by));
	assert_true(take(caps, &to, ticket_ns + NS_PER_S));
	caps_free(caps);
}

static void the_largest_room_and_the_smallest_can_be_made(void **state)
{
	struct caps_limits limits = { 1, 1, 1 };
	struct address to = address("198.51.100.7");
	static const uint32_t sizes[] = { 0, 1, 1024, 16777216 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct caps *caps = caps_new(&limits, sizes[i]);

		assert_non_null(caps);
		assert_int_equal(take_all(caps, &to, START), 1);
		caps_free(caps);
	}
	caps_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_has_more_than_the_cap_a_tenth_and_one),
		cmocka_unit_test(without_a_cap_nothing_is_refused),
		cmocka_unit_test(a_network_is_a_24_of_ipv4_and_a_48_of_ipv6),
		cmocka_unit_test(an_address_is_all_of_its_bits),
		cmocka_unit_test(the_host_is_one_for_all_addresses),
		cmocka_unit_test(what_one_cap_refuses_costs_the_others_nothing),
		cmocka_unit_test(a_million_addresses_later_a_cap_that_is_used_up_still_is),
		cmocka_unit_test(addresses_that_share_places_hurt_nobody),
		cmocka_unit_test(whoever_queues_gets_his_turn_in_the_order_of_asking),
		cmocka_unit_test(two_queues_after_each_other_starve_nobody),
		cmocka_unit_test(nobody_overtakes_those_who_queue),
		cmocka_unit_test(the_largest_room_and_the_smallest_can_be_made),
	};

	return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
