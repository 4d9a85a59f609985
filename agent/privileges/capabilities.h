/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capabilities.h - what this process may do beyond what its user may. */
#ifndef AGENT_PRIVILEGES_CAPABILITIES_H
#define AGENT_PRIVILEGES_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Gives up all capabilities, and the way back to any: those of the bounding set, too, where the
 * process may, and what programs would bring along (no_new_privs). With a user that is not the
 * present one, -1 for none, the process is that user's from then on, in no group but this one.
 * All threads must be the caller's. -errno.
 */
int capabilities_leave(uid_t user, gid_t group);

/* Of those that it has keeps these alone, and no way to others. -errno. */
#define CAPABILITIES_KEPT_MAX 8
int capabilities_keep(const int *kept, size_t count);

/* True if the process has none in any set but the bounding one. */
bool capabilities_none(void);

#endif
