/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/headers.h"

#include <errno.h>

/* Where the names are that begin with this letter, of either case. */
#define LETTER(letter) ((unsigned char)(letter)&0x1f)

/* At most so many begin with the same. */
#define NAMES_OF_LETTER_MAX 4

/*
 * Full and compact names (RFC 3261 sections 7.3.3 and 20, RFC 4028 section 4, RFC 6665
 * section 8.2).
 */
static const struct known_name {
	struct span text;
	enum header_name name;
} names[32][NAMES_OF_LETTER_MAX] = {
	[LETTER('c')] = { { { "Contact", 7 }, HEADER_CONTACT },
			  { { "Call-ID", 7 }, HEADER_CALL_ID },
			  { { "CSeq", 4 }, HEADER_CSEQ },
			  { { "Content-Length", 14 }, HEADER_CONTENT_LENGTH } },
	[LETTER('e')] = { { { "Expires", 7 }, HEADER_EXPIRES }, { { "Event", 5 }, HEADER_EVENT } },
	[LETTER('f')] = { { { "From", 4 }, HEADER_FROM }, { { "f", 1 }, HEADER_FROM } },
	[LETTER('i')] = { { { "i", 1 }, HEADER_CALL_ID } },
	[LETTER('l')] = { { { "l", 1 }, HEADER_CONTENT_LENGTH } },
	[LETTER('m')] = { { { "m", 1 }, HEADER_CONTACT } },
	[LETTER('o')] = { { { "o", 1 }, HEADER_EVENT } },
	[LETTER('s')] = { { { "Session-Expires", 15 }, HEADER_SESSION_EXPIRES },
			  { { "Subscription-State", 18 }, HEADER_SUBSCRIPTION_STATE } },
	[LETTER('t')] = { { { "To", 2 }, HEADER_TO }, { { "t", 1 }, HEADER_TO } },
	[LETTER('v')] = { { { "Via", 3 }, HEADER_VIA }, { { "v", 1 }, HEADER_VIA } },
	[LETTER('x')] = { { { "x", 1 }, HEADER_SESSION_EXPIRES } },
};

static enum header_name name_of(struct span text)
{
	const struct known_name *known = names[LETTER(text.at[0])];

	for (size_t i = 0; i < NAMES_OF_LETTER_MAX && known[i].name != HEADER_OTHER; i++)
		if (span_equal_nocase(text, known[i].text))
			return known[i].name;
	return HEADER_OTHER;
}

/* Bytes of the logical line that "rest" starts with, its line end included; 0 if it is cut. */
static size_t line_length(struct span rest)
{
	size_t length = 0;

	do {
		const char *newline = length < rest.length
					      ? memchr(rest.at + length, '\n', rest.length - length)
					      : NULL;

		if (!newline)
			return 0;
		length = (size_t)(newline - rest.at) + 1;
	} while (length < rest.length && (rest.at[length] == ' ' || rest.at[length] == '\t'));
	return length;
}

static struct span without_line_end(struct span line)
{
	line.length--;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

bool headers_ended(struct span rest)
{
	return (rest.length >= 1 && rest.at[0] == '\n') ||
	       (rest.length >= 2 && rest.at[0] == '\r' && rest.at[1] == '\n');
}

bool headers_line(struct span *rest, struct span *line)
{
	size_t length = headers_ended(*rest) ? 0 : line_length(*rest);

	if (length == 0)
		return false;
	*line = without_line_end((struct span){ rest->at, length });
	rest->at += length;
	rest->length -= length;
	return true;
}

int headers_next(struct span *rest, struct header *header)
{
	struct span line, name;
	const char *colon;

	if (!headers_line(rest, &line))
		return 0;
	if (line.length == 0 || memchr(line.at, '\0', line.length))
		return -EBADMSG;
	colon = memchr(line.at, ':', line.length);
	if (!colon)
		return -EBADMSG;
	name = span_trim((struct span){ line.at, (size_t)(colon - line.at) });
	if (name.length == 0)
		return -EBADMSG;
	header->name = name_of(name);
	if (header->name != HEADER_OTHER)
		header->value = span_trim(
			(struct span){ colon + 1, line.length - (size_t)(colon + 1 - line.at) });
	return 1;
}
