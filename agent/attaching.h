/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attaching.h - what the configuration says about attaching; the roles "attach" and "detach". */
#ifndef AGENT_ATTACHING_H
#define AGENT_ATTACHING_H

#include "config/config.h"
#include "kernel/attach.h"

/* Points into the configuration. */
struct attach_options attaching_options(const struct config *config);

/* Brings the programs onto the interfaces, or takes them off; 0, or not after one log line. */
int attaching_attach(const struct config *config);
int attaching_detach(const struct config *config);

#endif
