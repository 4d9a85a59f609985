/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subscriptions_world.h - a phone that subscribes, the server that notifies it, and the paths
 * between them, for tests of the subscriptions. Include cmocka first.
 */
#ifndef TESTS_UNIT_SUBSCRIPTIONS_WORLD_H
#define TESTS_UNIT_SUBSCRIPTIONS_WORLD_H

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "register_facts.h"
#include "state/paths.h"
#include "state/subscriptions.h"

#define LIMIT 100
#define PORT 40001
#define PHONE "sip:alice@192.168.1.10:5062"

struct world {
	struct counts counts;
	struct paths *paths;
	struct subscriptions *subscriptions;
	struct binding_change change;
	size_t change_count;
	uint64_t now_ns; /* a second passes with every message */
};

static inline int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->paths = paths_new(LIMIT);
	world->subscriptions = subscriptions_new(LIMIT, &world->counts);
	world->now_ns = 1000 * NS_PER_S;
	*state = world;
	return world->paths && world->subscriptions ? 0 : -1;
}

static inline int close_world(void **state)
{
	struct world *world = *state;

	subscriptions_free(world->subscriptions);
	paths_free(world->paths);
	free(world);
	return 0;
}

/* Carries the change on, as the pipeline does. */
static inline void apply(struct world *world)
{
	struct binding *binding = world->change.binding;
	struct path *path;

	if (world->change_count == 0 || world->change.kind == BINDING_RENEWED)
		return;
	if (binding->path)
		paths_detach(binding);
	if (world->change.kind == BINDING_ENDS) {
		subscriptions_forget(world->subscriptions, binding);
		return;
	}
	path = paths_find(world->paths, &world->change.flow);
	if (!path)
		path = paths_add(world->paths, &world->change.flow, world->now_ns);
	assert_non_null(path);
	paths_attach(path, binding);
}

/* Alice's SUBSCRIBE; her tag is "a". */
static inline struct facts subscribes(uint32_t cseq, const char *event, uint32_t expires)
{
	struct facts facts = {
		.is_request = true,
		.method = SIP_METHOD_SUBSCRIBE,
		.call_id = SPAN("call"),
		.cseq = cseq,
		.sent_by = SPAN("192.168.1.10"),
		.from_tag = SPAN("a"),
		.aor = SPAN("sip:bob@example.com"),
		.from_aor = SPAN("sip:alice@example.com"),
		.event = span_of(event),
		.expires = expires,
	};

	add_contact(&facts, contact_of(PHONE, UNSTATED));
	return facts;
}

/* A SUBSCRIBE that was seen at seen_ns is answered with this status. */
static inline void answer_at(struct world *world, enum sighting_direction direction, uint16_t port,
			     const struct facts *request, uint64_t seen_ns, uint16_t status,
			     uint32_t granted)
{
	const struct transaction transaction = {
		.flow = flow_from(port),
		.direction = direction,
		.seen_ns = seen_ns,
		.facts = request,
	};
	struct facts response = {
		.method = SIP_METHOD_SUBSCRIBE,
		.status = status,
		.to_tag = SPAN("b"),
		.expires = granted,
	};

	add_contact(&response, contact_of("sip:bob@10.0.0.9", UNSTATED));
	world->now_ns += NS_PER_S;
	world->change_count = subscriptions_answered(world->subscriptions, &transaction, &response,
						     world->now_ns, &world->change);
	apply(world);
}

static inline void accept_at(struct world *world, enum sighting_direction direction, uint16_t port,
			     const struct facts *request, uint32_t granted)
{
	answer_at(world, direction, port, request, world->now_ns + NS_PER_MS, 202, granted);
}

static inline void subscribe(struct world *world, uint16_t port, uint32_t cseq, const char *event,
			     uint32_t granted)
{
	struct facts request = subscribes(cseq, event, 3600);

	accept_at(world, SIGHTING_FROM_DEVICE, port, &request, granted);
}

/* The server's NOTIFY to Alice. */
static inline struct facts notifies(const char *event, enum subscription_state subscription_state,
				    uint32_t expires)
{
	return (struct facts){
		.is_request = true,
		.method = SIP_METHOD_NOTIFY,
		.call_id = SPAN("call"),
		.cseq = 1,
		.from_tag = SPAN("b"),
		.to_tag = SPAN("a"),
		.event = span_of(event),
		.subscription_state = subscription_state,
		.subscription_expires = expires,
	};
}

static inline void notify_on(struct world *world, const struct flow *flow,
			     enum sighting_direction direction, const struct facts *facts)
{
	world->now_ns += NS_PER_S;
	world->change_count = subscriptions_notified(world->subscriptions, flow, direction, facts,
						     world->now_ns, &world->change);
	apply(world);
}

static inline void notify(struct world *world, enum sighting_direction direction,
			  const struct facts *facts)
{
	struct flow flow = flow_from(PORT);

	notify_on(world, &flow, direction, facts);
}

static inline void notify_alice(struct world *world, const char *event,
				enum subscription_state subscription_state, uint32_t expires)
{
	struct facts facts = notifies(event, subscription_state, expires);

	notify(world, SIGHTING_TO_DEVICE, &facts);
}

static inline void assert_change(const struct world *world, enum binding_change_kind kind,
				 enum binding_reason reason)
{
	assert_int_equal(world->change_count, 1);
	assert_int_equal(world->change.kind, kind);
	assert_int_equal(world->change.reason, reason);
}

static inline const struct subscription *latest(const struct world *world)
{
	return subscription_of(world->change.binding);
}

static inline uint64_t counted(const struct world *world, enum agent_counter counter)
{
	return world->counts.value[counter];
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

#endif
