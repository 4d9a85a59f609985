/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.h - builds the Ethernet frames that the BPF tests send through the programs. */
#ifndef TESTS_BPF_FRAME_H
#define TESTS_BPF_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "sighting.h"

#define FRAME_MAX 9000
#define FRAME_EXTENSIONS_MAX 8

/* A frame, from its outermost header to its payload. All zero is UDP without options. */
struct frame_plan {
	struct flow flow;
	enum sighting_direction direction;
	unsigned int vlan_tags;
	unsigned int ipv4_options; /* bytes, a multiple of 4, at most 40 */
	uint8_t extensions[FRAME_EXTENSIONS_MAX]; /* IPv6 next header numbers, 0xff ends them */
	uint8_t protocol; /* in place of the flow's, 0 for the flow's */
	uint16_t fragment_offset; /* bytes, a multiple of 8 */
	bool more_fragments;
	int udp_length_error; /* added to the length in the UDP header */
	int ip_length_error; /* added to the length in the IP header */
	size_t padding; /* bytes of 0xee after the IP packet */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t length;
	size_t headers; /* bytes before the payload */
};

/* The end of frame_plan.extensions; a hop-by-hop header has the number 0. */
#define FRAME_EXTENSIONS_END 0xff

/* A flow with addresses and ports of the documentation; "remote" tells flows apart. */
struct flow frame_flow4(uint16_t remote_port);
struct flow frame_flow6(uint16_t remote_port);

/* The plan of a plain UDP frame of this flow. */
struct frame_plan frame_plan(struct flow flow, enum sighting_direction direction);

/* Builds the frame that the plan describes. */
void frame_build(struct frame *frame, const struct frame_plan *plan, const void *payload,
		 size_t length);

#endif
