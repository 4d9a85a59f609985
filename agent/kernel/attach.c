/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.c - the order in which an agent gets hold of its interfaces, and the way back. */
#include "kernel/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/hooks.h"
#include "kernel/inspect.h"
#include "kernel/libbpf_log.h"
#include "kernel/lock.h"
#include "kernel/object.h"
#include "kernel/pins.h"
#include "kernel/requirements.h"
#include "kernel/settings_map.h"
#include "kernel/shared_maps.h"

/* What attach_open() did to one interface, so that it can be undone. */
struct changes {
	bool ingress_attached;
	bool clsact_made;
	bool egress_attached;
	int egress_before; /* the filter of an older instance that ours replaces, or -1 */
};

struct attachment {
	struct attach_interface interfaces[SIPPATH_HOOKS_MAX];
	struct changes changes[SIPPATH_HOOKS_MAX];
	size_t count;
	struct shared_maps maps;
	struct pins pins;
	struct connection_hook connections;
	struct sip_settings settings_before;
	bool settings_changed;
	int turn; /* held while what was done can still be undone */
	int agent; /* the agent's lock, -1 for none */
};

/* Lets go of what only undo() needs: programs and maps of an older instance, and the turn. */
void attach_keep(struct attachment *attachment)
{
	int turn = take_fd(attachment->turn);

	for (size_t i = 0; i < attachment->count; i++) {
		int fd = take_fd(attachment->changes[i].egress_before);

		if (fd >= 0)
			close(fd);
	}
	connection_hook_keep(&attachment->connections);
	pins_keep(&attachment->pins);
	if (turn >= 0)
		close(turn);
}

static void undo_interface(const struct attach_interface *interface, const struct changes *changes)
{
	if (changes->egress_attached && changes->egress_before >= 0)
		hooks_attach_egress(interface, changes->egress_before, true);
	else if (changes->egress_attached)
		hooks_detach_egress(interface->index);
	if (changes->clsact_made)
		hooks_remove_clsact(interface->index);
	if (changes->ingress_attached)
		hooks_detach_ingress(interface->index, interface->ingress_id, interface->native);
}

/* Takes back, in reverse order, whatever was done until something failed. */
static void undo(struct attachment *attachment)
{
	connection_hook_undo(&attachment->connections);
	for (size_t i = attachment->count; i-- > 0;)
		undo_interface(&attachment->interfaces[i], &attachment->changes[i]);
	if (attachment->settings_changed)
		settings_map_write(attachment->maps.fd[SHARED_SETTINGS],
				   &attachment->settings_before);
	if (attachment->agent >= 0)
		lock_clear(attachment->turn);
	pins_undo(&attachment->pins);
}

void attach_close(struct attachment *attachment)
{
	int agent;

	if (!attachment)
		return;
	if (attachment->turn >= 0)
		undo(attachment);
	attach_keep(attachment);
	connection_hook_close(&attachment->connections);
	agent = take_fd(attachment->agent);
	if (agent >= 0)
		close(agent);
	shared_maps_close(&attachment->maps);
	free(attachment);
}

static void cleanup_attachment_(struct attachment **attachment)
{
	attach_close(*attachment);
}

/* An attachment that is undone at the end of its scope, unless it is taken. */
#define cleanup_attachment __attribute__((cleanup(cleanup_attachment_)))

static void cleanup_object_(struct object **object)
{
	object_free(*object);
}

#define cleanup_object __attribute__((cleanup(cleanup_object_)))

static struct attachment *new_attachment(const char *pin_dir)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));

	if (!attachment)
		return NULL;
	attachment->maps = SHARED_MAPS_NONE;
	attachment->pins = PINS_OF(pin_dir);
	attachment->connections = CONNECTION_HOOK_OF(pin_dir);
	attachment->turn = -1;
	attachment->agent = -1;
	for (size_t i = 0; i < SIPPATH_HOOKS_MAX; i++)
		attachment->changes[i].egress_before = -1;
	return attachment;
}

static int name_interface(struct attachment *attachment, const char *name)
{
	struct attach_interface *interface = &attachment->interfaces[attachment->count];
	unsigned int index = if_nametoindex(name);
	size_t length = strlen(name);

	if (index == 0 || length >= sizeof(interface->name))
		return log_errno(ENODEV, "no such interface: '%s' (`ip link` lists them)", name);
	for (size_t i = 0; i < attachment->count; i++) {
		if (attachment->interfaces[i].index == index)
			return log_errno(EINVAL, "interface '%s' is named twice", name);
	}
	memcpy(interface->name, name, length + 1);
	interface->index = index;
	attachment->count++;
	return requirements_ethernet(name);
}

