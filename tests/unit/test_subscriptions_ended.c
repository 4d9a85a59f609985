/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/subscriptions: what ends a subscription, what does not, and what begins it no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "subscriptions_world.h"

static struct flow flow_of_stranger(void)
{
	struct flow flow = flow_from(PORT);

	flow.remote_addr[15] ^= 1;
	return flow;
}

/* Alice's SUBSCRIBE of this CSeq, seen at seen_ns, is accepted. */
static void accept_seen(struct world *world, uint32_t cseq, uint64_t seen_ns)
{
	struct facts request = subscribes(cseq, "presence", 3600);

	answer_at(world, SIGHTING_FROM_DEVICE, PORT, &request, seen_ns, 200, 3600);
}

static void refuse(struct world *world, uint16_t port, uint32_t cseq, uint16_t status)
{
	struct facts request = subscribes(cseq, "presence", 3600);

	answer_at(world, SIGHTING_FROM_DEVICE, port, &request, world->now_ns, status, 3600);
}

static void trap_33_a_notify_that_overtakes_the_2xx_ends_what_it_would_begin(void **state)
{
	struct world *world = *state;
	uint64_t asked_ns = world->now_ns;

	notify_alice(world, "presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_int_equal(world->change_count, 0);
	accept_seen(world, 1, asked_ns);
	assert_int_equal(world->change_count, 0);
	accept_seen(world, 1, world->now_ns); /* it is repeated, and so is its 2xx */
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscriptions_count(world->subscriptions), 0);
	accept_seen(world, 2, world->now_ns);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void trap_33_a_repeated_2xx_begins_nothing_anew(void **state)
{
	struct world *world = *state;

	accept_seen(world, 7, world->now_ns);
	notify_alice(world, NULL, SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_change(world, BINDING_ENDS, REASON_subscription_terminated);
	accept_seen(world, 7, world->now_ns + 1);
	assert_int_equal(world->change_count, 0);
	accept_seen(world, 8, world->now_ns - 2 * NS_PER_S); /* it was on its way */
	assert_int_equal(world->change_count, 0);
	accept_seen(world, 9, world->now_ns + 1);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void trap_33_who_has_unsubscribed_is_not_subscribed_by_what_he_asked_before(void **state)
{
	struct world *world = *state;
	uint64_t asked_ns = world->now_ns;

	subscribe(world, PORT, 1, "presence", 600);
	subscribe(world, PORT, 3, "presence", 0);
	assert_change(world, BINDING_ENDS, REASON_unsubscribed);
	accept_seen(world, 2, world->now_ns + 1);
	assert_int_equal(world->change_count, 0);
	accept_seen(world, 4, asked_ns); /* right after the other, before that was answered */
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void what_has_ended_is_forgotten_in_time(void **state)
{
	struct world *world = *state;

	notify_alice(world, "presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	notify_alice(world, "dialog", SUBSCRIPTION_LIVE, 60);
	world->now_ns += TRANSACTION_LIFETIME_NS - NS_PER_S;
	accept_seen(world, 1, 1);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void one_that_ended_leaves_the_others_alone(void **state)
{
	struct world *world = *state;
	uint64_t asked_ns = world->now_ns;
	struct facts request = subscribes(1, "presence", 600);

	notify_alice(world, "dialog", SUBSCRIPTION_TERMINATED, UNSTATED);
	accept_seen(world, 1, asked_ns);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
	notify_alice(world, "presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	request.event_id = SPAN("7");
	answer_at(world, SIGHTING_FROM_DEVICE, PORT, &request, asked_ns, 200, 600);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void trap_44_a_flood_of_endings_takes_bounded_memory(void **state)
{
	struct world *world = *state;
	struct facts facts = notifies("presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	struct flow flow = flow_from(PORT);
	char call_id[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(call_id, sizeof(call_id), "flood%d", i);
		facts.call_id = span_of(call_id);
		assert_int_equal(subscriptions_notified(world->subscriptions, &flow,
							SIGHTING_TO_DEVICE, &facts, world->now_ns,
							&world->change),
				 0);
	}
	accept_seen(world, 1, world->now_ns);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void trap_44_a_notify_of_a_stranger_changes_nothing(void **state)
{
	struct world *world = *state;
	struct flow stranger = flow_of_stranger(), other_port = flow_from(40009);
	struct facts facts = notifies("presence", SUBSCRIPTION_TERMINATED, UNSTATED);

	subscribe(world, PORT, 1, "presence", 600);
	notify_on(world, &stranger, SIGHTING_TO_DEVICE, &facts);
	assert_int_equal(world->change_count, 0);
	facts.subscription_state = SUBSCRIPTION_LIVE;
	facts.subscription_expires = 1;
	notify_on(world, &stranger, SIGHTING_TO_DEVICE, &facts);
	assert_int_equal(world->change_count, 0);
	facts.subscription_state = SUBSCRIPTION_TERMINATED;
	notify_on(world, &other_port, SIGHTING_TO_DEVICE, &facts);
	assert_change(world, BINDING_ENDS, REASON_subscription_terminated);
}

/* Nor is what somebody else is told about the subscriptions of who is here. */
static void trap_44_a_stranger_ends_nothing_ahead(void **state)
{
	struct world *world = *state;
	struct flow stranger = flow_of_stranger();
	struct facts facts = notifies("presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	uint64_t asked_ns = world->now_ns;

	notify_on(world, &stranger, SIGHTING_TO_DEVICE, &facts);
	accept_seen(world, 1, asked_ns);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
}

static void a_481_ends_a_subscription_on_its_own_path(void **state)
{
	struct world *world = *state;

	subscribe(world, PORT, 5, "presence", 600);
	refuse(world, PORT, 6, 403);
	assert_int_equal(world->change_count, 0);
	refuse(world, 40009, 6, 481);
	assert_int_equal(world->change_count, 0);
	refuse(world, PORT, 5, 481);
	assert_int_equal(world->change_count, 0);
	refuse(world, PORT, 6, 481);
	assert_change(world, BINDING_ENDS, REASON_subscription_gone);
	refuse(world, PORT, 7, 481);
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscriptions_count(world->subscriptions), 0);
}

/* The phone is behind another proxy, which passes on what it says. */
static void trap_32_what_a_proxy_passed_on_renews_a_subscription_and_no_more(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(1, "presence", 600);

	request.via_count = 2;
	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, 600);
	assert_int_equal(world->change_count, 0);
	subscribe(world, PORT, 2, "presence", 600);
	request.cseq = 3;
	request.contacts[0] = contact_of("sip:alice@198.51.100.7:40001", UNSTATED);
	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, 900);
	assert_change(world, BINDING_RENEWED, REASON_subscribed);
	assert_true(span_equal(latest(world)->binding.target, SPAN(PHONE)));
	request.cseq = 4;
	accept_at(world, SIGHTING_FROM_DEVICE, 40009, &request, 900);
	assert_int_equal(world->change_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(trap_33_a_notify_that_overtakes_the_2xx_ends_what_it_would_begin),
		WORLD_TEST(trap_33_a_repeated_2xx_begins_nothing_anew),
		WORLD_TEST(trap_33_who_has_unsubscribed_is_not_subscribed_by_what_he_asked_before),
		WORLD_TEST(what_has_ended_is_forgotten_in_time),
		WORLD_TEST(one_that_ended_leaves_the_others_alone),
		WORLD_TEST(trap_44_a_flood_of_endings_takes_bounded_memory),
		WORLD_TEST(trap_44_a_notify_of_a_stranger_changes_nothing),
		WORLD_TEST(trap_44_a_stranger_ends_nothing_ahead),
		WORLD_TEST(a_481_ends_a_subscription_on_its_own_path),
		WORLD_TEST(trap_32_what_a_proxy_passed_on_renews_a_subscription_and_no_more),
	};

	return cmocka_run_group_tests_name("subscriptions, ended", tests, NULL, NULL);
}
