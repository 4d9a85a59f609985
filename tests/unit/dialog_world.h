/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialog_world.h - a SIP server, the devices that call through it and the paths between
 * them, for tests of the dialogs. Include cmocka first.
 */
#ifndef TESTS_UNIT_DIALOG_WORLD_H
#define TESTS_UNIT_DIALOG_WORLD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "register_facts.h"
#include "state/dialogs.h"
#include "state/paths.h"

#define LIMIT 100
#define LINGER_NS (32 * NS_PER_S)
#define MAX_LIFETIME_NS (7200 * NS_PER_S)

#define ALICE_PORT 40001
#define BOB_PORT 40002
#define ALICE_URI "sip:alice@192.168.1.10:5062"
#define BOB_URI "sip:bob@192.168.1.11:5062"

struct world {
	struct counts counts;
	struct paths *paths;
	struct dialogs *dialogs;
	struct binding_change changes[DIALOG_CHANGES_MAX];
	size_t change_count;
	uint64_t now_ns; /* a second passes with every answer, and with every BYE */
};

static inline int open_world_with(void **state, const struct dialogs_options *options)
{
	struct world *world = calloc(1, sizeof(*world));
	struct dialogs_options own = *options;

	if (!world)
		return -1;
	own.counts = &world->counts;
	world->paths = paths_new(LIMIT);
	world->dialogs = dialogs_new(&own);
	world->now_ns = 1000 * NS_PER_S;
	*state = world;
	return world->paths && world->dialogs ? 0 : -1;
}

static inline int open_world(void **state)
{
	const struct dialogs_options options = {
		.limit = LIMIT,
		.linger_ns = LINGER_NS,
		.max_lifetime_ns = MAX_LIFETIME_NS,
	};

	return open_world_with(state, &options);
}

static inline int close_world(void **state)
{
	struct world *world = *state;

	dialogs_free(world->dialogs);
	paths_free(world->paths);
	free(world);
	return 0;
}

static inline struct path *path_at(struct world *world, const struct flow *flow)
{
	struct path *path = paths_find(world->paths, flow);

	if (!path)
		path = paths_add(world->paths, flow, world->now_ns);
	assert_non_null(path);
	return path;
}

/* Carries a change on, as the pipeline and the keeper do. */
static inline void apply(struct world *world, const struct binding_change *change)
{
	struct binding *binding = change->binding;

	switch (change->kind) {
	case BINDING_RENEWED:
		assert_non_null(binding->path);
		break;
	case BINDING_LINGERS:
		assert_non_null(binding->path);
		paths_set_kind(binding, BINDING_LINGERING);
		paths_set_end(binding, change->ends_ns);
		break;
	case BINDING_BEGINS:
	case BINDING_MOVED:
		if (binding->path)
			paths_detach(binding);
		paths_attach(path_at(world, &change->flow), binding);
		break;
	case BINDING_ENDS:
		if (binding->path)
			paths_detach(binding);
		dialogs_forget(world->dialogs, binding);
		break;
	}
}

/* An initial INVITE of Alice's to Bob; its branch is that of one hop. */
static inline struct facts invites(const char *call_id, const char *branch)
{
	struct facts facts = {
		.is_request = true,
		.method = SIP_METHOD_INVITE,
		.call_id = span_of(call_id),
		.cseq = 1,
		.branch = span_of(branch),
		.sent_by = SPAN("192.168.1.10"),
		.sent_by_port = 5062,
		.via_count = 1,
		.from_tag = SPAN("a"),
		.aor = SPAN("sip:bob@example.com"),
		.from_aor = SPAN("sip:alice@example.com"),
		.session_expires = UNSTATED,
		.expires = UNSTATED,
	};

	add_contact(&facts, contact_of(ALICE_URI, UNSTATED));
	return facts;
}

/* A request inside of the dialog, of the side whose tag is From's. */
static inline struct facts inside(enum sip_method method, uint32_t cseq, const char *from_tag,
				  const char *to_tag)
{
	struct facts facts = invites("call", "inside");

	facts.method = method;
	facts.cseq = cseq;
	facts.from_tag = span_of(from_tag);
	facts.to_tag = span_of(to_tag);
	if (from_tag[0] != 'a') {
		facts.from_aor = SPAN("sip:bob@example.com");
		facts.aor = SPAN("sip:alice@example.com");
		facts.contacts[0] = contact_of(BOB_URI, UNSTATED);
	}
	return facts;
}

/* Bob's response, whose tag may be one of several. */
static inline struct facts replies(uint16_t status, const char *to_tag)
{
	struct facts facts = {
		.method = SIP_METHOD_INVITE,
		.status = status,
		.to_tag = span_of(to_tag),
		.session_expires = UNSTATED,
		.expires = UNSTATED,
	};

	if (status < 300)
		add_contact(&facts, contact_of(BOB_URI, UNSTATED));
	return facts;
}