static int name_interfaces(struct attachment *attachment, const struct attach_options *options)
{
	int err = 0;

	if (options->interface_count == 0 || options->interface_count > SIPPATH_HOOKS_MAX)
		return log_errno(EINVAL, "needs 1 to %d interfaces, not %zu", SIPPATH_HOOKS_MAX,
				 options->interface_count);
	for (size_t i = 0; err == 0 && i < options->interface_count; i++)
		err = name_interface(attachment, options->interfaces[i]);
	return err;
}

static int lock(struct attachment *attachment, const struct attach_options *options)
{
	int err = lock_turn(options->pin_dir, &attachment->pins.directory_made);

	if (err < 0)
		return err;
	attachment->turn = err;
	if (!options->agent)
		return 0;
	err = lock_agent(attachment->turn, options->pin_dir);
	if (err < 0)
		return err;
	attachment->agent = err;
	return 0;
}

/* Programs that are attached decide which maps are used; then pins do. */
static int find_maps(struct attachment *attachment, const char *pin_dir)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < attachment->count; i++)
		err = inspect_ingress(&attachment->interfaces[i], &attachment->maps);
	if (err < 0 || shared_maps_complete(&attachment->maps))
		return err;
	return pins_open(pin_dir, &attachment->maps);
}

/* A filter that ours will replace is kept open, so that undo() can put it back. */
static int find_filters(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->count; i++) {
		struct attach_interface *interface = &attachment->interfaces[i];
		uint32_t outdated = 0;
		int err = inspect_egress(interface, &attachment->maps, &outdated);

		if (err < 0)
			return err;
		if (outdated == 0)
			continue;
		attachment->changes[i].egress_before = bpf_prog_get_fd_by_id(outdated);
		if (attachment->changes[i].egress_before < 0)
			return log_errno(errno,
					 "%s: cannot open the tc filter of an older"
					 " instance: %s",
					 interface->name, strerror(errno));
	}
	return 0;
}

static int load_failed(int err, uint32_t paths_max)
{
	const char *reason = libbpf_log_reason();

	if (strstr(reason, SIPPATH_MAP_PATHS))
		return log_errno(-err, "cannot make room for %u paths in %s: %s: lower paths_max",
				 paths_max, SIPPATH_MAP_PATHS, strerror(-err));
	return log_errno(-err, "cannot load the programs: %s (%s)", strerror(-err), reason);
}

/* Loads what some interface lacks; *object stays NULL if nothing is lacking. */
static int load(struct attachment *attachment, uint32_t paths_max, struct object **object)
{
	unsigned int programs = 0;
	int err;

	for (size_t i = 0; i < attachment->count; i++) {
		programs |= attachment->interfaces[i].ingress_id == 0 ? OBJECT_INGRESS : 0;
		programs |= attachment->interfaces[i].egress_id == 0 ? OBJECT_EGRESS : 0;
	}
	if (programs == 0)
		return 0;
	err = object_load(&attachment->maps, paths_max, programs, object);
	return err < 0 ? load_failed(err, paths_max) : 0;
}

/*
 * Before anything is attached. What the map knows of clsact qdiscs stays; so does the
 * rest if an agent has made it and the options say so.
 */
static int fill_settings(struct attachment *attachment, const struct attach_options *options)
{
	int map_fd = attachment->maps.fd[SHARED_SETTINGS];
	struct sip_settings *before = &attachment->settings_before, settings;
	int err = settings_map_read(map_fd, before);
	uint64_t netns_cookie = 0;

	if (err == 0)
		err = settings_map_netns_cookie(&netns_cookie);
	if (err < 0)
		return log_errno(-err, "cannot prepare the settings: %s", strerror(-err));
	settings = options->keep_settings && before->abi != 0 ? *before : options->settings;
	settings.abi = SIPPATH_ABI;
	if (settings.netns_cookie == 0)
		settings.netns_cookie = netns_cookie;
	memcpy(settings.clsact_created, before->clsact_created, sizeof(settings.clsact_created));
	for (size_t i = 0; i < attachment->count; i++)
		settings_map_watch(&settings, attachment->interfaces[i].index);
	err = settings_map_write(map_fd, &settings);
	if (err < 0)
		return log_errno(-err, "cannot fill the settings map: %s", strerror(-err));
	attachment->settings_changed = true;
	return 0;
}

static uint32_t program_id(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(program_fd, &info, &length) < 0 ? 0 : info.id;
}

static int attach_ingress(struct attach_interface *interface, struct changes *changes,
			  int program_fd, enum attach_mode mode)
{
	int err = hooks_attach_ingress(interface, program_fd, mode, &interface->native);

	if (err < 0)
		return err;
	interface->ingress_id = program_id(program_fd);
	changes->ingress_attached = true;
	return 0;
}

