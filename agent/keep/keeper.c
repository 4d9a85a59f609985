/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/prompter.h"
#include "keep/wheel.h"
#include "kernel/path_map.h"

/* How long the answer to a prompt may still come after its path has lost its last binding. */
#define ANSWER_WINDOW_NS (2 * NS_PER_S)

struct keeper {
	int path_map;
	struct wire *wire;
	struct counts *counts;
	uint32_t paths_max;
	bool refusing; /* said once, until a path fits again */
	bool holding; /* some path is held back for want of its local address */
	struct policy policy;
	struct pacer pacer;
	struct prompter prompter;
	struct paths *paths;
	struct wheel *wheel;
};

static bool keep_none(void *context, const struct flow *flow)
{
	(void)context;
	(void)flow;
	return false;
}

int keeper_new(const struct keeper_options *options, uint64_t now_ns, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int error;

	if (!keeper)
		return -ENOMEM;
	keeper->path_map = options->path_map;
	keeper->wire = options->wire;
	keeper->counts = options->counts;
	keeper->paths_max = options->paths_max;
	keeper->policy.threshold_ns = options->threshold_ns;
	keeper->policy.coarse_lag_ns = options->coarse_lag_ns;
	keeper->paths = paths_new(options->paths_max);
	keeper->wheel = wheel_new(now_ns);
	error = keeper->paths && keeper->wheel ? prompter_init(&keeper->prompter) : -ENOMEM;
	if (!error)
		error = path_map_sweep(keeper->path_map, keep_none, NULL);
	if (error < 0) {
		keeper_free(keeper);
		return error;
	}
	*out = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	struct path *path;
	uint32_t cursor = 0;

	if (!keeper)
		return;
	while (keeper->paths && (path = paths_walk(keeper->paths, &cursor)))
		while (path->bindings)
			paths_detach(path->bindings);
	wheel_free(keeper->wheel);
	paths_free(keeper->paths);
	free(keeper);
}

/* The next look at a path: not after the first of its bindings ends. */
static void look_at(struct keeper *keeper, struct path *path, uint64_t when_ns)
{
	uint64_t end_ns = path_first_end_ns(path);

	wheel_set(keeper->wheel, path, when_ns < end_ns ? when_ns : end_ns);
}

static uint64_t due_ns(const struct keeper *keeper, const struct path *path)
{
	return path->last_seen_ns + keeper->policy.threshold_ns + keeper->policy.coarse_lag_ns;
}

static int refuse_path(struct keeper *keeper, const struct flow *flow, int error)
{
	char name[128];
	struct text text = TEXT_OVER(name);

	count_up(keeper->counts, paths_refused);
	if (keeper->refusing)
		return -error;
	keeper->refusing = true;
	flow_write(&text, flow);
	if (error == ENOSPC || error == E2BIG)
		log_warning(
			"sip_paths is full (paths-max = %u), so %s is not kept: raise --paths-max",
			keeper->paths_max, name);
	else
		log_warning("%s is not kept: %s", name, strerror(error));
	return -error;
}

static int open_path(struct keeper *keeper, const struct flow *flow, uint64_t seen_ns,
		     struct path **out)
{
	struct path *path = paths_add(keeper->paths, flow, seen_ns);
	int error;

	if (!path)
		return refuse_path(keeper, flow, errno);
	error = path_map_insert(keeper->path_map, flow, seen_ns);
	if (error) {
		paths_drop(keeper->paths, path);
		return refuse_path(keeper, flow, -error);
	}
	path->last_seen_ns = seen_ns;
	keeper->refusing = false;
	*out = path;
	return 0;
}

/* Frees a path without bindings, unless the answer to its prompt may still be on its way. */
static void bury_path(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	uint64_t answer_by_ns = path->prompt.sent_ns + ANSWER_WINDOW_NS;

	if (path->prompt.sent_ns > 0 && answer_by_ns > now_ns) {
		wheel_set(keeper->wheel, path, answer_by_ns);
		return;
	}
	wheel_unset(keeper->wheel, path);
	path_map_delete(keeper->path_map, &path->flow);
	paths_drop(keeper->paths, path);
}

