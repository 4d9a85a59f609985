/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.h - the role "call-control": it routes incoming calls to the proxies of the set. */
#ifndef AGENT_ROUTING_H
#define AGENT_ROUTING_H

#include "config/config.h"

/*
 * Runs until SIGTERM or SIGINT; 0, or not after one log line. "sippathd: ready" is said once it
 * listens and has read everything from Redis, or after five seconds without Redis, which is logged.
 */
int routing_run(const struct config *config);

#endif
