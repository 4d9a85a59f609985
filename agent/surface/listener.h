/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.h - the listening end of the control socket, and who may open it. */
#ifndef AGENT_SURFACE_LISTENER_H
#define AGENT_SURFACE_LISTENER_H

/*
 * Listens, without blocking, on a Unix stream socket at "path", whose directory is
 * made if it is missing. Returns the descriptor, or -errno after one log line.
 * The socket is never open to anybody but root and CONTROL_GROUP.
 */
int listener_open(const char *path);

#endif
