/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prompting.c - when a prompt that is wanted may leave, and sends it. */
#include <errno.h>

#include "base/clock.h"
#include "keep/keeper_parts.h"

/* A turn is taken so late at most, unless the agent was not let run. */
#define TURN_LATE_NS (20 * NS_PER_MS)

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
	path->tickets = 0;
	if (action == POLICY_PROMPT) {
		path->prompts++;
		count_up(keeper->counts, prompts_sent);
	} else {
		count_up(keeper->counts, prompts_repeated);
	}
	return 0;
}

/* The agent slept through the path's turn, and its NAT has forgotten it by now: no hurry. */
static bool has_slept(const struct path *path, uint64_t now_ns)
{
	return path->turns == 1 && now_ns > path->due.due_ns + TURN_LATE_NS &&
	       now_ns > policy_forgotten_ns(path, path->last_seen_ns);
}

/*
 * True if the path's prompt must wait; then the path is due again when its turn comes. Repeats
 * ask for none: dead devices do not cost the others theirs (trap 10). Who holds a ticket of a
 * cap had his turn before.
 */
static bool waits_for_turn(struct keeper *keeper, struct path *path, enum policy_action action,
			   uint64_t now_ns)
{
	uint64_t turn_ns;

	if (action != POLICY_PROMPT || path->tickets > 0)
		return false;
	if (path->turns > 0 && !has_slept(path, now_ns)) {
		path->turns = 0;
		return false;
	}
	turn_ns = pacer_reserve(&keeper->pacer, now_ns);
	if (turn_ns <= now_ns) {
		path->turns = 0;
		return false;
	}
	path->turns++;
	path->note = PATH_NOTE_waits;
	count_up(keeper->counts, prompts_delayed);
	keeper_look_at(keeper, path, turn_ns);
	return true;
}

static void count_capped(struct counts *counts, enum caps_level by)
{
	static const enum agent_counter counters[] = {
		[CAPS_ADDRESS] = COUNT_prompts_capped_address,
		[CAPS_NETWORK] = COUNT_prompts_capped_network,
		[CAPS_HOST] = COUNT_prompts_capped_host,
	};

	_Static_assert(sizeof(counters) / sizeof(counters[0]) == CAPS_LEVEL_MAX,
		       "every level is counted");
	counts->value[counters[by]]++;
}

/* True if some cap has nothing left for the path now: counted. */
static bool is_capped(struct keeper *keeper, const struct path *path, uint64_t now_ns,
		      enum caps_level *by)
{
	if (caps_take(keeper->caps, path->flow.remote_addr, path->tickets, now_ns, by))
		return false;
	count_capped(keeper->counts, *by);
	return true;
}

/*
 * True if a cap makes the path's prompt wait; then the path is due again when its ticket is
 * good. A path may be looked at before, because one of its bindings ends: its ticket stays.
 */
static bool waits_for_caps(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	enum caps_level by;

	if (path->tickets == 0 || path->ticket_ns <= now_ns) {
		if (!is_capped(keeper, path, now_ns, &by))
			return false;
		path->ticket_ns = caps_queue(keeper->caps, path->flow.remote_addr, by, now_ns);
		path->tickets |= (uint8_t)(1U << by);
	}
	path->note = PATH_NOTE_capped;
	keeper_look_at(keeper, path, path->ticket_ns);
	return true;
}

/* A prompt that could not leave is tried again after a threshold, or when an address arrives. */
static void hold_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns, int error)
{
	keeper_leave_queues(path);
	path->held = error == -EADDRNOTAVAIL;
	path->note = path->held ? PATH_NOTE_no_address : PATH_NOTE_refused;
	keeper->holding |= path->held;
	keeper_look_at(keeper, path, now_ns + path->rules->threshold_ns);
}

/*
 * Takes back what prompt_path() has noted. It is not out of any call yet: whoever reads the
 * counters sees them grow only. A first sending that is refused leaves no time behind, but for
 * the distance of prompts to a device that does not answer them.
 */
static void unsend(struct keeper *keeper, struct path *path)
{
	struct prompt *prompt = &path->prompt;

	if (prompt->tries == 1) {
		path->prompts--;
		keeper->counts->value[COUNT_prompts_sent]--;
		if (prompt->failures == 0)
			prompt->sent_ns = 0;
	} else {
		keeper->counts->value[COUNT_prompts_repeated]--;
		prompt->sent_ns = prompt->first_ns;
	}
	keeper_forget_prompt(path);
}

/*
 * How long a prompt that this host may not send, or knows no way for, waits to be tried again:
 * that may be over soon, or last. Half as long as it has been due, so that it grows.
 */
static uint64_t pause_of(const struct keeper *keeper, const struct path *path, uint64_t now_ns)
{
	uint64_t due_ns = keeper_due_at(keeper, path), threshold_ns = path->rules->threshold_ns;
	uint64_t pause_ns = now_ns > due_ns + 2 * NS_PER_S ? (now_ns - due_ns) / 2 : NS_PER_S;

	return pause_ns < threshold_ns ? pause_ns : threshold_ns;
}

/* What the network refused was no prompt, and says nothing of the device. */
void keeper_take_refusal(void *context, const struct flow *flow, bool congested)
{
	struct keeper *keeper = context;
	struct path *path = paths_find(keeper->openings.paths, flow);
	uint64_t refused_ns;

	if (congested)
		pacer_slow(&keeper->pacer, keeper->turn_ns);
	if (!path || path->prompt.tries == 0)
		return;
	refused_ns = path->prompt.sent_ns;
	unsend(keeper, path);
	path->note = PATH_NOTE_refused;
	keeper_look_at(keeper, path,
		       refused_ns + (congested ? NS_PER_S : pause_of(keeper, path, refused_ns)));
}

bool keeper_act(struct keeper *keeper, struct path *path, enum policy_action action,
		uint64_t now_ns)
{
	int error;

	/* Addresses that another host holds cost the others nothing (trap 6). */
	if (wire_holds(keeper->wire, &path->flow) &&
	    (waits_for_turn(keeper, path, action, now_ns) || waits_for_caps(keeper, path, now_ns)))
		return false;
	error = prompt_path(keeper, path, action, now_ns);
	if (error)
		hold_prompt(keeper, path, now_ns, error);
	return path->prompt.tries > 0;
}

int keeper_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	enum caps_level by;
	int error;

	if (path->flow.transport == FLOW_TCP)
		return -EPROTONOSUPPORT;
	if (path->prompt.tries > 0)
		return -EALREADY;
	if (keeper->blind)
		return -ENETDOWN;
	if (is_capped(keeper, path, now_ns, &by))
		return -EAGAIN;
	error = prompt_path(keeper, path, POLICY_PROMPT, now_ns);
	if (error)
		return error;
	if (path->health == PATH_LIVE)
		path->health = PATH_AWAITING;
	path->note = PATH_NOTE_prompted;
	keeper_look_at(keeper, path, now_ns + POLICY_REPEAT_FIRST_NS);
	wire_flush(keeper->wire);
	return 0;
}

int keeper_verify(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	const struct prompt *prompt = &path->prompt;

	if (prompt->tries == 0 && prompt->failures > 0 && path->last_seen_ns <= prompt->sent_ns)
		return -EBUSY;
	return keeper_prompt(keeper, path, now_ns);
}
