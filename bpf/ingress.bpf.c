/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ingress.bpf.c - stamps what comes from the devices, and takes the answers to our
 * own prompts out. Everything else passes, byte for byte.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "answer.bpf.h"
#include "capture.bpf.h"
#include "classify.bpf.h"
#include "cursor.bpf.h"
#include "handshake.bpf.h"
#include "limit.bpf.h"
#include "maps.bpf.h"
#include "report.bpf.h"
#include "stream.bpf.h"

static __always_inline long load_bytes(void *context, __u32 offset, void *to, __u32 length)
{
	return bpf_xdp_load_bytes(context, offset, to, length);
}

/*
 * A plain increment: the packets of one flow arrive on one processor, and a count lost
 * while the flow moves to another is cheaper than a locked instruction per packet.
 */
static __always_inline void stamp_path(struct path_entry *path)
{
	path->last_seen_ns = bpf_ktime_get_coarse_ns();
	path->packets_in++;
	count(COUNTER_packets_on_paths);
}

/*
 * True if a new flow may be noted. Who ends a handshake has an address of his own: a flood of
 * SYNs in the names of others leaves his connection in sight.
 */
static __always_inline bool may_note(struct xdp_md *context, const struct packet *packet,
				     __u32 traits)
{
	return limit_allows_flow(&packet->flow) ||
	       ((traits & HEADERS_TCP) && handshake_ends(context, packet, traits & HEADERS_IPV6));
}

/*
 * An entry here says when a flow was heard before it became a path, and that a TCP connection
 * comes in by an interface of ours. One of UDP that is not noted costs no path: what the agent
 * opens it for, a message, says when it was heard as well.
 */
static __always_inline void stamp_flow(struct xdp_md *context, const struct packet *packet,
				       __u32 traits)
{
	__u64 now_ns = bpf_ktime_get_coarse_ns();
	struct flow_entry *known = bpf_map_lookup_elem(&sip_flows, &packet->flow);
	struct flow_entry unknown = { now_ns, now_ns, 1 };

	if (known) {
		known->last_seen_ns = now_ns;
		known->packets_in++;
	} else if (!may_note(context, packet, traits)) {
		count(COUNTER_flows_limited);
	} else if (bpf_map_update_elem(&sip_flows, &packet->flow, &unknown, BPF_ANY)) {
		count(COUNTER_flows_refused);
	}
}

/* True if the packet is the answer to a prompt that left on this path. */
static __always_inline bool absorb_answer(struct xdp_md *context, const struct packet *packet,
					  struct path_entry *path, __u16 status)
{
	const struct sighting *captured;

	if (status == 0 || path->prompt_token == 0)
		return false;
	captured = capture(context, packet, TOKEN_SEARCH_MAX);
	if (!captured || !answer_note(path, token_find(captured), status))
		return false;
	count(COUNTER_answers_absorbed);
	return true;
}

/*
 * Reports what a segment carries if it fits a connection that stands, or as good as stands:
 * what a spoofed source sends is no stream. With SYN cookies the kernel knows nothing of a
 * connection before it stands, and a request that comes as early as that is not reported.
 */
static __always_inline void read_segment(struct xdp_md *context, const struct packet *packet,
					 bool ipv6, bool on_path)
{
	struct connection_entry *connection;

	if (packet->payload_length == 0)
		return;
	connection = bpf_map_lookup_elem(&sip_connections, &packet->flow);
	if (connection && connection->opaque)
		return;
	if (connection ? stream_takes(connection, packet) : handshake_ends(context, packet, ipv6))
		report_segment(context, packet, connection, SIGHTING_FROM_DEVICE, on_path);
	else
		count(COUNTER_segments_refused);
}

/*
 * Handles a packet to a SIP port. Not static, so that the verifier looks at it once and
 * not for each way through the headers.
 */
__noinline int from_device(struct xdp_md *context, __u32 ip_offset, __u32 transport_offset,
			   __u32 traits)
{
	const struct where where = {
		.data = (void *)(long)context->data,
		.end = (void *)(long)context->data_end,
		.frame_length = bpf_xdp_get_buff_len(context),
		.ip_offset = ip_offset & (HEADERS_REACH - 1),
		.transport_offset = transport_offset & (HEADERS_REACH - 1),
		.traits = traits,
		.direction = SIGHTING_FROM_DEVICE,
	};
	struct packet packet = {};
	struct payload_start start;
	struct path_entry *path;

	abi_show();
	if (!packet_open(&packet, &where)) {
		count(COUNTER_packets_cut);
		return XDP_PASS;
	}
	count(COUNTER_packets_in);

	/* Any payload counts as heard: CRLF, STUN, nothing at all (trap 22). */
	path = bpf_map_lookup_elem(&sip_paths, &packet.flow);
	if (path)
		stamp_path(path);
	else
		stamp_flow(context, &packet, traits);

	if (traits & HEADERS_TCP) {
		read_segment(context, &packet, traits & HEADERS_IPV6, path);
		return XDP_PASS;
	}
	if (!capture_start(context, &packet, &start))
		return XDP_PASS;
	/* The rest of a fragmented answer cannot be dropped with it, so all of it passes. */
	if (path && !(traits & HEADERS_FRAGMENT) &&
	    absorb_answer(context, &packet, path, classify_status(&start)))
		return XDP_DROP;
	report_message(context, &packet, &start, SIGHTING_FROM_DEVICE, path);
	return XDP_PASS;
}

SEC("xdp")
int sippath_ingress(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct headers headers;

	switch (headers_find(&headers, data, end)) {
	case HEADERS_WHOLE:
		break;
	case HEADERS_CUT:
		count(COUNTER_packets_cut);
		return XDP_PASS;
	default:
		return XDP_PASS;
	}
	if (!settings_has_port(settings_get(), bpf_ntohs(headers.transport->dest)))
		return XDP_PASS;
	return from_device(context, headers.ip - data, (void *)headers.transport - data,
			   headers_traits(&headers));
}
