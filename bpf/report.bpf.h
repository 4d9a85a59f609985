/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.bpf.h - tells the agent, through the ring buffer, what a packet carries. */
#ifndef BPF_REPORT_BPF_H
#define BPF_REPORT_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "capture.bpf.h"
#include "classify.bpf.h"
#include "cseq.bpf.h"
#include "cursor.bpf.h"
#include "limit.bpf.h"
#include "maps.bpf.h"

/*
 * Everybody has his part of the ring buffer, so that nobody takes the room of who is worth
 * more: strangers, who come in any number, half of it; connections, which are filled as fast
 * as the device can send, three quarters; a path's datagrams, which come one by one, all.
 */
static __always_inline bool has_room(bool is_stream, bool on_path)
{
	__u64 quarter = bpf_ringbuf_query(&sip_sightings, BPF_RB_RING_SIZE) / 4;
	__u64 used = bpf_ringbuf_query(&sip_sightings, BPF_RB_AVAIL_DATA);

	return used <= quarter * (!on_path ? 2 : is_stream ? 3 : 4);
}

/* True if one more message of a flow may be reported, as its limit says. */
static __always_inline bool may_report(const struct packet *packet,
				       enum sighting_direction direction, bool on_path)
{
	if (on_path || limit_allows_sighting(&packet->flow, direction))
		return true;
	count(COUNTER_sightings_limited);
	return false;
}

/*
 * Reports captured bytes; NULL stands for some that could not be captured. The record is
 * as long as they are, because a fixed size would fill the ring buffer several times as
 * fast.
 */
static __always_inline void report(struct sighting *sighting, const struct packet *packet,
				   enum sighting_direction direction, bool on_path)
{
	bool is_stream = packet->flow.transport == FLOW_TCP;
	__u32 captured;

	if (!sighting) {
		count(COUNTER_sightings_unread);
		return;
	}
	captured = sighting->captured & SIGHTING_CAPTURE_MAX;
	sighting->flow = packet->flow;
	sighting->when_ns = bpf_ktime_get_ns();
	sighting->wire_length = packet->wire_length;
	sighting->direction = direction;
	sighting->kind = is_stream ? SIGHTING_SEGMENT : SIGHTING_MESSAGE;
	sighting->sequence = packet->sequence;
	sighting->reserved = 0;

	if (!has_room(is_stream, on_path) ||
	    bpf_ringbuf_output(&sip_sightings, sighting, sizeof(*sighting) + captured, 0)) {
		count(COUNTER_sightings_lost);
		return;
	}
	count(COUNTER_sightings);
	if (captured < packet->wire_length)
		count(COUNTER_sightings_cut);
}

/*
 * Reports the message if the agent has to know it, whichever way it goes: a request of a
 * reported method, or a response to one. Of a response from outside the agent learns that
 * what the server sends next is not its own word.
 */
static __always_inline void report_message(void *context, const struct packet *packet,
					   const struct payload_start *start,
					   enum sighting_direction direction, bool on_path)
{
	__u16 status = classify_status(start);
	struct sighting *captured;

	if (status == 0 ? !classify_request(start) : !classify_status_reported(status))
		return;
	/* A request is known by its first bytes, and a flood of them is not even copied. */
	if (status == 0 && !may_report(packet, direction, on_path))
		return;
	captured = capture(context, packet, SIGHTING_CAPTURE_MAX);
	if (status != 0 && captured && !cseq_reported(captured, status))
		return;
	if (status == 0 || may_report(packet, direction, on_path))
		report(captured, packet, direction, on_path);
}

#define UNREAD_MAX 65535 /* bytes reported of a connection that shows no SIP message */

/* What is still to be reported of a segment; the packet shrinks to that. */
struct segment_rest {
	void *context;
	struct connection_entry *connection; /* NULL if it is not accepted yet */
	struct packet packet;
	enum sighting_direction direction;
	bool on_path;
};

/*
 * True if the connection carries nothing that can be read: the first piece of a segment tells,
 * until one has begun with a SIP message. A body may hold anything, also at a segment's start.
 */
static __always_inline bool is_opaque(struct connection_entry *connection,
				      const struct sighting *captured)
{
	const struct payload_start *start = (const void *)captured->bytes;

	if ((connection && connection->readable) || captured->captured < OPAQUE_START_LENGTH)
		return false;
	if (classify_opaque(captured->bytes)) {
		if (connection)
			connection->opaque = 1;
		return true;
	}
	if (connection && captured->captured >= sizeof(*start) &&
	    (classify_request(start) || classify_status(start)))
		connection->readable = 1;
	return false;
}

/*
 * True if so many bytes more are not worth reporting: no SIP message is as long as what the
 * connection has carried without one. A readable connection has no such limit.
 */
static __always_inline bool is_hopeless(struct connection_entry *connection, __u32 length)
{
	__u32 unread;

	if (!connection || connection->readable)
		return false;
	unread = connection->unread + length;
	if (unread > UNREAD_MAX) {
		connection->opaque = 1;
		return true;
	}
	connection->unread = unread;
	return false;
}

/* Reports the next piece. */
static long report_piece(__u32 index, void *rest_)
{
	struct segment_rest *rest = rest_;
	struct packet *packet = &rest->packet;
	__u32 left = packet->payload_length;
	__u32 length = left < SIGHTING_CAPTURE_MAX ? left : SIGHTING_CAPTURE_MAX;
	struct sighting *captured;

	if (length == 0)
		return 1;
	captured = capture(rest->context, packet, SIGHTING_CAPTURE_MAX);
	if (index == 0 && captured && is_opaque(rest->connection, captured))
		return 1;
	if (is_hopeless(rest->connection, length))
		return 1;
	packet->wire_length = length;
	if (may_report(packet, rest->direction, rest->on_path))
		report(captured, packet, rest->direction, rest->on_path);
	packet->sequence += length;
	packet->payload_offset += length;
	packet->payload_length = left - length;
	return 0;
}

/* Reports what a segment carries, in pieces that fit into a sighting. */
static __always_inline void report_segment(void *context, const struct packet *packet,
					   struct connection_entry *connection,
					   enum sighting_direction direction, bool on_path)
{
	struct segment_rest rest = {
		.context = context,
		.connection = connection,
		.packet = *packet,
		.direction = direction,
		.on_path = on_path,
	};

	bpf_loop(packet->payload_length / SIGHTING_CAPTURE_MAX + 1, report_piece, &rest, 0);
}

#endif
