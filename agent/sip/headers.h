/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * headers.h - the lines of a SIP message's header part.
 *
 * Included by reader.c and framer.c. A line here is a logical one: a header with the lines
 * that it was folded over (RFC 3261 section 7.3.1), without its line end. Lines
 * end with CRLF; a bare LF is taken for one, as SIP servers do.
 */
#ifndef AGENT_SIP_HEADERS_H
#define AGENT_SIP_HEADERS_H

#include "base/span.h"

enum header_name {
	HEADER_OTHER, /* one that nothing is learnt from */
	HEADER_VIA,
	HEADER_FROM,
	HEADER_TO,
	HEADER_CALL_ID,
	HEADER_CSEQ,
	HEADER_CONTACT,
	HEADER_EXPIRES,
	HEADER_EVENT,
	HEADER_SUBSCRIPTION_STATE,
	HEADER_SESSION_EXPIRES,
	HEADER_CONTENT_LENGTH,
	HEADER_NAME_MAX
};

struct header {
	enum header_name name;
	struct span
		value; /* of a known header, without blanks around it; may have line ends inside */
};

/*
 * Takes the next line off *rest. False at the empty line and at the end of the
 * bytes; a line that the end of the bytes cuts is no line (trap 41).
 */
bool headers_line(struct span *rest, struct span *line);

/*
 * Takes the next header off *rest: 1, or 0 if there is none, or -EBADMSG if the line is
 * no header (it is taken off as well).
 */
int headers_next(struct span *rest, struct header *header);

/* True at the empty line; a header part that ends without it is cut. */
bool headers_ended(struct span rest);

#endif
