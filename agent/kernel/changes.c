/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/found.h"
#include "kernel/hooks.h"
#include "kernel/libbpf_log.h"
#include "kernel/program.h"
#include "kernel/settings_map.h"

#define REASON_MAX 256 /* what is quoted of it */

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

/* The reason is the one of the first attempt: the second forgets it. */
static int attach_generic(const struct attach_interface *interface, int program_fd, int native_err)
{
	char reason[REASON_MAX];
	int err;

	snprintf(reason, sizeof(reason), "%s", refusal(native_err));
	err = hooks_attach_ingress(interface->index, program_fd, false);
	if (err == 0)
		log_warning("%s: native XDP is refused: %s (%s); attached in generic mode, which is"
			    " slower",
			    interface->name, strerror(-native_err), reason);
	return err;
}

int changes_attach_ingress(struct attach_interface *interface, int program_fd,
			   enum attach_mode mode)
{
	bool native = mode != ATTACH_GENERIC;
	int err = hooks_attach_ingress(interface->index, program_fd, native);

	if (err < 0 && mode == ATTACH_ANY) {
		native = false;
		err = attach_generic(interface, program_fd, err);
	}
	if (err == 0)
		interface->native = native;
	return err;
}

/* Its dispatcher has it in its own program's place, where only libxdp exchanges anything. */
static bool is_dispatched(const struct attach_interface *interface)
{
	struct found found;

	return found_ingress(interface->index, &found) == 0 && found.kind == FOUND_OURS_DISPATCHED;
}

static void stays_behind_dispatcher(const struct attach_interface *interface)
{
	log_info("%s: XDP program %u, of another build, stays, for it was loaded with xdp-loader:"
		 " `xdp-loader unload %s -i %u` and load it anew when packets may go unseen",
		 interface->name, interface->ingress_id, interface->name, interface->ingress_id);
}

static void not_replaced(const struct attach_interface *interface, const char *what, uint32_t id,
			 int err)
{
	log_warning("%s: %s %u, of another build, cannot be replaced and is used as it is: %s",
		    interface->name, what, id, strerror(-err));
}

/* True if ours has taken the place of another build's. */
static bool replace_ingress(const struct attach_interface *interface, struct changes *changes,
			    int program_fd)
{
	uint32_t old = interface->ingress_id;
	cleanup_close int before = -1;
	int err;

	if (program_is_alike(program_fd, old))
		return false;
	if (is_dispatched(interface)) {
		stays_behind_dispatcher(interface);
		return false;
	}
	before = bpf_prog_get_fd_by_id(old);
	err = before < 0
		      ? before
		      : hooks_replace_ingress(interface->index, old, program_fd, interface->native);
	if (err < 0) {
		not_replaced(interface, "XDP program", old, err);
		return false;
	}
	changes->ingress_before = take_fd(before);
	log_info("%s: XDP program %u, of another build, has given way to %u", interface->name, old,
		 program_id(program_fd));
	return true;
}

int changes_ingress(struct attach_interface *interface, struct changes *changes, int program_fd,
		    enum attach_mode mode)
{
	if (interface->ingress_id == 0) {
		int err = changes_attach_ingress(interface, program_fd, mode);

		if (err < 0)
			return ingress_refused(interface, mode == ATTACH_NATIVE, err);
	} else if (!replace_ingress(interface, changes, program_fd)) {
		return 0;
	}
	interface->ingress_id = program_id(program_fd);
	changes->ingress_attached = true;
	return 0;
}

static int make_clsact(const struct attach_interface *interface, struct changes *changes,
		       int settings_fd)
{
	int err = hooks_make_clsact(interface->index, &changes->clsact_made);

	if (err == -EBUSY)
		return log_errno(EBUSY,
				 "%s has an 'ingress' qdisc where clsact belongs: remove it"
				 " (`tc qdisc del dev %s ingress`); clsact takes its filters too",
				 interface->name, interface->name);
	if (err < 0)
		return log_errno(-err, "%s: cannot make the clsact qdisc: %s (%s)", interface->name,
				 strerror(-err), libbpf_log_reason());
	if (!changes->clsact_made)
		return 0;
	err = settings_map_remember_clsact(settings_fd, interface->index);
	if (err < 0)
		return log_errno(-err, "%s: cannot remember that its clsact qdisc is ours: %s",
				 interface->name, strerror(-err));
	return 0;
}

int changes_displace_egress(const struct attach_interface *interface, struct changes *changes,
			    uint32_t outdated)
{
	int fd = bpf_prog_get_fd_by_id(outdated);

	if (fd < 0)
		return log_errno(-fd, "%s: cannot open the tc filter of an older instance: %s",
				 interface->name, strerror(-fd));
	changes->egress_before = fd;
	return 0;
}

static int attach_egress(const struct attach_interface *interface, struct changes *changes,
			 int program_fd, int settings_fd)
{
	int err = make_clsact(interface, changes, settings_fd);

	if (err < 0)
		return err;
	err = hooks_attach_egress(interface->index, program_fd, changes->egress_before >= 0);
	if (err < 0)
		return log_errno(-err, "%s: cannot attach the tc filter at priority %d: %s (%s)",
				 interface->name, HOOKS_EGRESS_PRIORITY, strerror(-err),
				 libbpf_log_reason());
	return 0;
}

/* True if ours has taken the place of another build's. */
static bool replace_egress(const struct attach_interface *interface, struct changes *changes,
			   int program_fd)
{
	uint32_t old = interface->egress_id;
	cleanup_close int before = -1;
	int err;

	if (program_is_alike(program_fd, old))
		return false;
	before = bpf_prog_get_fd_by_id(old);
	err = before < 0 ? before : hooks_attach_egress(interface->index, program_fd, true);
	if (err < 0) {
		not_replaced(interface, "tc filter", old, err);
		return false;
	}
	changes->egress_before = take_fd(before);
	log_info("%s: tc filter %u, of another build, has given way to %u", interface->name, old,
		 program_id(program_fd));
	return true;
}

int changes_egress(struct attach_interface *interface, struct changes *changes, int program_fd,
		   int settings_fd)
{
	if (interface->egress_id == 0) {
		int err = attach_egress(interface, changes, program_fd, settings_fd);

		if (err < 0)
			return err;
	} else if (!replace_egress(interface, changes, program_fd)) {
		return 0;
	}
	interface->egress_id = program_id(program_fd);
	changes->egress_attached = true;
	return 0;
}

static void undo_egress(const struct attach_interface *interface, const struct changes *changes)
{
	if (changes->egress_before >= 0)
		hooks_attach_egress(interface->index, changes->egress_before, true);
	else
		hooks_detach_egress(interface->index);
}

static void undo_ingress(const struct attach_interface *interface, const struct changes *changes)
{
	if (changes->ingress_before >= 0)
		hooks_replace_ingress(interface->index, interface->ingress_id,
				      changes->ingress_before, interface->native);
	else
		hooks_detach_ingress(interface->index, interface->ingress_id, interface->native);
}

void changes_undo(const struct attach_interface *interface, const struct changes *changes)
{
	if (changes->egress_attached)
		undo_egress(interface, changes);
	if (changes->clsact_made)
		hooks_remove_clsact(interface->index);
	if (changes->ingress_attached)
		undo_ingress(interface, changes);
}

void changes_keep(struct changes *changes)
{
	close_fd(&changes->ingress_before);
	close_fd(&changes->egress_before);
}
