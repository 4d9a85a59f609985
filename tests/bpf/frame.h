/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.h - builds the Ethernet frames that the BPF tests send through the programs. */
#ifndef TESTS_BPF_FRAME_H
#define TESTS_BPF_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "sighting.h"

#define FRAME_MAX 65536
#define FRAME_EXTENSIONS_MAX 8

/* Flags of a TCP header, as they stand in its fourteenth byte (RFC 9293 section 3.1). */
#define FRAME_TCP_FIN 0x01
#define FRAME_TCP_SYN 0x02
#define FRAME_TCP_RST 0x04
#define FRAME_TCP_ACK 0x10

/* A frame, from its outermost header to its payload. All zero has no options at all. */
struct frame_plan {
	struct flow flow;
	enum sighting_direction direction;
	unsigned int vlan_tags;
	unsigned int ipv4_options; /* bytes, a multiple of 4, at most 40 */
	uint8_t extensions[FRAME_EXTENSIONS_MAX]; /* IPv6 next header numbers, 0xff ends them */
	uint8_t protocol; /* in place of the flow's, 0 for the flow's */
	uint16_t fragment_offset; /* bytes, a multiple of 8 */
	bool more_fragments;
	unsigned int tcp_options; /* bytes, a multiple of 4, at most 40 */
	uint8_t tcp_flags; /* FRAME_TCP_..., 0 for FRAME_TCP_ACK */
	uint32_t tcp_sequence; /* of the first byte behind the header */
	uint32_t tcp_acknowledged;
	int tcp_offset_error; /* added to the data offset, in words of 4 bytes */
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

/* The same flow over TCP. */
struct flow frame_tcp(struct flow flow);

/* The plan of a plain frame of this flow. */
struct frame_plan frame_plan(struct flow flow, enum sighting_direction direction);

/* Builds the frame that the plan describes. */
void frame_build(struct frame *frame, const struct frame_plan *plan, const void *payload,
		 size_t length);

#endif
