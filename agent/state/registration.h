/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registration.h - a device that is registered: the noun of the registrations room. */
#ifndef AGENT_STATE_REGISTRATION_H
#define AGENT_STATE_REGISTRATION_H

#include <stdint.h>

#include "base/table.h"
#include "state/binding.h"

/* One AOR has at most so many registrations. */
#define REGISTRATIONS_PER_AOR_MAX 64

/*
 * A registered device. The identity of a device within its AOR is its
 * +sip.instance and reg-id if it has an instance (RFC 5626), else its Contact
 * URI, or the Call-ID of its REGISTERs (which a device keeps while it runs, so a
 * rewritten Contact is still the same device).
 */
struct registration {
	struct binding
		binding; /* first; target is the Contact URI, aor has its scheme and host in lower case */
	struct span call_id;
	struct span instance; /* absent if the device has none */
	uint32_t reg_id;
	uint32_t cseq; /* of the REGISTER that was accepted last */
	uint64_t accepted_ns; /* when the server accepted it */
	struct table_node by_aor; /* owned by state/registration_table */
};

/* The registration that a binding of kind BINDING_REGISTRATION is. */
static inline const struct registration *registration_of(const struct binding *binding)
{
	return (const struct registration *)(const void *)binding;
}

#endif
