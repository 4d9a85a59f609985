/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/hooks.h"

#include <errno.h>
#include <string.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/libbpf_log.h"
#include "kernel/tc_query.h"

static uint32_t mode_flag(bool native)
{
	return native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

static int attach_xdp(unsigned int interface, int program_fd, bool native)
{
	libbpf_log_begin();
	return bpf_xdp_attach((int)interface, program_fd,
			      XDP_FLAGS_UPDATE_IF_NOEXIST | mode_flag(native), NULL);
}

/* Why a driver refuses: in the kernel's words if it said any, else by experience (trap 42). */
static const char *refusal(int err)
{
	if (libbpf_log_reason()[0] != '\0')
		return libbpf_log_reason();
	switch (-err) {
	case EOPNOTSUPP:
		return "the driver has no native XDP, or large receive offload is on"
		       " (ethtool -K DEV lro off)";
	case ENOMEM:
	case ENOSPC:
	case EBUSY:
		return "too few queues (ethtool -L DEV combined N)";
	case EINVAL:
	case ERANGE:
		return "the MTU is too large for the driver's XDP buffers";
	default:
		return "the driver does not say why";
	}
}

static int ingress_refused(const struct attach_interface *interface, bool native, int err)
{
	return log_errno(-err, "%s: %s XDP is refused: %s (%s)%s", interface->name,
			 native ? "native" : "generic", strerror(-err), refusal(err),
			 native ? ": choose generic mode, or remove the cause" : "");
}

int hooks_attach_ingress(const struct attach_interface *interface, int program_fd,
			 enum attach_mode mode, bool *native)
{
	int err = 0;

	if (mode != ATTACH_GENERIC) {
		err = attach_xdp(interface->index, program_fd, true);
		if (err < 0 && mode == ATTACH_NATIVE)
			return ingress_refused(interface, true, err);
	}
	if (mode == ATTACH_GENERIC || err < 0) {
		if (err < 0)
			log_warning("%s: native XDP is refused: %s (%s); attaching in generic"
				    " mode, which is slower",
				    interface->name, strerror(-err), refusal(err));
		err = attach_xdp(interface->index, program_fd, false);
		if (err < 0)
			return ingress_refused(interface, false, err);
		*native = false;
		return 0;
	}
	*native = true;
	return 0;
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
static int check_clsact(const struct attach_interface *interface)
{
	bool ingress_only;
	int err = tc_query_ingress_only(interface->index, &ingress_only);

	if (err < 0)
		return log_errno(-err, "%s: cannot find out which qdiscs it has: %s",
				 interface->name, strerror(-err));
	if (ingress_only)
		return log_errno(EBUSY,
				 "%s has an 'ingress' qdisc where clsact belongs: remove it"
				 " (`tc qdisc del dev %s ingress`); clsact takes its filters too",
				 interface->name, interface->name);
	return 0;
}

int hooks_make_clsact(const struct attach_interface *interface, bool *made)
{
	struct bpf_tc_hook hook = clsact_of(interface->index);
	int err;

	libbpf_log_begin();
	err = bpf_tc_hook_create(&hook);
	if (err == -EEXIST) {
		err = check_clsact(interface);
		if (err == 0)
			*made = false;
		return err;
	}
	if (err < 0)
		return log_errno(-err, "%s: cannot make the clsact qdisc: %s (%s)", interface->name,
				 strerror(-err), libbpf_log_reason());
	*made = true;
	return 0;
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

int hooks_attach_egress(const struct attach_interface *interface, int program_fd, bool replace)
{
	struct bpf_tc_hook hook = egress_of(interface->index);
	struct bpf_tc_opts place = our_place();
	int err;

	place.prog_fd = program_fd;
	place.flags = replace ? BPF_TC_F_REPLACE : 0;
	libbpf_log_begin();
	err = bpf_tc_attach(&hook, &place);
	if (err < 0)
		return log_errno(-err, "%s: cannot attach the tc filter at priority %d: %s (%s)",
				 interface->name, HOOKS_EGRESS_PRIORITY, strerror(-err),
				 libbpf_log_reason());
	return 0;
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
