/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/program_maps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/cleanup.h"
#include "base/log.h"

#define PROGRAM_MAPS_MAX 64 /* the kernel's own limit */
#define CONSTANTS_SUFFIX ".rodata"
#define ABI_VARIABLE "sippath_abi"

static void cleanup_btf_(struct btf **btf)
{
	btf__free(*btf);
}

#define cleanup_btf __attribute__((cleanup(cleanup_btf_)))

struct map_ids {
	uint32_t id[PROGRAM_MAPS_MAX];
	uint32_t count;
};

static int read_map_ids(uint32_t program_id, struct map_ids *out)
{
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX,
				      .map_ids = (uintptr_t)out->id };
	uint32_t length = sizeof(info);
	cleanup_close int fd = bpf_prog_get_fd_by_id(program_id);
	int err = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &length);

	if (err < 0)
		return err;
	out->count = info.nr_map_ids < PROGRAM_MAPS_MAX ? info.nr_map_ids : PROGRAM_MAPS_MAX;
	return 0;
}

static int open_map(uint32_t map_id, struct bpf_map_info *info, int *out)
{
	uint32_t length = sizeof(*info);
	cleanup_close int fd = bpf_map_get_fd_by_id(map_id);
	int err;

	memset(info, 0, sizeof(*info));
	err = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, info, &length);
	if (err < 0)
		return err;
	*out = take_fd(fd);
	return 0;
}

int program_maps_open(uint32_t program_id, struct shared_maps *out)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	struct map_ids ids;
	int err = read_map_ids(program_id, &ids);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < ids.count; i++) {
		struct bpf_map_info info;
		cleanup_close int fd = -1;
		enum shared_map map;

		err = open_map(ids.id[i], &info, &fd);
		if (err < 0)
			return err;
		map = shared_map_of_name(info.name);
		if (map < SHARED_MAP_MAX && maps.fd[map] < 0)
			maps.fd[map] = take_fd(fd);
	}
	*out = shared_maps_take(&maps);
	return 0;
}

/* Where the ABI number stands among the constants, by the map's own BTF; -ENOENT if nowhere. */
static int abi_offset(const struct bpf_map_info *info, uint32_t *out)
{
	cleanup_btf struct btf *btf = btf__load_from_kernel_by_id(info->btf_id);
	const struct btf_type *section = btf ? btf__type_by_id(btf, info->btf_value_type_id) : NULL;

	if (!section || !btf_is_datasec(section))
		return -ENOENT;
	for (int i = 0; i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *place = btf_var_secinfos(section) + i;
		const struct btf_type *variable = btf__type_by_id(btf, place->type);
		const char *name = btf__name_by_offset(btf, variable->name_off);

		if (name && strcmp(name, ABI_VARIABLE) == 0 && place->size == sizeof(uint32_t) &&
		    place->offset + sizeof(uint32_t) <= info->value_size) {
			*out = place->offset;
			return 0;
		}
	}
	return -ENOENT;
}

static int read_abi_of_constants(int map_fd, const struct bpf_map_info *info, uint32_t *out)
{
	cleanup_free unsigned char *constants = calloc(1, info->value_size);
	uint32_t first = 0, offset;
	int err;

	if (!constants)
		return -ENOMEM;
	err = abi_offset(info, &offset);
	if (err == 0)
		err = bpf_map_lookup_elem(map_fd, &first, constants);
	if (err == 0)
		memcpy(out, constants + offset, sizeof(*out));
	return err;
}

static bool holds_constants(const struct bpf_map_info *info)
{
	size_t length = strlen(info->name), suffix = strlen(CONSTANTS_SUFFIX);

	return info->type == BPF_MAP_TYPE_ARRAY && length >= suffix &&
	       strcmp(info->name + length - suffix, CONSTANTS_SUFFIX) == 0;
}

static int read_abi(uint32_t program_id, uint32_t *out)
{
	struct map_ids ids;
	int err = read_map_ids(program_id, &ids);

	for (uint32_t i = 0; err == 0 && i < ids.count; i++) {
		struct bpf_map_info info;
		cleanup_close int fd = -1;

		err = open_map(ids.id[i], &info, &fd);
		if (err == 0 && holds_constants(&info))
			return read_abi_of_constants(fd, &info, out);
	}
	return err < 0 ? err : -ENOENT;
}

int program_maps_open_checked(uint32_t program_id, const char *where, const char *remedy,
			      struct shared_maps *out)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	uint32_t abi = 0;
	int err = read_abi(program_id, &abi);

	if (err < 0)
		return log_errno(err == -ENOENT ? EINVAL : -err,
				 "%s: program %u bears a name of ours"
				 " but tells no ABI number: %s",
				 where, program_id, remedy);
	err = shared_maps_check_abi(abi, where, remedy);
	if (err < 0)
		return err;
	err = program_maps_open(program_id, &maps);
	if (err < 0)
		return log_errno(-err, "%s: cannot open the maps of program %u: %s", where,
				 program_id, strerror(-err));
	err = shared_maps_check(&maps, where);
	if (err < 0)
		return err;
	if (!shared_maps_complete(&maps))
		return log_errno(EINVAL, "%s: program %u lacks a map of ours: %s", where,
				 program_id, remedy);
	*out = shared_maps_take(&maps);
	return 0;
}
