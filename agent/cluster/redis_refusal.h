/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redis_refusal.h - errors with which a Redis server says that it is of no use now. For the link. */
#ifndef AGENT_CLUSTER_REDIS_REFUSAL_H
#define AGENT_CLUSTER_REDIS_REFUSAL_H

struct redisReply;

/* Why, and what to do; NULL if the answer is none of these errors. */
const char *redis_refusal(const struct redisReply *reply);

#endif
