/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams.h - puts the pieces of TCP streams together to SIP messages.
 *
 * The pieces are what a tap sees: they may overlap, come twice, come in the wrong order,
 * or be missing. Messages are told apart by Content-Length (RFC 3261 section 18.3); only
 * their header parts are kept, bodies are stepped over. Memory is bounded whatever comes.
 */
#ifndef AGENT_SIP_STREAMS_H
#define AGENT_SIP_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sighting.h"

/* A stream keeps at most so much of a message that is not whole yet, and of one piece. */
#define STREAM_BYTES_MAX SIGHTING_CAPTURE_MAX

/* And at most so many pieces that came before their turn. */
#define STREAM_PIECES_MAX 8

/* All streams together keep at most so much: many connections may each send half a message. */
#define STREAMS_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* A missing piece that is not there so long after the next one will not be sent again. */
#define STREAM_GAP_NS (3 * UINT64_C(1000000000))

struct streams;

/*
 * A room for at most "limit" streams, 1 or more (a connection has two); NULL without memory
 * or randomness. Between messages a stream costs some 200 bytes, at worst 38 KiB.
 */
struct streams *streams_new(size_t limit, struct counts *counts);
void streams_free(struct streams *streams);

/*
 * Told of the header part of each message as a sighting of kind SIGHTING_MESSAGE, good for
 * the call: flow and direction are the stream's, the time is that of the piece that came
 * last. wire_length counts the body as well. A header part longer than STREAM_BYTES_MAX is
 * cut. The handler must not call this room.
 */
typedef void stream_handler(void *context, const struct sighting *message);

/*
 * Takes one sighting of kind SIGHTING_SEGMENT, whose end may not have been captured. A
 * stream that was not known is read from the first piece that begins with a SIP start line,
 * or with as much of one as is there. So is one that cannot be read on: because a piece is
 * missing for good, unless that was all body, because what follows a message is none, or
 * because a header part was cut (counted in streams_resumed when it is read again). Keepalives
 * (CRLF, RFC 5626 section 4.4.1) between messages are stepped over.
 *
 * Beyond the limit, and beyond STREAMS_BYTES_MAX, the stream that was silent longest is
 * forgotten: it is read on from its next message. That, and a stream forgotten for want of
 * memory, is counted in streams_refused.
 */
void streams_segment(struct streams *streams, const struct sighting *segment,
		     stream_handler *handler, void *context);

/* The connection is gone, or another begins on its flow: forgets both of its streams. */
void streams_close(struct streams *streams, const struct flow *flow);

size_t streams_count(const struct streams *streams);

#endif
