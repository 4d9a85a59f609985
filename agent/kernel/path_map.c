/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/path_map.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

int path_map_read(int map_fd, const struct flow *flow, struct path_entry *entry)
{
	struct path_entry read;
	int err = bpf_map_lookup_elem(map_fd, flow, &read);

	if (err == 0)
		*entry = read;
	return err;
}

int path_map_insert(int map_fd, const struct flow *flow, uint64_t last_seen_ns)
{
	struct path_entry entry = { .last_seen_ns = last_seen_ns };
	int err = bpf_map_update_elem(map_fd, flow, &entry, BPF_NOEXIST);

	return err == -EEXIST ? 0 : err;
}

int path_map_delete(int map_fd, const struct flow *flow)
{
	int err = bpf_map_delete_elem(map_fd, flow);

	return err == -ENOENT ? 0 : err;
}

/* So many entries are read with one call. */
#define BATCH 4096

/* Where the kernel goes on: a number of its own, or a key. */
struct batch_cursor {
	struct flow room;
};

struct batch {
	struct flow flows[BATCH];
	struct path_entry entries[BATCH]; /* the kernel hands them out together */
};

/* Deletes those that are not kept; how many, or -errno. */
static int sweep_batch(int map_fd, const struct batch *batch, uint32_t count,
		       bool (*keep)(void *context, const struct flow *flow), void *context)
{
	int swept = 0;

	for (uint32_t i = 0; i < count; i++) {
		int error;

		if (keep(context, &batch->flows[i]))
			continue;
		error = path_map_delete(map_fd, &batch->flows[i]);
		if (error < 0)
			return error;
		swept++;
	}
	return swept;
}

/* What is deleted is behind the cursor already, which counts buckets. */
int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context)
{
	cleanup_free struct batch *batch = malloc(sizeof(*batch));
	struct batch_cursor at, *from = NULL;
	int swept = 0, error = 0;

	if (!batch)
		return -ENOMEM;
	while (error == 0) {
		uint32_t count = BATCH;
		int more;

		error = bpf_map_lookup_batch(map_fd, from, &at, batch->flows, batch->entries,
					     &count, NULL);
		if (error < 0 && error != -ENOENT)
			return error;
		more = sweep_batch(map_fd, batch, count, keep, context);
		if (more < 0)
			return more;
		swept += more;
		from = &at;
	}
	return swept;
}
