/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_abi.h - what a program in the kernel and an agent must agree on.
 *
 * Included by the BPF programs and by the agent. The two may be of different
 * versions, because pinned maps and attached programs outlive the agent that
 * loaded them: the agent compares SIPPATH_ABI with the number it finds there and
 * refuses a mismatch (trap 47). Any change to a header in include/ that a
 * program and the agent share, control.h excepted, counts SIPPATH_ABI up.
 */
#ifndef SIPPATH_KERNEL_ABI_H
#define SIPPATH_KERNEL_ABI_H

#include <linux/types.h>

#define SIPPATH_ABI 3

/* Maps, by the names bpftool shows. */
#define SIPPATH_MAP_PATHS "sip_paths" /* struct flow -> struct path_entry */
#define SIPPATH_MAP_FLOWS "sip_flows" /* struct flow -> struct flow_entry, LRU */
#define SIPPATH_MAP_SIGHTINGS "sip_sightings" /* ring buffer of struct sighting */
#define SIPPATH_MAP_SETTINGS "sip_settings" /* one struct sip_settings */
#define SIPPATH_MAP_COUNTERS "sip_counters" /* per-CPU, index enum kernel_counter */

#define SIPPATH_MAP_CONNECTIONS "sip_connections" /* struct flow -> struct connection_entry */

/* Programs, by the names bpftool shows. */
#define SIPPATH_PROGRAM_INGRESS "sippath_ingress" /* section "xdp" */
#define SIPPATH_PROGRAM_EGRESS "sippath_egress" /* section "tc" */
#define SIPPATH_PROGRAM_ACCEPT "sippath_accept" /* section "sockops" */
#define SIPPATH_PROGRAM_PRESENT "sippath_present" /* section "iter/tcp" */

#define SIPPATH_PATHS_DEFAULT 1048576 /* room in sip_paths */
#define SIPPATH_FLOWS_DEFAULT 65536 /* room in sip_flows */
#define SIPPATH_CONNECTIONS_MAX 262144 /* room in sip_connections */
#define SIPPATH_SIGHTINGS_BYTES (4 * 1024 * 1024)

/*
 * What strangers, flows that are not paths, may make the programs do: so many new flows a second
 * of each transport are noted in sip_flows, so many messages a second reported each way; what
 * was not used up in the seconds before may come at once. A quarter of it is for one /24 (IPv6:
 * /48). So 2,000 phones behind one NAT that come back together, each with two REGISTERs, are no
 * flood yet; and what is one takes the agent a few hundredths of a processor.
 */
#define SIPPATH_FLOWS_RATE_DEFAULT 5000
#define SIPPATH_SIGHTINGS_RATE_DEFAULT 5000
#define SIPPATH_RATE_DEPTH_S 4
#define SIPPATH_RATE_UNLIMITED 0xffffffff

#define SIPPATH_PORT_DEFAULT 5060
#define SIPPATH_PORTS_MAX 16
#define SIPPATH_HOOKS_MAX 16

/* The firewall mark that tells a prompt of ours from the server's own packets. */
#define SIPPATH_MARK_DEFAULT 0x53495050

/*
 * Value of sip_settings. A program attached with plain "ip link" finds it all
 * zero, and zero means the default: the programs are useful before any agent
 * has run.
 */
struct sip_settings {
	__u32 abi; /* SIPPATH_ABI of the agent that filled this, 0 for none */
	__u32 prompt_mark; /* 0 for SIPPATH_MARK_DEFAULT */
	__u32 port_count; /* of ports[], 0 for SIPPATH_PORT_DEFAULT alone */
	__u16 ports[SIPPATH_PORTS_MAX]; /* local SIP ports, host byte order */
	__u32 clsact_created[SIPPATH_HOOKS_MAX]; /* interfaces whose clsact qdisc is ours */
	__u32 watched[SIPPATH_HOOKS_MAX]; /* interfaces whose connections are ours, by index */
	__u32 keepalive_idle_s; /* an accepted connection is probed when quiet so long; 0: never */
	__u64 netns_cookie; /* only sockets of this network namespace are ours; 0 for none yet */
	__u32 flows_rate; /* 0 for SIPPATH_FLOWS_RATE_DEFAULT */
	__u32 sightings_rate; /* 0 for SIPPATH_SIGHTINGS_RATE_DEFAULT */
	__u64 limit_seed; /* which networks share a bucket; random, so that nobody can tell */
};

_Static_assert(sizeof(struct sip_settings) == 200, "struct sip_settings is a map value");

/* A token of a prompt travels as so many lower-case hex digits, after this prefix. */
#define SIPPATH_TOKEN_DIGITS 16
#define SIPPATH_BRANCH_PREFIX "z9hG4bK-sippath-"

#endif
