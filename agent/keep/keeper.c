/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keep/keeper_parts.h"
#include "kernel/connection_map.h"
#include "kernel/path_map.h"
#include "state/connections.h"

/* So many paths are looked at in one turn at most: the others are due at once, after other work. */
#define VISITS_PER_TURN 4096

/* A busy routing table changes all the time; what is held is looked through so often at most. */
#define HELD_ROUND_NS NS_PER_S

void keeper_look_at(struct keeper *keeper, struct path *path, uint64_t when_ns)
{
	uint64_t end_ns = path_first_end_ns(path);

	wheel_set(keeper->wheel, path, when_ns < end_ns ? when_ns : end_ns);
}

void keeper_forget_prompt(struct path *path)
{
	path->prompt.tries = 0;
	if (path->health == PATH_AWAITING)
		path->health = PATH_LIVE;
}

int keeper_new(const struct keeper_options *options, uint64_t now_ns, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int error;

	if (!keeper)
		return -ENOMEM;
	keeper->wire = options->wire;
	keeper->counts = options->counts;
	keeper->connection_map = options->connection_map;
	keeper->openings.path_map = options->path_map;
	keeper->openings.flow_map = options->flow_map;
	keeper->openings.paths_max = options->paths_max;
	keeper->openings.counts = options->counts;
	rules_init(&keeper->rules, &options->defaults, options->networks, options->network_count);
	keeper->policy.coarse_lag_ns = options->coarse_lag_ns;
	keeper->held_round_ns = CLOCK_NEVER;
	keeper->wheel = wheel_new(now_ns);
	keeper->caps = caps_new(&options->caps, options->paths_max);
	error = keeper->wheel && keeper->caps ? prompter_init(&keeper->prompter) : -ENOMEM;
	if (!error)
		error = openings_init(&keeper->openings);
	if (error) {
		keeper_free(keeper);
		return error;
	}
	if (keeper->wire)
		wire_on_refusal(keeper->wire, keeper_take_refusal, keeper);
	*out = keeper;
	return 0;
}

void keeper_settle(struct keeper *keeper)
{
	if (openings_sweep(&keeper->openings))
		count_up(keeper->counts, paths_unreadable);
}

void keeper_free(struct keeper *keeper)
{
	struct path *path;
	uint32_t cursor = 0;

	if (!keeper)
		return;
	if (keeper->wire)
		wire_on_refusal(keeper->wire, NULL, NULL);
	keeper->on_event = NULL;
	keeper->on_health = NULL;
	while (keeper->openings.paths && (path = paths_walk(keeper->openings.paths, &cursor)))
		while (path->bindings)
			paths_detach(path->bindings);
	caps_free(keeper->caps);
	wheel_free(keeper->wheel);
	openings_free(&keeper->openings);
	free(keeper);
}

uint64_t keeper_due_at(const struct keeper *keeper, const struct path *path)
{
	return path->last_seen_ns + path->rules->threshold_ns + keeper->policy.coarse_lag_ns;
}

bool keeper_is_resting(const struct path *path)
{
	return path->prompt.tries == 0 && path->turns == 0 && path->tickets == 0;
}

void keeper_leave_queues(struct path *path)
{
	path->turns = 0;
	path->tickets = 0;
}

void keeper_reconsider(struct keeper *keeper, struct path *path)
{
	keeper_look_at(keeper, path,
		       keeper_is_resting(path) ? keeper_due_at(keeper, path) : path->due.due_ns);
}

/* Tells that a path has become silent, or is silent no longer. */
static void tell_health(struct keeper *keeper, const struct path *path, enum path_health before,
			uint64_t now_ns)
{
	struct path_event event = {
		.when_ns = now_ns,
		.path = path,
		.state_before = path_state(path),
		.state_after = path_state(path),
		.health_before = before,
		.health_after = path->health,
	};

	if ((before == PATH_SILENT) == (path->health == PATH_SILENT))
		return;
	if (keeper->on_event)
		keeper->on_event(keeper->event_context, &event);
	if (keeper->on_health)
		keeper->on_health(keeper->health_context, &event);
}

/* Judges a path that is due, and does what the verdict says. */
static void look(struct keeper *keeper, struct path *path,
		 const struct connection_entry *connection, uint64_t now_ns)
{
	enum path_health health = path->health;
	struct policy_verdict verdict;
	const struct path_entry *known;
	struct path_entry entry;

	path->held = false;
	/* Without the programs a stamp that stands still says nothing: unknown, not idle (trap 11). */
	known = keeper->blind ? NULL : openings_read(&keeper->openings, path, &entry);
	verdict = policy_judge(&keeper->policy, path, known, connection, now_ns);
	policy_apply(path, known, &verdict, keeper->counts);
	tell_health(keeper, path, health, now_ns);
	if (verdict.action == POLICY_WAIT)
		keeper_leave_queues(path);
	if (verdict.action == POLICY_WAIT || keeper_act(keeper, path, verdict.action, now_ns))
		keeper_look_at(keeper, path, verdict.again_ns);
	else if (path->health == PATH_AWAITING && path->prompt.tries == 0)
		path->health = PATH_LIVE; /* nothing is on its way yet */
}

