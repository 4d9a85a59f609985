/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcome.h - what the agent makes of one message, as a line of words.
 *
 * Included by torture.c and by the unit test of the torture set, so that sets of others are told
 * in the words of our own table. The first word is what the agent does with the message:
 *
 *   read       it is taken, and the words after this one are what was learnt
 *   ignored    the peek says that nothing is to be learnt of it: it is not read
 *   malformed  it is refused, by the peek already if that says "peek=malformed"
 *
 * Each further word is KEY=VALUE; what the message does not state has no word. "call" is what call
 * control does with the same bytes: "served", "none" if it is no message to be answered, else the
 * reason why it is refused. All bytes that the readers point at are written, so that a sanitizer
 * notices one that is not the message's.
 */
#ifndef TESTS_TORTURE_OUTCOME_H
#define TESTS_TORTURE_OUTCOME_H

#include <errno.h>

#include "base/text.h"
#include "callcontrol/message.h"
#include "sip/interest.h"
#include "sip/reader.h"

/* Whatever a datagram holds, and each byte of it four times over, and each part twice. */
#define OUTCOME_MAX (8 * MESSAGE_MAX)

static void outcome_write_escaped(struct text *out, struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if (byte <= ' ' || byte >= 0x7f || byte == '\\' || byte == '|')
			text_format(out, "\\x%02x", byte);
		else
			text_add(out, (struct span){ value.at + i, 1 });
	}
}

static void outcome_write_text(struct text *out, const char *key, struct span value)
{
	if (!value.at)
		return;
	text_format(out, " %s=", key);
	outcome_write_escaped(out, value);
}

static void outcome_write_seconds(struct text *out, const char *key, uint32_t seconds)
{
	if (seconds != FACTS_UNSTATED)
		text_format(out, " %s=%u", key, seconds);
}

static const char *outcome_method_name(enum sip_method method)
{
	static const char *const names[] = {
		[SIP_METHOD_OTHER] = "other",       [SIP_METHOD_MALFORMED] = "malformed",
		[SIP_METHOD_REGISTER] = "REGISTER", [SIP_METHOD_SUBSCRIBE] = "SUBSCRIBE",
		[SIP_METHOD_NOTIFY] = "NOTIFY",     [SIP_METHOD_INVITE] = "INVITE",
		[SIP_METHOD_ACK] = "ACK",           [SIP_METHOD_BYE] = "BYE",
		[SIP_METHOD_CANCEL] = "CANCEL",     [SIP_METHOD_UPDATE] = "UPDATE",
		[SIP_METHOD_OPTIONS] = "OPTIONS",
	};

	return names[method];
}

/* The keys of a Contact end with its number, from 1 on. */
static void outcome_write_contact(struct text *out, const struct facts_contact *contact,
				  uint32_t number)
{
	const struct {
		const char *key;
		struct span value;
	} parts[] = {
		{ "uri", contact->uri },
		{ "user", contact->user },
		{ "host", contact->host },
		{ "instance", contact->instance },
	};
	char key[32];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(key, sizeof(key), "%s%u", parts[i].key, number);
		outcome_write_text(out, key, parts[i].value);
	}
	if (contact->port)
		text_format(out, " port%u=%u", number, contact->port);
	if (contact->reg_id)
		text_format(out, " reg-id%u=%u", number, contact->reg_id);
	snprintf(key, sizeof(key), "expires%u", number);
	outcome_write_seconds(out, key, contact->expires);
}

/* What says who, and which transaction and dialog. */
static void outcome_write_identity(struct text *out, const struct facts *facts)
{
	text_format(out, " cseq=%u vias=%u", facts->cseq, facts->via_count);
	outcome_write_text(out, "call-id", facts->call_id);
	outcome_write_text(out, "via-host", facts->sent_by);
	if (facts->sent_by_port)
		text_format(out, " via-port=%u", facts->sent_by_port);
	outcome_write_text(out, "branch", facts->branch);
	outcome_write_text(out, "from-tag", facts->from_tag);
	outcome_write_text(out, "to-tag", facts->to_tag);
	outcome_write_text(out, "aor", facts->aor);
	outcome_write_text(out, "from-aor", facts->from_aor);
}

static void outcome_write_lifetimes(struct text *out, const struct facts *facts)
{
	static const char *const states[] = { "", " state=live", " state=terminated" };
	static const char *const refreshers[] = { "", " refresher=uac", " refresher=uas" };

	outcome_write_text(out, "event", facts->event);
	outcome_write_text(out, "event-id", facts->event_id);
	text_add(out, span_of(states[facts->subscription_state]));
	outcome_write_seconds(out, "state-expires", facts->subscription_expires);
	outcome_write_seconds(out, "session-expires", facts->session_expires);
	text_add(out, span_of(refreshers[facts->refresher]));
	outcome_write_seconds(out, "expires", facts->expires);
}

static void outcome_write_facts(struct text *out, const struct facts *facts)
{
	outcome_write_identity(out, facts);
	outcome_write_lifetimes(out, facts);
	text_add(out, span_of(facts->incomplete ? " incomplete=yes" : ""));
	text_add(out, span_of(facts->contact_star ? " star=yes" : ""));
	text_format(out, " contacts=%u", facts->contact_count);
	for (uint32_t i = 0; i < facts->contact_count; i++)
		outcome_write_contact(out, &facts->contacts[i], i + 1);
}

static void outcome_write_call(struct text *out, struct span bytes)
{
	static struct message message;
	const char *reason = NULL;

	switch (message_read(bytes, &message, &reason)) {
	case 0:
		text_add(out, SPAN(" call=served"));
		outcome_write_text(out, "request-uri", message.uri);
		outcome_write_text(out, "received", message.via.received);
		outcome_write_text(out, "route", message.route);
		text_format(out, " body=%zu", message.body.length);
		if (message.has_max_forwards)
			text_format(out, " max-forwards=%u", message.max_forwards);
		break;
	case -EPROTO:
		outcome_write_text(out, "call", span_of(reason));
		break;
	case -EBADMSG:
		text_add(out, SPAN(" call=none"));
		break;
	default:
		text_add(out, SPAN(" call=no-memory"));
	}
}

/* Appends the outcome. Also what would be ignored is read, since it must do no harm either. */
static void outcome_write(struct sip_reader *reader, struct span bytes, struct text *out)
{
	static struct facts facts;
	uint16_t status;
	enum sip_method method = sip_reader_peek(bytes, &status);
	int error = sip_reader_read(reader, bytes, &facts);
	bool is_read = !error && interest_in(method, status);

	if (error == -ENOMEM)
		text_add(out, SPAN("no-memory"));
	else if (is_read)
		text_add(out, SPAN("read"));
	else if (method != SIP_METHOD_MALFORMED && !interest_in(method, status))
		text_add(out, SPAN("ignored"));
	else
		text_add(out, SPAN("malformed"));
	text_format(out, " peek=%s", outcome_method_name(method));
	if (status)
		text_format(out, " status=%u", status);
	if (is_read)
		outcome_write_facts(out, &facts);
	outcome_write_call(out, bytes);
}

#endif
