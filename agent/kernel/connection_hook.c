/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/connection_hook.h"

#include <errno.h>
#include <fcntl.h>
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
#include "kernel/program_maps.h"

#define PIN_NAME SIPPATH_PROGRAM_ACCEPT

#define ROOT_ID 1 /* what the kernel calls the root of the cgroup v2 hierarchy */

/* What every warning begins with: it is the reader's loss. */
#define LOSS "TCP connections are not known and not kept open, UDP paths are: "

static void cleanup_object_(struct object **object)
{
	object_free(*object);
}

#define cleanup_object __attribute__((cleanup(cleanup_object_)))

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

static int open_root(void)
{
	int root = cgroup_open_root();

	if (root == -ENOENT)
		log_warning(LOSS "no cgroup v2 hierarchy is mounted: type `mkdir -p"
				 " /run/cgroup2; mount -t cgroup2 cgroup2 /run/cgroup2`, then start"
				 " sippathd again");
	else if (root < 0)
		log_warning(LOSS "cannot open the cgroup v2 hierarchy: %s", strerror(-root));
	return root;
}

/* A link that is neither pinned nor held open vanishes: nothing is to be undone on failure. */
static int make_pinned_link(struct connection_hook *hook, int root, int program,
			    struct bpf_link_info *info)
{
	cleanup_close int link = bpf_link_create(program, root, BPF_CGROUP_SOCK_OPS, NULL);
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

static int make_link(struct connection_hook *hook, int program)
{
	cleanup_close int root = open_root();
	struct bpf_link_info info;
	int err;

	if (root < 0)
		return root;
	err = make_pinned_link(hook, root, program, &info);
	if (err < 0)
		log_warning(LOSS "the kernel lets no program onto the cgroup v2 hierarchy: %s"
				 " (`bpftool cgroup tree` shows who has its root to himself)",
			    strerror(-err));
	else
		tell_reach(&info);
	return err;
}

static int replace_program(struct connection_hook *hook, int link, const struct bpf_link_info *old,
			   int program)
{
	cleanup_close int before = bpf_prog_get_fd_by_id(old->prog_id);
	struct bpf_link_info info = { 0 };
	int err = before < 0 ? before : bpf_link_update(link, program, NULL);

	if (err == 0)
		err = link_info(link, &info);
	if (err < 0) {
		log_warning(LOSS "cannot replace the program of an older instance: %s",
			    strerror(-err));
		return err;
	}
	hook->link_id = info.id;
	hook->program_id = info.prog_id;
	hook->program_before = take_fd(before);
	return 0;
}

/* Makes or completes the link; "old" is what the kernel said of one that is there. */
static int place_program(struct connection_hook *hook, int link, const struct bpf_link_info *old,
			 const struct object *object)
{
	int program = object_program(object, OBJECT_ACCEPT);

	if (link < 0)
		return make_link(hook, program);
	if (program >= 0)
		return replace_program(hook, link, old, program);
	hook->link_id = old->id;
	hook->program_id = old->prog_id;
	return 0;
}

/* The iterator's program outlives the object, as a descriptor of its own. */
static int load(const struct shared_maps *maps, unsigned int programs, struct object **object,
		int *present)
{
	struct shared_maps all = *maps; /* none is missing, so none is made */
	int err = object_load(&all, 0, programs, object);

	if (err < 0)
		return err;
	*present = fcntl(object_program(*object, OBJECT_PRESENT), F_DUPFD_CLOEXEC, 0);
	return *present < 0 ? -errno : 0;
}

void connection_hook_attach(struct connection_hook *hook, const struct shared_maps *maps)
{
	cleanup_object struct object *object = NULL;
	struct bpf_link_info info;
	cleanup_close int link = open_link(hook->pin_dir, &info);
	unsigned int programs = OBJECT_PRESENT;
	cleanup_close int present = -1;
	int err;

	if (link < 0 && link != -ENOENT) {
		log_warning(LOSS "the pin %s/" PIN_NAME " is none of ours or cannot be opened"
				 " (%s): remove it, then start sippathd again",
			    hook->pin_dir, strerror(-link));
		return;
	}
	if (link < 0 || !uses(info.prog_id, maps))
		programs |= OBJECT_ACCEPT;
	err = load(maps, programs, &object, &present);
	if (err < 0) {
		log_warning(LOSS "cannot load the programs for it: %s (%s)", strerror(-err),
			    libbpf_log_reason());
		return;
	}
	if (place_program(hook, link, &info, object) == 0)
		hook->present = take_fd(present);
}

void connection_hook_mend(struct connection_hook *hook, const struct shared_maps *maps)
{
	if (hook->link_id == 0 || connection_hook_stands(hook))
		return;
	connection_hook_close(hook);
	*hook = CONNECTION_HOOK_OF(hook->pin_dir);
	connection_hook_attach(hook, maps);
}

bool connection_hook_stands(const struct connection_hook *hook)
{
	cleanup_close int link = hook->link_id != 0 ? bpf_link_get_fd_by_id(hook->link_id) : -1;
	struct bpf_link_info info;

	return hook->present >= 0 && link >= 0 && link_info(link, &info) == 0 && !is_dead(&info) &&
	       info.prog_id == hook->program_id;
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
	int fd = take_fd(hook->program_before);

	if (fd >= 0)
		close(fd);
}

void connection_hook_close(struct connection_hook *hook)
{
	int fd = take_fd(hook->present);

	connection_hook_keep(hook);
	if (fd >= 0)
		close(fd);
}

int connection_hook_remove(const char *pin_dir)
{
	int err = take_off(pin_dir);

	if (err < 0)
		return log_errno(-err, "cannot remove the pin " PIN_NAME " in %s: %s", pin_dir,
				 strerror(-err));
	return 0;
}
