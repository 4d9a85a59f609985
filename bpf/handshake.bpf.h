/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake.bpf.h - whether a segment is what ends a TCP handshake, or follows right behind.
 *
 * A device may send its first request with the last segment of the handshake, or so shortly
 * after it that the network card hands over both at once. Then the SIP server has not
 * accepted the connection yet when the request is seen here.
 */
#ifndef BPF_HANDSHAKE_BPF_H
#define BPF_HANDSHAKE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cursor.bpf.h"

/* What is read here of the kernel's own struct; the loader finds the offset. */
struct tcp_request_sock {
	__u32 snt_isn; /* the sequence number of the SYN-ACK */
} __attribute__((preserve_access_index));

/* Fills the tuple of a packet from a device, and returns how much of it is used. */
static __always_inline __u32 handshake_tuple(struct bpf_sock_tuple *tuple,
					     const struct packet *packet, bool ipv6)
{
	const struct flow *flow = &packet->flow;

	if (ipv6) {
		__builtin_memcpy(tuple->ipv6.saddr, flow->remote_addr, 16);
		__builtin_memcpy(tuple->ipv6.daddr, flow->local_addr, 16);
		tuple->ipv6.sport = bpf_htons(flow->remote_port);
		tuple->ipv6.dport = bpf_htons(flow->local_port);
		return sizeof(tuple->ipv6);
	}
	__builtin_memcpy(&tuple->ipv4.saddr, flow->remote_addr + 12, 4);
	__builtin_memcpy(&tuple->ipv4.daddr, flow->local_addr + 12, 4);
	tuple->ipv4.sport = bpf_htons(flow->remote_port);
	tuple->ipv4.dport = bpf_htons(flow->local_port);
	return sizeof(tuple->ipv4);
}

/*
 * True if the kernel awaits the end of this packet's handshake, and the packet acknowledges
 * the number that the kernel has chosen: a spoofed source cannot know it.
 */
static __always_inline bool handshake_ends(struct xdp_md *context, const struct packet *packet,
					   bool ipv6)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = handshake_tuple(&tuple, packet, ipv6);
	const struct tcp_request_sock *request;
	struct bpf_sock *socket;
	bool ends;

	socket = bpf_skc_lookup_tcp(context, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	request = bpf_skc_to_tcp_request_sock(socket);
	ends = request && packet->acknowledged == request->snt_isn + 1;
	bpf_sk_release(socket);
	return ends;
}

#endif
