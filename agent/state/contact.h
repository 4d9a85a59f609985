/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contact.h - when two Contacts are of one binding, and when of one device.
 *
 * Both look at the URI, the instance and the reg-id only.
 */
#ifndef AGENT_STATE_CONTACT_H
#define AGENT_STATE_CONTACT_H

#include <stdbool.h>

#include "sip/facts.h"

/*
 * One binding to a registrar: the same instance and reg-id where both have both
 * (RFC 5626 section 6), else the same URI (RFC 3261 section 10.3). Two different
 * instances are never one: behind two NATs two devices may have the same URI.
 */
bool contact_same_binding(const struct facts_contact *a, const struct facts_contact *b);

/*
 * One device on one flow of its own making: one binding, or one instance that has
 * changed its URI without using reg-ids. Different reg-ids are two flows on
 * purpose (trap 31).
 */
bool contact_same_device(const struct facts_contact *a, const struct facts_contact *b);

/* Both have an instance, and not the same. */
bool contact_other_instance(const struct facts_contact *a, const struct facts_contact *b);

#endif
