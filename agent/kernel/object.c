/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/libbpf_log.h"
#include "sippath.skel.h"

struct object {
	struct sippath_bpf *skeleton;
};

static void cleanup_object_(struct object **object)
{
	object_free(*object);
}

#define cleanup_object __attribute__((cleanup(cleanup_object_)))

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

static int load_failed(int err, uint32_t paths_max)
{
	const char *reason = libbpf_log_reason();

	if (strstr(reason, SIPPATH_MAP_PATHS))
		return log_errno(-err, "cannot make room for %u paths in %s: %s: lower paths_max",
				 paths_max, SIPPATH_MAP_PATHS, strerror(-err));
	return log_errno(-err, "cannot load the programs: %s (%s)", strerror(-err), reason);
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
			return log_errno(errno, "cannot keep %s open: %s", shared_map_name(i),
					 strerror(errno));
	}
	for (enum shared_map i = 0; i < SHARED_MAP_MAX; i++) {
		if (maps->fd[i] < 0)
			maps->fd[i] = take_fd(made.fd[i]);
	}
	return 0;
}

int object_load(struct shared_maps *maps, uint32_t paths_max, bool ingress, bool egress,
		struct object **out)
{
	cleanup_object struct object *object = calloc(1, sizeof(*object));
	int err;

	if (!object)
		return log_errno(ENOMEM, "cannot load the programs: out of memory");
	libbpf_log_begin();
	object->skeleton = sippath_bpf__open();
	if (!object->skeleton)
		return load_failed(-errno, paths_max);
	bpf_program__set_autoload(object->skeleton->progs.sippath_ingress, ingress);
	bpf_program__set_autoload(object->skeleton->progs.sippath_egress, egress);
	err = use_maps(object, maps, paths_max);
	if (err == 0)
		err = sippath_bpf__load(object->skeleton);
	if (err < 0)
		return load_failed(err, paths_max);
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

int object_ingress(const struct object *object)
{
	return bpf_program__fd(object->skeleton->progs.sippath_ingress);
}

int object_egress(const struct object *object)
{
	return bpf_program__fd(object->skeleton->progs.sippath_egress);
}
