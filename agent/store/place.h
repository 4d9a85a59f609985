/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.h - the state directory: whose it is, and what became of who had it last. Included
 * by store.c.
 *
 * Waiting for a disk would make prompts late, so but for the mark that somebody has it, made at
 * the start, nothing in it is synchronised before the agent stops: it outlives the agent, killed
 * or not, but not a host that goes down without notice. The NATs have forgotten by then anyway.
 */
#ifndef AGENT_STORE_PLACE_H
#define AGENT_STORE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#define PLACE_BOOT_ID_LENGTH 36

struct place {
	int fd; /* of the directory, locked */
	char boot_id[PLACE_BOOT_ID_LENGTH]; /* of this boot of the host; no NUL */
	uint64_t netns; /* inode of this agent's network namespace */
	bool cut_off; /* the host went down while an agent had the directory */
};

/*
 * Takes the directory, which is made with those above it if need be, for this agent alone: waits
 * up to two seconds for whoever has it to be gone. One that belongs to another user, or that
 * everybody may write into, is refused. -errno after one log line; *place is then empty.
 */
int place_take(const char *state_dir, struct place *place);

/* Lets go of it; "synced": what is in it would outlive the host. Harmless if it is empty. */
void place_leave(struct place *place, bool synced);

/*
 * Gives what is there another name, and says so, and why ("is no file"): nothing is thrown away
 * that somebody may want to look at. Harmless if there is nothing.
 */
void place_set_aside(const char *path, const char *why);

/* True if a directory, a FIFO, a link is there: it would hinder whoever opens it. */
bool place_is_no_file(const char *path);

#endif
