/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper_parts.h - what the parts of the keeper share: keeper.c looks at paths that are due,
 * prompting.c prompts those of them that want it, tenancy.c puts bindings onto paths and takes
 * them off, waking.c begins again after a sleep of the host, sight.c without the programs and
 * with them again. Nobody else includes it.
 */
#ifndef AGENT_KEEP_KEEPER_PARTS_H
#define AGENT_KEEP_KEEPER_PARTS_H

#include "keep/caps.h"
#include "keep/keeper.h"
#include "keep/openings.h"
#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/prompter.h"
#include "keep/rules.h"
#include "keep/wheel.h"
#include "state/event.h"

/* How long the answer to a prompt may still come after its path has lost its last binding. */
#define ANSWER_WINDOW_NS (2 * NS_PER_S)

struct keeper {
	struct wire *wire;
	struct counts *counts;
	int connection_map; /* descriptor of sip_connections, -1 for none */
	struct openings openings;
	struct rules rules;
	struct policy policy;
	struct pacer pacer;
	struct caps *caps;
	struct prompter prompter;
	struct wheel *wheel;
	uint64_t turn_ns; /* of the latest turn */
	path_event_handler *on_event; /* NULL: nobody is told */
	void *event_context;
	path_event_handler *on_health; /* NULL: nobody is told */
	void *health_context;
	size_t kept; /* paths with bindings */
	size_t connected; /* of these, in state PATH_CONNECTED */
	bool crowded; /* more than may be; said once, until it is half of that */
	uint64_t demand; /* of these, see keep/pacer.h */
	bool blind; /* see keeper_set_blind() */
	bool holding; /* some path is held back for want of its local address */
	uint64_t held_round_ns; /* the next round through what is held; CLOCK_NEVER: none wanted */
	uint64_t held_rest_ns; /* and no earlier than this */
};

/* As if the outstanding prompt had not been sent: its want of an answer says nothing. */
void keeper_forget_prompt(struct path *path);

/*
 * Prompts a path that the policy wants prompted, and returns true if the prompt left. Otherwise
 * the path is due again when it may try: when its turn comes (keep/pacer.h) or its ticket is
 * good (keep/caps.h), or later if it could not leave.
 */
bool keeper_act(struct keeper *keeper, struct path *path, enum policy_action action,
		uint64_t now_ns);

/* The path wants no prompt any more: it waits neither for its turn nor for a ticket. */
void keeper_leave_queues(struct path *path);

/* When a path is due that waits neither for an answer nor for its turn; true for such a path. */
uint64_t keeper_due_at(const struct keeper *keeper, const struct path *path);
bool keeper_is_resting(const struct path *path);

/* Told by keep/wire of each prompt that the network has refused; the context is the keeper. */
void keeper_take_refusal(void *context, const struct flow *flow, bool congested);

/* Makes a path due at when_ns, or when the first of its bindings ends if that is earlier. */
void keeper_look_at(struct keeper *keeper, struct path *path, uint64_t when_ns);

/*
 * An outside change has come to a path: one that rests is due when the device will have been
 * quiet for the threshold, or at once; it may have waited for an end that is further now.
 */
void keeper_reconsider(struct keeper *keeper, struct path *path);

/*
 * Takes the bindings that have run out off a path, and puts them onto the list (by
 * binding.next) of expired ones.
 */
void tenancy_expire(struct keeper *keeper, struct path *path, uint64_t now_ns,
		    struct binding **expired);

/* Takes all bindings off a path, such as one whose connection is gone, onto the same list. */
void tenancy_drop(struct keeper *keeper, struct path *path, enum binding_reason reason,
		  uint64_t now_ns, struct binding **expired);

/* What a path asks of the pacer. */
uint64_t tenancy_demand(const struct path *path);

/* Closes a path without bindings, unless the answer to its prompt may still be on its way. */
void tenancy_bury(struct keeper *keeper, struct path *path, uint64_t now_ns);

#endif
