/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_refusal.h"

#include <stddef.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/span.h"

/* The first word of the error, and what it means to whoever runs the server. */
static const struct {
	const char *code;
	const char *meaning;
} refusals[] = {
	{ "READONLY", "it is a replica: it takes no writes until it is promoted" },
	{ "MASTERDOWN", "it is a replica that has lost its master: promote it" },
	{ "LOADING", "it is still loading its data" },
	{ "BUSY", "it is busy with somebody's script" },
	{ "NOAUTH", "it asks for a password: redis://:PASSWORD@HOST" },
	{ "WRONGPASS", "the user or the password is wrong" },
	{ "NOPERM", "its access list does not let this user do what the cluster needs" },
	{ "DENIED", "its protected mode lets nobody in from other hosts: give it a password" },
	{ "OOM", "its memory is used up: raise its maxmemory" },
	{ "MISCONF", "it cannot save its data, and takes no writes until it can: see its log" },
	{ "NOREPLICAS", "it has too few replicas to take writes" },
	{ "MOVED", "it is part of a Redis Cluster: a single server is needed" },
	{ "CROSSSLOT", "it is part of a Redis Cluster: a single server is needed" },
	{ "CLUSTERDOWN", "it is part of a Redis Cluster: a single server is needed" },
	{ "NOSCRIPT", "it has lost its scripts; they are loaded again" },
};

static struct span first_word(const struct redisReply *reply)
{
	const char *end = memchr(reply->str, ' ', reply->len);

	return (struct span){ reply->str, end ? (size_t)(end - reply->str) : reply->len };
}

const char *redis_refusal(const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR)
		return NULL;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (span_equal(first_word(reply), span_of(refusals[i].code)))
			return refusals[i].meaning;
	}
	return NULL;
}
