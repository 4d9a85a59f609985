/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_map.h - sip_flows from user space: what was heard of a flow before it became a path. */
#ifndef AGENT_KERNEL_FLOW_MAP_H
#define AGENT_KERNEL_FLOW_MAP_H

#include <stdint.h>

#include "flow.h"

/*
 * When the last packet from the remote side of a flow that is no path came. -ENOENT if
 * the map has none of it: it is an LRU map, so that means unknown, not never (trap 11).
 */
int flow_map_last_seen(int map_fd, const struct flow *flow, uint64_t *last_seen_ns);

#endif
