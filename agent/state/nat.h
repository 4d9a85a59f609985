/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat.h - whether a device that said something is behind a NAT. */
#ifndef AGENT_STATE_NAT_H
#define AGENT_STATE_NAT_H

#include <stdbool.h>

#include "flow.h"
#include "sip/facts.h"

/*
 * True unless what the device says of itself is where its packets come from: the Contacts
 * of the message, and the sent-by of a request's topmost Via, as address and port (5060
 * if it says none; over TCP ports say nothing, since a connection's is not listened on).
 * A host name, or a response without Contact, says nothing, and so leaves it open: true,
 * because a prompt too many is cheap and a phone that does not ring is not. "facts" is
 * what came over "flow" from the device: a request of its, or its response, of which the
 * Contact alone is its own.
 */
bool nat_between(const struct flow *flow, const struct facts *facts);

#endif
