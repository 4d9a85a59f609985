/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/connections.h"

#include <stdlib.h>

#include "base/clock.h"

struct connection {
	struct binding binding; /* first: what a binding is cast to */
	struct connection *next;
	struct connection **link; /* what points here */
	struct flow flow;
	uint64_t opened_ns; /* 0: unknown */
};

struct connections {
	struct connection *first;
	struct counts *counts;
	size_t count;
	size_t limit;
};

struct connections *connections_new(size_t limit, struct counts *counts)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (!connections)
		return NULL;
	connections->counts = counts;
	connections->limit = limit;
	return connections;
}

static void link_in(struct connections *connections, struct connection *connection)
{
	connection->next = connections->first;
	connection->link = &connections->first;
	if (connection->next)
		connection->next->link = &connection->next;
	connections->first = connection;
	connections->count++;
}

static void take_out(struct connections *connections, struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	connections->count--;
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	while (connections->first)
		connections_forget(connections, &connections->first->binding);
	free(connections);
}

bool connections_open(struct connections *connections, const struct flow *flow, uint64_t opened_ns,
		      struct binding_change *change)
{
	struct connection *connection = NULL;

	if (connections->count < connections->limit)
		connection = calloc(1, sizeof(*connection));
	if (!connection) {
		count_up(connections->counts, bindings_refused);
		return false;
	}
	connection->binding.ends_ns = CLOCK_NEVER;
	connection->binding.kind = BINDING_CONNECTION;
	connection->binding.expiry = REASON_disconnected;
	connection->flow = *flow;
	connection->opened_ns = opened_ns;
	link_in(connections, connection);
	count_up(connections->counts, bindings_begun);
	*change = (struct binding_change){
		.kind = BINDING_BEGINS,
		.reason = REASON_connected,
		.binding = &connection->binding,
		.flow = *flow,
	};
	return true;
}

const struct flow *connections_flow(const struct binding *binding)
{
	return &((const struct connection *)binding)->flow;
}

uint64_t connections_opened_ns(const struct binding *binding)
{
	return ((const struct connection *)binding)->opened_ns;
}

bool connections_replaced(const struct binding *binding, uint64_t opened_ns)
{
	const struct connection *connection = (const struct connection *)binding;

	return connection->opened_ns > 0 && connection->opened_ns != opened_ns;
}

void connections_forget(struct connections *connections, struct binding *binding)
{
	struct connection *connection = (struct connection *)binding;

	take_out(connections, connection);
	free(connection);
}

size_t connections_count(const struct connections *connections)
{
	return connections->count;
}
