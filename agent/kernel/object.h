/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object.h - the BPF object that is built into the agent. */
#ifndef AGENT_KERNEL_OBJECT_H
#define AGENT_KERNEL_OBJECT_H

#include <stdint.h>

#include "kernel/shared_maps.h"

struct object;

/* Programs, to be or'ed. */
enum object_program {
	OBJECT_INGRESS = 1,
	OBJECT_EGRESS = 2,
	OBJECT_ACCEPT = 4,
	OBJECT_PRESENT = 8,
};

/*
 * Loads the programs that are wanted. They use the maps that "maps" holds; those that
 * are missing there are made, with room for paths_max paths, and put into it. -errno on
 * failure; *maps and *out are untouched then, and libbpf_log_reason() says why.
 */
int object_load(struct shared_maps *maps, uint32_t paths_max, unsigned int programs,
		struct object **out);

/* Closes the descriptors; what is attached stays. */
void object_free(struct object *object);

static inline void cleanup_object_(struct object **object)
{
	object_free(*object);
}

/* An object that is freed when it goes out of scope. */
#define cleanup_object __attribute__((cleanup(cleanup_object_)))

/* The descriptor of a program, owned by the object; negative for one that was not wanted. */
int object_program(const struct object *object, enum object_program program);

/* A descriptor of a program that outlives the object, to be closed; -errno. */
int object_copy_program(const struct object *object, enum object_program program);

#endif
