/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "sighting.h"
#include "sip/headers.h"
#include "sip/refinement.h"
#include "sip/start_line.h"
#include "sip/uri.h"
#include "sip/values.h"

/* A Contact's lifetime that cannot be read (RFC 3261 section 10.2). */
#define MALFORMED_LIFETIME_S 3600

struct sip_reader {
	struct span method; /* of the request that is being read */
	struct span from; /* URI of From */
	bool bad_contact; /* one could not be read */
	struct text made; /* over "buffer": facts that do not stand in the message as such */
	char message[SIGHTING_CAPTURE_MAX];
	/* Each URI's parts, and those of To and From once more. */
	char buffer[2 * SIGHTING_CAPTURE_MAX];
};

/*
 * A lifetime in seconds. Larger ones count as the largest that can be told, malformed
 * ones as an hour (RFC 3261 section 10.2).
 */
static uint32_t read_lifetime(struct span text)
{
	uint64_t seconds;

	switch (number_read(text, 0, FACTS_UNSTATED - 1, &seconds)) {
	case 0:
		return (uint32_t)seconds;
	case -ERANGE:
		return FACTS_UNSTATED - 1;
	default:
		return MALFORMED_LIFETIME_S;
	}
}

static int read_contact_parameters(struct span parameters, struct facts_contact *contact)
{
	struct span expires, reg_id;
	uint64_t number;

	if (value_find_parameter(parameters, SPAN("expires"), &expires) ||
	    value_find_parameter(parameters, SPAN("reg-id"), &reg_id) ||
	    value_find_parameter(parameters, SPAN("+sip.instance"), &contact->instance))
		return -EBADMSG;
	contact->expires = expires.at ? read_lifetime(expires) : FACTS_UNSTATED;
	/* RFC 5626 section 10: 1..2^31-1; any other is as good as none. */
	contact->reg_id = number_read(reg_id, 1, INT32_MAX, &number) ? 0 : (uint32_t)number;
	if (contact->instance.length == 0)
		contact->instance = (struct span){ NULL, 0 };
	return 0;
}

static int read_contact(struct sip_reader *reader, struct span value, struct facts *facts)
{
	struct facts_contact *contact = &facts->contacts[facts->contact_count];
	struct address_value address;
	struct uri uri;
	int error;

	if (facts->contact_count == FACTS_CONTACTS_MAX) {
		facts->incomplete = true;
		return facts->is_request ? -EBADMSG : 0;
	}
	if (value_read_address(value, &address))
		return -EBADMSG;
	error = uri_read(address.uri, &reader->made, &uri);
	if (error)
		return error;
	*contact = (struct facts_contact){
		.uri = address.uri,
		.user = uri.user,
		.host = uri.host,
		.port = uri.port,
	};
	facts->contact_count++;
	return read_contact_parameters(address.parameters, contact);
}

static int read_contact_list(struct sip_reader *reader, struct span list, struct facts *facts)
{
	struct span value;
	int found, error;

	/* The star stands alone (RFC 3261 section 20.10). */
	if (facts->contact_star)
		return -EBADMSG;
	if (span_equal(list, SPAN("*"))) {
		facts->contact_star = true;
		return facts->contact_count == 0 ? 0 : -EBADMSG;
	}
	while ((found = value_next(&list, &value)) > 0) {
		error = read_contact(reader, value, facts);
		if (error)
			return error;
	}
	return found;
}

/* A bad one costs a REGISTER all of it, which CSeq tells, and any other message its Contacts. */
static int read_contacts(struct sip_reader *reader, struct span list, struct facts *facts)
{
	int error = read_contact_list(reader, list, facts);

	reader->bad_contact |= error == -EBADMSG;
	return error == -EBADMSG ? 0 : error;
}

static int judge_contacts(const struct sip_reader *reader, struct facts *facts)
{
	if (!reader->bad_contact)
		return 0;
	facts->contact_count = 0;
	facts->contact_star = false;
	return facts->method == SIP_METHOD_REGISTER ? -EBADMSG : 0;
}

