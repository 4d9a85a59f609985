/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/grant.h"

#include <stdbool.h>
#include <string.h>

#include "base/address.h"
#include "state/contact.h"

#define SIP_PORT 5060 /* of a URI that names none (RFC 3261 section 19.1.2) */

/* How sure it is that an entry of the 2xx is a Contact's. */
enum likeness { UNLIKE, SAME_WIRE_ADDRESS, SAME_DEVICE, SAME_BINDING, LIKENESS_MAX };

static uint32_t requested_s(const struct facts *request, const struct facts_contact *contact)
{
	if (contact->expires != FACTS_UNSTATED)
		return contact->expires;
	return request->expires != FACTS_UNSTATED ? request->expires
						  : REGISTRATION_LIFETIME_DEFAULT_S;
}

static bool at_wire_address(const struct facts_contact *entry, const struct flow *flow)
{
	uint16_t port = entry->port > 0 ? entry->port : SIP_PORT;
	uint8_t address[16];

	return port == flow->remote_port && address_read(entry->host, address) == 0 &&
	       memcmp(address, flow->remote_addr, sizeof(address)) == 0;
}

static enum likeness likeness(const struct facts_contact *contact,
			      const struct facts_contact *entry, const struct flow *flow)
{
	if (contact_same_binding(contact, entry))
		return SAME_BINDING;
	if (contact_same_device(contact, entry))
		return SAME_DEVICE;
	if (!contact_other_instance(contact, entry) && span_equal(contact->user, entry->user) &&
	    at_wire_address(entry, flow))
		return SAME_WIRE_ADDRESS;
	return UNLIKE;
}

/* The entry that is most surely this Contact's, or NULL. */
static const struct facts_contact *likest(const struct facts_contact *contact,
					  const struct facts *response, const struct flow *flow)
{
	const struct facts_contact *best = NULL;
	int best_rank = 0;

	for (uint32_t i = 0; i < response->contact_count; i++) {
		const struct facts_contact *entry = &response->contacts[i];
		enum likeness like = likeness(contact, entry, flow);
		int rank = (int)like + (entry->expires > 0 ? LIKENESS_MAX : 0);

		if (like != UNLIKE && rank > best_rank) {
			best = entry;
			best_rank = rank;
		}
	}
	return best;
}

/* The only entry of the 2xx that lives, or NULL. */
static const struct facts_contact *sole_entry(const struct facts *response)
{
	const struct facts_contact *sole = NULL;

	for (uint32_t i = 0; i < response->contact_count; i++) {
		if (response->contacts[i].expires == 0)
			continue;
		if (sole)
			return NULL;
		sole = &response->contacts[i];
	}
	return sole;
}

static bool is_sole_wish(const struct facts *request)
{
	int wishes = 0;

	for (uint32_t i = 0; i < request->contact_count; i++)
		wishes += requested_s(request, &request->contacts[i]) > 0;
	return wishes == 1;
}

/* The entry of the 2xx that tells of this Contact, or NULL. */
static const struct facts_contact *entry_of(const struct transaction *request,
					    const struct facts_contact *contact,
					    const struct facts *response)
{
	const struct facts_contact *entry = likest(contact, response, &request->flow);

	/* What is missing may be this Contact's living entry, and those of others. */
	if (response->incomplete)
		return entry && entry->expires > 0 ? entry : NULL;
	if (entry || !is_sole_wish(request->facts))
		return entry;
	entry = sole_entry(response);
	return entry && !contact_other_instance(contact, entry) ? entry : NULL;
}

static uint32_t lifetime_s(const struct transaction *request, const struct facts_contact *contact,
			   const struct facts *response)
{
	uint32_t wish_s = requested_s(request->facts, contact);
	const struct facts_contact *entry;

	if (wish_s == 0)
		return 0;
	entry = entry_of(request, contact, response);
	if (!entry && response->contact_count > 0 && !response->incomplete)
		return 0;
	if (entry && entry->expires != FACTS_UNSTATED)
		return entry->expires;
	return response->expires != FACTS_UNSTATED ? response->expires : wish_s;
}

void grant_lifetimes(const struct transaction *request, const struct facts *response,
		     uint32_t lifetimes_s[FACTS_CONTACTS_MAX])
{
	for (uint32_t i = 0; i < request->facts->contact_count; i++) {
		uint32_t granted_s = lifetime_s(request, &request->facts->contacts[i], response);

		lifetimes_s[i] = granted_s < REGISTRATION_LIFETIME_MAX_S
					 ? granted_s
					 : REGISTRATION_LIFETIME_MAX_S;
	}
}
