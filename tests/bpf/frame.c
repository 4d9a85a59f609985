/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

#define IPV4_MORE_FRAGMENTS 0x2000

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static struct flow make_flow(const char *local, const char *remote, uint16_t remote_port)
{
	struct flow flow = { .local_port = 5060, .remote_port = remote_port };

	flow.transport = FLOW_UDP;
	if (inet_pton(AF_INET6, local, flow.local_addr) != 1 ||
	    inet_pton(AF_INET6, remote, flow.remote_addr) != 1)
		abort();
	return flow;
}

struct flow frame_flow4(uint16_t remote_port)
{
	return make_flow("::ffff:192.0.2.1", "::ffff:198.51.100.7", remote_port);
}

struct flow frame_flow6(uint16_t remote_port)
{
	return make_flow("2001:db8::1", "2001:db8:1::7", remote_port);
}

struct flow frame_tcp(struct flow flow)
{
	flow.transport = FLOW_TCP;
	return flow;
}

struct frame_plan frame_plan(struct flow flow, enum sighting_direction direction)
{
	return (struct frame_plan){
		.flow = flow,
		.direction = direction,
		.extensions = { FRAME_EXTENSIONS_END },
	};
}

/* Appends bytes; NULL appends zeros. */
static uint8_t *append(struct frame *frame, const void *bytes, size_t length)
{
	uint8_t *at = frame->bytes + frame->length;

	assert(frame->length + length <= sizeof(frame->bytes));
	if (bytes)
		memcpy(at, bytes, length);
	else
		memset(at, 0, length);
	frame->length += length;
	return at;
}

static void append_short(struct frame *frame, uint16_t value)
{
	value = htons(value);
	append(frame, &value, sizeof(value));
}

