/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/path_map.h"

#include <errno.h>

#include <bpf/bpf.h>

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

/*
 * The next key is asked for before the current one is deleted: asked for after a
 * key that is gone, the kernel starts at the beginning again.
 */
int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context)
{
	struct flow flow, next;
	int swept = 0, err = bpf_map_get_next_key(map_fd, NULL, &flow);

	while (err == 0) {
		err = bpf_map_get_next_key(map_fd, &flow, &next);
		if (err < 0 && err != -ENOENT)
			break;
		if (!keep(context, &flow)) {
			int delete_err = path_map_delete(map_fd, &flow);

			if (delete_err < 0)
				return delete_err;
			swept++;
		}
		flow = next;
	}
	return err == -ENOENT ? swept : err;
}
