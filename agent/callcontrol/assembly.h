/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assembly.h - puts the messages of a stream together, bodies and all, by Content-Length (RFC
 * 3261 section 18.3).
 *
 * A stream whose messages cannot be told apart any more cannot be read on: it has to be closed.
 */
#ifndef AGENT_CALLCONTROL_ASSEMBLY_H
#define AGENT_CALLCONTROL_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* All zero, it expects a message. */
struct assembly {
	char *held; /* owned: the message so far, no longer than MESSAGE_MAX */
	size_t size; /* room in it */
	size_t used;
	size_t line_at; /* where its last line begins */
	size_t whole; /* how long the message is, 0 while its header part is not whole */
	size_t line_ends; /* bytes of a keepalive so far: CRLF CRLF */
	bool taken; /* the message was handed over and is of the past */
};

/* What has become of the bytes. */
enum assembly_result {
	ASSEMBLY_HUNGRY, /* all are taken, no message is whole */
	ASSEMBLY_MESSAGE, /* *message is whole; it is the assembly's, good until the next call */
	ASSEMBLY_PING, /* a keepalive that wants CRLF for an answer (RFC 5626 section 4.4.1) */
};

/*
 * Takes bytes off *bytes, and is called again until it is hungry. -E2BIG if a message is longer
 * than MESSAGE_MAX, -EBADMSG if its Content-Length cannot be read or is there twice, -ENOMEM. A
 * message without Content-Length has no body.
 */
int assembly_next(struct assembly *assembly, struct span *bytes, struct span *message);

/* True while a message has begun and is not whole. */
bool assembly_is_amid(const struct assembly *assembly);

/* Frees what is held. */
void assembly_clear(struct assembly *assembly);

#endif
