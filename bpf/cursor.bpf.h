/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor.bpf.h - from the first byte of a frame to the flow and the payload it
 * carries. The same for XDP and tc, IPv4 and IPv6, UDP and TCP.
 *
 * In two steps: every packet of the host goes through headers_find(), which does no
 * more than it must; packet_open() reads what only a packet on a SIP port is asked for.
 */
#ifndef BPF_CURSOR_BPF_H
#define BPF_CURSOR_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.bpf.h"
#include "flow.h"
#include "sighting.h"

#define VLAN_TAGS_MAX 2 /* 802.1Q inside 802.1ad */
#define IPV6_EXTENSIONS_MAX 6

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_MORE_FRAGMENTS 0x0001
#define IPV6_FRAGMENT_OFFSET 0xfff8

/* Offsets from the start of a frame are below this power of two. */
#define HEADERS_REACH 16384

_Static_assert(sizeof(struct ethhdr) + VLAN_TAGS_MAX * 4 + sizeof(struct ipv6hdr) +
			       IPV6_EXTENSIONS_MAX * 256 * 8 <
		       HEADERS_REACH,
	       "the longest headers stay below HEADERS_REACH");

/* As struct ethhdr, but not packed: one load reads the type. */
struct ethernet_header {
	__u8 addresses[2 * ETH_ALEN];
	__be16 ether_type;
};

/* Not in the kernel's headers for user space: IEEE 802.1Q-2018 section 9.6. */
struct vlan_tag {
	__be16 control;
	__be16 ether_type;
};

/*
 * The first eight bytes of any IPv6 extension header. "offset" (with the flags) is
 * there in a fragment header only (RFC 8200 section 4.5), which has no length.
 */
struct ipv6_extension {
	__u8 next_header;
	__u8 length;
	__be16 offset;
	__be32 identification;
};

struct cursor {
	void *at;
	void *end;
};

/* Where the headers of a frame are. */
struct headers {
	void *ip;
	struct udphdr *transport; /* or TCP's: the ports stand at the same place */
	__u8 protocol;
	bool ipv6;
	bool fragment; /* the first of several */
};

enum headers_kind {
	HEADERS_OTHER, /* neither UDP nor TCP, or without ports: a later fragment */
	HEADERS_CUT, /* a header ends too early */
	HEADERS_WHOLE,
};

/* Steps over the next "size" bytes; false if the frame ends before. */
static __always_inline bool cursor_skip(struct cursor *cursor, __u32 size)
{
	if (cursor->at + size > cursor->end)
		return false;
	cursor->at += size;
	return true;
}

static __always_inline bool is_vlan(__be16 ether_type)
{
	return ether_type == bpf_htons(ETH_P_8021Q) || ether_type == bpf_htons(ETH_P_8021AD);
}

/* Returns the EtherType behind the tags, 0 if the frame ends before. */
static __always_inline __be16 parse_ethernet(struct cursor *cursor)
{
	const struct ethernet_header *ethernet = cursor->at;
	__be16 ether_type;

	if (!cursor_skip(cursor, sizeof(*ethernet)))
		return 0;
	ether_type = ethernet->ether_type;

	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(ether_type); i++) {
		const struct vlan_tag *tag = cursor->at;

		if (!cursor_skip(cursor, sizeof(*tag)))
			return 0;
		ether_type = tag->ether_type;
	}
	return ether_type;
}

static __always_inline enum headers_kind parse_ipv4(struct cursor *cursor, struct headers *headers)
{
	const struct iphdr *ip = cursor->at;

	if (!cursor_skip(cursor, sizeof(*ip)))
		return HEADERS_CUT;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return HEADERS_OTHER;
	/* Hardly any packet has options: the branch spares the others an unknown offset. */
	if (ip->ihl != sizeof(*ip) / 4) {
		if (ip->ihl < sizeof(*ip) / 4 || !cursor_skip(cursor, ip->ihl * 4 - sizeof(*ip)))
			return HEADERS_CUT;
	}

	headers->ipv6 = false;
	headers->protocol = ip->protocol;
	headers->fragment = ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS);
	return HEADERS_WHOLE;
}

static __always_inline bool is_ipv6_extension(__u8 next_header)
{
	switch (next_header) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
		return true;
	default:
		return false;
	}
}

