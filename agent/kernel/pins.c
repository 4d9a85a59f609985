/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/pins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/limits.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/found.h"
#include "kernel/settings_map.h"

/* Where iproute2 pins what an object wants to have pinned by its name. */
#define IP_LINK_DIRECTORY "/sys/fs/bpf/tc/globals"

static int path_of(const char *directory, enum shared_map map, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/%s", directory, shared_map_name(map));

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The descriptor of a pinned map; -ENOENT if there is none. */
static int open_pin(const char *directory, enum shared_map map)
{
	char path[PATH_MAX];
	int err = path_of(directory, map, path);

	return err < 0 ? err : bpf_obj_get(path);
}

static int open_pins(const char *directory, struct shared_maps *out)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;

	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		int fd = open_pin(directory, map);

		if (fd < 0 && fd != -ENOENT)
			return log_errno(-fd, "cannot open the pin %s/%s: %s", directory,
					 shared_map_name(map), strerror(-fd));
		maps.fd[map] = fd < 0 ? -1 : fd;
	}
	*out = shared_maps_take(&maps);
	return 0;
}

/*
 * The number is the first member of every version of the settings, so it is read
 * before shapes are compared; 0 says that no agent has filled them.
 */
static int check_abi(const char *directory, int settings_fd)
{
	char remedy[PATH_MAX + 96];
	unsigned char settings[4096] = { 0 };
	uint32_t abi, key = 0;

	if (settings_fd < 0 || shared_map_value_size(settings_fd) > sizeof(settings) ||
	    shared_map_value_size(settings_fd) < sizeof(abi) ||
	    bpf_map_lookup_elem(settings_fd, &key, settings) < 0)
		return 0;
	memcpy(&abi, settings, sizeof(abi));
	if (abi == 0)
		return 0;
	snprintf(remedy, sizeof(remedy),
		 "take it off its interfaces with `sippath detach DEV`, or remove %s", directory);
	return shared_maps_check_abi(abi, directory, remedy);
}

int pins_open(const char *directory, struct shared_maps *out)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	int err = open_pins(directory, &maps);

	if (err == 0)
		err = check_abi(directory, maps.fd[SHARED_SETTINGS]);
	if (err == 0)
		err = shared_maps_check(&maps, directory);
	if (err == 0)
		*out = shared_maps_take(&maps);
	return err;
}

/* Takes away the pin of another map; it is kept open, so that pins_undo() can bring it back. */
static int displace(struct pins *pins, enum shared_map map, const char *path, int other_fd)
{
	if (map == SHARED_PATHS && found_in_use(shared_map_id(other_fd)))
		return log_errno(EBUSY,
				 "%s is pinned for a program on another interface, with maps"
				 " of its own: detach one of the two (`sippath detach DEV`)",
				 path);
	if (unlink(path) < 0)
		return log_errno(errno, "cannot remove the pin %s: %s", path, strerror(errno));
	pins->before.fd[map] = dup(other_fd);
	return 0;
}

static int make_pin(struct pins *pins, enum shared_map map, int map_fd)
{
	char path[PATH_MAX];
	cleanup_close int there = open_pin(pins->directory, map);
	int err = path_of(pins->directory, map, path);

	if (err == 0 && there >= 0) {
		if (shared_map_id(there) == shared_map_id(map_fd))
			return 0;
		err = displace(pins, map, path, there);
		if (err < 0)
			return err;
	}
	if (err == 0)
		err = bpf_obj_pin(map_fd, path);
	if (err < 0)
		return log_errno(-err, "cannot pin %s in %s: %s", shared_map_name(map),
				 pins->directory, strerror(-err));
	pins->made[map] = true;
	return 0;
}

int pins_make(struct pins *pins, const struct shared_maps *maps)
{
	int err = 0;

	for (enum shared_map map = 0; err == 0 && map < SHARED_MAP_MAX; map++)
		err = make_pin(pins, map, maps->fd[map]);
	return err;
}

static bool stands(const struct pins *pins, enum shared_map map, int map_fd)
{
	cleanup_close int there = open_pin(pins->directory, map);

	return there >= 0 && shared_map_id(there) == shared_map_id(map_fd);
}

bool pins_stand(const struct pins *pins, const struct shared_maps *maps)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		if (!stands(pins, map, maps->fd[map]))
			return false;
	}
	return true;
}

int pins_mend(const struct pins *pins, const struct shared_maps *maps)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		char path[PATH_MAX];
		int err;

		if (stands(pins, map, maps->fd[map]))
			continue;
		err = path_of(pins->directory, map, path);
		if (err == 0)
			err = bpf_obj_pin(maps->fd[map], path);
		if (err < 0)
			return err;
	}
	return 0;
}

void pins_undo(struct pins *pins)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		char path[PATH_MAX];

		if (path_of(pins->directory, map, path) < 0)
			continue;
		if (pins->made[map])
			unlink(path);
		if (pins->before.fd[map] >= 0)
			bpf_obj_pin(pins->before.fd[map], path);
	}
	if (pins->directory_made)
		rmdir(pins->directory);
	pins_keep(pins);
}

void pins_keep(struct pins *pins)
{
	shared_maps_close(&pins->before);
}

uint32_t pins_paths_id(const char *directory)
{
	cleanup_close int fd = open_pin(directory, SHARED_PATHS);

	return fd < 0 ? 0 : shared_map_id(fd);
}

int pins_remove(const char *directory)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		char path[PATH_MAX];

		if (path_of(directory, map, path) < 0 || (unlink(path) < 0 && errno != ENOENT))
			return log_errno(errno, "cannot remove the pin of %s in %s: %s",
					 shared_map_name(map), directory, strerror(errno));
	}
	if (rmdir(directory) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EBUSY)
		return log_errno(errno, "cannot remove %s: %s", directory, strerror(errno));
	return 0;
}

void pins_remove_of_ip_link(const struct shared_maps *maps)
{
	for (enum shared_map map = 0; map < SHARED_MAP_MAX; map++) {
		cleanup_close int fd = open_pin(IP_LINK_DIRECTORY, map);
		char path[PATH_MAX];

		if (fd < 0 || maps->fd[map] < 0 ||
		    shared_map_id(fd) != shared_map_id(maps->fd[map]))
			continue;
		if (path_of(IP_LINK_DIRECTORY, map, path) == 0 && unlink(path) < 0)
			log_warning("cannot remove the pin %s: %s", path, strerror(errno));
	}
}
