/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_lookup.h - the addresses of a host, found without waiting for them.
 *
 * The resolver of the C library waits, so it does so in a thread of its own (getaddrinfo_a());
 * the loop looks now and then whether it has come back. Included by the link only.
 */
#ifndef AGENT_CLUSTER_REDIS_LOOKUP_H
#define AGENT_CLUSTER_REDIS_LOOKUP_H

#include <ev.h>
#include <netdb.h>
#include <stdint.h>

struct redis_lookup;

/* An answer that has not come after so long is not waited for. */
#define REDIS_LOOKUP_PATIENCE_NS (5 * UINT64_C(1000000000))

/*
 * Called once, from the loop: the addresses are whoever's is called, to freeaddrinfo(); NULL, and
 * why, if there are none. The lookup is gone then.
 */
typedef void redis_lookup_found(void *context, struct addrinfo *addresses, const char *why);

/* The address that is written in numbers, to freeaddrinfo(); NULL if it is a name. Does not wait. */
struct addrinfo *redis_lookup_number(const char *host, uint16_t port);

/* Begins to look up a name; -errno. */
int redis_lookup_begin(struct ev_loop *loop, const char *host, uint16_t port,
		       redis_lookup_found *found, void *context, struct redis_lookup **out);

/* Nobody waits for it any more; NULL is fine. */
void redis_lookup_cancel(struct redis_lookup *lookup);

#endif
