/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeping.h - what sippathd does if it is told nothing else: it keeps paths. */
#ifndef AGENT_KEEPING_H
#define AGENT_KEEPING_H

#include "config/config.h"

/* Runs until SIGTERM or SIGINT; 0, or not after one log line. "sippathd: ready" is said once it watches. */
int keeping_run(const struct config *config);

#endif