/* Length of an extension header; AH counts in words of four bytes (RFC 4302 section 2.2). */
static __always_inline __u32 ipv6_extension_size(__u8 kind, const struct ipv6_extension *extension)
{
	if (kind == IPPROTO_FRAGMENT)
		return sizeof(*extension);
	if (kind == IPPROTO_AH)
		return (extension->length + 2) * 4;
	return (extension->length + 1) * 8;
}

/* Steps over the extension header that headers->protocol announces. */
static __always_inline enum headers_kind parse_ipv6_extension(struct cursor *cursor,
							      struct headers *headers)
{
	const struct ipv6_extension *extension = cursor->at;
	__u32 size;

	if (!cursor_skip(cursor, sizeof(*extension)))
		return HEADERS_CUT;
	size = ipv6_extension_size(headers->protocol, extension);
	if (headers->protocol == IPPROTO_FRAGMENT) {
		if (extension->offset & bpf_htons(IPV6_FRAGMENT_OFFSET))
			return HEADERS_OTHER;
		/* The first of a first one is one as well. */
		if (extension->offset & bpf_htons(IPV6_MORE_FRAGMENTS))
			headers->fragment = true;
	}
	headers->protocol = extension->next_header;
	return cursor_skip(cursor, size - sizeof(*extension)) ? HEADERS_WHOLE : HEADERS_CUT;
}

static __always_inline enum headers_kind parse_ipv6(struct cursor *cursor, struct headers *headers)
{
	const struct ipv6hdr *ip = cursor->at;

	if (!cursor_skip(cursor, sizeof(*ip)))
		return HEADERS_CUT;
	headers->ipv6 = true;
	headers->protocol = ip->nexthdr;
	headers->fragment = false;

	for (int i = 0; i < IPV6_EXTENSIONS_MAX && is_ipv6_extension(headers->protocol); i++) {
		enum headers_kind kind = parse_ipv6_extension(cursor, headers);

		if (kind != HEADERS_WHOLE)
			return kind;
	}
	return HEADERS_WHOLE;
}

static __always_inline enum headers_kind parse_transport(struct cursor *cursor,
							 struct headers *headers)
{
	__u32 size;

	if (headers->protocol == IPPROTO_UDP)
		size = sizeof(struct udphdr);
	else if (headers->protocol == IPPROTO_TCP)
		size = sizeof(struct tcphdr);
	else
		return HEADERS_OTHER;

	headers->transport = cursor->at;
	return cursor_skip(cursor, size) ? HEADERS_WHOLE : HEADERS_CUT;
}

/* Finds the headers of the frame [data, end). */
static __always_inline enum headers_kind headers_find(struct headers *headers, void *data,
						      void *end)
{
	struct cursor cursor = { .at = data, .end = end };
	__be16 ether_type = parse_ethernet(&cursor);
	enum headers_kind kind;

	headers->ip = cursor.at;
	if (ether_type == bpf_htons(ETH_P_IP))
		kind = parse_ipv4(&cursor, headers);
	else if (ether_type == bpf_htons(ETH_P_IPV6))
		kind = parse_ipv6(&cursor, headers);
	else
		return HEADERS_OTHER;

	return kind == HEADERS_WHOLE ? parse_transport(&cursor, headers) : kind;
}

/* What else headers_find() found, as bits: the kernel passes no more than five arguments. */
enum headers_traits {
	HEADERS_IPV6 = 1,
	HEADERS_TCP = 2, /* UDP without it */
	HEADERS_FRAGMENT = 4, /* the first of several */
};

static __always_inline __u32 headers_traits(const struct headers *headers)
{
	return (headers->ipv6 ? HEADERS_IPV6 : 0) |
	       (headers->protocol == IPPROTO_TCP ? HEADERS_TCP : 0) |
	       (headers->fragment ? HEADERS_FRAGMENT : 0);
}

/*
 * Where the headers of a packet are, as offsets: so a function that opens the packet can
 * be one which the verifier checks on its own, once, and not again for each way in which
 * headers can lead there.
 */
struct where {
	void *data; /* the linear part of the frame */
	void *end;
	__u32 frame_length; /* all of it */
	__u32 ip_offset; /* below HEADERS_REACH, as the next one */
	__u32 transport_offset;
	__u32 traits; /* enum headers_traits */
	enum sighting_direction direction;
};

