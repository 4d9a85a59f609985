/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/connection_hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/limits.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/cgroup.h"
#include "kernel/libbpf_log.h"
#include "kernel/object.h"
#include "kernel/program.h"
#include "kernel/program_maps.h"

#define PIN_NAME SIPPATH_PROGRAM_ACCEPT

#define ROOT_ID 1 /* what the kernel calls the root of the cgroup v2 hierarchy */

/* What every warning begins with: it is the reader's loss. */
#define LOSS "TCP connections are not known and not kept open, UDP paths are: "

static int pin_path(const char *pin_dir, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/" PIN_NAME, pin_dir);

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int link_info(int link, struct bpf_link_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(link, info, &length);
}

/* A link that was detached by force is pinned still, but on no cgroup any more. */
static bool is_dead(const struct bpf_link_info *info)
{
	return info->cgroup.cgroup_id == 0;
}

/*
 * The pinned link, and what the kernel says of it; -ENOENT if there is none. One that is
 * dead is of no use to anybody: its pin goes.
 */
static int open_link(const char *pin_dir, struct bpf_link_info *info)
{
	char path[PATH_MAX];
	cleanup_close int link = -1;
	int err = pin_path(pin_dir, path);

	if (err < 0)
		return err;
	link = bpf_obj_get(path);
	if (link < 0)
		return link;
	err = link_info(link, info);
	if (err < 0)
		return err;
	if (info->type != BPF_LINK_TYPE_CGROUP || info->cgroup.attach_type != BPF_CGROUP_SOCK_OPS)
		return -EINVAL;
	if (is_dead(info))
		return unlink(path) < 0 ? -errno : -ENOENT;
	return take_fd(link);
}

static bool uses(uint32_t program_id, const struct shared_maps *maps)
{
	cleanup_shared_maps struct shared_maps theirs = SHARED_MAPS_NONE;

	return program_maps_open(program_id, &theirs) == 0 && shared_maps_agree(maps, &theirs);
}

/* A link that is neither pinned nor held open vanishes: nothing is to be undone on failure. */
static int make_pinned_link(struct connection_hook *hook, int root, struct bpf_link_info *info)
{
	cleanup_close int link = bpf_link_create(hook->accept, root, BPF_CGROUP_SOCK_OPS, NULL);
	char path[PATH_MAX];
	int err = link < 0 ? link : link_info(link, info);

	if (err == 0)
		err = pin_path(hook->pin_dir, path);
	if (err == 0)
		err = bpf_obj_pin(link, path);
	if (err < 0)
		return err;
	hook->link_id = info->id;
	hook->program_id = info->prog_id;
	hook->made = true;
	return 0;
}

/* Programs on a part of the hierarchy, which a container may take for all of it, see that part. */
static void tell_reach(const struct bpf_link_info *info)
{
	if (info->cgroup.cgroup_id != ROOT_ID)
		log_info("TCP connections are seen of servers in this cgroup namespace only: run"
			 " sippathd in that of the host if the SIP server is in another");
}

static int make_link(struct connection_hook *hook)
{
	cleanup_close int root = cgroup_open_root();
	struct bpf_link_info info;
	int err = root < 0 ? root : make_pinned_link(hook, root, &info);

	if (err == 0)
		tell_reach(&info);
	return err;
}

static int replace_program(struct connection_hook *hook, int link, uint32_t old)
{
	cleanup_close int before = bpf_prog_get_fd_by_id(old);
	int err = before < 0 ? before : bpf_link_update(link, hook->accept, NULL);

	if (err < 0)
		return err;
	connection_hook_keep(hook);
	hook->program_before = take_fd(before);
	return 0;
}

/*
 * Makes the link, or takes one that is there: its program gives way if it uses other maps or,
 * when this build is to "take_over", is of another.
 */
static int place_program(struct connection_hook *hook, bool take_over)
{
	struct bpf_link_info info;
	cleanup_close int link = open_link(hook->pin_dir, &info);
	int err = 0;

	if (link == -ENOENT)
		return make_link(hook);
	if (link < 0)
		return link;
	if (!uses(info.prog_id, hook->maps) ||
	    (take_over && !program_is_alike(hook->accept, info.prog_id)))
		err = replace_program(hook, link, info.prog_id);
	if (err == 0)
		err = link_info(link, &info);
	if (err < 0)
		return err;
	hook->link_id = info.id;
	hook->program_id = info.prog_id;
	return 0;
}

/* The programs outlive the object, as descriptors of their own. */
static int load(struct connection_hook *hook)
{
	cleanup_object struct object *object = NULL;
	struct shared_maps all = *hook->maps; /* none is missing, so none is made */
	int err = object_load(&all, 0, OBJECT_ACCEPT | OBJECT_PRESENT, &object);

	if (err < 0)
		return err;
	hook->accept = object_copy_program(object, OBJECT_ACCEPT);
	hook->present = object_copy_program(object, OBJECT_PRESENT);
	return hook->accept < 0 || hook->present < 0 ? -EMFILE : 0;
}

/* Why it could not be placed, as far as the reader can do something about it. */
static void warn(const struct connection_hook *hook, int err)
{
	struct bpf_link_info info;
	cleanup_close int link = open_link(hook->pin_dir, &info);
	cleanup_close int root = cgroup_open_root();

	if (link < 0 && link != -ENOENT)
		log_warning(LOSS "the pin %s/" PIN_NAME " is none of ours or cannot be opened"
				 " (%s): remove it, then start sippathd again",
			    hook->pin_dir, strerror(-link));
	else if (link >= 0)
		log_warning(LOSS "cannot replace the program of an older instance: %s",
			    strerror(-err));
	else if (root == -ENOENT)
		log_warning(LOSS "no cgroup v2 hierarchy is mounted: type `mkdir -p"
				 " /run/cgroup2; mount -t cgroup2 cgroup2 /run/cgroup2`, then start"
				 " sippathd again");
	else if (root < 0)
		log_warning(LOSS "cannot open the cgroup v2 hierarchy: %s", strerror(-root));
	else
		log_warning(LOSS "the kernel lets no program onto the cgroup v2 hierarchy: %s"
				 " (`bpftool cgroup tree` shows who has its root to himself)",
			    strerror(-err));
}

void connection_hook_attach(struct connection_hook *hook, const struct shared_maps *maps)
{
	int err;

	hook->maps = maps;
	err = load(hook);
	if (err < 0) {
		log_warning(LOSS "cannot load the programs for it: %s (%s)", strerror(-err),
			    libbpf_log_reason());
	} else {
		err = place_program(hook, true);
		if (err < 0)
			warn(hook, err);
	}
	if (err < 0) {
		connection_hook_close(hook);
		*hook = CONNECTION_HOOK_OF(hook->pin_dir);
	}
}

bool connection_hook_wanted(const struct connection_hook *hook)
{
	return hook->accept >= 0;
}

int connection_hook_mend(struct connection_hook *hook)
{
	int err = place_program(hook, false);

	connection_hook_keep(hook);
	return err;
}

bool connection_hook_stands(const struct connection_hook *hook)
{
	cleanup_close int link = hook->link_id != 0 ? bpf_link_get_fd_by_id(hook->link_id) : -1;
	struct bpf_link_info info;

	return link >= 0 && link_info(link, &info) == 0 && !is_dead(&info) &&
	       (info.prog_id == hook->program_id || uses(info.prog_id, hook->maps));
}

/* The iterator writes nothing: it is read to its end, because that is what makes it go on. */
int connection_hook_visit(const struct connection_hook *hook)
{
	cleanup_close int link = bpf_link_create(hook->present, 0, BPF_TRACE_ITER, NULL);
	cleanup_close int pass = link < 0 ? link : bpf_iter_create(link);
	char nothing[64];
	ssize_t length;

	if (pass < 0)
		return pass;
	do {
		length = read(pass, nothing, sizeof(nothing));
	} while (length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)));
	return length < 0 ? -errno : 0;
}

