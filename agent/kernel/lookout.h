/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookout.h - whether the programs are still where the agent found or put them (trap 11). */
#ifndef AGENT_KERNEL_LOOKOUT_H
#define AGENT_KERNEL_LOOKOUT_H

#include "kernel/attach.h"

/*
 * The first interface that does not carry the attachment's own ingress and egress programs
 * any more: they were taken off or replaced, or the interface is gone. NULL if all do.
 * Costs a few netlink requests for each interface.
 */
const struct attach_interface *lookout_missing(const struct attachment *attachment);

#endif
