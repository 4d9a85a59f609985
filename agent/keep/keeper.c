/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keep/openings.h"
#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/prompter.h"
#include "keep/wheel.h"
#include "kernel/path_map.h"

/* How long the answer to a prompt may still come after its path has lost its last binding. */
#define ANSWER_WINDOW_NS (2 * NS_PER_S)

/* A busy routing table changes all the time; what is held is looked through so often at most. */
#define HELD_ROUND_NS NS_PER_S

struct keeper {
	struct wire *wire;
	struct counts *counts;
	struct openings openings;
	struct policy policy;
	struct pacer pacer;
	struct prompter prompter;
	struct wheel *wheel;
	size_t kept; /* paths with bindings */
	bool blind; /* see keeper_set_blind() */
	bool holding; /* some path is held back for want of its local address */
	uint64_t held_round_ns; /* the next round through what is held; CLOCK_NEVER: none wanted */
	uint64_t held_rest_ns; /* and no earlier than this */
};

/* The next look at a path: not after the first of its bindings ends. */
static void look_at(struct keeper *keeper, struct path *path, uint64_t when_ns)
{
	uint64_t end_ns = path_first_end_ns(path);

	wheel_set(keeper->wheel, path, when_ns < end_ns ? when_ns : end_ns);
}

/* As if the outstanding prompt had not been sent: its want of an answer says nothing. */
static void forget_prompt(struct path *path)
{
	path->prompt.tries = 0;
	if (path->health == PATH_AWAITING)
		path->health = PATH_LIVE;
}

/* What the network refused was no prompt: it says nothing of the device, and is made again soon. */
static void on_refusal(void *context, const struct flow *flow)
{
	struct keeper *keeper = context;
	struct path *path = paths_find(keeper->openings.paths, flow);

	if (!path || path->prompt.tries == 0)
		return;
	forget_prompt(path);
	look_at(keeper, path, path->prompt.sent_ns + POLICY_REPEAT_FIRST_NS);
}

int keeper_new(const struct keeper_options *options, uint64_t now_ns, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int error;

	if (!keeper)
		return -ENOMEM;
	keeper->wire = options->wire;
	keeper->counts = options->counts;
	keeper->openings.path_map = options->path_map;
	keeper->openings.flow_map = options->flow_map;
	keeper->openings.paths_max = options->paths_max;
	keeper->openings.counts = options->counts;
	keeper->policy.threshold_ns = options->threshold_ns;
	keeper->policy.coarse_lag_ns = options->coarse_lag_ns;
	keeper->held_round_ns = CLOCK_NEVER;
	keeper->wheel = wheel_new(now_ns);
	error = keeper->wheel ? prompter_init(&keeper->prompter) : -ENOMEM;
	if (!error)
		error = openings_init(&keeper->openings);
	if (error) {
		keeper_free(keeper);
		return error;
	}
	if (keeper->wire)
		wire_on_refusal(keeper->wire, on_refusal, keeper);
	*out = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	struct path *path;
	uint32_t cursor = 0;

	if (!keeper)
		return;
	if (keeper->wire)
		wire_on_refusal(keeper->wire, NULL, NULL);
	while (keeper->openings.paths && (path = paths_walk(keeper->openings.paths, &cursor)))
		while (path->bindings)
			paths_detach(path->bindings);
	wheel_free(keeper->wheel);
	openings_free(&keeper->openings);
	free(keeper);
}

