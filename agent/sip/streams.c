/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/streams.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/span.h"
#include "base/table.h"
#include "sip/framer.h"
#include "sip/start_line.h"

/* A piece that ends further ahead cannot be reached by the pieces that are kept. */
#define AHEAD_MAX (INT64_C(1) * STREAM_PIECES_MAX * STREAM_BYTES_MAX)

/* A piece further behind is of another connection, no retransmission: no SIP window is so large. */
#define BEHIND_MAX (1024 * 1024)

/* A segment that came before its turn. */
struct piece {
	struct piece *next;
	struct sighting segment; /* its bytes follow */
};

/* One direction of a connection. */
struct stream {
	struct table_node by_identity;
	struct stream *older; /* used before this one */
	struct stream *newer;
	struct flow flow;
	enum sighting_direction direction;
	uint32_t next; /* sequence number after what has been taken */
	uint32_t piece_count;
	struct piece *pieces; /* by sequence number */
	struct framer framer;
};

struct streams {
	struct hash_key key;
	struct counts *counts;
	struct table by_identity;
	struct stream *oldest;
	struct stream *newest;
	size_t limit;
	size_t held; /* bytes of what is not whole, or not in its turn */
};

/* Who is told of messages, and when they were seen. */
struct listener {
	stream_handler *handler;
	void *context;
	uint64_t when_ns;
};

/* What is hashed. */
struct identity {
	struct flow flow;
	uint64_t direction;
};

_Static_assert(sizeof(struct identity) == 48, "struct identity is hashed: no hidden padding");

struct streams *streams_new(size_t limit, struct counts *counts)
{
	cleanup_free struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams || hash_key_make(&streams->key))
		return NULL;
	streams->limit = limit;
	streams->counts = counts;
	return take_ptr(streams);
}

static void append_newest(struct streams *streams, struct stream *stream)
{
	stream->older = streams->newest;
	stream->newer = NULL;
	*(streams->newest ? &streams->newest->newer : &streams->oldest) = stream;
	streams->newest = stream;
}

static void unlink_stream(struct streams *streams, struct stream *stream)
{
	*(stream->older ? &stream->older->newer : &streams->oldest) = stream->newer;
	*(stream->newer ? &stream->newer->older : &streams->newest) = stream->older;
}

static struct piece *pop_piece(struct stream *stream)
{
	struct piece *piece = stream->pieces;

	stream->pieces = piece->next;
	stream->piece_count--;
	return piece;
}

static size_t held_by(const struct stream *stream)
{
	size_t held = stream->framer.message ? sizeof(struct sighting) + SIGHTING_CAPTURE_MAX : 0;

	for (const struct piece *piece = stream->pieces; piece; piece = piece->next)
		held += sizeof(*piece) + piece->segment.captured;
	return held;
}

static void forget(struct streams *streams, struct stream *stream)
{
	streams->held -= held_by(stream);
	table_take(&streams->by_identity, &stream->by_identity);
	unlink_stream(streams, stream);
	while (stream->pieces)
		free(pop_piece(stream));
	framer_lose(&stream->framer);
	free(stream);
}

void streams_free(struct streams *streams)
{
	if (!streams)
		return;
	while (streams->oldest)
		forget(streams, streams->oldest);
	table_clear(&streams->by_identity);
	free(streams);
}

static uint64_t identity_hash(const struct streams *streams, const struct flow *flow,
			      enum sighting_direction direction)
{
	struct identity identity = { .flow = *flow, .direction = direction };

	return hash_bytes(&streams->key, &identity, sizeof(identity));
}

static struct stream *find(const struct streams *streams, const struct flow *flow,
			   enum sighting_direction direction)
{
	struct table_node *node =
		table_first(&streams->by_identity, identity_hash(streams, flow, direction));

	for (; node; node = table_next(node)) {
		struct stream *stream = table_element(node, struct stream, by_identity);

		if (stream->direction == direction &&
		    memcmp(&stream->flow, flow, sizeof(*flow)) == 0)
			return stream;
	}
	return NULL;
}

