/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_keepalive.bpf.c - which TCP connections the SIP server has accepted. Nobody can put a
 * prompt into another process's stream, so the kernel's own keepalive keeps their paths: it
 * is switched on here, and probes a connection only when it is quiet (RFC 9293 section
 * 3.8.4). The server is not asked and knows nothing of it.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.bpf.h"
#include "flow.h"
#include "keepalive.bpf.h"
#include "maps.bpf.h"
#include "path_entry.h"
#include "sighting.h"

/* Of the kernel, and in no header that a BPF program can include. */
#define AF_INET 2
#define SOCK_BINDPORT_LOCK 8

/* Since Linux 6.13: the option of a socket that says which of its events a program sees. */
#define SOCKET_EVENTS 1008

/* What is read here of the kernel's own structs; the loader finds the offsets. */
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	__u16 skc_num; /* host byte order */
	__be16 skc_dport;
	__be32 skc_rcv_saddr;
	__be32 skc_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct in6_addr skc_v6_daddr;
} __attribute__((preserve_access_index));

struct sock {
	unsigned char sk_userlocks : 4; /* some kernels have eight bits */
	int sk_rx_dst_ifindex; /* the interface that segments come in by */
} __attribute__((preserve_access_index));

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 snd_nxt;
} __attribute__((preserve_access_index));

struct bpf_iter__tcp {
	struct sock_common *sk_common;
} __attribute__((preserve_access_index));

/*
 * Counts where a softirq, and with it a program that counts without locking, may come in
 * between. That one needs no lock: this one does not come in between there.
 */