static uint64_t due_ns(const struct keeper *keeper, const struct path *path)
{
	return path->last_seen_ns + keeper->policy.threshold_ns + keeper->policy.coarse_lag_ns;
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

/* Closes a path without bindings, unless the answer to its prompt may still be on its way. */
static void bury_path(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	uint64_t answer_by_ns = path->prompt.sent_ns + ANSWER_WINDOW_NS;

	path->slot_reserved = false;
	if (path->prompt.sent_ns > 0 && answer_by_ns > now_ns)
		wheel_set(keeper->wheel, path, answer_by_ns);
	else
		close_path(keeper, path, now_ns);
}

/*
 * Opens the path of a flow. If there is no room, the path that the binding has just left
 * gives up its own, late answer or not: a move never loses a phone (trap 8).
 */
static int open_path(struct keeper *keeper, const struct flow *flow, const struct flow *left,
		     uint64_t seen_ns, uint64_t now_ns, struct path **out)
{
	int error = openings_open(&keeper->openings, flow, seen_ns, out);
	struct path *idle;

	if (error == -ENOSPC || error == -E2BIG) {
		idle = paths_find(keeper->openings.paths, left);
		if (idle && !idle->bindings && close_path(keeper, idle, now_ns) == 0)
			error = openings_open(&keeper->openings, flow, seen_ns, out);
	}
	return error ? openings_refuse(&keeper->openings, flow, error) : 0;
}

static void attach(struct keeper *keeper, struct path *path, struct binding *binding)
{
	if (!path->bindings) {
		count_up(keeper->counts, paths_opened);
		keeper->kept++;
	}
	paths_attach(path, binding);
}

static void detach(struct keeper *keeper, struct binding *binding)
{
	struct path *path = binding->path;

	paths_detach(binding);
	if (!path->bindings) {
		count_up(keeper->counts, paths_closed);
		keeper->kept--;
	}
}

/* True if the path is due at due_ns(), not when its prompt's answer or its turn is. */
static bool is_resting(const struct path *path)
{
	return path->prompt.tries == 0 && !path->slot_reserved;
}

int keeper_join(struct keeper *keeper, struct binding *binding, const struct flow *flow,
		uint64_t seen_ns, uint64_t now_ns)
{
	struct flow left = binding->path ? binding->path->flow : *flow;
	struct path *path;
	int error;

	keeper_leave(keeper, binding, now_ns); /* first: a full table may need the room */
	path = paths_find(keeper->openings.paths, flow);
	error = path ? 0 : open_path(keeper, flow, &left, seen_ns, now_ns, &path);
	if (error)
		return error;
	attach(keeper, path, binding);
	look_at(keeper, path, is_resting(path) ? due_ns(keeper, path) : path->due.due_ns);
	return 0;
}

void keeper_leave(struct keeper *keeper, struct binding *binding, uint64_t now_ns)
{
	struct path *path = binding->path;

	if (!path)
		return;
	detach(keeper, binding);
	if (!path->bindings)
		bury_path(keeper, path, now_ns);
}

void keeper_renew(struct keeper *keeper, struct binding *binding)
{
	look_at(keeper, binding->path, binding->path->due.due_ns);
}

/* Puts the path's outstanding prompt on the wire. */
static int send_prompt(struct keeper *keeper, struct path *path)
{
	char buffer[WIRE_DATAGRAM_MAX + 1];
	struct text message = TEXT_OVER(buffer);
	int error = prompter_write(path, &message);

	return error ? error : wire_queue(keeper->wire, &path->flow, text_span(&message));
}

/* A first sending or a repeat. A prompt that could not leave this host was none. */
static int prompt_path(struct keeper *keeper, struct path *path, enum policy_action action,
		       uint64_t now_ns)
{
	struct prompt before = path->prompt;
	int error;

	if (action == POLICY_PROMPT)
		prompter_begin(&keeper->prompter, path, now_ns);
	else
		prompter_repeat(path, now_ns);
	error = send_prompt(keeper, path);
	if (error) {
		path->prompt = before;
		path->prompt.tries = 0;
		return error;
	}
	if (action == POLICY_PROMPT) {
		path->prompts++;
		count_up(keeper->counts, prompts_sent);
	} else {
		count_up(keeper->counts, prompts_repeated);
	}
	return 0;
}

/* True if the path's prompt must wait; then the path is due again when its turn comes. */
static bool waits_for_turn(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	uint64_t turn_ns;

	if (path->slot_reserved) {
		path->slot_reserved = false;
		return false;
	}
	turn_ns = pacer_reserve(&keeper->pacer, now_ns);
	if (turn_ns <= now_ns)
		return false;
	path->slot_reserved = true;
	count_up(keeper->counts, prompts_delayed);
	look_at(keeper, path, turn_ns);
	return true;
}

static void expire_bindings(struct keeper *keeper, struct path *path, uint64_t now_ns,
			    struct binding **expired)
{
	struct binding *binding, *next;

	for (binding = path->bindings; binding; binding = next) {
		next = binding->next;
		if (binding->ends_ns > now_ns)
			continue;
		count_up(keeper->counts, bindings_expired);
		detach(keeper, binding);
		binding->next = *expired;
		*expired = binding;
	}
}

/* A prompt that could not leave is tried again after a threshold, or when an address arrives. */
static void hold_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns, int error)
{
	path->slot_reserved = false;
	path->held = error == -EADDRNOTAVAIL;
	keeper->holding |= path->held;
	look_at(keeper, path, now_ns + keeper->policy.threshold_ns);
}

