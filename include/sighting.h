/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.h - one SIP message seen on a flow, a record of sip_sightings.
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

/* Which way the message went. */
enum sighting_direction {
	SIGHTING_FROM_DEVICE = 0, /* ingress: towards the SIP server */
	SIGHTING_TO_DEVICE = 1, /* egress: from the SIP server */
};

struct sighting {
	struct flow flow;
	__u64 when_ns; /* CLOCK_MONOTONIC */
	__u32 wire_length; /* of the datagram's payload, as its UDP header says */
	__u16 captured; /* bytes that follow, at most SIGHTING_CAPTURE_MAX */
	__u8 direction; /* enum sighting_direction */
	__u8 reserved[1];
	__u8 bytes[];
};

_Static_assert(sizeof(struct sighting) == 56, "struct sighting is a ring buffer record");

#endif
