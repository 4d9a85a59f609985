/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection_map.h - sip_connections, read by the agent: which TCP connections stand. */
#ifndef AGENT_KERNEL_CONNECTION_MAP_H
#define AGENT_KERNEL_CONNECTION_MAP_H

#include "flow.h"
#include "path_entry.h"

/* Reads the entry of a connection; -ENOENT if it does not stand, or another -errno. */
int connection_map_read(int map, const struct flow *flow, struct connection_entry *entry);

/* Told of each connection. */
typedef void connection_handler(void *context, const struct flow *flow);

/* Walks all connections, those that come or go meanwhile perhaps not; -errno. */
int connection_map_walk(int map, connection_handler *handler, void *context);

/* Deletes every entry: for a map in which nobody has noted which connections went. -errno. */
int connection_map_clear(int map);

#endif
