/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/start_line.h"

#include <errno.h>

#include "base/number.h"
#include "sip/values.h"

#define VERSION SPAN("SIP/2.0")

/* A start line that is not whole is told from other text by no more than so many bytes. */
#define LOOK_AT_MAX 64

static const struct {
	struct span name;
	enum sip_method method;
} methods[] = {
	{ { "REGISTER", 8 }, SIP_METHOD_REGISTER }, { { "SUBSCRIBE", 9 }, SIP_METHOD_SUBSCRIBE },
	{ { "NOTIFY", 6 }, SIP_METHOD_NOTIFY },     { { "INVITE", 6 }, SIP_METHOD_INVITE },
	{ { "ACK", 3 }, SIP_METHOD_ACK },           { { "BYE", 3 }, SIP_METHOD_BYE },
	{ { "CANCEL", 6 }, SIP_METHOD_CANCEL },     { { "UPDATE", 6 }, SIP_METHOD_UPDATE },
	{ { "OPTIONS", 7 }, SIP_METHOD_OPTIONS },
};

enum sip_method start_line_method(struct span name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (span_equal(name, methods[i].name))
			return methods[i].method;
	return SIP_METHOD_OTHER;
}

/* Takes what stands before the next blank off *rest, and the blank; false if there is no blank. */
static bool take_word(struct span *rest, struct span *word)
{
	const char *blank = rest->length > 0 ? memchr(rest->at, ' ', rest->length) : NULL;

	if (!blank)
		return false;
	*word = (struct span){ rest->at, (size_t)(blank - rest->at) };
	rest->at += word->length + 1;
	rest->length -= word->length + 1;
	return true;
}

static int read_status(struct span code, struct start_line *out)
{
	uint64_t status;

	if (code.length != 3 || number_read(code, 100, 699, &status))
		return -EBADMSG;
	*out = (struct start_line){ .status = (uint16_t)status };
	return 0;
}

int start_line_read(struct span line, struct start_line *out)
{
	struct span first, second;

	if (!take_word(&line, &first) || !take_word(&line, &second))
		return -EBADMSG;
	if (span_equal_nocase(first, VERSION))
		return read_status(second, out);
	if (!value_is_token(first) || second.length == 0 || !span_equal_nocase(line, VERSION))
		return -EBADMSG;
	*out = (struct start_line){ .method = first };
	return 0;
}

static bool is_start_of(struct span text, struct span whole)
{
	return text.length <= whole.length &&
	       span_equal_nocase(text, (struct span){ whole.at, text.length });
}

/* A token that the end of the bytes may have cut, even to nothing. */
static bool may_be_token(struct span text)
{
	return text.length == 0 || value_is_token(text);
}

/* What follows a method is a URI: as much of its scheme as is there. */
static bool may_be_uri(struct span text)
{
	const char *colon = text.length > 0 ? memchr(text.at, ':', text.length) : NULL;

	if (!colon)
		return may_be_token(text);
	return value_is_token((struct span){ text.at, (size_t)(colon - text.at) });
}

bool start_line_begins(struct span bytes)
{
	const char *newline = bytes.length > 0 ? memchr(bytes.at, '\n', bytes.length) : NULL;
	struct start_line whole;
	struct span first;

	if (newline) {
		bytes.length = (size_t)(newline - bytes.at);
		bytes.length -= bytes.length > 0 && newline[-1] == '\r';
		return start_line_read(bytes, &whole) == 0;
	}
	if (bytes.length > LOOK_AT_MAX)
		bytes.length = LOOK_AT_MAX;
	if (!take_word(&bytes, &first))
		return may_be_token(bytes) || is_start_of(bytes, VERSION);
	return span_equal_nocase(first, VERSION) || (value_is_token(first) && may_be_uri(bytes));
}
