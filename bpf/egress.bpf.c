/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egress.bpf.c - reports what the server accepts, and notes our own prompts as they
 * leave. It never says that a device was heard (trap 1).
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "answer.bpf.h"
#include "capture.bpf.h"
#include "classify.bpf.h"
#include "cseq.bpf.h"
#include "cursor.bpf.h"
#include "maps.bpf.h"
#include "report.bpf.h"
#include "stream.bpf.h"

/* As far as headers reach, generously. */
#define HEADERS_MAX 512

static __always_inline long load_bytes(void *context, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(context, offset, to, length);
}

/*
 * Notes the prompt that this packet is; false if it is none. The mark alone proves
 * nothing, because a firewall may use the same number: a prompt carries a token.
 */
static __always_inline bool note_prompt(struct __sk_buff *context, const struct packet *packet,
					struct path_entry *path)
{
	const struct sighting *captured = capture(context, packet, TOKEN_SEARCH_MAX);
	__u64 token = captured ? token_find(captured) : 0;

	if (token == 0)
		return false;
	if (path) {
		prompt_note(path, token);
		count(COUNTER_prompts_left);
	} else {
		count(COUNTER_prompts_unknown);
	}
	return true;
}

/* Reports what a segment carries if it belongs to a connection that can be read. */
static __always_inline void read_segment(struct __sk_buff *context, const struct packet *packet,
					 bool on_path)
{
	struct connection_entry *connection;

	if (packet->payload_length == 0)
		return;
	connection = bpf_map_lookup_elem(&sip_connections, &packet->flow);
	if (!connection || connection->opaque)
		return;
	stream_follow(connection, packet);
	report_segment(context, packet, connection, SIGHTING_TO_DEVICE, on_path);
}

/* Handles a packet from a SIP port; not static, as from_device() is not. */
__noinline int to_device(struct __sk_buff *context, __u32 ip_offset, __u32 transport_offset,
			 __u32 traits)
{
	const struct where where = {
		.data = (void *)(long)context->data,
		.end = (void *)(long)context->data_end,
		.frame_length = context->len,
		.ip_offset = ip_offset & (HEADERS_REACH - 1),
		.transport_offset = transport_offset & (HEADERS_REACH - 1),
		.traits = traits,
		.direction = SIGHTING_TO_DEVICE,
	};
	const struct sip_settings *settings = settings_get();
	struct packet packet = {};
	struct payload_start start;
	struct path_entry *path;

	abi_show();
	if (!packet_open(&packet, &where))
		return TC_ACT_UNSPEC;
	count(COUNTER_packets_out);
	path = bpf_map_lookup_elem(&sip_paths, &packet.flow);
	if (!(traits & HEADERS_TCP) && context->mark == settings_prompt_mark(settings) &&
	    note_prompt(context, &packet, path))
		return TC_ACT_UNSPEC;
	if (path) {
		path->last_sent_ns = bpf_ktime_get_coarse_ns();
		path->packets_out++;
	}
	if (traits & HEADERS_TCP)
		read_segment(context, &packet, path);
	else if (capture_start(context, &packet, &start))
		report_message(context, &packet, &start, SIGHTING_TO_DEVICE, path);
	return TC_ACT_UNSPEC;
}

/* Handles any packet; HEADERS_CUT if its headers end too early. */
__noinline int handle(struct __sk_buff *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct headers headers;
	enum headers_kind kind = headers_find(&headers, data, end);

	if (kind == HEADERS_WHOLE &&
	    settings_has_port(settings_get(), bpf_ntohs(headers.transport->source)))
		to_device(context, headers.ip - data, (void *)headers.transport - data,
			  headers_traits(&headers));
	return kind;
}

/*
 * Always TC_ACT_UNSPEC: this program has no verdict, and the filters behind it on the
 * same hook run as if it were not there. TC_ACT_OK would end the chain.
 */
SEC("tc")
int sippath_egress(struct __sk_buff *context)
{
	__u32 length = context->len;

	/* Headers that seem cut may go on outside of the linear part of the buffer. */
	if (handle(context) == HEADERS_CUT &&
	    !bpf_skb_pull_data(context, length < HEADERS_MAX ? length : HEADERS_MAX))
		handle(context);
	return TC_ACT_UNSPEC;
}
