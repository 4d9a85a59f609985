/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program_maps.h - the maps of a program that is loaded already. */
#ifndef AGENT_KERNEL_PROGRAM_MAPS_H
#define AGENT_KERNEL_PROGRAM_MAPS_H

#include <stdint.h>

#include "kernel/shared_maps.h"

/*
 * Opens those of its maps that bear a name of ours, unchecked; a caller that works
 * with programs of any version (detaching) needs no more. *out must be empty;
 * -errno and *out untouched on failure, without a log line.
 */
int program_maps_open(uint32_t program_id, struct shared_maps *out);

/*
 * The same with every check: the ABI number in the program's constants, the shape of
 * each map, and that none is missing. "where" and "remedy" are for the one log line.
 */
int program_maps_open_checked(uint32_t program_id, const char *where, const char *remedy,
			      struct shared_maps *out);

#endif
