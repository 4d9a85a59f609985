/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inspect.h - judges what is on an interface already, before anything is changed:
 * ours and usable, nothing, or in the way.
 */
#ifndef AGENT_KERNEL_INSPECT_H
#define AGENT_KERNEL_INSPECT_H

#include <stdint.h>

#include "kernel/attach.h"
#include "kernel/shared_maps.h"

/*
 * Fills in what the interface says of its ingress program. The maps of a program of
 * ours go into *maps; if others are there already, they must be the same. One log
 * line on failure: another XDP program, another ABI, foreign maps.
 */
int inspect_ingress(struct attach_interface *interface, struct shared_maps *maps);

/*
 * The same at the egress. A program of ours that uses these maps is the interface's
 * egress program; one that uses others is of an older instance: its id goes to *outdated.
 */
int inspect_egress(struct attach_interface *interface, const struct shared_maps *maps,
		   uint32_t *outdated);

#endif
