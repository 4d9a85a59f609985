/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger.h - all bindings there are, whatever their kind: the rooms that make them, side by
 * side, what is written down of them, and what the cluster is told of them.
 */
#ifndef AGENT_LEDGER_H
#define AGENT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/paths.h"
#include "state/transactions.h"
#include "store/store.h"

/* A time that has been in the cluster and is back is as exact as this. */
#define LEDGER_CLOCK_MARGIN_NS (UINT64_C(50) * 1000000)

/* One message changes at most so many bindings. */
#define LEDGER_CHANGES_MAX 64

struct ledger;

struct ledger_options {
	uint32_t paths_max; /* there is room for several bindings of each kind for each path */
	uint64_t linger_ns; /* a path is kept so long after its last dialog */
	uint64_t dialog_max_ns; /* a dialog without a session timer is over after so long */
	struct store *store; /* outlives the ledger; NULL: nothing is written down */
	struct share *share; /* outlives the ledger; NULL: nobody else is told */
	struct counts *counts; /* outlives the ledger */
};

/* NULL without memory or randomness. */
struct ledger *ledger_new(const struct ledger_options *options);

/* Frees every binding; they must be off their paths. What is written down stays. */
void ledger_free(struct ledger *ledger);

/*
 * What an answer to a remembered request, or a request that needs no answer (NOTIFY, ACK,
 * BYE), or a connection that stands, changes. These return how many changes were written; the caller
 * carries them out before it calls again.
 */
size_t ledger_answered(struct ledger *ledger, const struct transaction *request,
		       const struct facts *response, uint64_t now_ns,
		       struct binding_change changes[LEDGER_CHANGES_MAX]);
size_t ledger_told(struct ledger *ledger, const struct flow *flow,
		   enum sighting_direction direction, const struct facts *request, uint64_t now_ns,
		   struct binding_change *change);
size_t ledger_connected(struct ledger *ledger, const struct flow *flow, uint64_t opened_ns,
			struct binding_change *change);

/*
 * The cluster has found a newer registration of a device at another node: the change that ends
 * the one here, if it is the one that was accepted at accepted_ns. One that was accepted since is
 * another matter, of which its own report decides (trap 30). "aor" and "device" are as the cluster
 * has them (cluster/location.h). False if there is no such registration.
 */
bool ledger_leave(struct ledger *ledger, struct span aor, struct span device, uint64_t accepted_ns,
		  struct binding_change *change);

/* Writes down a binding that is on a path, as it is now. */
void ledger_note(struct ledger *ledger, struct binding *binding);

/* Tells the cluster of a binding that is on a path, whose device was last heard at heard_ns. */
void ledger_report(struct ledger *ledger, const struct binding *binding, uint64_t heard_ns,
		   uint64_t now_ns);

/* The same of all bindings of a path. */
void ledger_report_path(struct ledger *ledger, const struct path *path, uint64_t heard_ns,
			uint64_t now_ns);

/* Tells the cluster everything anew when it asks for that; true if there is more to tell now. */
bool ledger_announce(struct ledger *ledger, const struct paths *paths, uint64_t now_ns);

/*
 * Frees a binding that is off its path, or a list of them (by binding.next), and what is written
 * down of it; the cluster is told that it is over.
 */
void ledger_forget(struct ledger *ledger, struct binding *binding);
void ledger_forget_all(struct ledger *ledger, struct binding *bindings);

/*
 * Notes everything on the paths anew, since the store has begun anew: some of it with each call of
 * ledger_note_on(), which is true once there is nothing left to note.
 */
void ledger_note_anew(struct ledger *ledger);
bool ledger_note_on(struct ledger *ledger, const struct paths *paths);

/*
 * Brings back what was written down under this id: true with the change with which it begins
 * again. What has ended, or finds no room, is deleted there.
 */
bool ledger_restore(struct ledger *ledger, uint64_t stored, const struct record *record,
		    uint64_t now_ns, struct binding_change *change);

#endif
