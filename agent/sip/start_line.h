/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start_line.h - the first line of a SIP message (RFC 3261 section 7), and the methods' names. */
#ifndef AGENT_SIP_START_LINE_H
#define AGENT_SIP_START_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "sip/facts.h"

struct start_line {
	struct span method; /* of a request; absent in a response */
	uint16_t status; /* of a response, 100..699; 0 in a request */
};

/* Reads a start line; -EBADMSG if it is neither a request's nor a response's. */
int start_line_read(struct span line, struct start_line *out);

/*
 * True if "bytes" begin with a start line, or with as much of one as is there: for whoever
 * gets a message piece by piece.
 */
bool start_line_begins(struct span bytes);

/* The method of that name: methods are case-sensitive (RFC 3261 section 7.1). */
enum sip_method start_line_method(struct span name);

#endif
