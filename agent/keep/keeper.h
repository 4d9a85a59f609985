/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.h - opens paths for bindings, looks at those that are due, and prompts
 * the ones that have gone quiet.
 *
 * Owns the table of paths, their schedule and their entries in sip_paths; owns no
 * binding. All times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef AGENT_KEEP_KEEPER_H
#define AGENT_KEEP_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "keep/caps.h"
#include "keep/rules.h"
#include "keep/wire.h"
#include "path_entry.h"
#include "state/event.h"
#include "state/paths.h"

struct keeper;

struct keeper_options {
	int path_map; /* descriptor of sip_paths */
	int flow_map; /* descriptor of sip_flows, -1 for none */
	int connection_map; /* descriptor of sip_connections, -1 for none */
	struct wire *wire; /* outlives the keeper; NULL where nothing will be sent */
	struct counts *counts; /* outlives the keeper */
	uint32_t paths_max;
	struct path_rules defaults; /* of every network that "networks" does not name */
	const struct rules_network *networks; /* copied; NULL for none */
	size_t network_count;
	struct caps_limits caps; /* of prompts in a second; all zero: none */
	uint64_t coarse_lag_ns; /* see clock_coarse_lag_ns() */
};

/* Makes a keeper; -errno. keeper_settle() follows once the paths are opened that are known. */
int keeper_new(const struct keeper_options *options, uint64_t now_ns, struct keeper **out);

/* Sweeps sip_paths of what is no path: nothing keeps it. */
void keeper_settle(struct keeper *keeper);

/* Frees the keeper and its paths; bindings are taken off them, entries of sip_paths stay. */
void keeper_free(struct keeper *keeper);

/*
 * Sets who is told of every event of every path, from within the calls below; NULL: nobody.
 * Of a path's health it is told that it has become silent, and that it is heard again.
 */
void keeper_on_event(struct keeper *keeper, path_event_handler *handler, void *context);

/* The same for whoever is to be told of a path's health only. */
void keeper_on_health(struct keeper *keeper, path_event_handler *handler, void *context);

/*
 * Puts a binding onto the path of "flow", taking it off the one it was on. A new
 * path counts as last heard at seen_ns, or later if sip_flows says so. -errno (counted, said
 * once) if the path is refused; the binding is then on no path. Half of the paths at most are
 * of connections of which nothing else is known, since anybody can connect: others are refused
 * (bindings_refused). "reason" is what events say.
 */
int keeper_join(struct keeper *keeper, struct binding *binding, const struct flow *flow,
		enum binding_reason reason, uint64_t seen_ns, uint64_t now_ns);

/* Takes a binding off its path, if it is on one; a path without bindings is kept no longer. */
void keeper_leave(struct keeper *keeper, struct binding *binding, enum binding_reason reason,
		  uint64_t now_ns);

/* The end of a binding that is on a path has changed, or whether it is behind a NAT. */
void keeper_renew(struct keeper *keeper, struct binding *binding);

/*
 * All that the path of this flow was kept for is over, such as when its connection is gone:
 * *expired becomes the list of its bindings, as keeper_turn() makes one; NULL if there is no
 * such path.
 */
void keeper_drop(struct keeper *keeper, const struct flow *flow, enum binding_reason reason,
		 uint64_t now_ns, struct binding **expired);

/* The dialog that this binding is has ended; on its path it lingers until ends_ns (trap 39). */
void keeper_linger(struct keeper *keeper, struct binding *binding, uint64_t ends_ns,
		   enum binding_reason reason, uint64_t now_ns);

/*
 * Looks at the paths that are due at now_ns, prompts those that are quiet, and
 * returns when to be called next (CLOCK_NEVER: not at all): at now_ns again if so many were due
 * that other work gets its turn before the rest of them. *expired becomes the
 * list (by binding.next) of the bindings that ran out, or whose connection is gone
 * from sip_connections or replaced by another; they are off their paths and the caller's
 * to forget.
 */
uint64_t keeper_turn(struct keeper *keeper, uint64_t now_ns, struct binding **expired);

/*
 * Local addresses have come or gone: the next turn looks at what was held back for want
 * of one (trap 6), once per second at most. Call keeper_turn() to learn when.
 */
void keeper_addresses_changed(struct keeper *keeper, uint64_t now_ns);

/*
 * Says that the programs do not see the packets (any more), or see them again. Without
 * them nothing is prompted: no stamp tells who is idle, and the answers would reach the
 * SIP server. Afterwards every path is looked at that became due meanwhile, each prompt in its
 * turn (trap 11), and none that has just been prompted is prompted anew (keep/policy.h).
 */
void keeper_set_blind(struct keeper *keeper, bool blind, uint64_t now_ns);

/*
 * The host was suspended for slept_ns and is awake since now_ns: stamps from before tell nothing,
 * so every path is due (trap 12). Prompts are spread as ever, those first whose NATs are about
 * to forget them, those last that are forgotten already.
 */
void keeper_wake(struct keeper *keeper, uint64_t slept_ns, uint64_t now_ns);

/*
 * The idle threshold, but for networks that have one of their own; a new one takes effect
 * on every path at once. Paths that wait for their turn to be prompted keep it. Of TCP
 * connections it says when the kernel is expected to probe them: whoever sets it tells the
 * kernel as well (kernel/keepalive.h).
 */
uint64_t keeper_threshold_ns(const struct keeper *keeper);
void keeper_set_threshold(struct keeper *keeper, uint64_t threshold_ns);

/*
 * Prompts a path now, out of turn. -EPROTONOSUPPORT for a TCP connection, -EALREADY while
 * a prompt is outstanding, -ENETDOWN while blind, -EAGAIN if a cap has nothing left for it
 * (counted), or as wire_queue().
 */
int keeper_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns);

/*
 * The same for whoever wants to know whether a path is open: anybody who calls its device may
 * be behind that. -EBUSY, too, if the device has left prompts unanswered and was not heard of
 * since: that is known then, and it is prompted less and less often whoever asks.
 */
int keeper_verify(struct keeper *keeper, struct path *path, uint64_t now_ns);

/* The paths, with their bindings; those in state PATH_IDLE are about to go. */
const struct paths *keeper_paths(const struct keeper *keeper);

/* How many paths have a binding: those that are about to go are not counted. */
size_t keeper_kept(const struct keeper *keeper);

/* A path's entry in sip_paths as it is now. Errors as path_map_read(). */
int keeper_read_entry(const struct keeper *keeper, const struct path *path,
		      struct path_entry *entry);

/*
 * What the kernel knows of the connection of a flow; -ENOENT if none stands, another -errno
 * if that could not be learnt.
 */
int keeper_read_connection(const struct keeper *keeper, const struct flow *flow,
			   struct connection_entry *entry);

#endif
