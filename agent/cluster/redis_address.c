/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_link.h"

#include <errno.h>

#include "base/address.h"
#include "base/number.h"
#include "base/text.h"

#define DATABASE_MAX 65535

/* The piece before the first "mark", which it takes off *rest with the mark; all if there is none. */
static struct span take_until(struct span *rest, char mark)
{
	const char *at = memchr(rest->at, mark, rest->length);
	struct span piece = *rest;

	if (!at) {
		*rest = (struct span){ NULL, 0 };
		return piece;
	}
	piece.length = (size_t)(at - rest->at);
	rest->at = at + 1;
	rest->length -= piece.length + 1;
	return piece;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Appends the character that "%41" (RFC 3986 section 2.1) stands for. */
static int add_escaped(struct text *out, struct span escape)
{
	int high, low;
	char c;

	if (escape.length < 3)
		return -EINVAL;
	high = hex_digit(escape.at[1]);
	low = hex_digit(escape.at[2]);
	if (high < 0 || low < 0 || high + low == 0)
		return -EINVAL;
	c = (char)(16 * high + low);
	text_add(out, (struct span){ &c, 1 });
	return 0;
}

static int read_word(struct span word, char *out, size_t size)
{
	struct text text = { .buffer = out, .size = size };
	size_t step;

	for (size_t i = 0; i < word.length; i += step) {
		bool escaped = word.at[i] == '%';

		if (word.at[i] == '\0')
			return -EINVAL;
		if (escaped && add_escaped(&text, (struct span){ word.at + i, word.length - i }))
			return -EINVAL;
		if (!escaped)
			text_add(&text, (struct span){ word.at + i, 1 });
		step = escaped ? 3 : 1;
	}
	return text.overflow ? -EINVAL : 0;
}

static int read_credentials(struct span text, struct redis_address *out)
{
	struct span user = take_until(&text, ':');

	if (read_word(user, out->user, sizeof(out->user)))
		return -EINVAL;
	return read_word(text, out->password, sizeof(out->password));
}

/* A name has letters, digits, "-", "." and "_". */
static bool is_name(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return false;
	}
	return name.length > 0;
}

static bool is_ipv6(struct span host)
{
	uint8_t address[16];

	return address_read(host, address) == 0 && !address_is_ipv4(address);
}

/* Takes HOST or [ADDRESS] off the text, and leaves what follows: nothing, or ":" and a port. */
static int read_host(struct span *text, struct redis_address *out)
{
	bool bracketed = text->length > 0 && text->at[0] == '[';
	struct span host = *text;
	struct text copy = TEXT_OVER(out->host);
	const char *end;

	if (bracketed) {
		host.at++;
		host.length--;
	}
	end = memchr(host.at, bracketed ? ']' : ':', host.length);
	if (bracketed && !end)
		return -EINVAL;
	if (end)
		host.length = (size_t)(end - host.at);
	if (bracketed ? !is_ipv6(host) : !is_name(host))
		return -EINVAL;
	text_add(&copy, host);
	text->length -= host.length + (bracketed ? 2 : 0);
	text->at += host.length + (bracketed ? 2 : 0);
	return copy.overflow ? -EINVAL : 0;
}

static int read_host_and_port(struct span text, struct redis_address *out)
{
	uint64_t port = REDIS_PORT_DEFAULT;

	if (read_host(&text, out))
		return -EINVAL;
	if (text.length > 0) {
		struct span digits = { text.at + 1, text.length - 1 };

		if (text.at[0] != ':' || number_read(digits, 1, UINT16_MAX, &port))
			return -EINVAL;
	}
	out->port = (uint16_t)port;
	return 0;
}

static int read_database(struct span text, struct redis_address *out)
{
	uint64_t database = 0;

	if (text.length > 0 && number_read(text, 0, DATABASE_MAX, &database))
		return -EINVAL;
	out->database = (uint32_t)database;
	return 0;
}

/* What is before the last "@", which it takes off with the "@"; absent if there is none. */
static struct span take_credentials(struct span *authority)
{
	const char *at = memrchr(authority->at, '@', authority->length);
	struct span credentials = { authority->at, 0 };

	if (!at)
		return (struct span){ NULL, 0 };
	credentials.length = (size_t)(at - authority->at);
	authority->length -= credentials.length + 1;
	authority->at = at + 1;
	return credentials;
}

int redis_address_read(struct span url, struct redis_address *out)
{
	const struct span scheme = SPAN("redis://");
	struct redis_address address = { 0 };
	struct span authority, credentials;

	if (url.length < scheme.length ||
	    !span_equal_nocase((struct span){ url.at, scheme.length }, scheme))
		return -EINVAL;
	url.at += scheme.length;
	url.length -= scheme.length;
	authority = take_until(&url, '/');
	credentials = take_credentials(&authority);
	if (credentials.at && read_credentials(credentials, &address))
		return -EINVAL;
	if (read_host_and_port(authority, &address) || read_database(url, &address))
		return -EINVAL;
	*out = address;
	return 0;
}
