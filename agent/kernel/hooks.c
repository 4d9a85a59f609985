/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/hooks.h"

#include <errno.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/libbpf_log.h"
#include "kernel/tc_query.h"

static uint32_t mode_flag(bool native)
{
	return native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

int hooks_attach_ingress(unsigned int interface, int program_fd, bool native)
{
	libbpf_log_begin();
	return bpf_xdp_attach((int)interface, program_fd,
			      XDP_FLAGS_UPDATE_IF_NOEXIST | mode_flag(native), NULL);
}

int hooks_replace_ingress(unsigned int interface, uint32_t before, int program_fd, bool native)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, expected);
	cleanup_close int fd = bpf_prog_get_fd_by_id(before);

	if (fd < 0)
		return fd;
	libbpf_log_begin();
	expected.old_prog_fd = fd;
	return bpf_xdp_attach((int)interface, program_fd, XDP_FLAGS_REPLACE | mode_flag(native),
			      &expected);
}

int hooks_detach_ingress(unsigned int interface, uint32_t program_id, bool native)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, expected);
	cleanup_close int fd = bpf_prog_get_fd_by_id(program_id);

	if (fd < 0)
		return fd;
	libbpf_log_begin();
	expected.old_prog_fd = fd;
	return bpf_xdp_detach((int)interface, mode_flag(native), &expected);
}

static struct bpf_tc_hook clsact_of(unsigned int interface)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = (int)interface,
				     .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS };
}

static struct bpf_tc_hook egress_of(unsigned int interface)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = (int)interface,
				     .attach_point = BPF_TC_EGRESS };
}

static struct bpf_tc_opts our_place(void)
{
	return (struct bpf_tc_opts){ .sz = sizeof(struct bpf_tc_opts),
				     .handle = HOOKS_EGRESS_HANDLE,
				     .priority = HOOKS_EGRESS_PRIORITY };
}

/* The kernel's answer is the same for a clsact qdisc and for what is in its place. */
static int check_clsact(unsigned int interface)
{
	bool ingress_only;
	int err = tc_query_ingress_only(interface, &ingress_only);

	if (err < 0)
		return err;
	return ingress_only ? -EBUSY : 0;
}

int hooks_make_clsact(unsigned int interface, bool *made)
{
	struct bpf_tc_hook hook = clsact_of(interface);
	int err;

	libbpf_log_begin();
	err = bpf_tc_hook_create(&hook);
	if (err == 0) {
		*made = true;
		return 0;
	}
	if (err == -EEXIST)
		err = check_clsact(interface);
	if (err == 0)
		*made = false;
	return err;
}

int hooks_remove_clsact(unsigned int interface)
{
	struct bpf_tc_hook hook = clsact_of(interface);
	bool any;
	int err = tc_query_filters(interface, &any);

	if (err < 0 || any)
		return err < 0 ? err : -EBUSY;
	libbpf_log_begin();
	return bpf_tc_hook_destroy(&hook);
}

int hooks_attach_egress(unsigned int interface, int program_fd, bool replace)
{
	struct bpf_tc_hook hook = egress_of(interface);
	struct bpf_tc_opts place = our_place();

	place.prog_fd = program_fd;
	place.flags = replace ? BPF_TC_F_REPLACE : 0;
	libbpf_log_begin();
	return bpf_tc_attach(&hook, &place);
}

int hooks_detach_egress(unsigned int interface)
{
	struct bpf_tc_hook hook = egress_of(interface);
	struct bpf_tc_opts place = our_place();

	libbpf_log_begin();
	return bpf_tc_detach(&hook, &place);
}

/* Without a clsact qdisc or a filter of this priority the kernel says -EINVAL. */
int hooks_egress_program(unsigned int interface, uint32_t *program_id)
{
	struct bpf_tc_hook hook = egress_of(interface);
	struct bpf_tc_opts place = our_place();
	int err;

	libbpf_log_begin();
	err = bpf_tc_query(&hook, &place);
	if (err == -EINVAL)
		return -ENOENT;
	if (err < 0)
		return err;
	*program_id = place.prog_id;
	return 0;
}
