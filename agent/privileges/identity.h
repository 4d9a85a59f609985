/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity.h - as whom the agent works once it has what only root can open, and what that user
 * must be given for it.
 */
#ifndef AGENT_PRIVILEGES_IDENTITY_H
#define AGENT_PRIVILEGES_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#define IDENTITY_USER_DEFAULT "sippath"
#define IDENTITY_NAME_MAX 32

struct identity {
	char name[IDENTITY_NAME_MAX + 1];
	uid_t user;
	gid_t group;
	bool other; /* than the present one: root has started us */
	bool last_resort; /* there is no user for sippathd alone */
};

/*
 * The user of that name; with "" the default one or, if there is none, "nobody". Whoever is not
 * root stays who he is, and may name nobody else. "root" stays root, whose files it then works
 * with, without capabilities. -errno after one log line.
 */
int identity_find(const char *name, struct identity *out);

/*
 * Makes the state directory, if root has started us, and gives it to the user with those files in
 * it that are sippathd's. Root's own, or that of "nobody", who was the user while there was none,
 * is given away only if there is nothing else in it; links are not followed. -EPERM, after one
 * log line that says what to type, if it is somebody else's: what is remembered there would be
 * lost otherwise. What else cannot be given is said, in one line, and stays as it is.
 */
int identity_hand_over(const struct identity *identity, const char *state_dir);

/*
 * Is that user from now on, without any capability; one info line on how to make a user if it is
 * the last resort. -errno after one log line.
 */
int identity_assume(const struct identity *identity);

#endif
