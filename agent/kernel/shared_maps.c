/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/shared_maps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "counters.h"
#include "flow.h"
#include "path_entry.h"

/* What a map must be for program and agent to understand each other through it. */
struct shape {
	const char *name;
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t room; /* at least */
};

static const struct shape shapes[] = {
	[SHARED_PATHS] = { SIPPATH_MAP_PATHS, BPF_MAP_TYPE_HASH, sizeof(struct flow),
			   sizeof(struct path_entry), 1 },
	[SHARED_FLOWS] = { SIPPATH_MAP_FLOWS, BPF_MAP_TYPE_LRU_HASH, sizeof(struct flow),
			   sizeof(struct flow_entry), 1 },
	[SHARED_SIGHTINGS] = { SIPPATH_MAP_SIGHTINGS, BPF_MAP_TYPE_RINGBUF, 0, 0, 1 },
	[SHARED_SETTINGS] = { SIPPATH_MAP_SETTINGS, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
			      sizeof(struct sip_settings), 1 },
	[SHARED_COUNTERS] = { SIPPATH_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t),
			      sizeof(uint64_t), KERNEL_COUNTER_MAX },
	[SHARED_CONNECTIONS] = { SIPPATH_MAP_CONNECTIONS, BPF_MAP_TYPE_HASH, sizeof(struct flow),
				 sizeof(struct connection_entry), 1 },
};

_Static_assert(sizeof(shapes) / sizeof(shapes[0]) == SHARED_MAP_MAX, "every map has a shape");

const char *shared_map_name(enum shared_map map)
{
	return shapes[map].name;
}

enum shared_map shared_map_of_name(const char *name)
{
	enum shared_map map = 0;

	while (map < SHARED_MAP_MAX && strcmp(shapes[map].name, name) != 0)
		map++;
	return map;
}

static int map_info(int map_fd, struct bpf_map_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(map_fd, info, &length);
}

uint32_t shared_map_id(int map_fd)
{
	struct bpf_map_info info;

	return map_info(map_fd, &info) < 0 ? 0 : info.id;
}

uint32_t shared_map_room(int map_fd)
{
	struct bpf_map_info info;

	return map_info(map_fd, &info) < 0 ? 0 : info.max_entries;
}

uint32_t shared_map_value_size(int map_fd)
{
	struct bpf_map_info info;

	return map_info(map_fd, &info) < 0 ? 0 : info.value_size;
}

static bool has_shape(const struct bpf_map_info *info, const struct shape *shape)
{
	return info->type == shape->type && info->key_size == shape->key_size &&
	       info->value_size == shape->value_size && info->max_entries >= shape->room;
}

int shared_maps_check(const struct shared_maps *maps, const char *where)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		struct bpf_map_info info;
		int err;

		if (maps->fd[map] < 0)
			continue;
		err = map_info(maps->fd[map], &info);
		if (err < 0)
			return log_errno(-err, "%s: cannot ask about %s: %s", where,
					 shapes[map].name, strerror(-err));
		if (!has_shape(&info, &shapes[map]))
			return log_errno(
				EINVAL,
				"%s: %s is a foreign map (type %u, key %u bytes, value %u"
				" bytes, room %u): remove what put it there, then start again",
				where, shapes[map].name, info.type, info.key_size, info.value_size,
				info.max_entries);
	}
	return 0;
}

int shared_maps_check_abi(uint32_t abi, const char *where, const char *remedy)
{
	if (abi == SIPPATH_ABI)
		return 0;
	return log_errno(EPROTO, "%s: made by a sippath of ABI %u, this one has ABI %u: %s", where,
			 abi, SIPPATH_ABI, remedy);
}

bool shared_maps_complete(const struct shared_maps *maps)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		if (maps->fd[map] < 0)
			return false;
	}
	return true;
}

bool shared_maps_agree(const struct shared_maps *a, const struct shared_maps *b)
{
	int common = 0;

	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		uint32_t id = shared_map_id(a->fd[map]);

		if (a->fd[map] < 0 || b->fd[map] < 0)
			continue;
		if (id == 0 || id != shared_map_id(b->fd[map]))
			return false;
		common++;
	}
	return common > 0;
}

struct shared_maps shared_maps_take(struct shared_maps *maps)
{
	struct shared_maps taken = *maps;

	*maps = SHARED_MAPS_NONE;
	return taken;
}

void shared_maps_close(struct shared_maps *maps)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		if (maps->fd[map] >= 0)
			close(maps->fd[map]);
	}
	*maps = SHARED_MAPS_NONE;
}
