/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/lookout.h"

#include "kernel/found.h"

static bool carries(int error, const struct found *found, uint32_t program_id)
{
	return !error && (found->kind == FOUND_OURS || found->kind == FOUND_OURS_DISPATCHED) &&
	       found->id == program_id;
}

static bool is_whole(const struct attach_interface *interface)
{
	struct found found;

	if (!carries(found_ingress(interface->index, &found), &found, interface->ingress_id))
		return false;
	return carries(found_egress(interface->index, &found), &found, interface->egress_id);
}

const struct attach_interface *lookout_missing(const struct attachment *attachment)
{
	size_t count;
	const struct attach_interface *interfaces = attach_interfaces(attachment, &count);

	for (size_t i = 0; i < count; i++)
		if (!is_whole(&interfaces[i]))
			return &interfaces[i];
	return NULL;
}
