/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_reply.h"

#include <errno.h>

#include <hiredis/hiredis.h>

#include "base/number.h"

struct span redis_reply_text(const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
		return (struct span){ NULL, 0 };
	return (struct span){ reply->str, reply->len };
}

int redis_reply_number(const struct redisReply *reply, uint64_t lowest, uint64_t highest,
		       uint64_t *out)
{
	uint64_t number = (uint64_t)reply->integer;

	if (reply->type != REDIS_REPLY_INTEGER)
		return number_read(redis_reply_text(reply), lowest, highest, out) ? -EBADMSG : 0;
	if (reply->integer < 0 || number < lowest || number > highest)
		return -EBADMSG;
	*out = number;
	return 0;
}

bool redis_reply_is_mistyped(const struct redisReply *reply)
{
	const struct span code = SPAN("WRONGTYPE");

	return reply->type == REDIS_REPLY_ERROR && reply->len >= code.length &&
	       memcmp(reply->str, code.at, code.length) == 0;
}

size_t redis_reply_pairs(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY ? reply->elements / 2 : 0;
}

struct redis_pair redis_reply_pair(const struct redisReply *reply, size_t index)
{
	return (struct redis_pair){
		.name = redis_reply_text(reply->element[2 * index]),
		.value = redis_reply_text(reply->element[2 * index + 1]),
	};
}

static bool is_array_of(const struct redisReply *reply, size_t elements)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

bool redis_reply_is_entry(const struct redisReply *reply)
{
	struct span id;

	if (!is_array_of(reply, 2))
		return false;
	id = redis_reply_text(reply->element[0]);
	return id.length > 0 && id.length < REDIS_STREAM_ID_MAX;
}

struct span redis_reply_id(const struct redisReply *entry)
{
	return redis_reply_text(entry->element[0]);
}

const struct redisReply *redis_reply_fields(const struct redisReply *entry)
{
	return entry->element[1];
}

const struct redisReply *redis_reply_entries(const struct redisReply *reply)
{
	const struct redisReply *entries;

	if (!is_array_of(reply, 1) || !is_array_of(reply->element[0], 2))
		return NULL;
	entries = reply->element[0]->element[1];
	if (entries->type != REDIS_REPLY_ARRAY || entries->elements == 0)
		return NULL;
	for (size_t i = 0; i < entries->elements; i++)
		if (!redis_reply_is_entry(entries->element[i]))
			return NULL;
	return entries;
}
