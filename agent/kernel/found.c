/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/found.h"

#include <errno.h>
#include <string.h>

#include <linux/if_link.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/hooks.h"
#include "kernel/libbpf_log.h"
#include "kernel/program.h"
#include "kernel/program_maps.h"

#define DISPATCHER_NAME "xdp_dispatcher" /* libxdp's */

/* The program that a link puts in the place of a function of "dispatcher"; 0 if it does not. */
static uint32_t program_behind(uint32_t link_id, uint32_t dispatcher)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);
	cleanup_close int fd = bpf_link_get_fd_by_id(link_id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
		return 0;
	if (info.type != BPF_LINK_TYPE_TRACING || info.tracing.target_obj_id != dispatcher)
		return 0;
	return info.prog_id;
}

/* Looks behind the dispatcher in *found; links that vanish meanwhile are not looked at. */
static void look_behind_dispatcher(struct found *found)
{
	uint32_t dispatcher = found->id, link_id = 0;

	found->kind = FOUND_DISPATCHER;
	while (bpf_link_get_next_id(link_id, &link_id) == 0) {
		uint32_t id = program_behind(link_id, dispatcher);
		char name[16];

		if (id == 0 || program_name(id, name) < 0 ||
		    strcmp(name, SIPPATH_PROGRAM_INGRESS) != 0)
			continue;
		found->kind = FOUND_OURS_DISPATCHED;
		found->id = id;
		memcpy(found->name, name, sizeof(name));
		return;
	}
}

/* Says what the program with found->id is: ours, by the name it must bear, or not. */
static int recognise(struct found *found, const char *our_name)
{
	int err = program_name(found->id, found->name);

	if (err < 0)
		return err;
	found->kind = strcmp(found->name, our_name) == 0 ? FOUND_OURS : FOUND_FOREIGN;
	return 0;
}

/* An interface may have a program in its hardware besides the one in driver or stack. */
static int query_ingress(unsigned int interface, struct found *found)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int err;

	libbpf_log_begin();
	err = bpf_xdp_query((int)interface, 0, &query);
	if (err < 0)
		return err;
	found->native = query.drv_prog_id != 0;
	found->id = query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	if (found->id == 0)
		found->id = query.hw_prog_id;
	found->place_id = found->id;
	return 0;
}

int found_ingress_id(unsigned int interface, uint32_t *id)
{
	struct found found = { .kind = FOUND_NOTHING };
	int err = query_ingress(interface, &found);

	if (err == 0)
		*id = found.place_id;
	return err;
}

int found_ingress(unsigned int interface, struct found *out)
{
	struct found found = { .kind = FOUND_NOTHING };
	int err = query_ingress(interface, &found);

	if (err < 0)
		return err;
	if (found.id != 0) {
		err = recognise(&found, SIPPATH_PROGRAM_INGRESS);
		if (err < 0)
			return err;
		if (strcmp(found.name, DISPATCHER_NAME) == 0)
			look_behind_dispatcher(&found);
	}
	*out = found;
	return 0;
}

int found_egress(unsigned int interface, struct found *out)
{
	struct found found = { .kind = FOUND_NOTHING };
	int err = hooks_egress_program(interface, &found.id);

	if (err == 0)
		err = recognise(&found, SIPPATH_PROGRAM_EGRESS);
	if (err < 0 && err != -ENOENT)
		return err;
	if (err == 0)
		*out = found;
	else
		*out = (struct found){ .kind = FOUND_NOTHING };
	return 0;
}

static bool uses(unsigned int interface, uint32_t paths_map_id)
{
	cleanup_shared_maps struct shared_maps maps = SHARED_MAPS_NONE;
	struct found found;

	if (found_ingress(interface, &found) < 0 ||
	    (found.kind != FOUND_OURS && found.kind != FOUND_OURS_DISPATCHED))
		return false;
	return program_maps_open(found.id, &maps) == 0 && maps.fd[SHARED_PATHS] >= 0 &&
	       shared_map_id(maps.fd[SHARED_PATHS]) == paths_map_id;
}

bool found_in_use(uint32_t paths_map_id)
{
	struct if_nameindex *interfaces = if_nameindex();
	bool in_use = false;

	for (struct if_nameindex *at = interfaces; at && at->if_index != 0 && !in_use; at++)
		in_use = uses(at->if_index, paths_map_id);
	if (interfaces)
		if_freenameindex(interfaces);
	return in_use;
}