/* Without its pin a link goes, too, but a moment later than the caller is told. */
static int take_off(const char *pin_dir)
{
	struct bpf_link_info info;
	cleanup_close int link = open_link(pin_dir, &info);
	char path[PATH_MAX];
	int err = pin_path(pin_dir, path);

	if (link >= 0)
		bpf_link_detach(link);
	if (err == 0 && unlink(path) < 0 && errno != ENOENT)
		err = -errno;
	return err;
}

static void put_back(const char *pin_dir, int program)
{
	struct bpf_link_info info;
	cleanup_close int link = open_link(pin_dir, &info);

	if (link >= 0)
		bpf_link_update(link, program, NULL);
}

void connection_hook_undo(struct connection_hook *hook)
{
	if (hook->made)
		take_off(hook->pin_dir);
	if (hook->program_before >= 0)
		put_back(hook->pin_dir, hook->program_before);
}

void connection_hook_keep(struct connection_hook *hook)
{
	close_fd(&hook->program_before);
}

void connection_hook_close(struct connection_hook *hook)
{
	connection_hook_keep(hook);
	close_fd(&hook->accept);
	close_fd(&hook->present);
}

int connection_hook_remove(const char *pin_dir)
{
	int err = take_off(pin_dir);

	if (err < 0)
		return log_errno(-err, "cannot remove the pin " PIN_NAME " in %s: %s", pin_dir,
				 strerror(-err));
	return 0;
}