/* NULL without memory. */
static struct stream *add(struct streams *streams, const struct sighting *segment)
{
	enum sighting_direction direction = (enum sighting_direction)segment->direction;
	cleanup_free struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream || table_put(&streams->by_identity, &stream->by_identity,
				 identity_hash(streams, &segment->flow, direction)))
		return NULL;
	stream->flow = segment->flow;
	stream->direction = direction;
	stream->next = segment->sequence;
	append_newest(streams, stream);
	return take_ptr(stream);
}

/* How far a segment begins beyond what has been taken; sequence numbers wrap around. */
static int32_t distance(const struct stream *stream, const struct sighting *segment)
{
	return (int32_t)(segment->sequence - stream->next);
}

/* True if all between what has been taken and the segment is body, or nothing. */
static bool is_in_reach(const struct stream *stream, const struct sighting *segment)
{
	return distance(stream, segment) <= (int32_t)stream->framer.body_left;
}

/* True if a segment before its turn may be kept until what is missing comes. */
static bool may_wait(const struct stream *stream, const struct sighting *segment)
{
	const struct piece *first = stream->pieces;

	if ((int64_t)distance(stream, segment) + segment->wire_length > AHEAD_MAX ||
	    stream->piece_count == STREAM_PIECES_MAX)
		return false;
	return !first || segment->when_ns <= first->segment.when_ns + STREAM_GAP_NS;
}

static bool has_place(const struct stream *stream, const struct sighting *segment)
{
	return distance(stream, segment) > -BEHIND_MAX &&
	       (is_in_reach(stream, segment) || may_wait(stream, segment));
}

static bool begins_message(const struct sighting *segment)
{
	struct span bytes = { (const char *)segment->bytes, segment->captured };

	while (bytes.length > 0 && (bytes.at[0] == '\r' || bytes.at[0] == '\n')) {
		bytes.at++;
		bytes.length--;
	}
	return bytes.length > 0 && start_line_begins(bytes);
}

/* Reads a lost stream on from a segment, unless that is a retransmission or begins no message. */
static bool resume(struct streams *streams, struct stream *stream, const struct sighting *segment)
{
	int32_t ahead = distance(stream, segment);

	if ((ahead < 0 && ahead > -BEHIND_MAX) || !begins_message(segment))
		return false;
	stream->framer.lost = false;
	stream->next = segment->sequence;
	count_up(streams->counts, streams_resumed);
	return true;
}

static void tell(const struct stream *stream, struct sighting *message,
		 const struct listener *listener)
{
	message->flow = stream->flow;
	message->when_ns = listener->when_ns;
	message->direction = (__u8)stream->direction;
	message->kind = SIGHTING_MESSAGE;
	listener->handler(listener->context, message);
}

static int take_bytes(struct stream *stream, struct span bytes, const struct listener *listener)
{
	struct sighting *message;
	int found;

	while ((found = framer_next(&stream->framer, &bytes, &message)) > 0) {
		tell(stream, message, listener);
		free(message);
	}
	return found;
}

/* Takes what is new of a segment in reach. */
static int take(struct stream *stream, const struct sighting *segment,
		const struct listener *listener)
{
	int32_t ahead = distance(stream, segment);
	uint32_t known = ahead < 0 ? stream->next - segment->sequence : 0;
	uint32_t captured = segment->captured;
	int error = 0;

	if (known >= segment->wire_length)
		return 0;
	if (ahead > 0)
		framer_skip(&stream->framer, (uint32_t)ahead);
	stream->next = segment->sequence + segment->wire_length;
	if (known < captured)
		error = take_bytes(
			stream,
			(struct span){ (const char *)segment->bytes + known, captured - known },
			listener);
	framer_skip(&stream->framer, segment->wire_length - (known > captured ? known : captured));
	return error;
}

