/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/encoding.h"

#include <errno.h>

#include "sighting.h"
#include "store/encoding_parts.h"

#define FLAG_INCOMPLETE 1
#define FLAG_CONTACT_STAR 2

/* What a request's record begins with; its texts follow, and then its Contacts. */
struct fixed {
	struct encoding_head head;
	uint64_t seen_ns; /* CLOCK_MONOTONIC of the boot in which it was written, as the next one */
	uint64_t since_ns;
	uint32_t cseq;
	uint32_t expires;
	uint32_t session_expires;
	uint32_t subscription_expires;
	uint32_t via_count;
	uint32_t contact_count;
	uint16_t sent_by_port;
	uint8_t method;
	uint8_t direction;
	uint8_t stage;
	uint8_t refresher;
	uint8_t subscription_state;
	uint8_t flags;
};

_Static_assert(sizeof(struct fixed) == 112, "struct fixed is stored: no hidden padding");

/* And each Contact; its texts follow. */
struct fixed_contact {
	uint32_t reg_id;
	uint32_t expires;
	uint16_t port;
	uint16_t reserved;
};

_Static_assert(sizeof(struct fixed_contact) == 12, "it is stored: no hidden padding");

#define FACTS_TEXTS(X) \
	X(call_id) \
	X(branch) \
	X(sent_by) \
	X(from_tag) \
	X(to_tag) \
	X(aor) \
	X(from_aor) \
	X(event) \
	X(event_id)

#define CONTACT_TEXTS(X) \
	X(uri) \
	X(user) \
	X(host) \
	X(instance)

static struct fixed fixed_of(const struct waiting *waiting, const struct encoding_clock *clock)
{
	const struct facts *facts = waiting->facts;

	return (struct fixed){
		.head = encoding_head(&waiting->flow, ENCODING_REQUEST, clock),
		.seen_ns = waiting->seen_ns,
		.since_ns = waiting->since_ns,
		.cseq = facts->cseq,
		.expires = facts->expires,
		.session_expires = facts->session_expires,
		.subscription_expires = facts->subscription_expires,
		.via_count = facts->via_count,
		.contact_count = facts->contact_count,
		.sent_by_port = facts->sent_by_port,
		.method = (uint8_t)facts->method,
		.direction = waiting->direction,
		.stage = waiting->stage,
		.refresher = (uint8_t)facts->refresher,
		.subscription_state = (uint8_t)facts->subscription_state,
		.flags = (uint8_t)((facts->incomplete ? FLAG_INCOMPLETE : 0) |
				   (facts->contact_star ? FLAG_CONTACT_STAR : 0)),
	};
}

static void put_contact(struct encoding_writer *writer, const struct facts_contact *contact)
{
	struct fixed_contact fixed = {
		.reg_id = contact->reg_id,
		.expires = contact->expires,
		.port = contact->port,
	};

	encoding_put(writer, &fixed, sizeof(fixed));
#define PUT_(name) encoding_put_text(writer, contact->name);
	CONTACT_TEXTS(PUT_)
#undef PUT_
}

static size_t text_bytes(const struct facts *facts)
{
	size_t bytes = 0;

#define ADD_(name) bytes += facts->name.length;
	FACTS_TEXTS(ADD_)
#undef ADD_
#define ADD_(name) bytes += facts->contacts[i].name.length;
	for (uint32_t i = 0; i < facts->contact_count; i++) {
		CONTACT_TEXTS(ADD_)
	}
#undef ADD_
	return bytes;
}

size_t encoding_write_request(const struct waiting *waiting, const struct encoding_clock *clock,
			      char bytes[ENCODING_BYTES_MAX])
{
	struct fixed fixed = fixed_of(waiting, clock);
	struct encoding_writer writer = { .at = bytes };
	const struct facts *facts = waiting->facts;

	if (text_bytes(facts) > RECORD_TEXT_MAX)
		return 0;
	encoding_put(&writer, &fixed, sizeof(fixed));
#define PUT_(name) encoding_put_text(&writer, facts->name);
	FACTS_TEXTS(PUT_)
#undef PUT_
	for (uint32_t i = 0; i < facts->contact_count; i++)
		put_contact(&writer, &facts->contacts[i]);
	return encoding_seal(&writer, bytes);
}

