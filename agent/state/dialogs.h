/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogs.h - which devices are in a call, or in the making of one, over which flows.
 *
 * Turns INVITE and UPDATE with their responses, and BYE, into changes of bindings. It opens
 * no path and prompts nothing: the pipeline carries the changes on. RFC 3261 sections 12
 * to 15, RFC 3311, RFC 4028; traps 34-39.
 *
 * A leg belongs to the device at the far end of the flow that its messages use:
 *
 *   the device's request, answered by the server      the device's tag is From's
 *   the server's request, answered by the device      the device's tag is To's
 */
#ifndef AGENT_STATE_DIALOGS_H
#define AGENT_STATE_DIALOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/dialog.h"
#include "state/record.h"
#include "state/transactions.h"

/* One message changes at most so many bindings. */
#define DIALOG_CHANGES_MAX DIALOG_LEGS_MAX

/*
 * An early dialog is given up so long after its last provisional response: timer C of
 * RFC 3261 section 16.6 is longer than three minutes, and is started again by each of
 * them (section 16.7).
 */
#define DIALOG_EARLY_NS (200 * UINT64_C(1000000000))

/* After the first 2xx the other forks have 64*T1 to be accepted too (section 13.2.2.4). */
#define DIALOG_FORK_NS (32 * UINT64_C(1000000000))

/* An INVITE is waited for so long: its ringing, and the final answer to its CANCEL. */
#define DIALOG_INVITE_LIFETIME_NS (DIALOG_EARLY_NS + DIALOG_FORK_NS)

struct dialogs;

struct dialogs_options {
	size_t limit; /* legs at most, lingering ones included */
	uint64_t linger_ns; /* a leg lingers so long after its end (trap 39); 0: not at all */
	uint64_t max_lifetime_ns; /* of a confirmed dialog without a session timer (trap 35) */
	struct counts *counts; /* outlives the room */
};

/* NULL without memory or randomness. */
struct dialogs *dialogs_new(const struct dialogs_options *options);

/* Frees the room and every leg; their bindings must be detached already. */
void dialogs_free(struct dialogs *dialogs);

/*
 * What a response to a remembered INVITE or UPDATE changes. Writes at most
 * DIALOG_CHANGES_MAX changes, one for a binding at most, ends and lingerings last, and
 * returns how many. The caller carries them out before it calls again; a leg that ends is
 * still readable until dialogs_forget().
 *
 *   1xx above 100 with a To tag       an early leg begins or is renewed; a second tag is
 *                                     another fork, and another leg (trap 34)
 *   2xx                               the leg is confirmed, until Session-Expires of the
 *                                     response (RFC 4028 section 7.2) or else max_lifetime,
 *                                     which bounds both; the other early legs of that
 *                                     INVITE, and those that begin yet, end DIALOG_FORK_NS
 *                                     later at the latest
 *   3xx-6xx to an initial INVITE      all early legs of that INVITE linger
 *   481 to a request inside a dialog  the leg lingers; other failures change nothing
 *                                     (RFC 5057 section 5.1)
 *
 * A 2xx to a request inside of a dialog renews its leg by its Session-Expires, moves
 * it to the flow it went over if that is another one (re-INVITE, UPDATE; trap 37), and
 * makes the leg if it is not known (counted in dialogs_found). It does so once: a repeated
 * 2xx, or one to an older request of that direction, changes nothing. A leg stays early
 * until its INVITE is accepted, and one that lingers goes on lingering whatever is accepted.
 *
 * An answer to an initial INVITE never moves a leg: the same tags on two flows are a spiral,
 * with a leg on each (trap 36).
 *
 * What does not tell the leg by its tags changes nothing. A leg whose path was refused
 * begins again when it is renewed, and ends where it would linger. What exceeds a limit or
 * memory is counted (bindings_refused) and left out.
 */
size_t dialogs_answered(struct dialogs *dialogs, const struct transaction *request,
			const struct facts *response, uint64_t now_ns,
			struct binding_change changes[DIALOG_CHANGES_MAX]);

/*
 * What a BYE changes: the leg of the device that sent it, or that the server sent it to,
 * lingers, early or confirmed. The other leg ends by the BYE that the server passes on, and
 * so does the second one of a spiral. 0 or 1.
 */
size_t dialogs_bye(struct dialogs *dialogs, enum sighting_direction direction,
		   const struct facts *bye, uint64_t now_ns, struct binding_change *change);

/* What is written down of a leg; its texts are the room's. */
void dialogs_write(const struct binding *binding, struct record *record);

/*
 * A leg that was written down begins again: fills *change and returns true. False without
 * memory, or beyond a limit. What it was made by is not known any more: an early one that came
 * back ends by its time, or by its BYE.
 */
bool dialogs_restore(struct dialogs *dialogs, const struct record *record,
		     struct binding_change *change);

/* Removes and frees a leg whose binding is off its path. */
void dialogs_forget(struct dialogs *dialogs, struct binding *binding);

/* How many legs there are. */
size_t dialogs_count(const struct dialogs *dialogs);

#endif
