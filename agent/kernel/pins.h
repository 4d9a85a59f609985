/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pins.h - the shared maps under their names in the BPF file system. */
#ifndef AGENT_KERNEL_PINS_H
#define AGENT_KERNEL_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/shared_maps.h"

/*
 * Opens what is pinned in "directory", with every check: ABI number and shapes. Maps
 * that are not pinned stay -1. One log line on failure.
 */
int pins_open(const char *directory, struct shared_maps *out);

/* Where the maps are to be pinned, and what pins_make() did there, so that it can be undone. */
struct pins {
	const char *directory; /* not owned */
	bool directory_made; /* by whoever fills this in */
	bool made[SHARED_MAP_MAX];
	struct shared_maps before; /* other maps whose pins had to go */
};

/* Nothing done yet. */
#define PINS_OF(dir) ((struct pins){ .directory = (dir), .before = SHARED_MAPS_NONE })

/*
 * Pins the maps in the directory. A pin of the same map is
 * left; a pin of another map gives way, unless a program on an interface uses that
 * map. One log line on failure; the caller undoes what was done until then.
 */
int pins_make(struct pins *pins, const struct shared_maps *maps);
void pins_undo(struct pins *pins);

/* True if these very maps are pinned in the directory, all of them. */
bool pins_stand(const struct pins *pins, const struct shared_maps *maps);

/*
 * Pins again those that are not, without a log line and without undoing; -EEXIST if others
 * have their names.
 */
int pins_mend(const struct pins *pins, const struct shared_maps *maps);

/* Closes what only pins_undo() would need. */
void pins_keep(struct pins *pins);

/* The id of the map pinned as sip_paths, 0 if there is none; nothing else is checked. */
uint32_t pins_paths_id(const char *directory);

/* Removes our pins, and the directory if nothing else is in it. One log line on failure. */
int pins_remove(const char *directory);

/*
 * Removes the pins of these very maps from where "ip link" puts pins, which it leaves
 * there whatever becomes of the program.
 */
void pins_remove_of_ip_link(const struct shared_maps *maps);

#endif
