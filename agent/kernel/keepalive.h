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
#include "kernel_abi.h"

/* What the configuration admits; whoever asks for another threshold is not an agent of ours. */
#define KEEPALIVE_THRESHOLD_MIN_NS UINT64_C(1000000000)
#define KEEPALIVE_THRESHOLD_MAX_NS (3600 * UINT64_C(1000000000))

/*
 * Says in *settings after how long a quiet connection is probed: whole seconds, at least one.
 * How often then, and what the server has a say in: bpf/keepalive.bpf.h.
 */
void keepalive_fill(struct sip_settings *settings, uint64_t threshold_ns);

/* True if connections are tracked and kept. */
bool keepalive_works(const struct attachment *attachment);

/*
 * The same in the settings that are in force, for connections to come; those that stand
 * follow with the next connection_hook_visit(). -errno after one log line.
 */
int keepalive_set(struct attachment *attachment, uint64_t threshold_ns);

#endif
