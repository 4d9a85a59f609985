/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registrations.h - which devices the SIP server has registered, over which flows.
 *
 * Turns an accepted REGISTER (the request and the server's 2xx) into changes of
 * bindings. It opens no path and prompts nothing: the pipeline carries the
 * changes on. Traps 24-31.
 */
#ifndef AGENT_STATE_REGISTRATIONS_H
#define AGENT_STATE_REGISTRATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/record.h"
#include "state/registration.h"
#include "state/transactions.h"

/* One accepted REGISTER changes at most so many bindings. */
#define REGISTRATION_CHANGES_MAX 64

/*
 * Room for so many registrations is made for each path: more than one AOR on one path is
 * common, so that it is sip_paths that fills up first.
 */
#define REGISTRATIONS_PER_PATH 4U

struct registrations;

/* A room for at most "limit" registrations; NULL without memory or randomness. */
struct registrations *registrations_new(size_t limit, struct counts *counts);

/* Frees the room and every registration; their bindings must be detached already. */
void registrations_free(struct registrations *registrations);

/*
 * What the server's 2xx to a remembered REGISTER changes. Writes at most
 * REGISTRATION_CHANGES_MAX changes into "changes", one for a binding at most, ends
 * last, and returns how many, 0 or more. The caller carries them out before it
 * calls again. A registration that ends is still readable until
 * registrations_forget(). Contacts beyond a limit or without memory are counted
 * (bindings_refused) and left out.
 *
 * A Contact that the server has granted a lifetime (see state/grant.h) begins a
 * registration, or renews that of the same device; on another flow it moves it
 * there, and one that is on no path begins again. The same device is, in this
 * order, the registration with
 *
 *   - the same registrar's binding, see contact_same_binding();
 *   - the same instance and reg-id, see contact_same_device();
 *   - the same Call-ID, if this REGISTER either removes that registration's own
 *     Contact (a Contact rewritten in one REGISTER), or comes from another remote
 *     address to the same local one: the NAT has given the device a new mapping,
 *     and the old one is left (trap 8).
 *
 * So two Contacts in one REGISTER, or added one by one on one flow, are two
 * registrations although they share a Call-ID.
 *
 * A Contact without a lifetime ends the registration of the same registrar's
 * binding and no other: the device may live on with another Contact (trap 28).
 * "Contact: *" with Expires 0 ends all of the AOR (trap 25). No Contact changes
 * nothing, nor does any answer but a 2xx (trap 27).
 *
 * What is older than what is known changes nothing and is counted
 * (registers_stale): accepted earlier (trap 30), or a lower CSeq in the same
 * Call-ID; an equal one is a retransmission (trap 27).
 */
size_t registrations_accept(struct registrations *registrations, const struct transaction *request,
			    const struct facts *response, uint64_t accepted_ns,
			    struct binding_change changes[REGISTRATION_CHANGES_MAX]);

/* What is written down of a registration; its texts are the room's. */
void registrations_write(const struct binding *binding, struct record *record);

/*
 * A registration that was written down begins again, before any other has: fills *change and
 * returns true. False without memory, or beyond a limit.
 */
bool registrations_restore(struct registrations *registrations, const struct record *record,
			   struct binding_change *change);

/*
 * The registrations of an AOR (folded, see uri_fold()), one after the other, in no order; NULL at
 * the end. Good until a registration comes or goes.
 */
struct registration *registrations_first(const struct registrations *registrations,
					 struct span aor);
struct registration *registrations_next(const struct registration *registration);

/* The device of this registration has left it for another node of the set: the change that ends it. */
struct binding_change registrations_leave(struct registrations *registrations,
					  struct registration *registration);

/* Removes and frees one registration whose binding is off its path. */
void registrations_forget(struct registrations *registrations, struct binding *binding);

/* How many devices are registered. */
size_t registrations_count(const struct registrations *registrations);

#endif
