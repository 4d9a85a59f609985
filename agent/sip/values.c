/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/values.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/number.h"
#include "base/text.h"

static struct span head(struct span text, size_t length)
{
	return (struct span){ text.at, length };
}

static struct span tail(struct span text, size_t from)
{
	if (from == 0)
		return text; /* which may be absent: nothing can be added to a pointer to nothing */
	return (struct span){ text.at + from, text.length - from };
}

/* What a byte may be part of. */
enum byte_class { IN_TOKEN = 1, IN_HOST = 2, IN_BOTH = IN_TOKEN | IN_HOST };

/* RFC 3261 section 25.1; underscores in host names are not in the grammar, but in the field. */
static const uint8_t classes[256] = {
	['0' ... '9'] = IN_BOTH, ['A' ... 'Z'] = IN_BOTH, ['a' ... 'z'] = IN_BOTH,
	['-'] = IN_BOTH,         ['.'] = IN_BOTH,         ['_'] = IN_BOTH,
	['!'] = IN_TOKEN,        ['%'] = IN_TOKEN,        ['*'] = IN_TOKEN,
	['+'] = IN_TOKEN,        ['`'] = IN_TOKEN,        ['\''] = IN_TOKEN,
	['~'] = IN_TOKEN,
};

/* True if the text is not empty and all its bytes are of a class. */
static bool consists_of(struct span text, enum byte_class class)
{
	for (size_t i = 0; i < text.length; i++)
		if (!(classes[(unsigned char)text.at[i]] & class))
			return false;
	return text.length > 0;
}

bool value_is_token(struct span text)
{
	return consists_of(text, IN_TOKEN);
}

/*
 * The grammar of RFC 3261 has a third colon in front of an IPv4 address at the end, and RFC 5118
 * section 4.10 wants it borne. Without it the address is as usual.
 */
static bool is_ipv6(struct span text)
{
	const char *colons = memmem(text.at, text.length, ":::", 3);
	size_t before = colons ? (size_t)(colons - text.at) : text.length;
	char usual[INET6_ADDRSTRLEN];
	struct text without = TEXT_OVER(usual);
	uint8_t address[16];

	if (!colons)
		return address_read(text, address) == 0;
	text_add(&without, head(text, before));
	text_add(&without, tail(text, before + 1));
	return !without.overflow && address_read(tail(text, before + 3), address) == 0 &&
	       address_read(text_span(&without), address) == 0;
}

bool value_is_host(struct span text)
{
	if (text.length > 0 && memchr(text.at, ':', text.length))
		return is_ipv6(text);
	return consists_of(text, IN_HOST);
}

/* Index of the quote that closes the one at "from"; the text's length if there is none. */
static size_t find_closing_quote(struct span text, size_t from)
{
	for (size_t i = from + 1; i < text.length; i++) {
		if (text.at[i] == '"')
			return i;
		if (text.at[i] == '\\')
			i++;
	}
	return text.length;
}

static size_t find_closing_bracket(struct span text, size_t from)
{
	const char *bracket = memchr(text.at + from, '>', text.length - from);

	return bracket ? (size_t)(bracket - text.at) : text.length;
}

/*
 * Index of the first "wanted" outside of quotes and angle brackets; the text's
 * length if there is none, -EBADMSG if a quote or bracket before it is not closed.
 */
static ssize_t find(struct span text, char wanted)
{
	size_t i;

	for (i = 0; i < text.length && text.at[i] != wanted; i++) {
		if (text.at[i] == '"')
			i = find_closing_quote(text, i);
		else if (text.at[i] == '<')
			i = find_closing_bracket(text, i);
		if (i >= text.length)
			return -EBADMSG;
	}
	return (ssize_t)i;
}

int value_next(struct span *list, struct span *value)
{
	ssize_t comma;

	if (!list->at)
		return 0;
	comma = find(*list, ',');
	if (comma < 0)
		return (int)comma;
	*value = span_trim(head(*list, (size_t)comma));
	if (value->length == 0)
		return -EBADMSG;
	*list = (size_t)comma < list->length ? tail(*list, (size_t)comma + 1)
					     : (struct span){ NULL, 0 };
	return 1;
}

/* Without angle brackets whatever follows the first ";" belongs to the header (section 20.10). */
static int read_bare_address(struct span value, struct address_value *out)
{
	ssize_t semicolon = find(value, ';');

	if (semicolon <= 0)
		return -EBADMSG;
	out->uri = span_trim(head(value, (size_t)semicolon));
	out->parameters = tail(value, (size_t)semicolon);
	return 0;
}

int value_read_address(struct span value, struct address_value *out)
{
	ssize_t opening = find(value, '<');
	size_t closing;

	if (opening < 0)
		return (int)opening;
	if ((size_t)opening == value.length)
		return read_bare_address(value, out);
	closing = find_closing_bracket(value, (size_t)opening);
	if (closing == value.length)
		return -EBADMSG;
	out->uri = tail(head(value, closing), (size_t)opening + 1);
	out->parameters = span_trim(tail(value, closing + 1));
	if (out->parameters.length > 0 && out->parameters.at[0] != ';')
		return -EBADMSG;
	return 0;
}