static bool is_ipv4(const struct flow *flow)
{
	return memcmp(flow->local_addr, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static void append_ethernet(struct frame *frame, const struct frame_plan *plan)
{
	static const uint8_t hardware_addresses[2 * ETH_ALEN] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
	};

	append(frame, hardware_addresses, sizeof(hardware_addresses));
	for (unsigned int tag = plan->vlan_tags; tag > 0; tag--) {
		append_short(frame, tag == 1 ? ETH_P_8021Q : ETH_P_8021AD);
		append_short(frame, (uint16_t)(100 + tag));
	}
	append_short(frame, is_ipv4(&plan->flow) ? ETH_P_IP : ETH_P_IPV6);
}

static uint8_t protocol_of(const struct frame_plan *plan)
{
	return plan->protocol ? plan->protocol : plan->flow.transport;
}

/* The two ends of the plan's flow as the wire orders them. */
struct ends {
	const uint8_t *source, *destination;
	uint16_t source_port, destination_port;
};

static struct ends ends_of(const struct frame_plan *plan)
{
	const struct flow *flow = &plan->flow;

	if (plan->direction == SIGHTING_FROM_DEVICE)
		return (struct ends){ flow->remote_addr, flow->local_addr, flow->remote_port,
				      flow->local_port };
	return (struct ends){ flow->local_addr, flow->remote_addr, flow->local_port,
			      flow->remote_port };
}

static void append_ipv4(struct frame *frame, const struct frame_plan *plan, size_t inner)
{
	struct ends ends = ends_of(plan);
	struct iphdr ip = { .version = 4, .ttl = 64, .protocol = protocol_of(plan) };
	uint16_t fragment = (uint16_t)(plan->fragment_offset / 8);

	ip.ihl = (sizeof(ip) + plan->ipv4_options) / 4;
	ip.tot_len = htons((uint16_t)(sizeof(ip) + plan->ipv4_options + inner +
				      (size_t)plan->ip_length_error));
	ip.frag_off = htons(fragment | (plan->more_fragments ? IPV4_MORE_FRAGMENTS : 0));
	memcpy(&ip.saddr, ends.source + 12, 4);
	memcpy(&ip.daddr, ends.destination + 12, 4);
	append(frame, &ip, sizeof(ip));
	memset(append(frame, NULL, plan->ipv4_options), 1, plan->ipv4_options);
}

static size_t extension_size(uint8_t kind)
{
	switch (kind) {
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return 24;
	default:
		return 16;
	}
}

static void append_extension(struct frame *frame, const struct frame_plan *plan, uint8_t kind,
			     uint8_t next_header)
{
	uint8_t *header = append(frame, NULL, extension_size(kind));
	uint16_t offset = htons((uint16_t)(plan->fragment_offset | (plan->more_fragments ? 1 : 0)));

	header[0] = next_header;
	if (kind == IPPROTO_FRAGMENT)
		memcpy(header + 2, &offset, sizeof(offset));
	else if (kind == IPPROTO_AH)
		header[1] = 24 / 4 - 2;
	else
		header[1] = 16 / 8 - 1;
}

static void append_ipv6(struct frame *frame, const struct frame_plan *plan, size_t inner)
{
	const uint8_t *extension = plan->extensions;
	struct ends ends = ends_of(plan);
	struct ipv6hdr ip = { .version = 6, .hop_limit = 64 };
	uint8_t *header = append(frame, NULL, sizeof(ip));
	size_t before = frame->length;

	ip.nexthdr = *extension == FRAME_EXTENSIONS_END ? protocol_of(plan) : *extension;
	for (; *extension != FRAME_EXTENSIONS_END; extension++)
		append_extension(frame, plan, extension[0],
				 extension[1] == FRAME_EXTENSIONS_END ? protocol_of(plan)
								      : extension[1]);
	ip.payload_len =
		htons((uint16_t)(frame->length - before + inner + (size_t)plan->ip_length_error));
	memcpy(&ip.saddr, ends.source, 16);
	memcpy(&ip.daddr, ends.destination, 16);
	memcpy(header, &ip, sizeof(ip));
}

static size_t transport_size(const struct frame_plan *plan)
{
	return protocol_of(plan) == FLOW_TCP ? sizeof(struct tcphdr) + plan->tcp_options
					     : sizeof(struct udphdr);
}

static void append_tcp(struct frame *frame, const struct frame_plan *plan, struct ends ends)
{
	struct tcphdr tcp = { .source = htons(ends.source_port),
			      .dest = htons(ends.destination_port),
			      .seq = htonl(plan->tcp_sequence),
			      .ack_seq = htonl(plan->tcp_acknowledged) };
	uint8_t *header = append(frame, &tcp, sizeof(tcp));
	int words = (int)transport_size(plan) / 4 + plan->tcp_offset_error;

	header[12] = (uint8_t)(words << 4);
	header[13] = plan->tcp_flags ? plan->tcp_flags : FRAME_TCP_ACK;
	memset(append(frame, NULL, plan->tcp_options), 1, plan->tcp_options);
}

/* Any protocol but TCP gets UDP's header: only its number tells it from UDP. */
static void append_transport(struct frame *frame, const struct frame_plan *plan, size_t payload)
{
	struct ends ends = ends_of(plan);
	struct udphdr udp = { .source = htons(ends.source_port),
			      .dest = htons(ends.destination_port) };

	udp.len = htons((uint16_t)(sizeof(udp) + payload + (size_t)plan->udp_length_error));
	if (protocol_of(plan) == FLOW_TCP)
		append_tcp(frame, plan, ends);
	else
		append(frame, &udp, sizeof(udp));
}

void frame_build(struct frame *frame, const struct frame_plan *plan, const void *payload,
		 size_t length)
{
	size_t inner = transport_size(plan) + length;

	frame->length = 0;
	append_ethernet(frame, plan);
	if (is_ipv4(&plan->flow))
		append_ipv4(frame, plan, inner);
	else
		append_ipv6(frame, plan, inner);
	append_transport(frame, plan, length);
	frame->headers = frame->length;
	append(frame, payload, length);
	memset(append(frame, NULL, plan->padding), 0xee, plan->padding);
}
