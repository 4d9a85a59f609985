/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roles.h - what sippathd can be told to do besides keeping paths: its first argument. */
#ifndef AGENT_ROLES_H
#define AGENT_ROLES_H

#include "config/config.h"

struct role {
	const char *name; /* the first argument */
	int (*play)(const struct config *config); /* 0, or not after one log line */
};

/* The role of this name; NULL if there is none. */
const struct role *roles_find(const char *name);

/* What the configuration says about attaching; points into it. */
struct attach_options roles_attach_options(const struct config *config);

#endif
