/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_packet.h - the model's reading of a frame's headers. */
#ifndef TESTS_BPF_MODEL_PACKET_H
#define TESTS_BPF_MODEL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "sighting.h"

enum model_kind {
	MODEL_OTHER, /* nothing with ports of UDP or TCP */
	MODEL_CUT, /* it ends within a header */
	MODEL_PACKET,
};

struct model_packet {
	struct flow flow;
	bool is_sound; /* false if a length says that the transport's header does not fit */
	bool is_fragment; /* the first of several: the rest comes in other packets */
	const uint8_t *payload;
	size_t payload_length; /* what of it is in the frame */
	size_t wire_length; /* what its headers say */
	uint32_t sequence, acknowledged; /* of TCP */
};

/* Reads a frame; the packet is whole only if it is one. */
enum model_kind model_packet_read(struct model_packet *packet, const uint8_t *bytes, size_t length,
				  enum sighting_direction direction);

#endif
