/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogs.h - which devices are in a call, or in the making of one, over which flows.
 *
 * Turns INVITE and UPDATE with their responses, ACK and BYE into changes of bindings. It opens
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

/*
 * One message changes at most so many bindings: what rings of an INVITE, the one that is
 * accepted, and one that makes room for it.
 */
#define DIALOG_CHANGES_MAX (DIALOG_EARLY_MAX + 2)

/*
 * An early dialog is given up so long after its last provisional response: timer C of
 * RFC 3261 section 16.6 is longer than three minutes, and is started again by each of
 * them (section 16.7).
 */
#define DIALOG_EARLY_NS (200 * UINT64_C(1000000000))

/* After the first 2xx the other forks have 64*T1 to be accepted too (section 13.2.2.4). */
#define DIALOG_FORK_NS (32 * UINT64_C(1000000000))

/* After the 2xx to its INVITE a device has 64*T1 to acknowledge it (section 13.3.1.4). */
#define DIALOG_ACK_NS (32 * UINT64_C(1000000000))

/*
 * An INVITE is waited for so long, from each provisional response anew: its ringing, and the
 * final answer to its CANCEL.
 */
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
 *                                     another fork, and another leg (trap 34); so many as
 *                                     DIALOG_EARLY_MAX of one INVITE
 *   199 with a To tag                 the early leg of that fork lingers (RFC 6228)
 *   2xx                               the leg is confirmed, until Session-Expires of the
 *                                     response (RFC 4028 section 7.2) or else max_lifetime,
 *                                     which bounds both; the other early legs of that
 *                                     INVITE, and those that begin yet, end DIALOG_FORK_NS
 *                                     later at the latest. If it was the device that called,
 *                                     the leg ends after DIALOG_ACK_NS until the device has
 *                                     acknowledged the 2xx: see dialogs_acknowledged()
 *   3xx-6xx to an initial INVITE      all early legs of that INVITE linger
 *   408, 481 to a request inside a    the confirmed leg on that very flow lingers (RFC 3261
 *   dialog                            section 12.2.1.2). RFC 5057 section 5.1 has a few more
 *                                     that destroy a dialog: what comes of those shows by a
 *                                     BYE, or by the end of the session timer. Other failures
 *                                     are about their own request
 *
 * A 2xx to a request inside of a dialog renews its leg by its Session-Expires, moves
 * it to the flow it went over if that is another one (re-INVITE, UPDATE; trap 37), and
 * makes the leg if it is not known (counted in dialogs_found). So it does with one that
 * lingers, if the request was seen after that leg's end: a BYE that was refused, or forged,
 * ended nothing; a new leg takes the place of the one that lingers. It does so once: a
 * repeated 2xx, or one to an older request of that direction, changes nothing. A leg stays
 * early until its INVITE is accepted. A request that another proxy has passed on only renews
 * a leg that is on its flow (trap 32).
 *
 * An answer to an initial INVITE never moves a leg, nor revives one: the same tags on two
 * flows are a spiral, with a leg on each (trap 36).
 *
 * What does not tell the leg by its tags changes nothing. A leg whose path was refused
 * begins again when it is renewed, and ends where it would linger. Where legs of a Call-ID,
 * or of all, are as many as may be, one that is accepted displaces one of its Call-ID that
 * lingers or rings, which ends. What exceeds a limit or memory else is counted
 * (bindings_refused) and left out.
 */
size_t dialogs_answered(struct dialogs *dialogs, const struct transaction *request,
			const struct facts *response, uint64_t now_ns,
			struct binding_change changes[DIALOG_CHANGES_MAX]);

/*
 * What an ACK changes: the device on this flow has read the 2xx to its INVITE, so its leg
 * lasts for as long as that 2xx has said. One that was acknowledged is not renewed by
 * another, nor by the ACK to a re-INVITE: there the tags were the proof. 0 or 1.
 */
size_t dialogs_acknowledged(struct dialogs *dialogs, const struct flow *flow,
			    enum sighting_direction direction, const struct facts *ack,
			    struct binding_change *change);

/*
 * What a BYE changes: the leg of the device that sent it, or that the server sent it to,
 * lingers, early or confirmed, if it is on this flow; or on another one of the same remote
 * address, since a NAT may have changed its mind about the port. The other leg ends by the BYE
 * that the server passes on, and so does the second one of a spiral. 0 or 1.
 */
size_t dialogs_bye(struct dialogs *dialogs, const struct flow *flow,
		   enum sighting_direction direction, const struct facts *bye, uint64_t now_ns,
		   struct binding_change *change);

/* What is written down of a leg; its texts are the room's. */
void dialogs_write(const struct binding *binding, struct record *record);

/*
 * A leg that was written down begins again: fills *change and returns true. False without
 * memory, or beyond a limit. What it was made by is not known any more: an early one that came
 * back ends by its time, or by its BYE. One that awaited its ACK still does.
 */
bool dialogs_restore(struct dialogs *dialogs, const struct record *record,
		     struct binding_change *change);

/* Removes and frees a leg whose binding is off its path. */
void dialogs_forget(struct dialogs *dialogs, struct binding *binding);

/* How many legs there are. */
size_t dialogs_count(const struct dialogs *dialogs);

#endif
