/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object.h - the BPF object that is built into the agent. */
#ifndef AGENT_KERNEL_OBJECT_H
#define AGENT_KERNEL_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/shared_maps.h"

struct object;

/*
 * Loads the programs that are wanted. They use the maps that "maps" holds; those that
 * are missing there are made, with room for paths_max paths, and put into it. One log
 * line on failure; *maps and *out are untouched then.
 */
int object_load(struct shared_maps *maps, uint32_t paths_max, bool ingress, bool egress,
		struct object **out);

/* Closes the descriptors; what is attached stays. */
void object_free(struct object *object);

/* Descriptors of the programs, owned by the object; negative for one that was not wanted. */
int object_ingress(const struct object *object);
int object_egress(const struct object *object);

#endif
