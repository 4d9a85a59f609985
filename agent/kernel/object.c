/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/libbpf_log.h"
#include "sippath.skel.h"

struct object {
	struct sippath_bpf *skeleton;
};

static struct bpf_program *program_of(const struct sippath_bpf *skeleton,
				      enum object_program program)
{
	switch (program) {
	case OBJECT_INGRESS:
		return skeleton->progs.sippath_ingress;
	case OBJECT_EGRESS:
		return skeleton->progs.sippath_egress;
	case OBJECT_ACCEPT:
		return skeleton->progs.sippath_accept;
	case OBJECT_PRESENT:
		return skeleton->progs.sippath_present;
	}
	return NULL;
}

static void want_programs(const struct sippath_bpf *skeleton, unsigned int programs)
{
	for (unsigned int program = OBJECT_INGRESS; program <= OBJECT_PRESENT; program <<= 1)
		bpf_program__set_autoload(program_of(skeleton, program), programs & program);
}

static struct bpf_map *map_of(const struct object *object, enum shared_map map)
{
	return bpf_object__find_map_by_name(object->skeleton->obj, shared_map_name(map));
}

/*
 * Which map a program uses is decided here and nowhere else: the pin paths that the
 * object carries for other loaders would make the library look for maps by itself.
 */
static int use_maps(const struct object *object, const struct shared_maps *maps, uint32_t paths_max)
{
	for (enum shared_map i = 0; i < SHARED_MAP_MAX; i++) {
		struct bpf_map *map = map_of(object, i);
		int err = map ? bpf_map__set_pin_path(map, NULL) : -ENOENT;

		if (err == 0 && maps->fd[i] >= 0)
			err = bpf_map__reuse_fd(map, maps->fd[i]);
		else if (err == 0 && i == SHARED_PATHS)
			err = bpf_map__set_max_entries(map, paths_max);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Copies the descriptors of the maps that were made, so that they outlive the object. */
static int take_new_maps(const struct object *object, struct shared_maps *maps)
{
	cleanup_shared_maps struct shared_maps made = SHARED_MAPS_NONE;

	for (enum shared_map i = 0; i < SHARED_MAP_MAX; i++) {
		if (maps->fd[i] >= 0)
			continue;
		made.fd[i] = fcntl(bpf_map__fd(map_of(object, i)), F_DUPFD_CLOEXEC, 0);
		if (made.fd[i] < 0)
			return -errno;
	}
	for (enum shared_map i = 0; i < SHARED_MAP_MAX; i++) {
		if (maps->fd[i] < 0)
			maps->fd[i] = take_fd(made.fd[i]);
	}
	return 0;
}

int object_load(struct shared_maps *maps, uint32_t paths_max, unsigned int programs,
		struct object **out)
{
	cleanup_object struct object *object = calloc(1, sizeof(*object));
	int err;

	libbpf_log_begin();
	if (!object)
		return -ENOMEM;
	object->skeleton = sippath_bpf__open();
	if (!object->skeleton)
		return -errno;
	want_programs(object->skeleton, programs);
	/* Frames that do not fit into one buffer: jumbo MTUs (trap 43). */
	bpf_program__set_flags(object->skeleton->progs.sippath_ingress, BPF_F_XDP_HAS_FRAGS);
	err = use_maps(object, maps, paths_max);
	if (err == 0)
		err = sippath_bpf__load(object->skeleton);
	if (err == 0)
		err = take_new_maps(object, maps);
	if (err < 0)
		return err;
	*out = take_ptr(object);
	return 0;
}

void object_free(struct object *object)
{
	if (!object)
		return;
	sippath_bpf__destroy(object->skeleton);
	free(object);
}

int object_program(const struct object *object, enum object_program program)
{
	return bpf_program__fd(program_of(object->skeleton, program));
}

int object_copy_program(const struct object *object, enum object_program program)
{
	int fd = fcntl(object_program(object, program), F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}
