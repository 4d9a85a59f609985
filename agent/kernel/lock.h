/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h - who may work with a pin directory: one at a time changes what is pinned
 * and attached, and one agent reads the maps.
 *
 * Both are locks on directories of the BPF file system: only who may open the maps
 * can take them, and the kernel lets go of them however their holder ends.
 */
#ifndef AGENT_KERNEL_LOCK_H
#define AGENT_KERNEL_LOCK_H

#include <stdbool.h>

/*
 * Waits for the turn to change what hangs on this directory, which is made if it is
 * missing; *made then becomes true. With made == NULL it is not made: -ENOENT, without
 * a log line. Returns the descriptor that holds the turn, to be closed; -errno after
 * one log line.
 */
int lock_turn(const char *pin_dir, bool *made);

/*
 * Makes whoever has the turn the agent of the directory, until the descriptor that is
 * returned is closed. -EBUSY if there is one; one log line on failure.
 */
int lock_agent(int turn, const char *pin_dir);

/* The same without a log line, for an agent whose place was removed. */
int lock_agent_again(int turn);

/* True if the directory has an agent; without the turn that may be just changing. */
bool lock_agent_stands(const char *pin_dir);

/* True if the directory has an agent; asked by whoever has the turn. */
bool lock_has_agent(int turn);

/* Takes away what lock_agent() has left in the directory, without which it can be removed. */
void lock_clear(int turn);

/*
 * The turn, without waiting for it and without making the directory: -EBUSY if somebody else
 * has it, -ENOENT if the directory is gone, or another -errno; without a log line.
 */
int lock_turn_now(const char *pin_dir);

#endif
