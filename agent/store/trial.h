/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial.h - a store is read by somebody who may die of it. Included by takeover.c.
 *
 * LMDB trusts its file: one that is cut off or overwritten ends the process that reads it
 * (SIGBUS, a failed assertion), and so would end every agent that starts. The size of the file
 * does not tell: a sound one may be shorter than its meta page says. Nor does what can be read
 * show what happens when it is written: so the process makes a copy while it is at it, record by
 * record, and nobody ever writes into what was found.
 */
#ifndef AGENT_STORE_TRIAL_H
#define AGENT_STORE_TRIAL_H

#include "store/place.h"

enum trial {
	TRIAL_FAILED, /* the file ends, or hinders, a process that reads all of it */
	TRIAL_READ, /* it does not; or there is none, or no such process could be made */
	TRIAL_COPIED, /* nor could it be copied only: the copy is whole */
};

/*
 * What is of this boot of the host, of this network namespace and of this version is copied to
 * new_path.
 */
enum trial trial_hold(const char *path, const char *new_path, const struct place *place);

#endif
