/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/share.h"

#include "cluster/share_parts.h"

void share_close(struct share *share)
{
	if (share)
		share->operations->close(share);
}

void share_put(struct share *share, const struct share_report *report, uint64_t now_ns)
{
	share->operations->put(share, report, now_ns);
}

void share_drop(struct share *share, const struct record *record)
{
	share->operations->drop(share, record);
}

uint64_t share_epoch(const struct share *share)
{
	return share->operations->epoch(share);
}

size_t share_room(const struct share *share)
{
	return share->operations->room(share);
}

void share_announced(struct share *share, uint64_t epoch)
{
	share->operations->announced(share, epoch);
}

const struct directory *share_directory(struct share *share)
{
	return &share->directory;
}
