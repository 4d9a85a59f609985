/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - a 5-tuple as the wire shows it, seen from the SIP server's host.
 *
 * Included by the BPF programs and by the agent: it is the key of sip_paths
 * and of sip_flows, and the first member of every sighting.
 */
#ifndef SIPPATH_FLOW_H
#define SIPPATH_FLOW_H

#include <linux/types.h>

/* Transport of a flow: the IP protocol number. */
enum flow_transport {
	FLOW_TCP = 6,
	FLOW_UDP = 17,
};

/*
 * Addresses are in network byte order, IPv4 mapped into IPv6
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). Ports are in host byte order, so
 * that a map dump can be read. "reserved" is part of the key and always zero.
 */
struct flow {
	__u8 local_addr[16];
	__u8 remote_addr[16];
	__u16 local_port;
	__u16 remote_port;
	__u8 transport;
	__u8 reserved[3];
};

_Static_assert(sizeof(struct flow) == 40, "struct flow is a map key: no hidden padding");

#endif
