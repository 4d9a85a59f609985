/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach_parts.h - what the files of attach.h share. Included by attach*.c alone. */
#ifndef AGENT_KERNEL_ATTACH_PARTS_H
#define AGENT_KERNEL_ATTACH_PARTS_H

#include <sys/types.h>

#include "kernel/attach.h"
#include "kernel/changes.h"
#include "kernel/connection_hook.h"
#include "kernel/pins.h"
#include "kernel/shared_maps.h"

struct attachment {
	struct attach_interface interfaces[SIPPATH_HOOKS_MAX];
	struct changes changes[SIPPATH_HOOKS_MAX];
	size_t count;
	enum attach_mode mode;
	struct shared_maps maps;
	int ingress, egress; /* the programs of this build, attached or not */
	struct pins pins;
	struct connection_hook connections;
	struct sip_settings settings; /* as they are to be */
	struct sip_settings settings_before;
	bool settings_changed;
	int turn; /* held while what was done can still be undone */
	int agent; /* the agent's lock, -1 for none */
	pid_t agent_process; /* who has it, or has left it to a copy */
	bool left; /* it was had, and is the business of another copy */
	struct attach_repair told; /* what was last said to be missing */
};

/*
 * Before anything is attached. What the map knows of clsact qdiscs stays; so does the
 * rest if an agent has made it and the options say so. -errno after one log line.
 */
int attach_settings_fill(struct attachment *attachment, const struct attach_options *options);

/* True if the settings are as they are to be; -errno in *error if that cannot be told. */
bool attach_settings_stand(struct attachment *attachment, int *error);

/* Makes them so; by whoever has the turn. -errno. */
int attach_settings_mend(struct attachment *attachment);

/* The turn to attach and detach, without waiting: see lock.h. */
int attach_turn(const struct attachment *attachment);

/* Whether the interface is up and has a carrier; not told where that cannot be asked. */
void attach_look_for_carrier(const struct attach_interface *interface,
			     struct attach_finding *finding);

/* Says where *now differs from what was said before. */
void attach_tell(struct attachment *attachment, const struct attach_repair *now);

#endif
