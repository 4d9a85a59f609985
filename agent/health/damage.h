/* SPDX-License-Identifier: GPL-2.0-or-later */
/* damage.h - what the troubles are of programs and interfaces that were found amiss. */
#ifndef AGENT_HEALTH_DAMAGE_H
#define AGENT_HEALTH_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "health/troubles.h"
#include "kernel/attach.h"

struct damage {
	bool was_blind; /* packets went unseen before the repair */
	bool is_blind; /* and still do */
};

/*
 * One interface whose programs are missing makes blind for all of them: a path does not tell by
 * which it is reached. One that is gone, or down, does not, unless no other is left.
 */
struct damage damage_assess(const struct attach_repair *repair);

/*
 * Sets the troubles of what is left, and clears those of what is well; what was put back at once
 * is noted.
 */
void damage_tell(const struct attach_repair *repair, struct troubles *troubles, uint64_t now_ns);

#endif
