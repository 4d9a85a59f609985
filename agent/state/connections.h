/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections.h - the TCP connections that the SIP server has accepted, as bindings.
 *
 * A connection is proof enough for a path: the device has shaken hands. So a path is
 * known also where nothing of what it carries can be read (TLS, WebSocket). It stands as
 * long as the connection; the kernel says when it is gone, and when it was opened, so that
 * another connection that stands on the same flow later is not taken for it. What else is
 * known of it is in sip_connections.
 */
#ifndef AGENT_STATE_CONNECTIONS_H
#define AGENT_STATE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "flow.h"
#include "state/binding.h"

struct connections;

/* A room for at most "limit" connections; NULL without memory. */
struct connections *connections_new(size_t limit, struct counts *counts);

/* Frees the room; its bindings must have been forgotten already, or be detached. */
void connections_free(struct connections *connections);

/*
 * A connection stands on "flow", whose path has no binding of that kind yet: *change begins
 * one. "opened_ns" is from its entry of sip_connections, 0 if that could not be read. False, and
 * nothing written, beyond the limit or without memory (counted in bindings_refused).
 */
bool connections_open(struct connections *connections, const struct flow *flow, uint64_t opened_ns,
		      struct binding_change *change);

/* The flow of a connection, also once its binding is off its path. */
const struct flow *connections_flow(const struct binding *binding);

/* When a connection was opened, 0 if that is not known. */
uint64_t connections_opened_ns(const struct binding *binding);

/* True if the connection that was opened on that flow at opened_ns is another one. */
bool connections_replaced(const struct binding *binding, uint64_t opened_ns);

/* Removes and frees a connection whose binding is off its path. */
void connections_forget(struct connections *connections, struct binding *binding);

size_t connections_count(const struct connections *connections);

#endif
