/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/number.h"
#include "cluster/share_redis_parts.h"

bool share_redis_is_mistyped(const struct redisReply *reply)
{
	const struct span code = SPAN("WRONGTYPE");

	return reply->type == REDIS_REPLY_ERROR && reply->len >= code.length &&
	       memcmp(reply->str, code.at, code.length) == 0;
}

struct span share_redis_text(const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
		return (struct span){ NULL, 0 };
	return (struct span){ reply->str, reply->len };
}

int share_redis_number(const struct redisReply *reply, uint64_t *out)
{
	if (reply->type != REDIS_REPLY_INTEGER)
		return number_read(share_redis_text(reply), 0, INT64_MAX, out) ? -EBADMSG : 0;
	if (reply->integer < 0)
		return -EBADMSG;
	*out = (uint64_t)reply->integer;
	return 0;
}