int keeper_read_connection(const struct keeper *keeper, const struct flow *flow,
			   struct connection_entry *entry)
{
	if (flow->transport != FLOW_TCP || keeper->connection_map < 0)
		return -EOPNOTSUPP;
	return connection_map_read(keeper->connection_map, flow, entry);
}

/* True if the connection that a path was kept for is gone; another one may stand in its place. */
static bool is_disconnected(const struct path *path, const struct connection_entry *connection,
			    int error)
{
	if (error)
		return error == -ENOENT;
	return path->connection && connections_replaced(path->connection, connection->opened_ns);
}

/* A path has come off the wheel: takes off it what is over, and looks at what is left. */
static void visit(struct keeper *keeper, struct path *path, uint64_t now_ns,
		  struct binding **expired)
{
	struct connection_entry connection;
	int error = keeper_read_connection(keeper, &path->flow, &connection);

	tenancy_expire(keeper, path, now_ns, expired);
	if (is_disconnected(path, &connection, error))
		tenancy_drop(keeper, path, REASON_disconnected, now_ns, expired);
	if (path->bindings)
		look(keeper, path, error ? NULL : &connection, now_ns);
	else
		tenancy_bury(keeper, path, now_ns);
}

void keeper_addresses_changed(struct keeper *keeper, uint64_t now_ns)
{
	wire_addresses_changed(keeper->wire);
	if (keeper->holding && keeper->held_round_ns == CLOCK_NEVER)
		keeper->held_round_ns =
			now_ns > keeper->held_rest_ns ? now_ns : keeper->held_rest_ns;
}

/* Makes those paths due whose local address has arrived; the others stay held. */
static void look_through_held(struct keeper *keeper, uint64_t now_ns)
{
	struct path *path;
	uint32_t cursor = 0;

	keeper->holding = false;
	keeper->held_round_ns = CLOCK_NEVER;
	keeper->held_rest_ns = now_ns + HELD_ROUND_NS;
	while ((path = paths_walk(keeper->openings.paths, &cursor))) {
		if (!path->held)
			continue;
		path->held = !wire_holds(keeper->wire, &path->flow);
		if (path->held)
			keeper->holding = true;
		else
			keeper_look_at(keeper, path, now_ns);
	}
}

uint64_t keeper_turn(struct keeper *keeper, uint64_t now_ns, struct binding **expired)
{
	unsigned int visits = 0;
	struct path *path;
	uint64_t next_ns;

	*expired = NULL;
	keeper->turn_ns = now_ns;
	if (keeper->held_round_ns <= now_ns)
		look_through_held(keeper, now_ns);
	pacer_set(&keeper->pacer, keeper->demand);
	while (visits < VISITS_PER_TURN && (path = wheel_pop(keeper->wheel, now_ns))) {
		visit(keeper, path, now_ns, expired);
		visits++;
	}
	wire_flush(keeper->wire);
	if (visits == VISITS_PER_TURN)
		return now_ns;
	next_ns = wheel_next_ns(keeper->wheel);
	return next_ns < keeper->held_round_ns ? next_ns : keeper->held_round_ns;
}

void keeper_on_event(struct keeper *keeper, path_event_handler *handler, void *context)
{
	keeper->on_event = handler;
	keeper->event_context = context;
}

void keeper_on_health(struct keeper *keeper, path_event_handler *handler, void *context)
{
	keeper->on_health = handler;
	keeper->health_context = context;
}

uint64_t keeper_threshold_ns(const struct keeper *keeper)
{
	return keeper->rules.defaults.threshold_ns;
}

void keeper_set_threshold(struct keeper *keeper, uint64_t threshold_ns)
{
	struct path *path;
	uint32_t cursor = 0;

	rules_set_threshold(&keeper->rules, threshold_ns);
	keeper->demand = 0;
	while ((path = paths_walk(keeper->openings.paths, &cursor))) {
		if (!path->bindings)
			continue;
		keeper->demand += tenancy_demand(path);
		if (keeper_is_resting(path) && path->rules->threshold_ns == threshold_ns &&
		    path->due.due_ns > keeper_due_at(keeper, path))
			keeper_look_at(keeper, path, keeper_due_at(keeper, path));
	}
}

const struct paths *keeper_paths(const struct keeper *keeper)
{
	return keeper->openings.paths;
}

size_t keeper_kept(const struct keeper *keeper)
{
	return keeper->kept;
}

int keeper_read_entry(const struct keeper *keeper, const struct path *path,
		      struct path_entry *entry)
{
	return path_map_read(keeper->openings.path_map, &path->flow, entry);
}
