/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/subscriptions: what accepted SUBSCRIBEs, and NOTIFYs, begin, renew and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "subscriptions_world.h"

static void trap_33_a_subscription_begins_is_renewed_and_ends(void **state)
{
	struct world *world = *state;
	const struct subscription *subscription;

	subscribe(world, PORT, 1, "presence", 600);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
	subscription = latest(world);
	assert_int_equal(subscription->binding.kind, BINDING_SUBSCRIPTION);
	assert_int_equal(subscription->binding.expiry, REASON_subscription_expired);
	assert_int_equal(subscription->binding.ends_ns, world->now_ns + 600 * NS_PER_S);
	assert_true(subscription->binding.behind_nat);
	assert_true(span_equal(subscription->binding.target, SPAN(PHONE)));
	assert_true(span_equal(subscription->binding.aor, SPAN("sip:alice@example.com")));
	assert_true(span_equal(subscription->call_id, SPAN("call")));
	assert_true(span_equal(subscription->event, SPAN("presence")));
	assert_null(subscription->event_id.at);
	assert_int_equal(path_state(subscription->binding.path), PATH_REGISTERED);

	subscribe(world, PORT, 2, "presence", 900);
	assert_change(world, BINDING_RENEWED, REASON_subscribed);
	assert_ptr_equal(latest(world), subscription);
	assert_int_equal(subscription->binding.ends_ns, world->now_ns + 900 * NS_PER_S);

	subscribe(world, PORT, 3, "presence", 0);
	assert_change(world, BINDING_ENDS, REASON_unsubscribed);
	assert_int_equal(subscriptions_count(world->subscriptions), 0);
	assert_int_equal(counted(world, COUNT_subscribes_accepted), 3);
	assert_int_equal(counted(world, COUNT_bindings_begun), 1);
	assert_int_equal(counted(world, COUNT_bindings_renewed), 1);
	assert_int_equal(counted(world, COUNT_bindings_ended), 1);
}

static void trap_33_the_2xx_says_how_long(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(2, "presence", UNSTATED);

	subscribe(world, PORT, 1, "presence", UNSTATED);
	assert_non_null(latest(world));
	assert_int_equal(latest(world)->binding.ends_ns, world->now_ns + 3600 * NS_PER_S);
	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, UNSTATED);
	assert_int_equal(latest(world)->binding.ends_ns,
			 world->now_ns + SUBSCRIPTION_LIFETIME_DEFAULT_S * NS_PER_S);
	subscribe(world, PORT, 3, "presence", UNSTATED - 1);
	assert_int_equal(latest(world)->binding.ends_ns,
			 world->now_ns + SUBSCRIPTION_LIFETIME_MAX_S * NS_PER_S);
}

static void trap_33_a_fetch_begins_nothing(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(1, "presence", 0);

	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, 0);
	assert_int_equal(world->change_count, 0);
	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, UNSTATED);
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscriptions_count(world->subscriptions), 0);
}

static void trap_27_an_older_subscribe_changes_nothing(void **state)
{
	struct world *world = *state;

	subscribe(world, PORT, 5, "presence", 600);
	subscribe(world, 40009, 5, "presence", 600);
	assert_int_equal(world->change_count, 0);
	subscribe(world, PORT, 4, "presence", 0);
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscriptions_count(world->subscriptions), 1);
}

static void only_a_2xx_accepts(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(1, "presence", 600);
	struct facts response = { .status = 403, .to_tag = SPAN("b"), .expires = 600 };
	const struct transaction transaction = { .flow = flow_from(PORT), .facts = &request };

	assert_int_equal(subscriptions_answered(world->subscriptions, &transaction, &response,
						world->now_ns, &world->change),
			 0);
	response.status = 200;
	request.from_tag = (struct span){ NULL, 0 };
	assert_int_equal(subscriptions_answered(world->subscriptions, &transaction, &response,
						world->now_ns, &world->change),
			 0);
	assert_int_equal(counted(world, COUNT_subscribes_accepted), 0);
}

