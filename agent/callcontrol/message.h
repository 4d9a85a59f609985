/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - a SIP message as something to answer or to pass on: its header lines in order, and
 * what a proxy has to know of them. Bytes from outside are looked at, never trusted; a body is
 * carried, never read.
 */
#ifndef AGENT_CALLCONTROL_MESSAGE_H
#define AGENT_CALLCONTROL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

/* No longer message is taken: that of a UDP datagram. */
#define MESSAGE_MAX 65535

/* A message with more header lines is none. */
#define MESSAGE_LINES_MAX 256

/* The topmost value of Via. */
struct message_via {
	struct span value; /* all of it */
	struct span transport; /* "UDP" */
	struct span host; /* of sent-by, IPv6 without brackets */
	uint16_t port; /* of sent-by, 0 if it has none */
	struct span branch; /* absent without one */
	struct span received; /* absent without one */
	struct span rport; /* absent if it is not there, empty if it is without a value */
	struct span parameters; /* all of them, from the first ";" on */
};

struct message_line {
	struct span name; /* as written; the compact form is not spelt out */
	struct span value; /* without blanks around it; may have line ends inside (folded) */
	struct span whole; /* the line with its end, as received */
};

struct message {
	struct span bytes; /* all of it; every span points in here */
	struct span start_line; /* with its end */
	bool is_request;
	struct span method; /* of a request; of a response that of CSeq */
	struct span uri; /* the Request-URI */
	uint16_t status; /* of a response, 0 for a request */
	struct message_line lines[MESSAGE_LINES_MAX];
	size_t line_count;
	struct span body; /* as long as Content-Length says, or all there is without one */
	struct message_via via; /* the topmost */
	struct span next_via; /* the value after the topmost, absent if there is none */
	struct span from, to, call_id, cseq; /* values */
	uint32_t cseq_number;
	struct span to_tag; /* absent without one */
	struct span from_tag;
	struct span route; /* the topmost value of Route, absent without one */
	uint32_t max_forwards; /* 70 without one; see has_max_forwards */
	bool has_max_forwards;
};

/*
 * Reads one whole message. -EBADMSG if it is none at all, or its Vias cannot be read: then there
 * is nobody to be answered. -EPROTO if it is a request that can be answered but not served, *reason
 * says why in a few words: a header that is needed is missing or there twice (From, To, Call-ID,
 * CSeq), a CSeq of another method, an unreadable number, a header line that is none, a body
 * shorter than Content-Length, a Request-URI that is no URI or whose user has an escape that is
 * none. *message then has what an answer needs: Via, and whichever of the others are there. -ENOMEM.
 */
int message_read(struct span bytes, struct message *message, const char **reason);

/* True if the line is a header of that name, or of its compact form. */
bool message_line_is(const struct message_line *line, const char *name);

/* Writes a piece of a message's head as it was received, with CRLF for each line end. */
void message_write_lines(struct span lines, struct text *out);

/* Takes back what was written since "before", such as a message that does not fit. */
void message_take_back(struct text *out, struct text before);

/*
 * The AOR that a request is for, of its Request-URI, as locations are kept under: see
 * uri_make_aor(). Absent for a tel: URI, a URI without user, or if it does not fit.
 */
struct span message_aor(const struct message *message, char *buffer, size_t size);

#endif
