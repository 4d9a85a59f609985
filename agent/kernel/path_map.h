/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path_map.h - sip_paths from user space: only the agent inserts and deletes. */
#ifndef AGENT_KERNEL_PATH_MAP_H
#define AGENT_KERNEL_PATH_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"
#include "path_entry.h"

/* Reads an entry. -ENOENT if the flow has none: unknown, not idle (trap 11). */
int path_map_read(int map_fd, const struct flow *flow, struct path_entry *entry);

/*
 * Inserts an entry that says "last seen at last_seen_ns"; one that is there already
 * stays as it is. -E2BIG if the map is full.
 */
int path_map_insert(int map_fd, const struct flow *flow, uint64_t last_seen_ns);

/* Deletes an entry; it is no error if there is none. */
int path_map_delete(int map_fd, const struct flow *flow);

/* Deletes every entry for which keep() is false, and returns how many, or -errno. */
int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context);

#endif
