/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach_look.c - what can be seen of an attachment by whoever has no privileges. */
#include <errno.h>
#include <string.h>

#include <net/if.h>

#include "kernel/attach_parts.h"
#include "kernel/found.h"
#include "kernel/hooks.h"
#include "kernel/settings_map.h"

/*
 * Under its name a new interface may have come, without programs: that is missing, and not gone.
 * What cannot be asked is not there: that is safe.
 */
static bool stands(const struct attach_interface *interface, struct attach_finding *finding)
{
	unsigned int index;
	char name[IF_NAMESIZE];

	if (if_indextoname(interface->index, name))
		return true;
	index = if_nametoindex(interface->name);
	finding->missing = ATTACH_PART_INTERFACE;
	finding->error = index == 0 && errno == ENODEV ? -ENODEV : 0;
	return false;
}

static void look_at(const struct attach_interface *interface, struct attach_finding *finding)
{
	uint32_t ingress = 0, egress = 0;

	memset(finding, 0, sizeof(*finding));
	if (!stands(interface, finding))
		return;
	attach_look_for_carrier(interface, finding);
	if (found_ingress_id(interface->index, &ingress) < 0 || ingress == 0 ||
	    ingress != interface->place_id)
		finding->missing |= ATTACH_PART_INGRESS;
	if (hooks_egress_program(interface->index, &egress) < 0 || egress != interface->egress_id)
		finding->missing |= ATTACH_PART_EGRESS;
}

/* Another copy sets the keepalive: the one that is in force is right. */
static bool settings_stand(struct attachment *attachment)
{
	struct sip_settings found;
	int error = settings_map_read(attachment->maps.fd[SHARED_SETTINGS], &found);

	if (error == 0)
		attachment->settings.keepalive_idle_s = found.keepalive_idle_s;
	return error == 0 && attach_settings_stand(attachment, &error);
}

/* Pins and what sees connections are as they were left. */
static void look_at_shared(struct attachment *attachment, struct attach_finding *shared)
{
	shared->missing &= ~shared->mended & ~(uint32_t)ATTACH_PART_SETTINGS;
	shared->mended = 0;
	if (!settings_stand(attachment))
		shared->missing |= ATTACH_PART_SETTINGS;
}

void attach_look(struct attachment *attachment, struct attach_repair *latest)
{
	latest->count = (uint32_t)attachment->count;
	memcpy(latest->interfaces, attachment->interfaces, sizeof(latest->interfaces));
	for (size_t i = 0; i < attachment->count; i++)
		look_at(&attachment->interfaces[i], &latest->found[i]);
	look_at_shared(attachment, &latest->shared);
}
