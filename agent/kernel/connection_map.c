/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/connection_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <bpf/bpf.h>

/* So many entries are asked for at once; no bucket of the map gets as full. */
#define BATCH 128

int connection_map_read(int map, const struct flow *flow, struct connection_entry *entry)
{
	struct connection_entry read;
	int err = bpf_map_lookup_elem(map, flow, &read);

	if (err == 0)
		*entry = read;
	return err;
}

/*
 * In batches, which go on from a place in the map: a walk from key to key begins anew
 * when the programs delete the key that it stands on.
 */
int connection_map_walk(int map, uint64_t since_ns, connection_handler *stands,
			connection_handler *gone, void *context)
{
	struct flow flows[BATCH];
	struct connection_entry entries[BATCH];
	uint32_t place = 0;
	bool begun = false;
	int err = 0;

	while (err == 0) {
		uint32_t count = BATCH;

		err = bpf_map_lookup_batch(map, begun ? &place : NULL, &place, flows, entries,
					   &count, NULL);
		if (err < 0 && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < count; i++) {
			if (entries[i].confirmed_ns >= since_ns)
				stands(context, &flows[i]);
			else if (bpf_map_delete_elem(map, &flows[i]) == 0)
				gone(context, &flows[i]);
		}
		begun = true;
	}
	return 0;
}
