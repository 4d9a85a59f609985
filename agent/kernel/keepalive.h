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
#include "kernel/connection_map.h"
#include "kernel_abi.h"

/*
 * Says in *settings after how long a quiet connection is probed: whole seconds, at least one.
 * How often then, and what the server has a say in: bpf/keepalive.bpf.h.
 */
void keepalive_fill(struct sip_settings *settings, uint64_t threshold_ns);

/* True if connections are tracked and kept. */
bool keepalive_works(const struct attachment *attachment);

/*
 * The same in the settings that are in force, for connections to come; those that stand
 * follow with the next keepalive_look_around(). -errno after one log line.
 */
int keepalive_set(struct attachment *attachment, uint64_t threshold_ns);

/*
 * Runs the iterator, which finds connections that stand and sees to their keepalive, and tells
 * of each; the entry of one that it has not found is deleted, and "gone" is told. now_ns is
 * the time before. It takes about two microseconds for each connection. -errno after one log line.
 */
int keepalive_look_around(const struct attachment *attachment, uint64_t now_ns,
			  connection_handler *stands, connection_handler *gone, void *context);

#endif
