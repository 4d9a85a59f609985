/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover.h - gives the state directory to the user that the agent works as. Included by identity.c. */
#ifndef AGENT_PRIVILEGES_HANDOVER_H
#define AGENT_PRIVILEGES_HANDOVER_H

#include <sys/types.h>

/*
 * Makes the directory if it is missing, with those above it. One of root's is given to the
 * user unless there is something in it that is not sippathd's; then, and in one that is the
 * user's already, plain files of root's that have a name of sippathd's. Whoever may write in it
 * could have put a link there: none is followed, and a file that has two names stays as it is.
 * One warning about what cannot be done.
 */
void handover_directory(const char *path, uid_t user, gid_t group, const char *user_name);

#endif
