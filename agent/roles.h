/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roles.h - what sippathd can be told to do: its first argument, if that is none of its options. */
#ifndef AGENT_ROLES_H
#define AGENT_ROLES_H

#include "config/config.h"

struct role {
	const char *name; /* the first argument; NULL for the role that needs none */
	enum config_use use; /* what its configuration is for */
	bool takes_interfaces; /* as its next argument */
	int (*play)(const struct config *config); /* 0, or not after one log line */
};

/*
 * The role that the arguments ask for. They are then those of options only: what names the
 * role is taken out, or has become --interface if interfaces follow it.
 */
const struct role *roles_choose(int *argc, char **argv);

#endif