/* The request was seen at seen_ns. */
static inline void answer_seen(struct world *world, enum sighting_direction direction,
			       uint16_t port, const struct facts *request, uint64_t seen_ns,
			       const struct facts *response)
{
	const struct transaction transaction = {
		.flow = flow_from(port),
		.direction = direction,
		.seen_ns = seen_ns,
		.facts = request,
	};

	world->now_ns += NS_PER_S;
	world->change_count = dialogs_answered(world->dialogs, &transaction, response,
					       world->now_ns, world->changes);
	for (size_t i = 0; i < world->change_count; i++)
		apply(world, &world->changes[i]);
}

static inline void answer(struct world *world, enum sighting_direction direction, uint16_t port,
			  const struct facts *request, const struct facts *response)
{
	answer_seen(world, direction, port, request, world->now_ns + NS_PER_MS, response);
}

/* The server answers Alice's INVITE. */
static inline void answer_alice(struct world *world, uint16_t status, const char *to_tag)
{
	struct facts request = invites("call", "alice"), response = replies(status, to_tag);

	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
}

/* Bob answers the INVITE that the server passes on to him in this branch. */
static inline void bob_answers(struct world *world, uint16_t port, const char *branch,
			       uint16_t status, const char *to_tag)
{
	struct facts request = invites("call", branch), response = replies(status, to_tag);

	answer(world, SIGHTING_TO_DEVICE, port, &request, &response);
}

/* A request inside of the dialog is answered with this status. */
static inline void answer_inside(struct world *world, enum sighting_direction direction,
				 uint16_t port, const struct facts *request, uint16_t status)
{
	struct facts response = replies(status, NULL);

	response.method = request->method;
	response.to_tag = request->to_tag;
	if (response.contact_count > 0 && request->from_tag.at[0] != 'a')
		response.contacts[0] = contact_of(ALICE_URI, UNSTATED);
	answer(world, direction, port, request, &response);
}

static inline void bye_on(struct world *world, const struct flow *flow,
			  enum sighting_direction direction, const char *from_tag,
			  const char *to_tag)
{
	struct facts facts = inside(SIP_METHOD_BYE, 99, from_tag, to_tag);

	world->now_ns += NS_PER_S;
	world->change_count =
		dialogs_bye(world->dialogs, flow, direction, &facts, world->now_ns, world->changes);
	for (size_t i = 0; i < world->change_count; i++)
		apply(world, &world->changes[i]);
}

static inline void bye(struct world *world, uint16_t port, enum sighting_direction direction,
		       const char *from_tag, const char *to_tag)
{
	struct flow flow = flow_from(port);

	bye_on(world, &flow, direction, from_tag, to_tag);
}

static inline void ack_on(struct world *world, const struct flow *flow,
			  enum sighting_direction direction, const char *from_tag,
			  const char *to_tag)
{
	struct facts facts = inside(SIP_METHOD_ACK, 1, from_tag, to_tag);

	world->now_ns += NS_PER_S;
	world->change_count =
		dialogs_acknowledged(world->dialogs, flow, direction, &facts, world->changes);
	for (size_t i = 0; i < world->change_count; i++)
		apply(world, &world->changes[i]);
}

/* Alice acknowledges what she was answered with. */
static inline void alice_acks(struct world *world, uint16_t port, const char *to_tag)
{
	struct flow flow = flow_from(port);

	ack_on(world, &flow, SIGHTING_FROM_DEVICE, "a", to_tag);
}

static inline enum path_state state_at(const struct world *world, uint16_t port)
{
	struct flow flow = flow_from(port);
	const struct path *path = paths_find(world->paths, &flow);

	return path ? path_state(path) : PATH_IDLE;
}

/* The leg with this tag of the device's on the path from this port, or NULL. */
static inline const struct dialog *leg_at(const struct world *world, uint16_t port,
					  const char *device_tag, const char *peer_tag)
{
	struct flow flow = flow_from(port);
	const struct path *path = paths_find(world->paths, &flow);

	for (const struct binding *b = path ? path->bindings : NULL; b; b = b->next)
		if (span_equal(dialog_of(b)->device_tag, span_of(device_tag)) &&
		    span_equal(dialog_of(b)->peer_tag, span_of(peer_tag)))
			return dialog_of(b);
	return NULL;
}

static inline void assert_one_change(const struct world *world, enum binding_change_kind kind,
				     enum binding_reason reason)
{
	assert_int_equal(world->change_count, 1);
	assert_int_equal(world->changes[0].kind, kind);
	assert_int_equal(world->changes[0].reason, reason);
}

static inline void assert_no_change(const struct world *world)
{
	assert_int_equal(world->change_count, 0);
}

static inline uint64_t counted(const struct world *world, enum agent_counter counter)
{
	return world->counts.value[counter];
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

#endif
