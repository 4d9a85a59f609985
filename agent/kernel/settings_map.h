/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_map.h - sip_settings from user space, and what it says of this host. */
#ifndef AGENT_KERNEL_SETTINGS_MAP_H
#define AGENT_KERNEL_SETTINGS_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_abi.h"

/* All return -errno; *settings is untouched on failure. */
int settings_map_read(int map_fd, struct sip_settings *settings);
int settings_map_write(int map_fd, const struct sip_settings *settings);

/* Another descriptor of the map, to be closed, by which nothing can be written. -errno. */
int settings_map_open_to_read(int map_fd);

/* What tells sockets of this network namespace from others. */
int settings_map_netns_cookie(uint64_t *cookie);

/* Remembers that the clsact qdisc of an interface is ours; -ENOSPC if there is no room. */
int settings_map_remember_clsact(int map_fd, unsigned int interface);
int settings_map_forget_clsact(int map_fd, unsigned int interface);

/* Notes in *settings that an interface is watched, if there is room for one more. */
void settings_map_watch(struct sip_settings *settings, unsigned int interface);
int settings_map_unwatch(int map_fd, unsigned int interface);

/* True if the clsact qdisc of an interface is ours. */
bool settings_map_made_clsact(int map_fd, unsigned int interface);

#endif
