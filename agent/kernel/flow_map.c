/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/flow_map.h"

#include <bpf/bpf.h>

#include "path_entry.h"

int flow_map_last_seen(int map_fd, const struct flow *flow, uint64_t *last_seen_ns)
{
	struct flow_entry read;
	int err = bpf_map_lookup_elem(map_fd, flow, &read);

	if (err == 0)
		*last_seen_ns = read.last_seen_ns;
	return err;
}
