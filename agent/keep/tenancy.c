/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tenancy.c - which bindings are on which paths, and what becomes of a path with that. */
#include <errno.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "keep/keeper_parts.h"

/* A stranger need not say anything to connect: the other half is for whoever is known. */
static size_t connected_max(const struct keeper *keeper)
{
	return (keeper->openings.paths_max + 1) / 2;
}

/* A binding has come, gone or changed: keeps count, and tells of a transition, if it was one. */
static void note_change(struct keeper *keeper, const struct path *path, enum path_state before,
			const struct binding *binding, enum binding_reason reason, uint64_t now_ns)
{
	struct path_event event = {
		.when_ns = now_ns,
		.path = path,
		.state_before = before,
		.state_after = path_state(path),
		.health_before = path->health,
		.health_after = path->health,
		.binding = binding,
		.reason = reason,
	};

	keeper->connected += event.state_after == PATH_CONNECTED;
	keeper->connected -= before == PATH_CONNECTED;
	if (keeper->connected < connected_max(keeper) / 2)
		keeper->crowded = false;
	if (keeper->on_event && event.state_after != before)
		keeper->on_event(keeper->event_context, &event);
}

/* Frees a path without bindings; if that fails, it is tried again. */
static int close_path(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	int error;

	wheel_unset(keeper->wheel, path);
	error = openings_close(&keeper->openings, path);
	if (error)
		wheel_set(keeper->wheel, path, now_ns + ANSWER_WINDOW_NS);
	return error;
}

void tenancy_bury(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	uint64_t answer_by_ns = path->prompt.sent_ns + ANSWER_WINDOW_NS;

	keeper_leave_queues(path);
	if (path->prompt.sent_ns > 0 && answer_by_ns > now_ns)
		wheel_set(keeper->wheel, path, answer_by_ns);
	else
		close_path(keeper, path, now_ns);
}

/* The kernel has one keepalive for all connections: networks have a say in datagrams only. */
static const struct path_rules *rules_of(const struct keeper *keeper, const struct flow *flow)
{
	return flow->transport == FLOW_TCP ? &keeper->rules.defaults
					   : rules_find(&keeper->rules, flow->remote_addr);
}

/*
 * Opens the path of a flow. If there is no room, the path that the binding has just left
 * gives up its own, late answer or not: a move never loses a phone (trap 8).
 */
static int open_path(struct keeper *keeper, const struct flow *flow, const struct flow *left,
		     uint64_t seen_ns, uint64_t now_ns, struct path **out)
{
	int error = openings_open(&keeper->openings, flow, seen_ns, out);
	struct path *idle, *path;

	if (error == -ENOSPC || error == -E2BIG) {
		idle = paths_find(keeper->openings.paths, left);
		if (idle && !idle->bindings && close_path(keeper, idle, now_ns) == 0)
			error = openings_open(&keeper->openings, flow, seen_ns, out);
	}
	if (error)
		return openings_refuse(&keeper->openings, flow, error);
	path = *out;
	path->rules = rules_of(keeper, flow);
	/* What an agent before this one has sent may yet be answered, or be asked once more. */
	if (now_ns < policy_forgotten_ns(path, path->last_seen_ns))
		path->prompt.failures = 0;
	return 0;
}

uint64_t tenancy_demand(const struct path *path)
{
	bool never = path->flow.transport != FLOW_UDP || path->rules->ignored;

	return never ? 0 : PACER_DEMAND(path->rules->threshold_ns);
}

static void attach(struct keeper *keeper, struct path *path, struct binding *binding,
		   enum binding_reason reason, uint64_t now_ns)
{
	enum path_state before = path_state(path);

	if (!path->bindings) {
		count_up(keeper->counts, paths_opened);
		keeper->kept++;
		keeper->demand += tenancy_demand(path);
	}
	paths_attach(path, binding);
	note_change(keeper, path, before, binding, reason, now_ns);
}

static void detach(struct keeper *keeper, struct binding *binding, enum binding_reason reason,
		   uint64_t now_ns)
{
	struct path *path = binding->path;
	enum path_state before = path_state(path);

	paths_detach(binding);
	if (!path->bindings) {
		count_up(keeper->counts, paths_closed);
		keeper->kept--;
		keeper->demand -= tenancy_demand(path);
	}
	note_change(keeper, path, before, binding, reason, now_ns);
}

