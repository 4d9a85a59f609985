/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changes.h - what is done to one interface to bring our programs onto it, and how that is
 * undone. One log line on failure; undoing is silent.
 */
#ifndef AGENT_KERNEL_CHANGES_H
#define AGENT_KERNEL_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"

struct changes {
	bool ingress_attached; /* or replaced */
	bool clsact_made;
	bool egress_attached; /* or replaced */
	int ingress_before; /* what ours has replaced, or -1 */
	int egress_before; /* what ours has replaced or is to replace, or -1 */
};

#define CHANGES_NONE ((struct changes){ .ingress_before = -1, .egress_before = -1 })

/* A filter of an older instance is to give way to ours: with other maps it is of no use. */
int changes_displace_egress(const struct attach_interface *interface, struct changes *changes,
			    uint32_t outdated);

/*
 * Attaches the program to an interface that has none: natively, or, in any mode, generically
 * after a warning with the reason. -errno without a log line.
 */
int changes_attach_ingress(struct attach_interface *interface, int program_fd,
			   enum attach_mode mode);

/*
 * Attaches the program, or replaces one of another build that is there and, as inspect.h has
 * found, ours and usable: one that cannot be replaced is used as it is, after a warning.
 */
int changes_ingress(struct attach_interface *interface, struct changes *changes, int program_fd,
		    enum attach_mode mode);
int changes_egress(struct attach_interface *interface, struct changes *changes, int program_fd,
		   int settings_fd);

/* What was there before is as it was. */
void changes_undo(const struct attach_interface *interface, const struct changes *changes);

/* Closes what only changes_undo() would need. */
void changes_keep(struct changes *changes);

#endif
