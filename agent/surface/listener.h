/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.h - the listening end of the control socket, and who may open it. */
#ifndef AGENT_SURFACE_LISTENER_H
#define AGENT_SURFACE_LISTENER_H

/*
 * Listens, without blocking, on a Unix stream socket at "path", whose directory is
 * made if it is missing. A socket file that nobody listens on any more is replaced;
 * one that somebody does listen on is refused (-EADDRINUSE). Returns the descriptor,
 * or -errno after one log line. Only the socket's owner may connect.
 */
int listener_open(const char *path);

/* Lets CONTROL_GROUP in as well, if there is such a group. -errno after one log line. */
int listener_admit_group(const char *path);

/* Stops listening, and removes the socket file. */
void listener_close(int fd, const char *path);

#endif
