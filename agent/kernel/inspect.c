/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "kernel/found.h"
#include "kernel/hooks.h"
#include "kernel/program_maps.h"

static int refuse_ingress(const char *name, const struct found *found)
{
	if (found->kind == FOUND_DISPATCHER)
		return log_errno(EBUSY,
				 "%s carries other XDP programs through libxdp: load"
				 " sippath.bpf.o beside them (`xdp-loader load %s sippath.bpf.o"
				 " -s xdp`), then start again",
				 name, name);
	return log_errno(EBUSY,
			 "%s carries the XDP program '%s' (id %u): detach it (`ip link set"
			 " dev %s xdp off`), or load both through xdp-loader",
			 name, found->name, found->id, name);
}

/* The maps of the interface's program become everybody's; those of others must be the same. */
static int adopt_maps(const struct attach_interface *interface, struct shared_maps *maps)
{
	cleanup_shared_maps struct shared_maps found = SHARED_MAPS_NONE;
	char remedy[80];
	int err;

	snprintf(remedy, sizeof(remedy), "take it off with `sippath detach %s`, then start again",
		 interface->name);
	err = program_maps_open_checked(interface->ingress_id, interface->name, remedy, &found);
	if (err < 0)
		return err;
	if (!shared_maps_complete(maps))
		*maps = shared_maps_take(&found);
	else if (!shared_maps_agree(maps, &found))
		return log_errno(EBUSY, "%s carries a program of ours with maps of its own: %s",
				 interface->name, remedy);
	return 0;
}

int inspect_ingress(struct attach_interface *interface, struct shared_maps *maps)
{
	struct found found;
	int err = found_ingress(interface->index, &found);

	if (err < 0)
		return log_errno(-err, "%s: cannot find out which XDP program it carries: %s",
				 interface->name, strerror(-err));
	if (found.kind == FOUND_NOTHING)
		return 0;
	if (found.kind != FOUND_OURS && found.kind != FOUND_OURS_DISPATCHED)
		return refuse_ingress(interface->name, &found);
	interface->found = true;
	interface->ingress_id = found.id;
	interface->native = found.native;
	return adopt_maps(interface, maps);
}

int inspect_egress(struct attach_interface *interface, const struct shared_maps *maps,
		   uint32_t *outdated)
{
	cleanup_shared_maps struct shared_maps theirs = SHARED_MAPS_NONE;
	struct found found;
	int err = found_egress(interface->index, &found);

	if (err < 0)
		return log_errno(-err, "%s: cannot find out which tc filter it carries: %s",
				 interface->name, strerror(-err));
	if (found.kind == FOUND_NOTHING)
		return 0;
	if (found.kind != FOUND_OURS)
		return log_errno(EBUSY,
				 "%s carries the tc filter '%s' where ours belongs: move it"
				 " away from priority %d, handle %#x",
				 interface->name, found.name, HOOKS_EGRESS_PRIORITY,
				 HOOKS_EGRESS_HANDLE);
	if (program_maps_open(found.id, &theirs) == 0 && shared_maps_agree(maps, &theirs))
		interface->egress_id = found.id;
	else
		*outdated = found.id;
	return 0;
}
