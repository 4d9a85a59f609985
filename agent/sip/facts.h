/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts.h - what one SIP message says: the noun between the reader and the state rooms.
 *
 * The spans point into the reader's own memory and are good until it reads its next
 * message. Whoever keeps a fact copies it.
 */
#ifndef AGENT_SIP_FACTS_H
#define AGENT_SIP_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* A request with more Contacts than these is malformed, a response is incomplete. */
#define FACTS_CONTACTS_MAX 32

/* A lifetime that was not stated. */
#define FACTS_UNSTATED UINT32_MAX

enum sip_method {
	SIP_METHOD_OTHER, /* one that the agent does not care about */
	SIP_METHOD_MALFORMED, /* of sip_reader_peek() alone: no facts have it */
	SIP_METHOD_REGISTER,
	SIP_METHOD_SUBSCRIBE,
	SIP_METHOD_NOTIFY,
	SIP_METHOD_INVITE,
	SIP_METHOD_ACK,
	SIP_METHOD_BYE,
	SIP_METHOD_CANCEL,
	SIP_METHOD_UPDATE,
	SIP_METHOD_OPTIONS,
};

/* The state that a NOTIFY tells (RFC 6665 section 8.2.3). */
enum subscription_state {
	SUBSCRIPTION_UNSTATED, /* no Subscription-State, or one that cannot be read */
	SUBSCRIPTION_LIVE, /* active, pending, or an extension */
	SUBSCRIPTION_TERMINATED,
};

/* Who refreshes a session (RFC 4028 section 4). */
enum session_refresher { REFRESHER_UNSTATED, REFRESHER_UAC, REFRESHER_UAS };

/* One Contact header value (RFC 3261 section 20.10, RFC 5626 section 4.1). */
struct facts_contact {
	struct span uri; /* as written, without the angle brackets */
	struct span user; /* of a SIP URI, without escapes; absent if it has none */
	struct span host; /* of a SIP URI, in lower case, IPv6 without brackets; else absent */
	uint16_t port; /* of a SIP URI, 0 if it has none */
	struct span instance; /* +sip.instance without quotes; absent if it has none */
	uint32_t reg_id; /* reg-id, 0 if it has none */
	uint32_t expires; /* seconds, or FACTS_UNSTATED */
};

struct facts {
	bool is_request;
	enum sip_method method; /* the request's, or that of a response's CSeq */
	uint16_t status; /* of a response; 0 for a request */
	struct span call_id;
	uint32_t cseq;
	struct span branch; /* of the topmost Via; absent before RFC 3261 */
	struct span sent_by; /* host of the topmost Via, IPv6 without brackets */
	uint16_t sent_by_port; /* of the topmost Via, 0 if it has none */
	uint32_t via_count; /* more than one in a request means that a proxy passed it on */
	struct span from_tag;
	struct span to_tag;
	struct span aor; /* URI of To, as uri_make_aor() in sip/uri.h makes it: "sip:user@host" */
	struct span from_aor; /* the same of From; absent in a REGISTER, which is about To */
	struct span event; /* the package of Event, absent without one (RFC 6665 section 8.2.1) */
	struct span event_id; /* its id parameter, absent without one */
	enum subscription_state subscription_state; /* of Subscription-State */
	uint32_t subscription_expires; /* its expires parameter in seconds, or FACTS_UNSTATED */
	uint32_t session_expires; /* Session-Expires in seconds, or FACTS_UNSTATED (RFC 4028) */
	enum session_refresher refresher; /* its refresher parameter */
	uint32_t expires; /* the Expires header in seconds, or FACTS_UNSTATED */
	bool incomplete; /* cut before the end of its headers, or a response with more Contacts */
	bool contact_star; /* "Contact: *" (then contact_count is 0) */
	uint32_t contact_count;
	struct facts_contact contacts[FACTS_CONTACTS_MAX];
};

#endif
