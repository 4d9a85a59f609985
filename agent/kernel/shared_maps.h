/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shared_maps.h - the maps that programs and agent share, as a set of descriptors. */
#ifndef AGENT_KERNEL_SHARED_MAPS_H
#define AGENT_KERNEL_SHARED_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_abi.h"

enum shared_map {
	SHARED_PATHS,
	SHARED_FLOWS,
	SHARED_SIGHTINGS,
	SHARED_SETTINGS,
	SHARED_COUNTERS,
	SHARED_CONNECTIONS,
	SHARED_MAP_MAX,
};

/* Descriptors, -1 for a map that is not there. */
struct shared_maps {
	int fd[SHARED_MAP_MAX];
};

#define SHARED_MAPS_NONE ((struct shared_maps){ { -1, -1, -1, -1, -1, -1 } })

/* The name of a map, SIPPATH_MAP_...; and the map of a name, SHARED_MAP_MAX for none. */
const char *shared_map_name(enum shared_map map);
enum shared_map shared_map_of_name(const char *name);

/* The kernel's number for the map behind a descriptor, 0 if it cannot be told. */
uint32_t shared_map_id(int map_fd);

/* Room in the map behind a descriptor, 0 if it cannot be told. */
uint32_t shared_map_room(int map_fd);

/* The size of its values, 0 if it cannot be told. */
uint32_t shared_map_value_size(int map_fd);

/*
 * Checks that every map which is there is what its name promises. "where" says
 * where it was found, for the one log line: -EINVAL if a map is foreign.
 */
int shared_maps_check(const struct shared_maps *maps, const char *where);

/*
 * Compares an ABI number with SIPPATH_ABI (trap 47). "where" says where it was
 * found and "remedy" what to do, for the one log line: -EPROTO if they differ.
 */
int shared_maps_check_abi(uint32_t abi, const char *where, const char *remedy);

/* True if every map is there. */
bool shared_maps_complete(const struct shared_maps *maps);

/* True if every map that both sets have is the same in the kernel, and they have one. */
bool shared_maps_agree(const struct shared_maps *a, const struct shared_maps *b);

/* The set itself; *maps is empty afterwards. */
struct shared_maps shared_maps_take(struct shared_maps *maps);

/* Closes the descriptors; *maps is empty afterwards. */
void shared_maps_close(struct shared_maps *maps);

/* A set that is closed when it goes out of scope; starts as SHARED_MAPS_NONE. */
#define cleanup_shared_maps __attribute__((cleanup(shared_maps_close)))

#endif
