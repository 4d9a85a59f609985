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
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.bpf.h"
#include "flow.h"
#include "maps.bpf.h"
#include "path_entry.h"
#include "sighting.h"

/* Of the kernel, and in no header that a BPF program can include. */
#define AF_INET 2
#define SOL_SOCKET 1
#define SO_KEEPALIVE 9

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

static __always_inline bool set_option(void *socket, int level, int option, int value)
{
	return bpf_setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

/* Switches the keepalive of a socket on, if it is wanted; false if it is not on then. */
static __always_inline bool set_keepalive(void *socket, const struct sip_settings *settings)
{
	if (settings->keepalive_idle_s == 0)
		return false;
	if (!set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, settings->keepalive_idle_s) ||
	    !set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, settings->keepalive_interval_s) ||
	    !set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, settings->keepalive_count) ||
	    !set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1)) {
		count_interruptible(COUNTER_keepalives_refused);
		return false;
	}
	count_interruptible(COUNTER_keepalives_set);
	return true;
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

/* Writes a connection down; false if it could not be. */
static __always_inline bool add_connection(const struct flow *flow, bool keepalive, __u64 flags)
{
	struct connection_entry entry = {
		.opened_ns = bpf_ktime_get_ns(),
		.keepalive = keepalive,
	};

	if (bpf_map_update_elem(&sip_connections, flow, &entry, flags)) {
		count_interruptible(COUNTER_connections_refused);
		return false;
	}
	count_interruptible(COUNTER_connections_opened);
	return true;
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

static __always_inline void opened(struct bpf_sock_ops *context,
				   const struct sip_settings *settings)
{
	bool keepalive = set_keepalive(context, settings);
	struct flow flow = {};

	read_flow(&flow, context);
	if (!add_connection(&flow, keepalive, BPF_ANY))
		return;
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

/* Has sippath_accept see what becomes of a socket; older kernels cannot do so from here. */
static __always_inline bool watch_state(struct sock_common *socket)
{
	int events = 0;

	if (bpf_getsockopt(socket, IPPROTO_TCP, SOCKET_EVENTS, &events, sizeof(events)))
		return false;
	return set_option(socket, IPPROTO_TCP, SOCKET_EVENTS, events | BPF_SOCK_OPS_STATE_CB_FLAG);
}

/*
 * Run on every TCP socket of a network namespace, for the connections that were there
 * before sippath_accept. The kernel holds the socket's lock meanwhile, so it cannot close
 * between the look and the entry. One whose end would not be noticed gets no entry: it is
 * kept, and not read.
 */
SEC("iter/tcp")
int sippath_present(struct bpf_iter__tcp *context)
{
	const struct sip_settings *settings = settings_get();
	struct sock_common *socket = context->sk_common;
	struct connection_entry *entry;
	struct flow flow = {};
	bool keepalive;

	abi_show();
	if (!socket || socket->skc_state != BPF_TCP_ESTABLISHED || !settings ||
	    !settings_has_port(settings, socket->skc_num))
		return 0;
	keepalive = set_keepalive(socket, settings);
	read_flow_of(&flow, socket);
	entry = bpf_map_lookup_elem(&sip_connections, &flow);
	if (entry)
		entry->keepalive = keepalive;
	else if (watch_state(socket))
		add_connection(&flow, keepalive, BPF_NOEXIST);
	else
		count_interruptible(COUNTER_connections_refused);
	return 0;
}
