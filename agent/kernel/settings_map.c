/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/settings_map.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include <net/if.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/shared_maps.h"

static const uint32_t only_key = 0;

int settings_map_read(int map_fd, struct sip_settings *settings)
{
	struct sip_settings read;
	int err = bpf_map_lookup_elem(map_fd, &only_key, &read);

	if (err == 0)
		*settings = read;
	return err;
}

int settings_map_write(int map_fd, const struct sip_settings *settings)
{
	return bpf_map_update_elem(map_fd, &only_key, settings, BPF_ANY);
}

int settings_map_open_to_read(int map_fd)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, options, .open_flags = BPF_F_RDONLY);

	return bpf_map_get_fd_by_id_opts(shared_map_id(map_fd), &options);
}

int settings_map_netns_cookie(uint64_t *cookie)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t read = 0;
	socklen_t length = sizeof(read);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &read, &length) < 0)
		return -errno;
	*cookie = read;
	return 0;
}

/* The slot that holds "interface"; NULL if none does. */
static uint32_t *slot_of(uint32_t slots[SIPPATH_HOOKS_MAX], unsigned int interface)
{
	for (int i = 0; i < SIPPATH_HOOKS_MAX; i++) {
		if (slots[i] == interface)
			return &slots[i];
	}
	return NULL;
}

/* A slot is free, too, when its interface is gone: what we had there went with it. */
static uint32_t *free_slot(uint32_t slots[SIPPATH_HOOKS_MAX])
{
	char name[IF_NAMESIZE];

	for (int i = 0; i < SIPPATH_HOOKS_MAX; i++) {
		if (slots[i] == 0 || !if_indextoname(slots[i], name))
			return &slots[i];
	}
	return NULL;
}

static int take_slot(uint32_t slots[SIPPATH_HOOKS_MAX], unsigned int interface)
{
	uint32_t *slot = slot_of(slots, interface);

	if (!slot)
		slot = free_slot(slots);
	if (!slot)
		return -ENOSPC;
	*slot = interface;
	return 0;
}

int settings_map_remember_clsact(int map_fd, unsigned int interface)
{
	struct sip_settings settings;
	int err = settings_map_read(map_fd, &settings);

	if (err == 0)
		err = take_slot(settings.clsact_created, interface);
	return err < 0 ? err : settings_map_write(map_fd, &settings);
}

/* "offset" is that of the slots in the settings. */
static int forget(int map_fd, size_t offset, unsigned int interface)
{
	struct sip_settings settings;
	uint32_t *slot;
	int err = settings_map_read(map_fd, &settings);

	if (err < 0)
		return err;
	slot = slot_of((uint32_t *)((char *)&settings + offset), interface);
	if (!slot)
		return 0;
	*slot = 0;
	return settings_map_write(map_fd, &settings);
}

int settings_map_forget_clsact(int map_fd, unsigned int interface)
{
	return forget(map_fd, offsetof(struct sip_settings, clsact_created), interface);
}

/* Without it a connection there that was quiet all the time is found when it is heard. */
void settings_map_watch(struct sip_settings *settings, unsigned int interface)
{
	(void)take_slot(settings->watched, interface);
}

int settings_map_unwatch(int map_fd, unsigned int interface)
{
	return forget(map_fd, offsetof(struct sip_settings, watched), interface);
}

bool settings_map_made_clsact(int map_fd, unsigned int interface)
{
	struct sip_settings settings;

	return settings_map_read(map_fd, &settings) == 0 &&
	       slot_of(settings.clsact_created, interface);
}