/* sent-by: "host", "host:port", "[IPv6]" or "[IPv6]:port", with blanks around the colon. */
static int read_sent_by(struct span text, struct via_value *out)
{
	const char *end = text.at[0] == '[' ? memchr(text.at, ']', text.length)
					    : memchr(text.at, ':', text.length);
	size_t length = end ? (size_t)(end - text.at) : text.length;
	uint64_t number = 0;
	struct span port;

	if (text.at[0] == '[') {
		if (!end)
			return -EBADMSG;
		out->host = tail(head(text, length), 1);
		port = span_trim(tail(text, length + 1));
	} else {
		out->host = span_trim(head(text, length));
		port = tail(text, length);
	}
	if (!value_is_host(out->host))
		return -EBADMSG;
	if (port.length > 0 &&
	    (port.at[0] != ':' || number_read(span_trim(tail(port, 1)), 0, UINT16_MAX, &number)))
		return -EBADMSG;
	out->port = (uint16_t)number;
	return 0;
}

/* Takes what stands before the next "/" off *rest and compares it. */
static bool take_protocol_part(struct span *rest, struct span expected)
{
	const char *slash = rest->length > 0 ? memchr(rest->at, '/', rest->length) : NULL;
	struct span part;

	if (!slash)
		return false;
	part = head(*rest, (size_t)(slash - rest->at));
	*rest = tail(*rest, part.length + 1);
	return span_equal_nocase(span_trim(part), expected);
}

int value_read_via(struct span value, struct via_value *out)
{
	ssize_t semicolon = find(value, ';');
	struct span rest;
	size_t transport = 0;

	if (semicolon < 0)
		return (int)semicolon;
	out->parameters = tail(value, (size_t)semicolon);
	rest = head(value, (size_t)semicolon);
	if (!take_protocol_part(&rest, SPAN("SIP")) || !take_protocol_part(&rest, SPAN("2.0")))
		return -EBADMSG;
	rest = span_trim(rest);
	while (transport < rest.length && !span_is_blank(rest.at[transport]))
		transport++;
	out->transport = head(rest, transport);
	if (!value_is_token(out->transport))
		return -EBADMSG;
	rest = span_trim(tail(rest, transport));
	return rest.length > 0 ? read_sent_by(rest, out) : -EBADMSG;
}

int value_read_cseq(struct span value, struct cseq_value *out)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < value.length && value.at[digits] >= '0' && value.at[digits] <= '9')
		digits++;
	/* RFC 3261 section 8.1.1.5: less than 2^31. */
	if (number_read(head(value, digits), 0, INT32_MAX, &number))
		return -EBADMSG;
	out->number = (uint32_t)number;
	out->method = span_trim(tail(value, digits));
	/* A blank must part the two, or "1REGISTER" would do. */
	if (!value_is_token(out->method) || out->method.at == value.at + digits)
		return -EBADMSG;
	return 0;
}

int value_read_token(struct span value, struct token_value *out)
{
	const char *semicolon = value.length > 0 ? memchr(value.at, ';', value.length) : NULL;
	size_t length = semicolon ? (size_t)(semicolon - value.at) : value.length;

	out->token = span_trim(head(value, length));
	out->parameters = tail(value, length);
	return value_is_token(out->token) ? 0 : -EBADMSG;
}

static struct span without_quotes(struct span text)
{
	if (text.length < 2 || text.at[0] != '"' || text.at[text.length - 1] != '"')
		return text;
	return tail(head(text, text.length - 1), 1);
}

static size_t parameter_name_length(struct span parameter)
{
	const char *equals =
		parameter.length > 0 ? memchr(parameter.at, '=', parameter.length) : NULL;

	return equals ? (size_t)(equals - parameter.at) : parameter.length;
}

int value_next_parameter(struct span *parameters, struct parameter_value *out)
{
	struct span rest, parameter;
	ssize_t semicolon;
	size_t length;

	if (parameters->length == 0)
		return 0;
	rest = tail(*parameters, 1);
	semicolon = find(rest, ';');
	if (semicolon < 0)
		return (int)semicolon;
	parameter = head(rest, (size_t)semicolon);
	length = parameter_name_length(parameter);
	out->whole = span_trim(parameter);
	out->name = span_trim(head(parameter, length));
	if (length < parameter.length)
		length++;
	out->value = without_quotes(span_trim(tail(parameter, length)));
	*parameters = tail(rest, (size_t)semicolon);
	return 1;
}

int value_find_parameter(struct span parameters, struct span name, struct span *value)
{
	struct span found = { NULL, 0 };
	struct parameter_value parameter;
	int more;

	while ((more = value_next_parameter(&parameters, &parameter)) > 0) {
		if (!span_equal_nocase(parameter.name, name))
			continue;
		if (found.at)
			return -EBADMSG;
		found = parameter.value;
	}
	if (!more)
		*value = found;
	return more;
}