int keeper_join(struct keeper *keeper, struct binding *binding, const struct flow *flow,
		uint64_t seen_ns, uint64_t now_ns)
{
	struct path *path;
	int error;

	keeper_leave(keeper, binding, now_ns); /* first: a full table may need the room */
	path = paths_find(keeper->paths, flow);
	error = path ? 0 : open_path(keeper, flow, seen_ns, &path);
	if (error)
		return error;
	if (!path->bindings)
		count_up(keeper->counts, paths_opened);
	paths_attach(path, binding);
	if (path->prompt.tries == 0)
		look_at(keeper, path, due_ns(keeper, path));
	return 0;
}

void keeper_leave(struct keeper *keeper, struct binding *binding, uint64_t now_ns)
{
	struct path *path = binding->path;

	if (!path)
		return;
	paths_detach(binding);
	if (path->bindings)
		return;
	count_up(keeper->counts, paths_closed);
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
		paths_detach(binding);
		if (!path->bindings)
			count_up(keeper->counts, paths_closed);
		binding->next = *expired;
		*expired = binding;
	}
}

/* The path's entry; NULL if it is gone, which is mended: unknown is not idle (trap 11). */
static const struct path_entry *read_entry(struct keeper *keeper, const struct path *path,
					   struct path_entry *entry)
{
	if (path_map_read(keeper->path_map, &path->flow, entry) == 0)
		return entry;
	count_up(keeper->counts, paths_unreadable);
	path_map_insert(keeper->path_map, &path->flow, path->last_seen_ns);
	return NULL;
}

/* A prompt that could not leave is tried again after a threshold, or when an address arrives. */
static void hold_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns, int error)
{
	path->held = error == -EADDRNOTAVAIL;
	keeper->holding |= path->held;
	look_at(keeper, path, now_ns + keeper->policy.threshold_ns);
}

/* Prompts a path that the policy wants prompted; true if the prompt left. */
static bool act(struct keeper *keeper, struct path *path, enum policy_action action,
		uint64_t now_ns)
{
	int error;

	if (waits_for_turn(keeper, path, now_ns))
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

	known = read_entry(keeper, path, &entry);
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
	struct path *path;
	uint32_t cursor = 0;

	wire_addresses_changed(keeper->wire);
	if (!keeper->holding)
		return;
	keeper->holding = false;
	while ((path = paths_walk(keeper->paths, &cursor))) {
		if (path->held)
			look_at(keeper, path, now_ns);
		path->held = false;
	}
}

uint64_t keeper_turn(struct keeper *keeper, uint64_t now_ns, struct binding **expired)
{
	struct path *path;

	*expired = NULL;
	pacer_set(&keeper->pacer, paths_count(keeper->paths), keeper->policy.threshold_ns);
	while ((path = wheel_pop(keeper->wheel, now_ns))) {
		expire_bindings(keeper, path, now_ns, expired);
		if (path->bindings)
			look(keeper, path, now_ns);
		else
			bury_path(keeper, path, now_ns);
	}
	wire_flush(keeper->wire);
	return wheel_next_ns(keeper->wheel);
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
	while ((path = paths_walk(keeper->paths, &cursor)))
		if (path->bindings && path->prompt.tries == 0 &&
		    path->due.due_ns > due_ns(keeper, path))
			look_at(keeper, path, due_ns(keeper, path));
}

int keeper_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	int error;

	if (path->prompt.tries > 0)
		return -EALREADY;
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
	return keeper->paths;
}

int keeper_read_entry(const struct keeper *keeper, const struct path *path,
		      struct path_entry *entry)
{
	return path_map_read(keeper->path_map, &path->flow, entry);
}
