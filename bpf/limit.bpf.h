/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.bpf.h - what strangers may make the programs do in a second (trap 44). A stranger is a
 * flow that is not a path: anybody can make up a million of them.
 *
 * TCP is apart from UDP, whose addresses are spoofed more easily: what opens a connection must
 * have been noted, and a piece of a stream is reported only of who has seen the server's answer.
 * Reports go two ways, and each way is limited by itself, or requests would leave nothing for
 * their answers.
 *
 * Each limit is a token bucket that holds what some seconds bring: what comes at once after a
 * power cut is no flood yet. It is one word: the time up to which its tokens are spent, at most
 * so many seconds ahead of the clock. So a processor that is refused a token writes nothing that
 * others read, however many packets come; and those that take the same token at once take one
 * too many each, at worst.
 *
 * What remains: who sends datagrams in the name of a network takes that network's share, and in
 * the names of four takes all there is. Only what is no path yet waits for the flood to end.
 */
#ifndef BPF_LIMIT_BPF_H
#define BPF_LIMIT_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"
#include "maps.bpf.h"
#include "sighting.h"

#define LIMIT_SECOND_NS 1000000000ULL
#define LIMIT_DEPTH_NS (SIPPATH_RATE_DEPTH_S * LIMIT_SECOND_NS)

/* One network gets this part of a limit, and one token in a full bucket at least. */
#define LIMIT_NETWORK_SHARE 4

#define LIMIT_NETWORK_BITS 10

_Static_assert(1 << LIMIT_NETWORK_BITS == LIMIT_NETWORKS, "a hash finds each bucket");

#define LIMIT_HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio, odd */

/*
 * The bucket of the remote address's network: its /24, of an IPv6 address its /48. A random
 * factor tells nobody which networks share a bucket: who wants to take the share of one has to
 * send in its name.
 */
static __always_inline __u32 limit_network(const struct flow *flow, __u64 seed)
{
	__u64 factor = LIMIT_HASH_FACTOR ^ (seed & ~1ULL);
	__u64 network[2];

	__builtin_memcpy(network, flow->remote_addr, sizeof(network));
	/* The first half of an IPv4 address is zero. */
	network[0] &= bpf_cpu_to_be64(~0xffffULL);
	if (network[0] == 0)
		network[0] = network[1] & bpf_cpu_to_be64(~0xffULL);
	return 1 + (__u32)(network[0] * factor >> (64 - LIMIT_NETWORK_BITS));
}

static __always_inline __u64 *limit_bucket(__u32 index, enum limit limit)
{
	struct limit_bucket *bucket = bpf_map_lookup_elem(&sip_limits, &index);

	return bucket ? &bucket->spent_ns[limit] : NULL;
}

/* True if there is a token that is worth so much time. */
static __always_inline bool limit_has_token(const __u64 *spent_ns, __u64 now_ns, __u64 token_ns)
{
	return *(const volatile __u64 *)spent_ns + token_ns <= now_ns + LIMIT_DEPTH_NS;
}

static __always_inline void limit_take_token(__u64 *spent_ns, __u64 now_ns, __u64 token_ns)
{
	__u64 before_ns = *(const volatile __u64 *)spent_ns;

	/* A bucket does not overflow. */
	if (before_ns < now_ns)
		__sync_val_compare_and_swap(spent_ns, before_ns, now_ns);
	__sync_fetch_and_add(spent_ns, token_ns);
}

/* True if a stranger may do it once more, at so many times a second for all of them. */
static __always_inline bool limit_allows(enum limit limit, __u32 rate, const struct flow *flow)
{
	__u64 token_ns = LIMIT_SECOND_NS / rate; /* unlimited: tokens that cost nothing */
	__u64 share_ns = token_ns * LIMIT_NETWORK_SHARE;
	__u64 now_ns = bpf_ktime_get_coarse_ns();
	__u64 *all = limit_bucket(0, limit);
	__u64 *network =
		limit_bucket(limit_network(flow, settings_limit_seed(settings_get())), limit);

	if (share_ns > LIMIT_DEPTH_NS)
		share_ns = LIMIT_DEPTH_NS;
	if (!all || !network)
		return true;
	if (!limit_has_token(all, now_ns, token_ns) || !limit_has_token(network, now_ns, share_ns))
		return false;
	limit_take_token(all, now_ns, token_ns);
	limit_take_token(network, now_ns, share_ns);
	return true;
}

/* True if a new flow may be noted in sip_flows. */
static __always_inline bool limit_allows_flow(const struct flow *flow)
{
	enum limit limit = flow->transport == FLOW_TCP ? LIMIT_FLOWS_TCP : LIMIT_FLOWS_UDP;

	return limit_allows(limit, settings_flows_rate(settings_get()), flow);
}

/* True if a message of a stranger, or a piece of its stream, may be reported. */
static __always_inline bool limit_allows_sighting(const struct flow *flow,
						  enum sighting_direction direction)
{
	bool is_stream = flow->transport == FLOW_TCP;
	enum limit limit = is_stream ? LIMIT_FROM_DEVICE_TCP : LIMIT_FROM_DEVICE_UDP;

	if (direction == SIGHTING_TO_DEVICE)
		limit = is_stream ? LIMIT_TO_DEVICE_TCP : LIMIT_TO_DEVICE_UDP;
	return limit_allows(limit, settings_sightings_rate(settings_get()), flow);
}

#endif
