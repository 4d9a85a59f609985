/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.bpf.h - the maps that the programs share, and the small helpers that read
 * settings and count. Weak: every program file defines them, the static linker keeps one.
 */
#ifndef BPF_MAPS_BPF_H
#define BPF_MAPS_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "counters.h"
#include "flow.h"
#include "kernel_abi.h"
#include "path_entry.h"
#include "sighting.h"

/* What a search may read beyond a masked position without another check. */
#define SCRATCH_MARGIN 80

/* Networks share a bucket if they share a hash; the first entry is everybody's. */
#define LIMIT_NETWORKS 1024

/* What is limited, each by itself: a flood of one kind is none of the others. */
enum limit {
	LIMIT_FLOWS_UDP, /* noted in sip_flows */
	LIMIT_FLOWS_TCP,
	LIMIT_FROM_DEVICE_UDP, /* messages reported, of TCP pieces of its streams */
	LIMIT_FROM_DEVICE_TCP,
	LIMIT_TO_DEVICE_UDP,
	LIMIT_TO_DEVICE_TCP,
	LIMIT_MAX
};

/*
 * Where one payload is copied to be searched and reported. The programs run with
 * softirqs off, so one per processor is enough.
 */
union scratch {
	struct sighting sighting;
	__u8 room[sizeof(struct sighting) + SIGHTING_CAPTURE_MAX + 1 + SCRATCH_MARGIN];
};

struct sip_paths {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* a small host does not pay for a million paths */
	__uint(max_entries, SIPPATH_PATHS_DEFAULT);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct flow);
	__type(value, struct path_entry);
};

struct sip_flows {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SIPPATH_FLOWS_DEFAULT);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct flow);
	__type(value, struct flow_entry);
};

struct sip_connections {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SIPPATH_CONNECTIONS_MAX);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct flow);
	__type(value, struct connection_entry);
};

struct sip_sightings {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SIPPATH_SIGHTINGS_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
};

struct sip_settings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct sip_settings);
};

struct sip_counters {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNEL_COUNTER_MAX);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
};

/* Time is what a token bucket is filled with: see limit.bpf.h. Locked instructions only. */
struct limit_bucket {
	__u64 spent_ns[LIMIT_MAX];
};

struct sip_limits {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 + LIMIT_NETWORKS);
	__type(key, __u32);
	__type(value, struct limit_bucket);
};

struct sip_scratch {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union scratch);
};

struct sip_paths sip_paths __weak SEC(".maps");
struct sip_flows sip_flows __weak SEC(".maps");
struct sip_connections sip_connections __weak SEC(".maps");
struct sip_sightings sip_sightings __weak SEC(".maps");
struct sip_settings_map sip_settings __weak SEC(".maps");
struct sip_counters sip_counters __weak SEC(".maps");
struct sip_limits sip_limits __weak SEC(".maps");
struct sip_scratch sip_scratch __weak SEC(".maps");

/* The version of these programs, and all that .rodata holds (trap 47). */
const volatile __u32 sippath_abi __weak = SIPPATH_ABI;

/* What the kernel asks for before it lends its GPL-only helpers. */
char LICENSE[] __weak SEC("license") = "GPL";

/*
 * Makes .rodata one of the calling program's maps, so that whoever finds the program
 * attached can read the number. libbpf binds it to every program by itself; other loaders
 * give a program the maps that it uses.
 */
static __always_inline void abi_show(void)
{
	(void)sippath_abi;
}

static __always_inline const struct sip_settings *settings_get(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&sip_settings, &index);
}

static __always_inline bool settings_has_port(const struct sip_settings *settings, __u16 port)
{
	if (!settings || settings->port_count == 0)
		return port == SIPPATH_PORT_DEFAULT;

	for (__u32 i = 0; i < SIPPATH_PORTS_MAX && i < settings->port_count; i++)
		if (settings->ports[i] == port)
			return true;
	return false;
}

static __always_inline __u32 settings_prompt_mark(const struct sip_settings *settings)
{
	return settings && settings->prompt_mark ? settings->prompt_mark : SIPPATH_MARK_DEFAULT;
}

static __always_inline __u32 settings_flows_rate(const struct sip_settings *settings)
{
	return settings && settings->flows_rate ? settings->flows_rate : SIPPATH_FLOWS_RATE_DEFAULT;
}

static __always_inline __u32 settings_sightings_rate(const struct sip_settings *settings)
{
	return settings && settings->sightings_rate ? settings->sightings_rate
						    : SIPPATH_SIGHTINGS_RATE_DEFAULT;
}

static __always_inline __u64 settings_limit_seed(const struct sip_settings *settings)
{
	return settings ? settings->limit_seed : 0;
}

static __always_inline union scratch *scratch_get(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&sip_scratch, &index);
}

static __always_inline void count(enum kernel_counter counter)
{
	__u32 index = counter;
	__u64 *value = bpf_map_lookup_elem(&sip_counters, &index);

	if (value)
		(*value)++;
}

#endif
