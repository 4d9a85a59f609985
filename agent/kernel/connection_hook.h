/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection_hook.h - the place where our programs see TCP connections: sockops on the
 * root of the cgroup v2 hierarchy for those that come, an iterator for those that are
 * there already.
 *
 * The sockops program sits there by a link that is pinned beside the maps; nobody keeps
 * the link open, so it stands exactly as long as its pin does, whatever becomes of the
 * agent. Each pin directory has its own; a program acts on the sockets of the network
 * namespace that its settings name.
 */
#ifndef AGENT_KERNEL_CONNECTION_HOOK_H
#define AGENT_KERNEL_CONNECTION_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/shared_maps.h"

/* Visible because its owner embeds it; only connection_hook.c touches its members. */
struct connection_hook {
	const char *pin_dir; /* not owned */
	const struct shared_maps *maps; /* what its programs use, not owned */
	uint32_t link_id; /* 0 for none */
	uint32_t program_id; /* of the sockops program */
	int accept; /* the sockops program of this build, attached or not, or -1 */
	int present; /* the iterator's program, or -1 */
	bool made; /* the link is of this instance */
	int program_before; /* what ours has replaced in a link that was there, or -1 */
};

/* Nothing done yet. */
#define CONNECTION_HOOK_OF(dir) \
	((struct connection_hook){ \
		.pin_dir = (dir), .accept = -1, .present = -1, .program_before = -1 })

/*
 * Sees to it that a sockops program of this build which uses these maps, all of them, is
 * there: one that is alike stays, another is replaced in place, so there are never two. A host
 * that cannot have it costs one warning, and *hook stays as it was. The maps outlive *hook.
 */
void connection_hook_attach(struct connection_hook *hook, const struct shared_maps *maps);

/* False on a host that could not have it, which is left alone. */
bool connection_hook_wanted(const struct connection_hook *hook);

/*
 * Puts back what has been taken off since, without loading anything. Nobody else
 * may attach or detach meanwhile. -errno, without a log line.
 */
int connection_hook_mend(struct connection_hook *hook);

/* True if our program, or one of another build with the same maps, is there. */
bool connection_hook_stands(const struct connection_hook *hook);

/* Runs the iterator over the connections of this network namespace. -errno. */
int connection_hook_visit(const struct connection_hook *hook);

/* What was there before connection_hook_attach() is as it was. */
void connection_hook_undo(struct connection_hook *hook);

/* Closes what only connection_hook_undo() would need. */
void connection_hook_keep(struct connection_hook *hook);

/* Closes the descriptors; what is attached stays. */
void connection_hook_close(struct connection_hook *hook);

/* Takes off the program of this directory, of whichever version. One log line on failure. */
int connection_hook_remove(const char *pin_dir);

#endif