/* A packet on a SIP port. */
struct packet {
	struct flow flow;
	__u32 payload_offset; /* from the first byte of the frame */
	__u32 payload_length; /* bytes of the payload that the frame holds */
	__u32 wire_length; /* bytes of the payload, as the headers say */
	__u32 sequence; /* of TCP: the number of the payload's first byte */
	__u32 acknowledged; /* of TCP: the number of the byte that its sender awaits */
};

/*
 * Writes the addresses into the flow, and returns how long what is behind the IP header
 * and its extensions is: negative, if lengths lie.
 */
static __always_inline __s32 open_ip(struct flow *flow, const struct where *where)
{
	bool inwards = where->direction == SIGHTING_FROM_DEVICE;
	__u32 headers_length = where->transport_offset - where->ip_offset;
	const struct ipv6hdr *six = where->data + where->ip_offset;
	const struct iphdr *four = where->data + where->ip_offset;

	if (where->traits & HEADERS_IPV6) {
		if ((void *)(six + 1) > where->end)
			return -1;
		__builtin_memcpy(flow->local_addr, inwards ? &six->daddr : &six->saddr, 16);
		__builtin_memcpy(flow->remote_addr, inwards ? &six->saddr : &six->daddr, 16);
		return sizeof(*six) + bpf_ntohs(six->payload_len) - headers_length;
	}
	if ((void *)(four + 1) > where->end)
		return -1;
	address_write_ipv4(flow->local_addr, inwards ? four->daddr : four->saddr);
	address_write_ipv4(flow->remote_addr, inwards ? four->saddr : four->daddr);
	return bpf_ntohs(four->tot_len) - headers_length;
}

/*
 * Reads what only one transport has, and returns how long its header is; 0 if it does not
 * fit into "length" bytes, which the IP header says there are.
 */
static __always_inline __u32 open_udp(struct packet *packet, const struct udphdr *udp, __s32 length)
{
	if (length < (__s32)sizeof(*udp) || bpf_ntohs(udp->len) < sizeof(*udp))
		return 0;
	packet->wire_length = bpf_ntohs(udp->len) - sizeof(*udp);
	return sizeof(*udp);
}

static __always_inline __u32 open_tcp(struct packet *packet, const struct tcphdr *tcp, __s32 length)
{
	__s32 header_length = tcp->doff * 4;

	if (header_length < (__s32)sizeof(*tcp) || length < header_length)
		return 0;
	packet->sequence = bpf_ntohl(tcp->seq);
	packet->acknowledged = bpf_ntohl(tcp->ack_seq);
	/* A segment that opens or resets a connection carries nothing of its stream. */
	packet->wire_length = tcp->syn || tcp->rst ? 0 : length - header_length;
	return header_length;
}

/*
 * Opens the packet that is there. False if the header of its transport does not fit into
 * the length that the IP header, or its own, says. What pads the frame behind the IP packet
 * is no payload.
 */
static __always_inline bool packet_open(struct packet *packet, const struct where *where)
{
	bool inwards = where->direction == SIGHTING_FROM_DEVICE;
	bool is_tcp = where->traits & HEADERS_TCP;
	const void *transport = where->data + where->transport_offset;
	const struct udphdr *ports = transport;
	__s32 length = open_ip(&packet->flow, where);
	__u32 header_length, left;

	if (transport + (is_tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr)) > where->end)
		return false;
	header_length =
		is_tcp ? open_tcp(packet, transport, length) : open_udp(packet, transport, length);
	if (header_length == 0)
		return false;
	packet->flow.transport = is_tcp ? FLOW_TCP : FLOW_UDP;
	packet->flow.local_port = bpf_ntohs(inwards ? ports->dest : ports->source);
	packet->flow.remote_port = bpf_ntohs(inwards ? ports->source : ports->dest);

	packet->payload_offset = where->transport_offset + header_length;
	packet->payload_length = length - header_length;
	if (packet->payload_length > packet->wire_length)
		packet->payload_length = packet->wire_length;
	left = where->frame_length > packet->payload_offset
		       ? where->frame_length - packet->payload_offset
		       : 0;
	if (packet->payload_length > left)
		packet->payload_length = left;
	return true;
}

#endif
