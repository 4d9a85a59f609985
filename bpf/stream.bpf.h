/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.bpf.h - whether a segment belongs to its connection. The addresses of a device can
 * be spoofed; its sequence numbers must be guessed (RFC 5961).
 */
#ifndef BPF_STREAM_BPF_H
#define BPF_STREAM_BPF_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "cursor.bpf.h"
#include "path_entry.h"

/*
 * So many bytes before and behind the number that is expected: more than is ever on its way
 * at once between a phone and its server, and so little that who guesses both numbers of a
 * segment hits once in 2^26 times: the kernel itself is not harder to deceive.
 */
#define STREAM_REACH (256 * 1024)

static __always_inline bool stream_is_near(__u32 number, __u32 expected)
{
	return number - expected + STREAM_REACH <= 2 * STREAM_REACH;
}

/* What is sent again does not move it back. */
static __always_inline void stream_advance(__u32 *expected, __u32 number)
{
	if ((__s32)(number - *expected) > 0)
		*expected = number;
}

/* True if a segment that claims to be the device's fits in, and moves the connection on. */
static __always_inline bool stream_takes(struct connection_entry *connection,
					 const struct packet *packet)
{
	if (!stream_is_near(packet->sequence, connection->from_device) ||
	    !stream_is_near(packet->acknowledged, connection->to_device))
		return false;
	stream_advance(&connection->from_device, packet->sequence + packet->payload_length);
	stream_advance(&connection->to_device, packet->acknowledged);
	return true;
}

/* A segment of the server needs no judgement: it says how far both streams are. */
static __always_inline void stream_follow(struct connection_entry *connection,
					  const struct packet *packet)
{
	connection->from_device = packet->acknowledged;
	stream_advance(&connection->to_device, packet->sequence + packet->payload_length);
}

#endif
