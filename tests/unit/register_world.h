/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * register_world.h - a registrar, phones and the paths between them, for tests of
 * the registrations. Include cmocka first.
 */
#ifndef TESTS_UNIT_REGISTER_WORLD_H
#define TESTS_UNIT_REGISTER_WORLD_H

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "register_facts.h"
#include "state/paths.h"
#include "state/registrations.h"

#define LIMIT 100
#define PHONE "sip:alice@192.168.1.10:5062"
#define PHONE_MOVED "sip:alice@198.51.100.7:40002" /* the same phone, its Contact rewritten */
#define DESK "sip:alice@192.168.1.11:5062"
#define UUID "<urn:uuid:aaaaaaaa-0000-1000-8000-000000000001>"

struct world {
	struct counts counts;
	struct paths *paths;
	struct registrations *registrations;
	struct binding_change changes[REGISTRATION_CHANGES_MAX];
	size_t change_count;
	uint64_t now_ns; /* a second passes with every REGISTER */
};

static inline int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->paths = paths_new(LIMIT);
	world->registrations = registrations_new(LIMIT, &world->counts);
	world->now_ns = 1000 * NS_PER_S;
	*state = world;
	return world->paths && world->registrations ? 0 : -1;
}

static inline int close_world(void **state)
{
	struct world *world = *state;

	registrations_free(world->registrations);
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

/* Carries a change on, as the pipeline does. */
static inline void apply(struct world *world, const struct binding_change *change)
{
	struct binding *binding = change->binding;

	if (change->kind == BINDING_RENEWED)
		return;
	if (binding->path)
		paths_detach(binding);
	if (change->kind == BINDING_ENDS)
		registrations_forget(world->registrations, binding);
	else
		paths_attach(path_at(world, &change->flow), binding);
}

static inline void accept_at(struct world *world, uint16_t port, const struct facts *request,
			     const struct facts *response, uint64_t accepted_ns)
{
	const struct transaction transaction = { .flow = flow_from(port), .facts = request };

	world->change_count = registrations_accept(world->registrations, &transaction, response,
						   accepted_ns, world->changes);
	for (size_t i = 0; i < world->change_count; i++)
		apply(world, &world->changes[i]);
}

/* A registrar of the usual kind: it takes what it is asked for, and lists it. */
static inline void accept(struct world *world, uint16_t port, const struct facts *request)
{
	struct facts response = answers(200, UNSTATED);

	for (uint32_t i = 0; i < request->contact_count; i++)
		if (request->contacts[i].expires != 0)
			add_contact(&response, request->contacts[i]);
	world->now_ns += NS_PER_S;
	accept_at(world, port, request, &response, world->now_ns);
}

static inline void register_contact(struct world *world, uint16_t port, const char *call_id,
				    uint32_t cseq, struct facts_contact contact)
{
	struct facts request = asks(call_id, cseq, UNSTATED);

	add_contact(&request, contact);
	accept(world, port, &request);
}

static inline size_t bindings_at(const struct world *world, uint16_t port)
{
	struct flow flow = flow_from(port);
	const struct path *path = paths_find(world->paths, &flow);

	return path ? path->binding_counts[BINDING_REGISTRATION] : 0;
}

/* The registration of a Contact on the path from this port, or NULL. */
static inline const struct registration *registered(const struct world *world, uint16_t port,
						    const char *uri)
{
	struct flow flow = flow_from(port);
	const struct path *path = paths_find(world->paths, &flow);

	for (const struct binding *b = path ? path->bindings : NULL; b; b = b->next)
		if (span_equal(b->target, span_of(uri)))
			return registration_of(b);
	return NULL;
}

static inline void assert_one_change(const struct world *world, enum binding_change_kind kind)
{
	assert_int_equal(world->change_count, 1);
	assert_int_equal(world->changes[0].kind, kind);
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
