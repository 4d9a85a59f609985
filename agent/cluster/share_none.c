/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "cluster/share_parts.h"

static void close_nothing(struct share *share)
{
	(void)share;
}

static void put_nothing(struct share *share, const struct share_report *report, uint64_t now_ns)
{
	(void)share;
	(void)report;
	(void)now_ns;
}

static void drop_nothing(struct share *share, const struct record *record)
{
	(void)share;
	(void)record;
}

static uint64_t no_epoch(const struct share *share)
{
	(void)share;
	return 0;
}

static size_t no_room(const struct share *share)
{
	(void)share;
	return 0;
}

static void announced_nothing(struct share *share, uint64_t epoch)
{
	(void)share;
	(void)epoch;
}

static int nowhere(void *context, struct span aor, directory_answered *answered, void *asker)
{
	(void)context;
	(void)aor;
	(void)answered;
	(void)asker;
	return -ENOENT;
}

static int no_cluster(void *context, directory_answered *answered, void *asker)
{
	(void)context;
	(void)answered;
	(void)asker;
	return -ENOENT;
}

static int nobody_to_order(void *context, struct span node, const struct order *order,
			   directory_answered *answered, void *asker)
{
	(void)context;
	(void)node;
	(void)order;
	(void)answered;
	(void)asker;
	return -ENOENT;
}

static void forget_nobody(void *context, void *asker)
{
	(void)context;
	(void)asker;
}

static const struct share_operations operations = {
	.close = close_nothing,
	.put = put_nothing,
	.drop = drop_nothing,
	.epoch = no_epoch,
	.room = no_room,
	.announced = announced_nothing,
};

struct share *share_none(void)
{
	static struct share none = {
		.operations = &operations,
		.directory = {
			.where = nowhere,
			.cluster = no_cluster,
			.order = nobody_to_order,
			.forget = forget_nobody,
		},
	};

	return &none;
}
