/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection_map.h - sip_connections, read by the agent: which TCP connections stand. */
#ifndef AGENT_KERNEL_CONNECTION_MAP_H
#define AGENT_KERNEL_CONNECTION_MAP_H

#include <stdint.h>

#include "flow.h"
#include "path_entry.h"

/* Reads the entry of a connection; -ENOENT if it does not stand, or another -errno. */
int connection_map_read(int map, const struct flow *flow, struct connection_entry *entry);

/* Told of a connection. */
typedef void connection_handler(void *context, const struct flow *flow);

/*
 * Walks all connections, those that come or go meanwhile perhaps not: tells of those that were
 * confirmed since "since_ns", and deletes the others, of which "gone" is told. -errno.
 */
int connection_map_walk(int map, uint64_t since_ns, connection_handler *stands,
			connection_handler *gone, void *context);

#endif
