/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_reply.h - what Redis answers, taken apart. All of it is data from outside: nothing here
 * relies on a reply being what was asked for. Spans point into the reply.
 */
#ifndef AGENT_CLUSTER_REDIS_REPLY_H
#define AGENT_CLUSTER_REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct redisReply;

/* Room for the id of an entry of a stream, "MILLISECONDS-SEQUENCE", both of 64 bits. */
#define REDIS_STREAM_ID_MAX 48

/* Before the first entry of any stream. */
#define REDIS_STREAM_BEGINNING "0-0"

/* A name and what belongs to it. */
struct redis_pair {
	struct span name;
	struct span value;
};

/* The text of a reply, absent if it is none. */
struct span redis_reply_text(const struct redisReply *reply);

/* Its number, be it written as text or not; -EBADMSG if it is none from lowest to highest. */
int redis_reply_number(const struct redisReply *reply, uint64_t lowest, uint64_t highest,
		       uint64_t *out);

/* True for the error that there is something of another type. */
bool redis_reply_is_mistyped(const struct redisReply *reply);

/* How many pairs a hash, or an entry of a stream, has: NAME VALUE NAME VALUE ...; 0 if it is none. */
size_t redis_reply_pairs(const struct redisReply *reply);
struct redis_pair redis_reply_pair(const struct redisReply *reply, size_t index);

/* True for an entry of a stream, { ID, { NAME, VALUE, ... } }; these are its parts. */
bool redis_reply_is_entry(const struct redisReply *reply);
struct span redis_reply_id(const struct redisReply *entry);
const struct redisReply *redis_reply_fields(const struct redisReply *entry);

/*
 * The entries in the answer to XREAD of one stream, { { KEY, { ENTRY, ... } } }: there is one at
 * least, and each is one. NULL if that is not it.
 */
const struct redisReply *redis_reply_entries(const struct redisReply *reply);

#endif
