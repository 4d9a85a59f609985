/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framer.h - tells the messages of a stream apart by Content-Length (RFC 3261 section 18.3).
 *
 * Included by streams.c, which hands it the bytes of one stream in order. Only the header
 * part of one message is kept, while it is not whole; bodies are stepped over, and so are
 * the line ends between messages (section 7.5, and keepalives of RFC 5626 section 4.4.1).
 */
#ifndef AGENT_SIP_FRAMER_H
#define AGENT_SIP_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "sighting.h"

/* A longer body is not believed in. */
#define FRAMER_BODY_MAX (UINT64_C(16) * 1024 * 1024)

/* All zero, a framer expects a message. */
struct framer {
	struct sighting *message; /* owned: the header part so far, NULL between messages */
	size_t line_at; /* where its last line begins */
	uint32_t body_left; /* bytes of a body still to come */
	bool lost; /* what comes is no message that begins here: begin anew elsewhere */
};

/*
 * Takes bytes off *bytes: 1 if that makes a header part whole, 0 if all are taken (a framer
 * that is lost takes whatever there is), -ENOMEM.
 *
 * *message is the caller's to free: the header part with its empty line, and wire_length,
 * which counts the body as well; the other members are the caller's to set. A Content-Length
 * that is missing, unreadable, there twice with two values, or beyond FRAMER_BODY_MAX
 * is taken for 0. A header part longer than SIGHTING_CAPTURE_MAX is handed over cut:
 * wire_length is then one more than was captured, and the framer is lost.
 */
int framer_next(struct framer *framer, struct span *bytes, struct sighting **message);

/* So many bytes nobody has seen: nothing is lost if they are of a body. */
void framer_skip(struct framer *framer, uint32_t count);

/* Frees what is kept; the framer is lost. */
void framer_lose(struct framer *framer);

#endif
