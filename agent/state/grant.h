/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant.h - how long a Contact of a REGISTER is registered, by the server's 2xx.
 *
 * The 2xx lists every binding of the AOR, so first it is found which entry, if
 * any, is this Contact's (trap 24), in this order:
 *
 *   1. the same binding to a registrar, see contact_same_binding();
 *   2. the same device, see contact_same_device();
 *   3. the same user at the address and port that the request came from: what
 *      registrars make of a Contact behind a NAT;
 *   4. whatever the entry says, if it is the only one, and this the only Contact,
 *      that does not end.
 *
 * An entry that lives goes before one that has ended (trap 28). A 2xx that is
 * incomplete may list more: 4 tells nothing then, nor does an entry that has ended.
 */
#ifndef AGENT_STATE_GRANT_H
#define AGENT_STATE_GRANT_H

#include <stdint.h>

#include "sip/facts.h"
#include "state/transactions.h"

/* Lifetime when neither side states one (RFC 3261 section 10.2.1.1). */
#define REGISTRATION_LIFETIME_DEFAULT_S 3600

/* No registration lasts longer than this, whatever the server grants. */
#define REGISTRATION_LIFETIME_MAX_S (7 * 24 * 3600)

/*
 * Says for each Contact of the request for how many seconds it is registered; 0
 * if it is not, or not any longer (trap 26):
 *
 *   the device removes it            0, whatever the 2xx says (trap 28)
 *   the 2xx has an entry for it      the entry's expires, else the 2xx's Expires,
 *                                    else what the request asked for
 *   the 2xx lists no Contact at all  the 2xx's Expires, else what the request asked
 *                                    for: some registrars list none
 *   the 2xx is incomplete, and what  the 2xx's Expires, else what the request asked
 *   there is tells nothing of it     for: its entry may be what is missing (trap 41)
 *   the 2xx lists others only        0: the registrar did not take it
 *
 * A request asks with its Contact's expires, else its Expires, else for the default.
 */
void grant_lifetimes(const struct transaction *request, const struct facts *response,
		     uint32_t lifetimes_s[FACTS_CONTACTS_MAX]);

#endif