/* A connection of which nothing else is known finds no room: counts it, and says it once. */
static int refuse_connection(struct keeper *keeper, const struct flow *flow)
{
	char name[128];
	struct text text = TEXT_OVER(name);

	count_up(keeper->counts, bindings_refused);
	if (!keeper->crowded) {
		flow_write(&text, flow);
		log_warning("half of sip_paths (paths-max = %u) is connections of which nothing "
			    "else is known, so %s is not listed: raise --paths-max",
			    keeper->openings.paths_max, name);
	}
	keeper->crowded = true;
	return -ENOSPC;
}

/* True for a connection that would be all that is known of its path, if there are too many. */
static bool finds_no_room(const struct keeper *keeper, const struct binding *binding,
			  const struct path *path)
{
	return binding->kind == BINDING_CONNECTION && (!path || !path->bindings) &&
	       keeper->connected >= connected_max(keeper);
}

int keeper_join(struct keeper *keeper, struct binding *binding, const struct flow *flow,
		enum binding_reason reason, uint64_t seen_ns, uint64_t now_ns)
{
	struct flow left = binding->path ? binding->path->flow : *flow;
	struct path *path;
	int error;

	keeper_leave(keeper, binding, reason, now_ns); /* first: a full table may need the room */
	path = paths_find(keeper->openings.paths, flow);
	if (finds_no_room(keeper, binding, path))
		return refuse_connection(keeper, flow);
	error = path ? 0 : open_path(keeper, flow, &left, seen_ns, now_ns, &path);
	if (error)
		return error;
	attach(keeper, path, binding, reason, now_ns);
	keeper_reconsider(keeper, path);
	return 0;
}

void keeper_leave(struct keeper *keeper, struct binding *binding, enum binding_reason reason,
		  uint64_t now_ns)
{
	struct path *path = binding->path;

	if (!path)
		return;
	detach(keeper, binding, reason, now_ns);
	if (!path->bindings)
		tenancy_bury(keeper, path, now_ns);
}

void keeper_renew(struct keeper *keeper, struct binding *binding)
{
	keeper_reconsider(keeper, binding->path);
}

void keeper_linger(struct keeper *keeper, struct binding *binding, uint64_t ends_ns,
		   enum binding_reason reason, uint64_t now_ns)
{
	struct path *path = binding->path;
	enum path_state before = path_state(path);

	paths_set_kind(binding, BINDING_LINGERING);
	paths_set_end(binding, ends_ns);
	binding->expiry = REASON_linger_over;
	note_change(keeper, path, before, binding, reason, now_ns);
	keeper_reconsider(keeper, path);
}

/* Takes a binding that is over off its path, onto the list of those that the caller forgets. */
static void take_off(struct keeper *keeper, struct binding *binding, enum binding_reason reason,
		     uint64_t now_ns, struct binding **expired)
{
	detach(keeper, binding, reason, now_ns);
	binding->next = *expired;
	*expired = binding;
}

void tenancy_expire(struct keeper *keeper, struct path *path, uint64_t now_ns,
		    struct binding **expired)
{
	struct binding *binding, *next;

	if (path->first_end_ns > now_ns)
		return;
	for (binding = path->bindings; binding; binding = next) {
		next = binding->next;
		if (binding->ends_ns > now_ns)
			continue;
		count_up(keeper->counts, bindings_expired);
		take_off(keeper, binding, binding->expiry, now_ns, expired);
	}
}

static void drop_one(struct keeper *keeper, struct binding *binding, enum binding_reason reason,
		     uint64_t now_ns, struct binding **expired)
{
	count_up(keeper->counts, bindings_ended);
	take_off(keeper, binding, reason, now_ns, expired);
}

void tenancy_drop(struct keeper *keeper, struct path *path, enum binding_reason reason,
		  uint64_t now_ns, struct binding **expired)
{
	/* The connection goes first: so what went with it is told in one event, the last one. */
	if (path->connection)
		drop_one(keeper, path->connection, reason, now_ns, expired);
	while (path->bindings)
		drop_one(keeper, path->bindings, reason, now_ns, expired);
}

void keeper_drop(struct keeper *keeper, const struct flow *flow, enum binding_reason reason,
		 uint64_t now_ns, struct binding **expired)
{
	struct path *path = paths_find(keeper->openings.paths, flow);

	*expired = NULL;
	if (!path || !path->bindings)
		return;
	tenancy_drop(keeper, path, reason, now_ns, expired);
	tenancy_bury(keeper, path, now_ns);
}