static bool is_sound(const struct fixed *fixed)
{
	return fixed->head.kind == ENCODING_REQUEST && encoding_is_flow(&fixed->head.flow) &&
	       fixed->method > SIP_METHOD_MALFORMED && fixed->method <= SIP_METHOD_OPTIONS &&
	       fixed->direction <= SIGHTING_TO_DEVICE && fixed->refresher <= REFRESHER_UAS &&
	       fixed->subscription_state <= SUBSCRIPTION_TERMINATED &&
	       fixed->contact_count <= FACTS_CONTACTS_MAX;
}

static void set_facts(struct facts *facts, const struct fixed *fixed)
{
	facts->is_request = true;
	facts->method = (enum sip_method)fixed->method;
	facts->status = 0;
	facts->cseq = fixed->cseq;
	facts->sent_by_port = fixed->sent_by_port;
	facts->via_count = fixed->via_count;
	facts->subscription_state = (enum subscription_state)fixed->subscription_state;
	facts->subscription_expires = fixed->subscription_expires;
	facts->session_expires = fixed->session_expires;
	facts->refresher = (enum session_refresher)fixed->refresher;
	facts->expires = fixed->expires;
	facts->incomplete = fixed->flags & FLAG_INCOMPLETE;
	facts->contact_star = fixed->flags & FLAG_CONTACT_STAR;
	facts->contact_count = fixed->contact_count;
}

static int take_contact(struct span *bytes, struct facts_contact *contact)
{
	struct fixed_contact fixed;
	int error = encoding_take(bytes, &fixed, sizeof(fixed));

	if (error)
		return error;
	contact->reg_id = fixed.reg_id;
	contact->expires = fixed.expires;
	contact->port = fixed.port;
#define TAKE_(name) error = error ? error : encoding_take_text(bytes, &contact->name);
	CONTACT_TEXTS(TAKE_)
#undef TAKE_
	return error || contact->uri.at ? error : -EBADMSG;
}

static int take_texts(struct span *bytes, struct facts *facts)
{
	int error = 0;

#define TAKE_(name) error = error ? error : encoding_take_text(bytes, &facts->name);
	FACTS_TEXTS(TAKE_)
#undef TAKE_
	for (uint32_t i = 0; i < facts->contact_count && !error; i++)
		error = take_contact(bytes, &facts->contacts[i]);
	/* The reader makes no facts without these. */
	return error || (facts->call_id.at && facts->aor.at) ? error : -EBADMSG;
}

static uint64_t until(uint64_t time_ns, uint64_t now_ns)
{
	return time_ns < now_ns ? time_ns : now_ns;
}

int encoding_read_request(struct span bytes, const struct encoding_clock *clock,
			  struct facts *facts, struct waiting *waiting)
{
	struct fixed fixed;

	if (!encoding_unseal(&bytes) || encoding_take(&bytes, &fixed, sizeof(fixed)) ||
	    !is_sound(&fixed))
		return -EBADMSG;
	set_facts(facts, &fixed);
	if (take_texts(&bytes, facts) || bytes.length > 0)
		return -EBADMSG;
	if (encoding_is_early(fixed.head.written_ns, clock))
		return -ESTALE;
	*waiting = (struct waiting){
		.flow = fixed.head.flow,
		.seen_ns = until(fixed.seen_ns, clock->now_ns),
		.since_ns = until(fixed.since_ns, clock->now_ns),
		.direction = fixed.direction,
		.stage = fixed.stage,
		.facts = facts,
	};
	return 0;
}
