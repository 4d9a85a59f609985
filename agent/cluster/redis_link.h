/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_link.h - a connection to Redis on the event loop, which comes back by itself.
 *
 * Nothing here ever waits: names are looked up, connections made and answers awaited while the
 * loop goes on. Whatever is outstanding when the connection is lost is answered with NULL; so
 * whoever asks is always answered, once. A link is lost if the server closes it, answers nothing
 * for REDIS_LINK_PATIENCE_NS although something is outstanding (half-open), or says that it
 * takes no writes (READONLY: it has become a replica; LOADING: it is not there yet). It is made
 * anew after a pause that grows to REDIS_LINK_PAUSE_MAX_NS. Loss and return are logged, once each,
 * with how long it was by the monotonic clock, which is read for that only.
 */
#ifndef AGENT_CLUSTER_REDIS_LINK_H
#define AGENT_CLUSTER_REDIS_LINK_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* A slow server's answer may take 5 s; one that takes longer is taken for none. */
#define REDIS_LINK_PATIENCE_NS (10 * UINT64_C(1000000000))
#define REDIS_LINK_PAUSE_MIN_NS (UINT64_C(200) * 1000000)
#define REDIS_LINK_PAUSE_MAX_NS (2 * UINT64_C(1000000000))

/* No command has more words, the name of a script and the number of its keys included. */
#define REDIS_LINK_WORDS_MAX 64

#define REDIS_PORT_DEFAULT 6379

/* redis://[USER[:PASSWORD]@|:PASSWORD@]HOST[:PORT][/DATABASE]; an IPv6 address stands in brackets. */
struct redis_address {
	char host[254]; /* a name or an address, without brackets */
	uint16_t port;
	uint32_t database;
	char user[128]; /* "" for none */
	char password[256]; /* "" for none */
};

/*
 * Reads a URL; -EINVAL if it is none, *out is untouched then. What would end the user or the
 * password stands escaped: "%40" for "@".
 */
int redis_address_read(struct span url, struct redis_address *out);

/* The scripts that a link brings along. */
enum redis_script { REDIS_SCRIPT_PUT, REDIS_SCRIPT_DROP, REDIS_SCRIPT_BEAT, REDIS_SCRIPT_MAX };

struct redisReply;
struct redis_link;

/* The answer to what was asked, good within the call; NULL if the link was lost before it came. */
typedef void redis_link_answer(void *context, const struct redisReply *reply);

struct redis_link_options {
	struct ev_loop *loop; /* outlives the link */
	const struct redis_address *address; /* copied */
	uint64_t patience_ns; /* 0: REDIS_LINK_PATIENCE_NS */
	/* For the log: "reports", "orders"; NULL: losses are not logged by this link. */
	const char *purpose;
	/* It stands: signed in, database chosen, scripts loaded. */
	void (*up)(void *context);
	/* It stood and is lost; everything has been answered with NULL. */
	void (*down)(void *context);
	void *context;
};

/* Begins to connect; -ENOMEM after one log line. */
int redis_link_open(const struct redis_link_options *options, struct redis_link **out);

/*
 * Closes it: what is outstanding is answered with NULL, though it is still sent if it can be at
 * once; "down" is not called. NULL is fine. Not from within what the link calls.
 */
void redis_link_close(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);

/* How many answers are still to come. */
size_t redis_link_outstanding(const struct redis_link *link);

/*
 * Asks for a command, whose words are copied. -ENOTCONN while the link is down, -ENOMEM, -E2BIG;
 * nothing is answered then. "patient": it may take twice as long as other commands, as one that
 * blocks on the server does.
 */
int redis_link_ask(struct redis_link *link, const struct span *words, size_t count, bool patient,
		   redis_link_answer *answer, void *context);

/* Asks for a script: words are its keys, "keys" of them, and its arguments. */
int redis_link_run(struct redis_link *link, enum redis_script script, const struct span *words,
		   size_t keys, size_t count, redis_link_answer *answer, void *context);

/*
 * Gives the connection up, because what comes over it makes no sense; it is made anew. The link is
 * down at once; answers with NULL, and "down", come from the loop. Harmless while it is down.
 */
void redis_link_reset(struct redis_link *link, const char *why);

#endif