static int read_topmost_via(struct span value, struct facts *facts)
{
	struct via_value via;

	if (value_read_via(value, &via) ||
	    value_find_parameter(via.parameters, SPAN("branch"), &facts->branch))
		return -EBADMSG;
	facts->sent_by = via.host;
	facts->sent_by_port = via.port;
	if (facts->branch.length == 0)
		facts->branch = (struct span){ NULL, 0 };
	return 0;
}

static int read_vias(struct sip_reader *reader, struct span list, struct facts *facts)
{
	struct span value;
	int found;

	(void)reader;
	while ((found = value_next(&list, &value)) > 0) {
		if (facts->via_count++ == 0 && read_topmost_via(value, facts))
			return -EBADMSG;
	}
	return found;
}

static int read_tag(struct span parameters, struct span *tag)
{
	if (value_find_parameter(parameters, SPAN("tag"), tag))
		return -EBADMSG;
	if (tag->length == 0)
		*tag = (struct span){ NULL, 0 };
	return 0;
}

/* Its URI waits for CSeq, which tells whether anybody needs it. */
static int read_from(struct sip_reader *reader, struct span value, struct facts *facts)
{
	struct address_value address;

	if (value_read_address(value, &address))
		return -EBADMSG;
	reader->from = address.uri;
	return read_tag(address.parameters, &facts->from_tag);
}

/* Reading a URI is felt, so it is left out of a REGISTER. */
static int read_from_aor(struct sip_reader *reader, struct facts *facts)
{
	struct uri uri;
	int error;

	if (facts->method == SIP_METHOD_REGISTER)
		return 0;
	error = uri_read(reader->from, &reader->made, &uri);
	if (error)
		return error == -ENOMEM ? error : 0;
	facts->from_aor = uri_make_aor(&uri, &reader->made);
	return 0;
}

static int read_to(struct sip_reader *reader, struct span value, struct facts *facts)
{
	struct address_value address;
	struct uri uri;
	int error;

	if (value_read_address(value, &address))
		return -EBADMSG;
	error = uri_read(address.uri, &reader->made, &uri);
	if (error)
		return error;
	facts->aor = uri_make_aor(&uri, &reader->made);
	return read_tag(address.parameters, &facts->to_tag);
}

static int read_call_id(struct sip_reader *reader, struct span value, struct facts *facts)
{
	(void)reader;
	facts->call_id = value;
	return value.length > 0 ? 0 : -EBADMSG;
}

/* A request's CSeq names its own method, that of ACK and CANCEL as well (RFC 3261 section 8.1.1.5). */
static int read_cseq(struct sip_reader *reader, struct span value, struct facts *facts)
{
	struct cseq_value cseq;

	if (value_read_cseq(value, &cseq) ||
	    (facts->is_request && !span_equal(cseq.method, reader->method)))
		return -EBADMSG;
	facts->cseq = cseq.number;
	facts->method = start_line_method(cseq.method);
	return 0;
}

static int read_expires(struct sip_reader *reader, struct span value, struct facts *facts)
{
	(void)reader;
	facts->expires = read_lifetime(value);
	return 0;
}

static const struct header_rule {
	int (*read)(struct sip_reader *reader, struct span value, struct facts *facts);
	void (*refine)(struct span value, struct facts *facts); /* of one that costs nothing */
	bool needed;
	bool once;
} rules[HEADER_NAME_MAX] = {
	[HEADER_VIA] = { .read = read_vias, .needed = true },
	[HEADER_FROM] = { .read = read_from, .needed = true, .once = true },
	[HEADER_TO] = { .read = read_to, .needed = true, .once = true },
	[HEADER_CALL_ID] = { .read = read_call_id, .needed = true, .once = true },
	[HEADER_CSEQ] = { .read = read_cseq, .needed = true, .once = true },
	[HEADER_CONTACT] = { .read = read_contacts },
	[HEADER_EXPIRES] = { .read = read_expires, .once = true },
	[HEADER_EVENT] = { .refine = refinement_event },
	[HEADER_SUBSCRIPTION_STATE] = { .refine = refinement_subscription_state },
	[HEADER_SESSION_EXPIRES] = { .refine = refinement_session_expires },
};

