/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h - gives the state directory to the user that the agent works as. Included by
 * identity.c.
 */
#ifndef AGENT_PRIVILEGES_HANDOVER_H
#define AGENT_PRIVILEGES_HANDOVER_H

#include <sys/types.h>

/* To whom. */
struct handover {
	const char *name;
	uid_t user;
	gid_t group;
	uid_t former; /* another, besides root, whom it may have been given to before */
};

/*
 * Makes the directory if it is missing, with those above it. One of root's or of the former
 * user's is given to the user unless there is something in it that is not sippathd's; then, and
 * in one that is the user's already, plain files of theirs that have a name of sippathd's.
 * Whoever may write in it could have put a link there: none is followed, and a file that has two
 * names stays as it is.
 *
 * -EPERM, after one log line with the command that helps, if it is anybody else's, or the former
 * user's with other things in it. What else cannot be done costs one warning.
 */
int handover_directory(const char *path, const struct handover *to);

#endif
