/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/datagram.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/address.h"

#define HOP_LIMIT 64
#define IPV4_AT 12 /* where the four bytes of a mapped address start */

_Static_assert(sizeof(struct ip6_hdr) + sizeof(struct udphdr) == DATAGRAM_HEADERS_MAX,
	       "the larger of both families");

/*
 * Adds bytes to a one's complement sum in the machine's byte order (RFC 1071: the
 * order does not matter as long as the result is stored in the same one).
 */
static uint64_t sum(uint64_t so_far, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t word;

	for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		so_far += word;
	}
	word = 0;
	memcpy(&word, at, length);
	return so_far + word;
}

static uint16_t fold(uint64_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static struct udphdr udp_header(const struct flow *flow, struct span payload)
{
	return (struct udphdr){
		.uh_sport = htons(flow->local_port),
		.uh_dport = htons(flow->remote_port),
		.uh_ulen = htons((uint16_t)(sizeof(struct udphdr) + payload.length)),
	};
}

/* Over the pseudo header of either family (RFC 768, RFC 8200 section 8.1): they sum up alike. */
static uint16_t udp_checksum(const struct flow *flow, size_t address_at, const struct udphdr *udp,
			     struct span payload)
{
	uint64_t total = (uint64_t)htons(IPPROTO_UDP) + udp->uh_ulen;
	uint16_t folded;

	total = sum(total, flow->local_addr + address_at, sizeof(flow->local_addr) - address_at);
	total = sum(total, flow->remote_addr + address_at, sizeof(flow->remote_addr) - address_at);
	total = sum(total, udp, sizeof(*udp));
	folded = fold(sum(total, payload.at, payload.length));
	return folded == 0xffff ? 0xffff : (uint16_t)~folded; /* 0 would mean "no checksum" */
}

static size_t write_ipv4(const struct flow *flow, size_t payload_length, uint8_t *packet)
{
	struct ip header = {
		.ip_v = IPVERSION,
		.ip_hl = sizeof(header) / 4,
		.ip_len = htons((uint16_t)(sizeof(header) + payload_length)),
		.ip_ttl = HOP_LIMIT,
		.ip_p = IPPROTO_UDP,
	};

	memcpy(&header.ip_src, flow->local_addr + IPV4_AT, sizeof(header.ip_src));
	memcpy(&header.ip_dst, flow->remote_addr + IPV4_AT, sizeof(header.ip_dst));
	memcpy(packet, &header, sizeof(header));
	return sizeof(header);
}

static size_t write_ipv6(const struct flow *flow, size_t payload_length, uint8_t *packet)
{
	struct ip6_hdr header = {
		.ip6_flow = htonl(6U << 28), /* traffic class and flow label 0 */
		.ip6_plen = htons((uint16_t)payload_length),
		.ip6_nxt = IPPROTO_UDP,
		.ip6_hlim = HOP_LIMIT,
	};

	memcpy(&header.ip6_src, flow->local_addr, sizeof(header.ip6_src));
	memcpy(&header.ip6_dst, flow->remote_addr, sizeof(header.ip6_dst));
	memcpy(packet, &header, sizeof(header));
	return sizeof(header);
}

size_t datagram_write(const struct flow *flow, struct span payload, uint8_t *packet)
{
	bool ipv4 = address_is_ipv4(flow->local_addr);
	struct udphdr udp = udp_header(flow, payload);
	size_t udp_length = sizeof(udp) + payload.length;
	size_t used;

	udp.uh_sum = udp_checksum(flow, ipv4 ? IPV4_AT : 0, &udp, payload);
	used = ipv4 ? write_ipv4(flow, udp_length, packet) : write_ipv6(flow, udp_length, packet);
	memcpy(packet + used, &udp, sizeof(udp));
	used += sizeof(udp);
	if (payload.length > 0)
		memcpy(packet + used, payload.at, payload.length);
	return used + payload.length;
}