static __always_inline void count_interruptible(enum kernel_counter counter)
{
	__u32 index = counter;
	__u64 *value = bpf_map_lookup_elem(&sip_counters, &index);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/*
 * Sees to the keepalive of a socket, and notes in its entry how that came out; what is as it
 * was is not counted again.
 */
static __always_inline void keep(void *socket, const struct sip_settings *settings,
				 struct connection_entry *entry, bool is_new)
{
	enum keepalive_outcome outcome = keepalive_see_to(socket, settings->keepalive_idle_s);
	bool was_kept = entry->keepalive;

	entry->keepalive = outcome == KEEPALIVE_STANDS;
	if (entry->keepalive && !was_kept)
		count_interruptible(COUNTER_keepalives_set);
	else if (outcome == KEEPALIVE_REFUSED && (is_new || was_kept))
		count_interruptible(COUNTER_keepalives_refused);
}

static __always_inline void report_connection(const struct flow *flow, enum sighting_kind kind)
{
	struct sighting sighting = {
		.flow = *flow,
		.when_ns = bpf_ktime_get_ns(),
		.direction = SIGHTING_FROM_DEVICE,
		.kind = kind,
	};

	if (bpf_ringbuf_output(&sip_sightings, &sighting, sizeof(sighting), 0))
		count_interruptible(COUNTER_sightings_lost);
	else
		count_interruptible(COUNTER_sightings);
}

/* The kernel hands out the remote port in network byte order, in the upper half. */
static __always_inline void read_flow(struct flow *flow, const struct bpf_sock_ops *context)
{
	__be32 *local = (void *)flow->local_addr, *remote = (void *)flow->remote_addr;

	flow->transport = FLOW_TCP;
	flow->local_port = context->local_port;
	flow->remote_port = bpf_ntohl(context->remote_port);
	if (context->family == AF_INET) {
		address_write_ipv4(flow->local_addr, context->local_ip4);
		address_write_ipv4(flow->remote_addr, context->remote_ip4);
		return;
	}
	local[0] = context->local_ip6[0], remote[0] = context->remote_ip6[0];
	local[1] = context->local_ip6[1], remote[1] = context->remote_ip6[1];
	local[2] = context->local_ip6[2], remote[2] = context->remote_ip6[2];
	local[3] = context->local_ip6[3], remote[3] = context->remote_ip6[3];
}

/* True if our own program has seen a segment of it: it came in by an interface of ours. */
static __always_inline bool is_stamped(const struct flow *flow)
{
	return bpf_map_lookup_elem(&sip_paths, flow) || bpf_map_lookup_elem(&sip_flows, flow);
}

/*
 * True if segments of the connection come in by an interface of ours. One that is quiet since
 * before we came has left no stamp, and neither has one that SYN cookies let through a flood;
 * but the kernel remembers its way in: the interface that has the address. If that is a VLAN or
 * a bridge on top of ours, the next segment tells.
 */
static __always_inline bool is_watched(const struct sip_settings *settings,
				       const struct sock *socket, const struct flow *flow)
{
	__u32 interface = socket ? socket->sk_rx_dst_ifindex : 0;

	for (__u32 i = 0; i < SIPPATH_HOOKS_MAX; i++)
		if (interface != 0 && settings->watched[i] == interface)
			return true;
	return is_stamped(flow);
}

static __always_inline void opened(struct bpf_sock_ops *context,
				   const struct sip_settings *settings)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct connection_entry entry = {
		.opened_ns = now_ns,
		.confirmed_ns = now_ns,
		.from_device = context->rcv_nxt,
		.to_device = context->snd_nxt,
	};
	struct bpf_sock *socket = context->sk;
	struct flow flow = {};

	read_flow(&flow, context);
	if (!is_watched(settings, socket ? (void *)bpf_skc_to_tcp_sock(socket) : NULL, &flow))
		return;
	keep(context, settings, &entry, true);
	if (bpf_map_update_elem(&sip_connections, &flow, &entry, BPF_ANY)) {
		count_interruptible(COUNTER_connections_refused);
		return;
	}
	count_interruptible(COUNTER_connections_opened);
	bpf_sock_ops_cb_flags_set(context,
				  context->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	report_connection(&flow, SIGHTING_OPENED);
}

/*
 * The first state that an established connection leaves for ends its path: once one side
 * has said that it is done, no request gets to the device and its answer back. Waiting for
 * TCP_CLOSE would keep a path minutes longer that nobody can use.
 */
static __always_inline void state_changed(struct bpf_sock_ops *context)
{
	struct flow flow = {};

	if (context->args[1] == BPF_TCP_ESTABLISHED)
		return;
	read_flow(&flow, context);
	if (bpf_map_delete_elem(&sip_connections, &flow))
		return;
	count_interruptible(COUNTER_connections_closed);
	report_connection(&flow, SIGHTING_CLOSED);
}

/* True if the socket is one of the network namespace that the agent watches. */
static __always_inline bool is_ours(struct bpf_sock_ops *context,
				    const struct sip_settings *settings)
{
	return settings->netns_cookie != 0 &&
	       settings->netns_cookie == bpf_get_netns_cookie(context);
}

/* The end of a connection counts also if its port has been no SIP port for a while. */
SEC("sockops")
int sippath_accept(struct bpf_sock_ops *context)
{
	const struct sip_settings *settings = settings_get();

	abi_show();
	if (!settings)
		return 1;
	switch (context->op) {
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (settings_has_port(settings, context->local_port) && is_ours(context, settings))
			opened(context, settings);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (is_ours(context, settings))
			state_changed(context);
		break;
	}
	return 1;
}

static __always_inline void read_flow_of(struct flow *flow, const struct sock_common *socket)
{
	flow->transport = FLOW_TCP;
	flow->local_port = socket->skc_num;
	flow->remote_port = bpf_ntohs(socket->skc_dport);
	if (socket->skc_family == AF_INET) {
		address_write_ipv4(flow->local_addr, socket->skc_rcv_saddr);
		address_write_ipv4(flow->remote_addr, socket->skc_daddr);
		return;
	}
	bpf_core_read(flow->local_addr, sizeof(flow->local_addr), &socket->skc_v6_rcv_saddr);
	bpf_core_read(flow->remote_addr, sizeof(flow->remote_addr), &socket->skc_v6_daddr);
}

/*
 * Has sippath_accept see what becomes of a socket. Older kernels cannot do so from here:
 * there the agent finds that the connection is gone when it looks for it in vain.
 */
static __always_inline void watch_state(struct sock_common *socket)
{
	int events = 0;

	if (keepalive_get(socket, IPPROTO_TCP, SOCKET_EVENTS, &events))
		keepalive_set(socket, IPPROTO_TCP, SOCKET_EVENTS,
			      events | BPF_SOCK_OPS_STATE_CB_FLAG);
}

/*
 * True if the server itself has opened the connection, from a port that it asked for: a trunk,
 * not a device that comes to it. The kernel takes this mark off a socket that is accepted.
 */
static __always_inline bool was_opened_here(const struct sock *socket)
{
	return BPF_CORE_READ_BITFIELD(socket, sk_userlocks) & SOCK_BINDPORT_LOCK;
}

/* Notes in the entry of a connection what its socket says. */
static __always_inline void confirm(struct connection_entry *entry, const struct tcp_sock *socket)
{
	entry->confirmed_ns = bpf_ktime_get_ns();
	entry->from_device = socket->rcv_nxt;
	entry->to_device = socket->snd_nxt;
}

/* The agent learns of it when it looks through the map. */
static __always_inline void found(struct sock_common *common, const struct tcp_sock *socket,
				  const struct flow *flow, const struct sip_settings *settings)
{
	struct connection_entry entry = {};

	confirm(&entry, socket);
	entry.opened_ns = entry.confirmed_ns;
	keep(common, settings, &entry, true);
	/* Counted when it was accepted, and not again at every pass. */
	if (bpf_map_update_elem(&sip_connections, flow, &entry, BPF_NOEXIST))
		return;
	count_interruptible(COUNTER_connections_opened);
	watch_state(common);
}

/*
 * Run on every TCP socket of a network namespace from time to time: finds the connections that
 * were there before sippath_accept, or that it missed, confirms the others, and sees what the
 * server has made of their keepalive. The kernel holds the socket's lock meanwhile, so it
 * cannot close between the look and the entry.
 */
SEC("iter/tcp")
int sippath_present(struct bpf_iter__tcp *context)
{
	const struct sip_settings *settings = settings_get();
	struct sock_common *common = context->sk_common;
	struct connection_entry *entry;
	const struct tcp_sock *socket;
	struct flow flow = {};

	abi_show();
	if (!common || common->skc_state != BPF_TCP_ESTABLISHED || !settings ||
	    !settings_has_port(settings, common->skc_num))
		return 0;
	socket = (void *)bpf_skc_to_tcp_sock(common);
	if (!socket || was_opened_here((const void *)socket))
		return 0;
	read_flow_of(&flow, common);
	entry = bpf_map_lookup_elem(&sip_connections, &flow);
	if (entry) {
		confirm(entry, socket);
		keep(common, settings, entry, false);
	} else if (is_watched(settings, (const void *)socket, &flow)) {
		found(common, socket, &flow, settings);
	}
	return 0;
}
