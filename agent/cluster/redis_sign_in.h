/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_sign_in.h - what is asked of a Redis server before anything else: it lets us in, takes
 * writes, and knows our scripts. For the link.
 */
#ifndef AGENT_CLUSTER_REDIS_SIGN_IN_H
#define AGENT_CLUSTER_REDIS_SIGN_IN_H

#include "base/span.h"
#include "cluster/redis_connection.h"
#include "cluster/redis_link.h"

/* The SHA-1 by which the server calls a script, in hexadecimal. */
#define REDIS_SCRIPT_NAME_LENGTH 40

struct redis_sign_in {
	struct redis_connection *connection; /* given up if the server does not do as it is asked */
	const struct redis_address *address;
	void (*done)(void *context);
	void *context;
	/* From here on filled in. */
	char names[REDIS_SCRIPT_MAX][REDIS_SCRIPT_NAME_LENGTH];
	unsigned int loaded; /* so many scripts have their names */
};

/* Asks for everything at once; outlives the answers. -ENOMEM: the connection has been given up. */
int redis_sign_in_begin(struct redis_sign_in *sign_in);

/* The name of a script, once it is done. */
struct span redis_sign_in_name(const struct redis_sign_in *sign_in, enum redis_script script);

#endif
