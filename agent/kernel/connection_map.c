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
int connection_map_walk(int map, connection_handler *handler, void *context)
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
		for (uint32_t i = 0; i < count; i++)
			handler(context, &flows[i]);
		begun = true;
	}
	return 0;
}

int connection_map_clear(int map)
{
	struct flow flow;
	int err = bpf_map_get_next_key(map, NULL, &flow);

	while (err == 0) {
		err = bpf_map_delete_elem(map, &flow);
		if (err == 0 || err == -ENOENT)
			err = bpf_map_get_next_key(map, NULL, &flow);
	}
	return err == -ENOENT ? 0 : err;
}
