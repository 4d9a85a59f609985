/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalive.h - the kernel's own keepalive on the SIP server's TCP connections: switched
 * on by a sockops program on the root of the cgroup v2 hierarchy when a connection is
 * accepted, and by an iterator for those that are there already.
 *
 * A host without the hierarchy, or a kernel that refuses, keeps UDP paths all the same.
 */
#ifndef AGENT_KERNEL_KEEPALIVE_H
#define AGENT_KERNEL_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"

/* True if connections are tracked and kept. */
bool keepalive_works(const struct attachment *attachment);

/*
 * Sets after how long a quiet connection is probed (whole seconds, at least one), for those
 * that stand, which the iterator also enters into sip_connections, and those to come. The
 * time between probes is a quarter of it, so that a lost probe is made good before the NAT
 * forgets, and their number such that no connection is given up before some minutes
 * (trap 21). -errno after one log line.
 */
int keepalive_set(struct attachment *attachment, uint64_t threshold_ns);

#endif
