/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path_entry.h - what the kernel knows of a path and of any other flow.
 *
 * Included by the BPF programs, which write these values in place, and by the
 * agent, which reads them. Every time is CLOCK_MONOTONIC in nanoseconds, 0 for
 * "never".
 */
#ifndef SIPPATH_PATH_ENTRY_H
#define SIPPATH_PATH_ENTRY_H

#include <linux/types.h>

/*
 * Value of sip_paths. The agent inserts and deletes entries and writes nothing
 * into one that stands; the programs write in place. last_seen_ns comes from
 * the coarse clock and may lag by one kernel tick; prompt_ns and answer_ns come
 * from the precise clock, because their difference is the round-trip time.
 */
struct path_entry {
	__u64 last_seen_ns; /* last packet from the device */
	__u64 packets_in; /* packets from the device */
	__u64 last_sent_ns; /* last packet of the server to the device */
	__u64 packets_out; /* packets of the server to the device */
	__u64 prompt_ns; /* the latest prompt left, repeats included */
	__u64 prompt_token; /* token of the latest prompt, 0 for none yet */
	__u64 earlier_token; /* token of the one before: its answer may be late */
	__u64 answer_ns; /* the latest answer to a prompt was absorbed */
	__u64 answer_token; /* the prompt which that answer belongs to */
	__u32 prompts; /* prompts that left, repeats included */
	__u32 answers; /* answers absorbed */
	__u16 answer_status; /* status code of the latest final answer */
	__u8 reserved[6];
};

_Static_assert(sizeof(struct path_entry) == 88, "struct path_entry is a map value");

/* Value of sip_flows: every flow on a SIP port that is not a path. */
struct flow_entry {
	__u64 first_seen_ns; /* first packet from the remote side */
	__u64 last_seen_ns; /* last packet from the remote side */
	__u64 packets_in; /* packets from the remote side */
};

_Static_assert(sizeof(struct flow_entry) == 24, "struct flow_entry is a map value");

/*
 * Value of sip_connections: a TCP connection that the SIP server accepted. The sockops
 * program (and, for those that were there before it, the iterator) inserts it; the sockops
 * program deletes it with the connection, and the agent if that was missed. The sequence
 * numbers are learnt from the socket, follow the segments, and tell a segment of the
 * connection from one that a stranger made up.
 */
struct connection_entry {
	__u64 opened_ns; /* when it was accepted, or found */
	__u64 confirmed_ns; /* when it was last known to stand: accepted, or found once more */
	__u32 from_device; /* the number of the byte that is next in the device's stream */
	__u32 to_device; /* the same of the server's */
	__u16 unread; /* bytes reported of it while it was not readable */
	__u8 keepalive; /* 1 if the kernel's keepalive probes it in time, whoever switched it on */
	__u8 opaque; /* 1 once it was seen to carry no SIP that can be read: TLS, WebSocket */
	__u8 readable; /* 1 once a SIP message was seen in it: it does not become opaque any more */
	__u8 reserved[3];
};

_Static_assert(sizeof(struct connection_entry) == 32, "struct connection_entry is a map value");

#endif