/*
 * Only a first sending that can leave asks for a turn: neither dead devices (trap 10) nor
 * addresses that another host holds (trap 6) cost the others theirs.
 */
static bool needs_turn(struct keeper *keeper, const struct path *path, enum policy_action action)
{
	return action == POLICY_PROMPT && wire_holds(keeper->wire, &path->flow);
}

/* Prompts a path that the policy wants prompted; true if the prompt left. */
static bool act(struct keeper *keeper, struct path *path, enum policy_action action,
		uint64_t now_ns)
{
	int error;

	if (needs_turn(keeper, path, action) && waits_for_turn(keeper, path, now_ns))
		return false;
	error = prompt_path(keeper, path, action, now_ns);
	if (error)
		hold_prompt(keeper, path, now_ns, error);
	return !error;
}

/* Judges a path that is due, and does what the verdict says. */
static void look(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	struct policy_verdict verdict;
	const struct path_entry *known;
	struct path_entry entry;

	path->held = false;
	/* Without the programs a stamp that stands still says nothing: unknown, not idle (trap 11). */
	known = keeper->blind ? NULL : openings_read(&keeper->openings, path, &entry);
	verdict = policy_judge(&keeper->policy, path, known, now_ns);
	policy_apply(path, known, &verdict, keeper->counts);
	if (verdict.action == POLICY_WAIT)
		path->slot_reserved = false;
	if (verdict.action == POLICY_WAIT || act(keeper, path, verdict.action, now_ns))
		look_at(keeper, path, verdict.again_ns);
	else if (path->health == PATH_AWAITING)
		path->health = PATH_LIVE; /* nothing is on its way yet */
}

void keeper_addresses_changed(struct keeper *keeper, uint64_t now_ns)
{
	wire_addresses_changed(keeper->wire);
	if (keeper->holding && keeper->held_round_ns == CLOCK_NEVER)
		keeper->held_round_ns =
			now_ns > keeper->held_rest_ns ? now_ns : keeper->held_rest_ns;
}

void keeper_set_blind(struct keeper *keeper, bool blind, uint64_t now_ns)
{
	struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(keeper->openings.paths, &cursor))) {
		if (blind && path->prompt.tries > 0)
			forget_prompt(path);
		else if (!blind && path->bindings && is_resting(path))
			look_at(keeper, path, now_ns);
	}
	keeper->blind = blind;
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
			look_at(keeper, path, now_ns);
	}
}

uint64_t keeper_turn(struct keeper *keeper, uint64_t now_ns, struct binding **expired)
{
	struct path *path;
	uint64_t next_ns;

	*expired = NULL;
	if (keeper->held_round_ns <= now_ns)
		look_through_held(keeper, now_ns);
	pacer_set(&keeper->pacer, keeper->kept, keeper->policy.threshold_ns);
	while ((path = wheel_pop(keeper->wheel, now_ns))) {
		expire_bindings(keeper, path, now_ns, expired);
		if (path->bindings)
			look(keeper, path, now_ns);
		else
			bury_path(keeper, path, now_ns);
	}
	wire_flush(keeper->wire);
	next_ns = wheel_next_ns(keeper->wheel);
	return next_ns < keeper->held_round_ns ? next_ns : keeper->held_round_ns;
}

uint64_t keeper_threshold_ns(const struct keeper *keeper)
{
	return keeper->policy.threshold_ns;
}

void keeper_set_threshold(struct keeper *keeper, uint64_t threshold_ns)
{
	struct path *path;
	uint32_t cursor = 0;

	keeper->policy.threshold_ns = threshold_ns;
	while ((path = paths_walk(keeper->openings.paths, &cursor)))
		if (path->bindings && is_resting(path) && path->due.due_ns > due_ns(keeper, path))
			look_at(keeper, path, due_ns(keeper, path));
}

int keeper_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	int error;

	if (path->prompt.tries > 0)
		return -EALREADY;
	if (keeper->blind)
		return -ENETDOWN;
	error = prompt_path(keeper, path, POLICY_PROMPT, now_ns);
	if (error)
		return error;
	wire_flush(keeper->wire);
	if (path->health == PATH_LIVE)
		path->health = PATH_AWAITING;
	look_at(keeper, path, now_ns + POLICY_REPEAT_FIRST_NS);
	return 0;
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