/* Folding counts as blanks (RFC 3261 section 7.3.1). The value lies in the reader's memory. */
static void unfold(struct sip_reader *reader, struct span value)
{
	char *bytes = reader->message + (value.at - reader->message);

	if (value.length == 0 || !memchr(value.at, '\n', value.length))
		return;
	for (size_t i = 0; i < value.length; i++)
		if (bytes[i] == '\r' || bytes[i] == '\n')
			bytes[i] = ' ';
}

static int read_header(struct sip_reader *reader, const struct header *header, bool seen,
		       struct facts *facts)
{
	const struct header_rule *rule = &rules[header->name];

	if (!rule->read && !rule->refine)
		return 0;
	if (seen && rule->once)
		return -EBADMSG;
	unfold(reader, header->value);
	if (rule->read)
		return rule->read(reader, header->value, facts);
	/* Of two that say different things none can be right. */
	rule->refine(seen ? (struct span){ NULL, 0 } : header->value, facts);
	return 0;
}

static int read_headers(struct sip_reader *reader, struct span rest, struct facts *facts)
{
	bool seen[HEADER_NAME_MAX] = { false };
	struct header header;
	int found, error;

	while ((found = headers_next(&rest, &header)) > 0) {
		error = read_header(reader, &header, seen[header.name], facts);
		if (error)
			return error;
		seen[header.name] = true;
	}
	for (size_t i = 0; i < HEADER_NAME_MAX; i++)
		if (rules[i].needed && !seen[i])
			return -EBADMSG;
	facts->incomplete |= !headers_ended(rest);
	return found;
}

/* Copies the message into the reader; what is longer than can be captured is cut. */
static struct span take_message(struct sip_reader *reader, struct span message)
{
	struct span taken = { reader->message, message.length };

	if (taken.length > sizeof(reader->message))
		taken.length = sizeof(reader->message);
	if (taken.length > 0)
		memcpy(reader->message, message.at, taken.length);
	reader->made = TEXT_OVER(reader->buffer);
	return taken;
}

struct sip_reader *sip_reader_new(void)
{
	return calloc(1, sizeof(struct sip_reader));
}

void sip_reader_free(struct sip_reader *reader)
{
	free(reader);
}

enum sip_method sip_reader_peek(struct span message, uint16_t *status)
{
	struct start_line start;
	struct header header;
	struct cseq_value cseq;
	struct span line;

	*status = 0;
	if (!headers_line(&message, &line) || start_line_read(line, &start))
		return SIP_METHOD_MALFORMED;
	*status = start.status;
	if (start.method.at)
		return start_line_method(start.method);
	while (headers_next(&message, &header) > 0)
		if (header.name == HEADER_CSEQ)
			return value_read_cseq(header.value, &cseq)
				       ? SIP_METHOD_MALFORMED
				       : start_line_method(cseq.method);
	return SIP_METHOD_MALFORMED;
}

int sip_reader_read(struct sip_reader *reader, struct span message, struct facts *facts)
{
	struct span rest = take_message(reader, message), line;
	struct start_line start;
	int error;

	if (!headers_line(&rest, &line) || start_line_read(line, &start))
		return -EBADMSG;
	reader->method = start.method;
	/* Contacts are set as they are met: clearing room for all of them is felt. */
	memset(facts, 0, offsetof(struct facts, contacts));
	facts->is_request = start.method.at;
	facts->status = start.status;
	facts->expires = FACTS_UNSTATED;
	facts->subscription_expires = FACTS_UNSTATED;
	facts->session_expires = FACTS_UNSTATED;
	reader->bad_contact = false;
	error = read_headers(reader, rest, facts);
	if (!error)
		error = judge_contacts(reader, facts);
	if (!error)
		error = read_from_aor(reader, facts);
	if (error)
		return error;
	return reader->made.overflow ? -EBADMSG : 0;
}
