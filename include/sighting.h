/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.h - what was seen on a flow, a record of sip_sightings: a SIP message, a
 * piece of a connection's stream, or that a connection came or went.
 *
 * Included by the BPF programs, which write it, and by the agent, which reads it.
 */
#ifndef SIPPATH_SIGHTING_H
#define SIPPATH_SIGHTING_H

#include <linux/types.h>

#include "flow.h"

/*
 * At most so many bytes of a message are captured. One less than a power of
 * two: the verifier accepts a masked length only.
 */
#define SIGHTING_CAPTURE_MAX 4095

/* What was seen. */
enum sighting_kind {
	SIGHTING_MESSAGE = 0, /* a datagram: one SIP message */
	SIGHTING_SEGMENT = 1, /* a piece of a TCP stream, anywhere in a message */
	SIGHTING_OPENED = 2, /* the SIP server accepted a connection: no bytes, from the device */
	SIGHTING_CLOSED = 3, /* that connection is gone: no bytes, from the device */
};

/* Which way it went. */
enum sighting_direction {
	SIGHTING_FROM_DEVICE = 0, /* ingress: towards the SIP server */
	SIGHTING_TO_DEVICE = 1, /* egress: from the SIP server */
};

struct sighting {
	struct flow flow;
	__u64 when_ns; /* CLOCK_MONOTONIC */
	__u32 wire_length; /* of the payload, or of the piece of a segment that this record is about */
	__u16 captured; /* bytes that follow, at most SIGHTING_CAPTURE_MAX */
	__u8 direction; /* enum sighting_direction */
	__u8 kind; /* enum sighting_kind */
	__u32 sequence; /* of a segment: the TCP sequence number of its first byte */
	__u32 reserved;
	__u8 bytes[];
};

_Static_assert(sizeof(struct sighting) == 64, "struct sighting is a ring buffer record");

#endif
