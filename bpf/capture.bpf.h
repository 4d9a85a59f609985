/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture.bpf.h - copies payload out of a packet, to where it can be searched.
 */
#ifndef BPF_CAPTURE_BPF_H
#define BPF_CAPTURE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "classify.bpf.h"
#include "cursor.bpf.h"
#include "maps.bpf.h"

/*
 * bpf_xdp_load_bytes() or bpf_skb_load_bytes(), 0 if all bytes were there: the one helper
 * in which the two program types differ. Whoever includes this file defines it.
 */
static __always_inline long load_bytes(void *context, __u32 offset, void *to, __u32 length);

/* Copies the first bytes; false if the payload is too short to be a SIP message. */
static __always_inline bool capture_start(void *context, const struct packet *packet,
					  struct payload_start *start)
{
	if (packet->payload_length < sizeof(*start))
		return false;
	return load_bytes(context, packet->payload_offset, start, sizeof(*start)) == 0;
}

/*
 * Copies the payload, at most "limit" bytes of it, and returns it with "captured" set;
 * NULL if it cannot be had. "limit" is one less than a power of two.
 */
static __always_inline struct sighting *capture(void *context, const struct packet *packet,
						__u32 limit)
{
	union scratch *scratch = scratch_get();
	__u32 length = packet->payload_length;

	if (!scratch)
		return NULL;
	if (length > limit)
		length = limit;
	/* clang knows the mask to change nothing; the verifier does not, and needs it. */
	asm volatile("" : "+r"(length));
	length &= limit;
	if (length == 0)
		return NULL;
	if (load_bytes(context, packet->payload_offset, scratch->sighting.bytes, length))
		return NULL;
	scratch->sighting.captured = length;
	return &scratch->sighting;
}

#endif
