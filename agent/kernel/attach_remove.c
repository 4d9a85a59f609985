/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach_remove.c - takes an interface out of our hands, whichever version of us held it. */
#include <errno.h>
#include <string.h>

#include <net/if.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/attach.h"
#include "kernel/connection_hook.h"
#include "kernel/found.h"
#include "kernel/hooks.h"
#include "kernel/lock.h"
#include "kernel/pins.h"
#include "kernel/program_maps.h"
#include "kernel/requirements.h"
#include "kernel/settings_map.h"
#include "kernel/shared_maps.h"

static bool is_ours(const struct found *found)
{
	return found->kind == FOUND_OURS || found->kind == FOUND_OURS_DISPATCHED;
}

static int find(const char *name, unsigned int interface, struct found *ingress,
		struct found *egress)
{
	int err = found_ingress(interface, ingress);

	if (err == 0)
		err = found_egress(interface, egress);
	if (err < 0)
		return log_errno(-err, "%s: cannot find out what it carries: %s", name,
				 strerror(-err));
	if (ingress->kind == FOUND_OURS_DISPATCHED)
		return log_errno(EBUSY,
				 "%s: program %u was loaded with xdp-loader: take it off"
				 " with `xdp-loader unload %s -i %u`",
				 name, ingress->id, name, ingress->id);
	if (!is_ours(ingress) && egress->kind != FOUND_OURS)
		return log_errno(ENOENT, "%s carries no program of ours", name);
	return 0;
}

/* The settings among the maps of a program if they are of this version, or -1. */
static int readable_settings(const struct shared_maps *maps)
{
	int settings_fd = maps->fd[SHARED_SETTINGS];
	struct sip_settings settings;

	if (settings_fd < 0 || shared_map_value_size(settings_fd) != sizeof(settings) ||
	    settings_map_read(settings_fd, &settings) < 0 || settings.abi != SIPPATH_ABI)
		return -1;
	return settings_fd;
}

/* The clsact qdisc of another version stays, it does no harm. */
static bool made_clsact(uint32_t program_id, unsigned int interface)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	int settings_fd;

	if (program_maps_open(program_id, &maps) < 0)
		return false;
	settings_fd = readable_settings(&maps);
	if (settings_fd < 0 || !settings_map_made_clsact(settings_fd, interface))
		return false;
	return settings_map_forget_clsact(settings_fd, interface) == 0;
}

static int remove_egress(const char *name, unsigned int interface, const struct found *egress)
{
	bool clsact = made_clsact(egress->id, interface);
	int err = hooks_detach_egress(interface);

	if (err < 0)
		return log_errno(-err, "%s: cannot take off the tc filter: %s", name,
				 strerror(-err));
	err = clsact ? hooks_remove_clsact(interface) : 0;
	if (err == -EBUSY)
		log_info("%s: the clsact qdisc stays, others have filters there", name);
	else if (err < 0)
		return log_errno(-err, "%s: cannot remove the clsact qdisc: %s", name,
				 strerror(-err));
	return 0;
}

static int remove_ingress(const char *name, unsigned int interface, const struct found *ingress,
			  const struct shared_maps *maps)
{
	int settings_fd = readable_settings(maps);
	int err = hooks_detach_ingress(interface, ingress->id, ingress->native);

	if (err == 0 && settings_fd >= 0)
		err = settings_map_unwatch(settings_fd, interface);
	if (err < 0)
		return log_errno(-err, "%s: cannot take off the XDP program %u: %s", name,
				 ingress->id, strerror(-err));
	return 0;
}

/* Pins without a program go: those in the directory, and those of "ip link" for these maps. */
static int remove_pins(const char *pin_dir, int turn, const struct shared_maps *maps)
{
	uint32_t pinned = pins_paths_id(pin_dir);
	int err;

	if (!found_in_use(shared_map_id(maps->fd[SHARED_PATHS])))
		pins_remove_of_ip_link(maps);
	if (pinned == 0 || found_in_use(pinned))
		return 0;
	lock_clear(turn);
	err = connection_hook_remove(pin_dir);
	return err < 0 ? err : pins_remove(pin_dir);
}

/* It would see nothing any more, and put back what we take. */
static bool has_agent(const char *pin_dir, int turn, const struct shared_maps *maps)
{
	uint32_t pinned = pins_paths_id(pin_dir);

	return turn >= 0 && lock_has_agent(turn) && pinned != 0 &&
	       shared_map_id(maps->fd[SHARED_PATHS]) == pinned;
}

/* Has the turn, if there is a pin directory at all. */
static int remove_from(const char *name, unsigned int interface, const char *pin_dir, int turn)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	struct found ingress = { .kind = FOUND_NOTHING }, egress = ingress;
	int err = find(name, interface, &ingress, &egress);

	if (err < 0)
		return err;
	/* Without them the pins of "ip link" stay, which does no harm. */
	(void)program_maps_open(is_ours(&ingress) ? ingress.id : egress.id, &maps);
	if (has_agent(pin_dir, turn, &maps))
		return log_errno(
			EBUSY,
			"%s: sippathd works with the maps in %s and would go blind: stop it"
			" first (`systemctl stop sippathd`)",
			name, pin_dir);
	if (is_ours(&ingress))
		err = remove_ingress(name, interface, &ingress, &maps);
	if (err == 0 && egress.kind == FOUND_OURS)
		err = remove_egress(name, interface, &egress);
	if (err < 0)
		return err;
	return remove_pins(pin_dir, turn, &maps);
}

int attach_remove(const char *interface, const char *pin_dir)
{
	unsigned int index = if_nametoindex(interface);
	cleanup_close int turn = -1;
	int err = requirements_privileges();

	if (err < 0)
		return err;
	if (index == 0)
		return log_errno(ENODEV, "no such interface: '%s' (`ip link` lists them)",
				 interface);
	turn = lock_turn(pin_dir, NULL);
	if (turn < 0 && turn != -ENOENT)
		return turn;
	return remove_from(interface, index, pin_dir, turn);
}
