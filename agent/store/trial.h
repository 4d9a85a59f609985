/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial.h - a store is read by somebody who may die of it. Included by store.c.
 *
 * LMDB trusts its file: one that is cut off or overwritten ends the process that reads it
 * (SIGBUS, a failed assertion), and so would end every agent that starts. The size of the file
 * does not tell: a sound one may be shorter than its meta page says.
 */
#ifndef AGENT_STORE_TRIAL_H
#define AGENT_STORE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * False if the file ends, or hinders, a process that reads all of it. True if it does not,
 * if there is none, or if no such process could be made.
 */
bool trial_passed(const char *path, size_t map_bytes);

#endif
