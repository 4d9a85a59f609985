/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/start_line.h"

#include <errno.h>

#include "base/number.h"
#include "sip/values.h"

#define VERSION SPAN("SIP/2.0")

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
