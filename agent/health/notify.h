/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - tells whoever started us (systemd) that we are ready, how we are, that we stop, and
 * that we still run: the protocol of sd_notify(3), datagrams to the socket $NOTIFY_SOCKET.
 *
 * It is a dozen lines; libsystemd would bring a library of a megabyte into a process with raw
 * sockets for them. Without $NOTIFY_SOCKET, and where nobody listens, nothing happens.
 */
#ifndef AGENT_HEALTH_NOTIFY_H
#define AGENT_HEALTH_NOTIFY_H

#include <ev.h>

struct notify;

/*
 * Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and removes them, so that no child
 * speaks for us. The socket is reached once and for all: file systems and namespaces may change
 * afterwards. -ENOMEM; whatever else goes wrong is said, and nothing will be told.
 */
int notify_open(struct notify **out);

/* Closes the socket; NULL is fine. */
void notify_close(struct notify *notify);

/*
 * We work from now on: "sippathd: ready" on standard error, too, whatever the log level is. If we
 * are watched ($WATCHDOG_USEC) we also say that we still run, twice as often as we must, from this
 * loop: who hangs in it, or is stopped, is missed and started anew.
 */
void notify_ready(struct notify *notify, struct ev_loop *loop);

/* How we are, in one line: "systemctl status" shows it. */
void notify_status(const struct notify *notify, const char *status);

/* We end; we are not watched any more. */
void notify_stopping(struct notify *notify);

#endif
