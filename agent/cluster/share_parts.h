/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share_parts.h - what every kind of share has; included by share*.c only. */
#ifndef AGENT_CLUSTER_SHARE_PARTS_H
#define AGENT_CLUSTER_SHARE_PARTS_H

#include "cluster/share.h"

/* As the functions of share.h. */
struct share_operations {
	void (*close)(struct share *share);
	void (*put)(struct share *share, const struct share_report *report, uint64_t now_ns);
	void (*drop)(struct share *share, const struct record *record);
	uint64_t (*epoch)(const struct share *share);
	size_t (*room)(const struct share *share);
	void (*announced)(struct share *share, uint64_t epoch);
};

/* The first member of each kind. */
struct share {
	const struct share_operations *operations;
	struct directory directory;
};

#endif
