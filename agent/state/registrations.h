/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registrations.h - which devices the SIP server has registered, over which flows.
 *
 * Turns an accepted REGISTER (the request and the server's 2xx) into changes of
 * bindings. It knows no path and prompts nothing: the pipeline carries the
 * changes on. Traps 24-31.
 */
#ifndef AGENT_STATE_REGISTRATIONS_H
#define AGENT_STATE_REGISTRATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sip/facts.h"
#include "state/binding.h"
#include "state/transactions.h"

/* Lifetime when neither side states one (RFC 3261 section 10.2.1.1). */
#define REGISTRATION_LIFETIME_DEFAULT_S 3600

/* No registration lasts longer than this, whatever the server grants. */
#define REGISTRATION_LIFETIME_MAX_S (7 * 24 * 3600)

/* One accepted REGISTER changes at most so many bindings. */
#define REGISTRATION_CHANGES_MAX 64

struct registrations;

/*
 * A registered device. The identity of a device within its AOR is its
 * +sip.instance and reg-id if it has an instance (RFC 5626), else its Contact
 * URI, or the Call-ID of its REGISTERs (which a device keeps while it runs, so a
 * rewritten Contact is still the same device).
 */
struct registration {
	struct binding binding; /* first; binding.target is the Contact URI */
	struct span aor;
	struct span call_id;
	struct span instance; /* absent if the device has none */
	uint32_t reg_id;
	uint32_t cseq; /* of the REGISTER that was accepted last */
	uint64_t accepted_ns; /* when the server accepted it */
};

/* A room for at most "limit" registrations; NULL without memory. */
struct registrations *registrations_new(size_t limit, struct counts *counts);

/* Frees the room and every registration; their bindings must be detached already. */
void registrations_free(struct registrations *registrations);

/*
 * What the server's 2xx to a remembered REGISTER changes. Writes at most
 * REGISTRATION_CHANGES_MAX changes into "changes" and returns how many, 0 or more.
 * A registration that ends is still readable until registrations_forget().
 * Contacts beyond a limit or without memory are counted (bindings_refused) and
 * left out.
 */
size_t registrations_accept(struct registrations *registrations, const struct transaction *request,
			    const struct facts *response, uint64_t accepted_ns,
			    struct binding_change changes[REGISTRATION_CHANGES_MAX]);

/* Removes and frees one registration whose binding is off its path. */
void registrations_forget(struct registrations *registrations, struct binding *binding);

/* The registration that a binding of kind BINDING_REGISTRATION is. */
const struct registration *registration_of(const struct binding *binding);

/* How many devices are registered. */
size_t registrations_count(const struct registrations *registrations);

#endif
