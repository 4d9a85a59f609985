/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libosip2 reads SIP URIs for us, and nothing else: its parser of whole messages
 * costs several times what the reader does, and what has been found wrong with
 * the library lies in its bodies and its writing of messages, which are never
 * reached. It is handed user, host and port alone, and what it makes of them is
 * checked, since it passes over bytes that it has no place for.
 */
#include "sip/uri.h"

#include <errno.h>
#include <osipparser2/osip_parser.h>

#include "base/number.h"
#include "sighting.h"
#include "sip/values.h"

/* The parts of "user:password@host:port" as they stand there. */
struct core {
	struct span user; /* absent if there is none */
	struct span host_port;
};

static void free_uri(osip_uri_t **uri)
{
	osip_uri_free(*uri);
}

#define cleanup_uri __attribute__((cleanup(free_uri)))

static struct span keep(struct text *memory, struct span text)
{
	size_t from = memory->used;

	text_add(memory, text);
	return (struct span){ memory->buffer + from, memory->used - from };
}

static struct span keep_lower_case(struct text *memory, struct span text)
{
	size_t from = memory->used;
	struct span kept = keep(memory, text);

	for (size_t i = from; i < memory->used; i++)
		if (memory->buffer[i] >= 'A' && memory->buffer[i] <= 'Z')
			memory->buffer[i] = (char)(memory->buffer[i] - 'A' + 'a');
	return kept;
}

/* True if no byte of the text is a control, a blank, a quote or an angle bracket. */
static bool is_unbroken(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.at[i];

		if (byte <= ' ' || byte == 0x7f || byte == '"' || byte == '<' || byte == '>')
			return false;
	}
	return true;
}

static size_t count_escapes(struct span text)
{
	size_t escapes = 0;

	for (size_t i = 0; i < text.length; i++)
		escapes += text.at[i] == '%';
	return escapes;
}

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] > 0x7f)
			return false;
	return true;
}

/*
 * The user without escapes, so that it compares as RFC 3261 section 19.1.4 wants;
 * as written if it has an escape that is none (libosip2 ends the string there) or one
 * that stands for a byte which must stay escaped.
 */
static struct span choose_user(struct span written, const char *unescaped)
{
	size_t escapes = count_escapes(written);
	struct span user = span_of(unescaped);

	if (escapes == 0 || user.length + 2 * escapes != written.length || !is_unbroken(user) ||
	    !is_ascii(user))
		return written;
	return user;
}

static struct span without_parameters(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] == ';' || text.at[i] == '?')
			text.length = i;
	return text;
}

/*
 * Finds user and host in what follows the scheme. A ";" or "?" before the "@" belongs
 * to the user. The password, which may be empty, is left out.
 */
static struct core split(struct span rest)
{
	const char *at = memchr(rest.at, '@', rest.length);
	struct core core = { .host_port = rest };

	if (at) {
		const char *colon = memchr(rest.at, ':', (size_t)(at - rest.at));

		core.user = (struct span){ rest.at, (size_t)((colon ? colon : at) - rest.at) };
		core.host_port.at = at + 1;
		core.host_port.length = rest.length - (size_t)(at + 1 - rest.at);
	}
	core.host_port = without_parameters(core.host_port);
	return core;
}

static int parse(const struct core *core, osip_uri_t **out)
{
	char terminated[SIGHTING_CAPTURE_MAX + sizeof("sip:@")];
	struct text text = TEXT_OVER(terminated);
	int error;

	text_add(&text, SPAN("sip:"));
	text_add(&text, core->user);
	text_add(&text, core->user.at ? SPAN("@") : SPAN(""));
	text_add(&text, core->host_port);
	if (text.overflow)
		return -EBADMSG;
	if (osip_uri_init(out))
		return -ENOMEM;
	error = osip_uri_parse(*out, terminated);
	if (error)
		return error == OSIP_NOMEM ? -ENOMEM : -EBADMSG;
	return (*out)->host ? 0 : -EBADMSG;
}

/* True if host and port make up all that libosip2 was given of them. */
static bool is_whole(const struct core *core, const osip_uri_t *parsed)
{
	size_t length = strlen(parsed->host);

	if (strchr(parsed->host, ':'))
		length += strlen("[]");
	if (parsed->port)
		length += strlen(":") + strlen(parsed->port);
	return length == core->host_port.length;
}

static int read_sip(struct span rest, struct text *memory, struct uri *uri)
{
	struct core core = split(rest);
	cleanup_uri osip_uri_t *parsed = NULL;
	uint64_t port = 0;
	int error;

	error = parse(&core, &parsed);
	if (error)
		return error;
	if (!is_whole(&core, parsed) || !value_is_host(span_of(parsed->host)) ||
	    (parsed->port && number_read(span_of(parsed->port), 0, UINT16_MAX, &port)))
		return -EBADMSG;
	if (parsed->username)
		uri->user = keep(memory, choose_user(core.user, parsed->username));
	uri->host = keep_lower_case(memory, span_of(parsed->host));
	uri->port = (uint16_t)port;
	return 0;
}

int uri_read(struct span text, struct text *memory, struct uri *uri)
{
	const char *colon = text.length > 0 ? memchr(text.at, ':', text.length) : NULL;
	struct span rest;

	if (!colon || !is_unbroken(text))
		return -EBADMSG;
	*uri = (struct uri){ .scheme = { text.at, (size_t)(colon - text.at) } };
	if (!value_is_token(uri->scheme))
		return -EBADMSG;
	rest = (struct span){ colon + 1, text.length - uri->scheme.length - 1 };
	if (span_equal_nocase(uri->scheme, SPAN("sip")) ||
	    span_equal_nocase(uri->scheme, SPAN("sips")))
		return read_sip(rest, memory, uri);
	uri->opaque = without_parameters(rest);
	return uri->opaque.length > 0 ? 0 : -EBADMSG;
}

static void keep_opaque(struct text *memory, struct span opaque)
{
	const char *at = opaque.length > 0 ? memrchr(opaque.at, '@', opaque.length) : NULL;
	size_t user = at ? (size_t)(at - opaque.at) : 0;

	keep(memory, (struct span){ opaque.at, user });
	keep_lower_case(memory, (struct span){ opaque.at + user, opaque.length - user });
}

struct span uri_make_aor(const struct uri *uri, struct text *memory)
{
	size_t from = memory->used;
	bool brackets = uri->host.length > 0 && memchr(uri->host.at, ':', uri->host.length);

	if (span_equal_nocase(uri->scheme, SPAN("sips")))
		text_add(memory, SPAN("sip"));
	else
		keep_lower_case(memory, uri->scheme);
	text_add(memory, SPAN(":"));
	if (uri->opaque.at)
		keep_opaque(memory, uri->opaque);
	if (uri->user.at) {
		text_add(memory, uri->user);
		text_add(memory, SPAN("@"));
	}
	text_add(memory, span_of(brackets ? "[" : ""));
	text_add(memory, uri->host);
	text_add(memory, span_of(brackets ? "]" : ""));
	return (struct span){ memory->buffer + from, memory->used - from };
}