static int make_clsact(const struct attach_interface *interface, struct changes *changes,
		       int settings_fd)
{
	int err = hooks_make_clsact(interface, &changes->clsact_made);

	if (err < 0 || !changes->clsact_made)
		return err;
	err = settings_map_remember_clsact(settings_fd, interface->index);
	if (err < 0)
		return log_errno(-err, "%s: cannot remember that its clsact qdisc is ours: %s",
				 interface->name, strerror(-err));
	return 0;
}

static int attach_egress(struct attach_interface *interface, struct changes *changes,
			 int program_fd)
{
	int err = hooks_attach_egress(interface, program_fd, changes->egress_before >= 0);

	if (err < 0)
		return err;
	interface->egress_id = program_id(program_fd);
	changes->egress_attached = true;
	return 0;
}

static int attach_all(struct attachment *attachment, const struct object *object,
		      enum attach_mode mode)
{
	int settings_fd = attachment->maps.fd[SHARED_SETTINGS], err = 0;

	for (size_t i = 0; err == 0 && i < attachment->count; i++) {
		struct attach_interface *interface = &attachment->interfaces[i];
		struct changes *changes = &attachment->changes[i];

		if (interface->ingress_id == 0)
			err = attach_ingress(interface, changes,
					     object_program(object, OBJECT_INGRESS), mode);
		if (err < 0 || interface->egress_id != 0)
			continue;
		err = make_clsact(interface, changes, settings_fd);
		if (err == 0)
			err = attach_egress(interface, changes,
					    object_program(object, OBJECT_EGRESS));
	}
	return err;
}

static int check_host(const struct attach_options *options)
{
	int err = requirements_privileges();

	if (err == 0)
		err = requirements_kernel();
	if (err == 0)
		err = requirements_bpf_file_system(options->pin_dir);
	return err;
}

int attach_open(const struct attach_options *options, struct attachment **out)
{
	cleanup_attachment struct attachment *attachment = NULL;
	cleanup_object struct object *object = NULL;
	int err = check_host(options);

	if (err < 0)
		return err;
	attachment = new_attachment(options->pin_dir);
	if (!attachment)
		return log_errno(ENOMEM, "cannot attach: out of memory");
	err = name_interfaces(attachment, options);
	if (err == 0)
		err = lock(attachment, options);
	if (err == 0)
		err = find_maps(attachment, options->pin_dir);
	if (err == 0)
		err = find_filters(attachment);
	if (err == 0)
		err = load(attachment, options->paths_max, &object);
	if (err == 0)
		err = pins_make(&attachment->pins, &attachment->maps);
	if (err == 0)
		err = fill_settings(attachment, options);
	if (err == 0)
		err = attach_all(attachment, object, options->mode);
	if (err < 0)
		return err;
	connection_hook_attach(&attachment->connections, &attachment->maps);
	*out = take_ptr(attachment);
	return 0;
}

int attach_map(const struct attachment *attachment, const char *name)
{
	enum shared_map map = shared_map_of_name(name);

	return map < SHARED_MAP_MAX ? attachment->maps.fd[map] : -ENOENT;
}

/* While it can be undone, the attachment has the turn itself. */
static int share_turn(const struct attachment *attachment)
{
	int turn = fcntl(attachment->turn, F_DUPFD_CLOEXEC, 0);

	if (turn < 0)
		return log_errno(errno, "cannot share the turn: %s", strerror(errno));
	return turn;
}

int attach_take_turn(const struct attachment *attachment)
{
	const char *pin_dir = attachment->pins.directory;
	int turn = attachment->turn >= 0 ? share_turn(attachment) : lock_turn_now(pin_dir);

	if (turn == -EBUSY)
		return log_errno(EBUSY, "somebody is attaching or detaching in %s: try again",
				 pin_dir);
	if (turn == -ENOENT)
		return log_errno(ENOENT, "the pin directory %s is gone: start sippathd again",
				 pin_dir);
	return turn;
}

const struct connection_hook *attach_connection_hook(const struct attachment *attachment)
{
	return &attachment->connections;
}

int attach_mend_connections(struct attachment *attachment)
{
	cleanup_close int turn = attach_take_turn(attachment);

	if (turn < 0)
		return turn;
	connection_hook_mend(&attachment->connections, &attachment->maps);
	return 0;
}

uint32_t attach_paths_max(const struct attachment *attachment)
{
	return shared_map_room(attachment->maps.fd[SHARED_PATHS]);
}

const struct attach_interface *attach_interfaces(const struct attachment *attachment, size_t *count)
{
	*count = attachment->count;
	return attachment->interfaces;
}