static void a_refresh_over_another_path_moves_it(void **state)
{
	struct world *world = *state;

	subscribe(world, PORT, 1, "presence", 600);
	subscribe(world, 40009, 2, "presence", 600);
	assert_change(world, BINDING_MOVED, REASON_subscription_moved);
	assert_int_equal(latest(world)->binding.path->flow.remote_port, 40009);
	assert_int_equal(subscriptions_count(world->subscriptions), 1);
}

static void one_that_is_on_no_path_begins_again(void **state)
{
	struct world *world = *state;

	subscribe(world, PORT, 1, "presence", 600);
	paths_detach(world->change.binding);
	notify_alice(world, "presence", SUBSCRIPTION_LIVE, 60);
	assert_int_equal(world->change_count, 0);
	subscribe(world, PORT, 2, "presence", 600);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
	assert_int_equal(subscriptions_count(world->subscriptions), 1);
}

static void trap_33_packages_and_their_ids_are_told_apart(void **state)
{
	struct world *world = *state;
	struct facts with_id = subscribes(3, "presence", 600);

	with_id.event_id = SPAN("7");
	subscribe(world, PORT, 1, "presence", 600);
	subscribe(world, PORT, 2, "message-summary", 600);
	accept_at(world, SIGHTING_FROM_DEVICE, PORT, &with_id, 600);
	assert_int_equal(subscriptions_count(world->subscriptions), 3);
	assert_int_equal(latest(world)->binding.path->binding_counts[BINDING_SUBSCRIPTION], 3);
	notify_alice(world, "message-summary", SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_change(world, BINDING_ENDS, REASON_subscription_terminated);
	assert_int_equal(subscriptions_count(world->subscriptions), 2);
	notify_alice(world, "Presence", SUBSCRIPTION_TERMINATED, UNSTATED); /* byte by byte */
	assert_int_equal(world->change_count, 0);
	notify_alice(world, "dialog", SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_int_equal(world->change_count, 0);
}

static void trap_33_a_notify_shortens_and_never_lengthens(void **state)
{
	struct world *world = *state;
	const struct subscription *subscription;
	uint64_t ends_ns;

	subscribe(world, PORT, 1, "presence", 600);
	subscription = latest(world);
	notify_alice(world, "presence", SUBSCRIPTION_LIVE, 60);
	assert_change(world, BINDING_RENEWED, REASON_subscribed);
	ends_ns = world->now_ns + 60 * NS_PER_S;
	assert_int_equal(subscription->binding.ends_ns, ends_ns);
	assert_true(path_first_end_ns(subscription->binding.path) <= ends_ns);
	notify_alice(world, "presence", SUBSCRIPTION_LIVE, 3600);
	assert_int_equal(world->change_count, 0);
	notify_alice(world, "presence", SUBSCRIPTION_UNSTATED, UNSTATED);
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscription->binding.ends_ns, ends_ns);
}

static void a_notify_without_event_is_about_the_only_one(void **state)
{
	struct world *world = *state;

	subscribe(world, PORT, 1, "presence", 600);
	subscribe(world, PORT, 2, "dialog", 600);
	notify_alice(world, NULL, SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_int_equal(world->change_count, 0);
	notify_alice(world, "dialog", SUBSCRIPTION_TERMINATED, UNSTATED);
	notify_alice(world, NULL, SUBSCRIPTION_TERMINATED, UNSTATED);
	assert_change(world, BINDING_ENDS, REASON_subscription_terminated);
	assert_int_equal(subscriptions_count(world->subscriptions), 0);
}

static void the_notify_of_another_ends_nothing(void **state)
{
	struct world *world = *state;
	struct facts facts = notifies("presence", SUBSCRIPTION_TERMINATED, UNSTATED);

	subscribe(world, PORT, 1, "presence", 600);
	notify(world, SIGHTING_FROM_DEVICE, &facts); /* its own tag would be "b" */
	assert_int_equal(world->change_count, 0);
	facts.to_tag = (struct span){ NULL, 0 };
	facts.event = (struct span){ NULL, 0 };
	notify(world, SIGHTING_TO_DEVICE, &facts);
	assert_int_equal(world->change_count, 0);
	facts = notifies("presence", SUBSCRIPTION_TERMINATED, UNSTATED);
	facts.call_id = SPAN("another");
	notify(world, SIGHTING_TO_DEVICE, &facts);
	assert_int_equal(world->change_count, 0);
}

/* The server subscribes at a device, which is the notifier. */
static void trap_33_a_device_may_be_the_notifier(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(1, "dialog", 600);
	struct facts facts = notifies("dialog", SUBSCRIPTION_TERMINATED, UNSTATED);

	accept_at(world, SIGHTING_TO_DEVICE, PORT, &request, 600);
	assert_change(world, BINDING_BEGINS, REASON_subscribed);
	assert_true(span_equal(latest(world)->device_tag, SPAN("b")));
	assert_true(span_equal(latest(world)->binding.aor, SPAN("sip:bob@example.com")));
	assert_true(span_equal(latest(world)->binding.target, SPAN("sip:bob@10.0.0.9")));
	notify(world, SIGHTING_FROM_DEVICE, &facts);
	assert_change(world, BINDING_ENDS, REASON_subscription_terminated);
}

static void trap_44_so_many_for_one_call_id(void **state)
{
	struct world *world = *state;
	char event[16];

	for (uint32_t i = 0; i <= SUBSCRIPTIONS_PER_CALL_MAX; i++) {
		snprintf(event, sizeof(event), "e%u", i);
		subscribe(world, PORT, i + 1, event, 600);
	}
	assert_int_equal(world->change_count, 0);
	assert_int_equal(subscriptions_count(world->subscriptions), SUBSCRIPTIONS_PER_CALL_MAX);
	assert_int_equal(counted(world, COUNT_bindings_refused), 1);
	subscribe(world, PORT, 1000, "e0", 600);
	assert_change(world, BINDING_RENEWED, REASON_subscribed);
}

static void trap_44_so_many_in_all(void **state)
{
	struct world *world = *state;
	struct facts request = subscribes(1, "presence", 600);
	char call_id[16];

	for (uint32_t i = 0; i <= LIMIT; i++) {
		snprintf(call_id, sizeof(call_id), "call-%u", i);
		request.call_id = span_of(call_id);
		accept_at(world, SIGHTING_FROM_DEVICE, PORT, &request, 600);
	}
	assert_int_equal(subscriptions_count(world->subscriptions), LIMIT);
	assert_int_equal(counted(world, COUNT_bindings_refused), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(trap_33_a_subscription_begins_is_renewed_and_ends),
		WORLD_TEST(trap_33_the_2xx_says_how_long),
		WORLD_TEST(trap_33_a_fetch_begins_nothing),
		WORLD_TEST(trap_27_an_older_subscribe_changes_nothing),
		WORLD_TEST(only_a_2xx_accepts),
		WORLD_TEST(a_refresh_over_another_path_moves_it),
		WORLD_TEST(one_that_is_on_no_path_begins_again),
		WORLD_TEST(trap_33_packages_and_their_ids_are_told_apart),
		WORLD_TEST(trap_33_a_notify_shortens_and_never_lengthens),
		WORLD_TEST(a_notify_without_event_is_about_the_only_one),
		WORLD_TEST(the_notify_of_another_ends_nothing),
		WORLD_TEST(trap_33_a_device_may_be_the_notifier),
		WORLD_TEST(trap_44_so_many_for_one_call_id),
		WORLD_TEST(trap_44_so_many_in_all),
	};

	return cmocka_run_group_tests_name("subscriptions", tests, NULL, NULL);
}
