/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.bpf.h - tells the agent of a SIP message, through the ring buffer. */
#ifndef BPF_REPORT_BPF_H
#define BPF_REPORT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "capture.bpf.h"
#include "classify.bpf.h"
#include "cseq.bpf.h"
#include "cursor.bpf.h"
#include "maps.bpf.h"

/*
 * Reports a captured message; NULL stands for one that could not be captured. The record
 * is as long as the message, because a fixed size would fill the ring buffer several
 * times as fast.
 */
static __always_inline void report(struct sighting *sighting, const struct packet *packet,
				   enum sighting_direction direction)
{
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
	sighting->reserved[0] = 0;

	if (bpf_ringbuf_output(&sip_sightings, sighting, sizeof(*sighting) + captured, 0)) {
		count(COUNTER_sightings_lost);
		return;
	}
	count(COUNTER_sightings);
	if (captured < packet->wire_length)
		count(COUNTER_sightings_cut);
}

/*
 * Reports the message if the agent has to know it, whichever way it goes: a request of a
 * reported method, or a 2xx to one. Of a 2xx from outside the agent learns that what the
 * server sends next is not its own word.
 */
static __always_inline void report_wanted(void *context, load_bytes *load,
					  const struct packet *packet,
					  const struct payload_start *start,
					  enum sighting_direction direction)
{
	bool request = classify_request(start);
	struct sighting *captured;

	if (!request && classify_status(start) / 100 != 2)
		return;
	captured = capture(context, load, packet, SIGHTING_CAPTURE_MAX);
	if (request || !captured || cseq_reported(captured))
		report(captured, packet, direction);
}

#endif