/* Takes the kept pieces whose turn it is; those of a lost stream until one begins a message. */
static int take_pieces(struct streams *streams, struct stream *stream,
		       const struct listener *listener)
{
	int error = 0;

	while (!error && stream->pieces &&
	       (stream->framer.lost || is_in_reach(stream, &stream->pieces->segment))) {
		cleanup_free struct piece *piece = pop_piece(stream);

		if (!stream->framer.lost || resume(streams, stream, &piece->segment))
			error = take(stream, &piece->segment, listener);
	}
	return error;
}

/* True if a kept piece has all of a segment. */
static bool is_kept(const struct stream *stream, const struct sighting *segment)
{
	for (const struct piece *piece = stream->pieces; piece; piece = piece->next) {
		uint32_t from = segment->sequence - piece->segment.sequence;

		if ((uint64_t)from + segment->captured <= piece->segment.captured &&
		    (uint64_t)from + segment->wire_length <= piece->segment.wire_length)
			return true;
	}
	return false;
}

static int keep(struct stream *stream, const struct sighting *segment)
{
	struct piece *piece = malloc(sizeof(*piece) + segment->captured);
	struct piece **link = &stream->pieces;

	if (!piece)
		return -ENOMEM;
	memcpy(&piece->segment, segment, sizeof(*segment) + segment->captured);
	while (*link && distance(stream, &(*link)->segment) < distance(stream, segment))
		link = &(*link)->next;
	piece->next = *link;
	*link = piece;
	stream->piece_count++;
	return 0;
}

static int place(struct streams *streams, struct stream *stream, const struct sighting *segment,
		 const struct listener *listener)
{
	int error = 0;

	if (is_kept(stream, segment))
		return 0;
	/* What is missing will not come: every round takes a kept piece, or there is none. */
	while (!error && !stream->framer.lost && !has_place(stream, segment)) {
		framer_lose(&stream->framer);
		error = take_pieces(streams, stream, listener);
	}
	if (error || (stream->framer.lost && !resume(streams, stream, segment)))
		return error;
	if (!is_in_reach(stream, segment))
		return keep(stream, segment);
	error = take(stream, segment, listener);
	return error ? error : take_pieces(streams, stream, listener);
}

/* The segment's stream as the one used last; NULL if it is not known and begins no message. */
static struct stream *find_or_begin(struct streams *streams, const struct sighting *segment)
{
	struct stream *stream =
		find(streams, &segment->flow, (enum sighting_direction)segment->direction);

	if (stream) {
		unlink_stream(streams, stream);
		append_newest(streams, stream);
		return stream;
	}
	if (!begins_message(segment))
		return NULL;
	if (streams_count(streams) >= streams->limit) {
		forget(streams, streams->oldest);
		count_up(streams->counts, streams_refused);
	}
	stream = add(streams, segment);
	if (!stream)
		count_up(streams->counts, streams_refused);
	return stream;
}

/* Never the newest one, which alone holds less than that. */
static void make_room(struct streams *streams)
{
	while (streams->held > STREAMS_BYTES_MAX) {
		forget(streams, streams->oldest);
		count_up(streams->counts, streams_refused);
	}
}

void streams_segment(struct streams *streams, const struct sighting *segment,
		     stream_handler *handler, void *context)
{
	struct listener listener = { handler, context, segment->when_ns };
	struct stream *stream = find_or_begin(streams, segment);
	int error;

	if (!stream)
		return;
	streams->held -= held_by(stream);
	error = place(streams, stream, segment, &listener);
	streams->held += held_by(stream);
	if (error) {
		count_up(streams->counts, streams_refused);
		forget(streams, stream);
	}
	make_room(streams);
}

void streams_close(struct streams *streams, const struct flow *flow)
{
	static const enum sighting_direction directions[] = { SIGHTING_FROM_DEVICE,
							      SIGHTING_TO_DEVICE };

	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		struct stream *stream = find(streams, flow, directions[i]);

		if (stream)
			forget(streams, stream);
	}
}

size_t streams_count(const struct streams *streams)
{
	return streams->by_identity.count;
}
