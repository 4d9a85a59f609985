/* SPDX-License-Identifier: GPL-2.0-or-later */
/* takeover.h - what becomes of the file that the last agent left. Included by store.c. */
#ifndef AGENT_STORE_TAKEOVER_H
#define AGENT_STORE_TAKEOVER_H

#include "store/file.h"
#include "store/place.h"

enum takeover {
	TAKEOVER_DONE, /* *file is a copy of it, in its place, and this agent's to go on with */
	TAKEOVER_FOUND, /* *file is what was found, to be read only, until another is in its place */
	TAKEOVER_NONE, /* there is none, or none of use: *file is not open */
};

/*
 * What is of another boot is only found: its times are to be converted. So is what the version
 * before this one wrote, and what there is no room to copy. What cannot even be read is set aside,
 * and said: damaged, of another version, or sound where it was the system that failed. Nothing is
 * taken over from another network namespace, which is said.
 */
enum takeover takeover(const char *path, const char *new_path, const struct place *place,
		       struct file *file);

#endif
