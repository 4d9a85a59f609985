/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.c - the order in which an agent gets hold of its interfaces, and the way back. */
#include "kernel/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/attach_parts.h"
#include "kernel/found.h"
#include "kernel/inspect.h"
#include "kernel/libbpf_log.h"
#include "kernel/lock.h"
#include "kernel/object.h"
#include "kernel/requirements.h"
#include "kernel/settings_map.h"

/* Lets go of what only undo() needs: programs and maps of an older instance, and the turn. */
void attach_keep(struct attachment *attachment)
{
	int turn = take_fd(attachment->turn);

	for (size_t i = 0; i < attachment->count; i++)
		changes_keep(&attachment->changes[i]);
	connection_hook_keep(&attachment->connections);
	pins_keep(&attachment->pins);
	if (turn >= 0)
		close(turn);
}

/* Takes back, in reverse order, whatever was done until something failed. */
static void undo(struct attachment *attachment)
{
	connection_hook_undo(&attachment->connections);
	for (size_t i = attachment->count; i-- > 0;)
		changes_undo(&attachment->interfaces[i], &attachment->changes[i]);
	if (attachment->settings_changed)
		settings_map_write(attachment->maps.fd[SHARED_SETTINGS],
				   &attachment->settings_before);
	if (attachment->agent >= 0 || attachment->left)
		lock_clear(attachment->turn);
	pins_undo(&attachment->pins);
}

void attach_close(struct attachment *attachment)
{
	if (!attachment)
		return;
	if (attachment->turn >= 0)
		undo(attachment);
	attach_keep(attachment);
	connection_hook_close(&attachment->connections);
	close_fd(&attachment->agent);
	close_fd(&attachment->ingress);
	close_fd(&attachment->egress);
	shared_maps_close(&attachment->maps);
	free(attachment);
}

void attach_leave(struct attachment *attachment)
{
	int agent = attachment ? take_fd(attachment->agent) : -1;

	if (agent < 0)
		return;
	attachment->left = true;
	close(agent);
}

int attach_lend(struct attachment *attachment)
{
	int *settings = &attachment->maps.fd[SHARED_SETTINGS];
	int fd = settings_map_open_to_read(*settings);

	if (fd < 0)
		return log_errno(-fd, "cannot open the settings to read: %s", strerror(-fd));
	close_fd(settings);
	*settings = fd;
	attach_keep(attachment);
	connection_hook_close(&attachment->connections);
	close_fd(&attachment->ingress);
	close_fd(&attachment->egress);
	return 0;
}

static void cleanup_attachment_(struct attachment **attachment)
{
	attach_close(*attachment);
}

/* An attachment that is undone at the end of its scope, unless it is taken. */
#define cleanup_attachment __attribute__((cleanup(cleanup_attachment_)))

static struct attachment *new_attachment(const struct attach_options *options)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));

	if (!attachment)
		return NULL;
	attachment->maps = SHARED_MAPS_NONE;
	attachment->pins = PINS_OF(options->pin_dir);
	attachment->connections = CONNECTION_HOOK_OF(options->pin_dir);
	attachment->mode = options->mode;
	attachment->turn = -1;
	attachment->agent = -1;
	attachment->ingress = -1;
	attachment->egress = -1;
	for (size_t i = 0; i < SIPPATH_HOOKS_MAX; i++)
		attachment->changes[i] = CHANGES_NONE;
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
	attachment->agent_process = getpid();
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
		if (outdated != 0)
			err = changes_displace_egress(interface, &attachment->changes[i], outdated);
		if (err < 0)
			return err;
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

/*
 * Always, for only the kernel can tell whether what is attached is of this build; and what is
 * taken off later is put back without loading.
 */
static int load(struct attachment *attachment, uint32_t paths_max)
{
	cleanup_object struct object *object = NULL;
	int err =
		object_load(&attachment->maps, paths_max, OBJECT_INGRESS | OBJECT_EGRESS, &object);

	if (err < 0)
		return load_failed(err, paths_max);
	attachment->ingress = object_copy_program(object, OBJECT_INGRESS);
	attachment->egress = object_copy_program(object, OBJECT_EGRESS);
	if (attachment->ingress < 0 || attachment->egress < 0)
		return log_errno(EMFILE, "cannot keep the programs open: %s", strerror(EMFILE));
	return 0;
}

static int attach_all(struct attachment *attachment)
{
	int settings_fd = attachment->maps.fd[SHARED_SETTINGS], err = 0;

	for (size_t i = 0; err == 0 && i < attachment->count; i++) {
		struct attach_interface *interface = &attachment->interfaces[i];
		struct changes *changes = &attachment->changes[i];

		err = changes_ingress(interface, changes, attachment->ingress, attachment->mode);
		if (err == 0)
			err = changes_egress(interface, changes, attachment->egress, settings_fd);
	}
	return err;
}

static void note_places(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->count; i++) {
		struct attach_interface *interface = &attachment->interfaces[i];

		interface->place_id = interface->ingress_id;
		found_ingress_id(interface->index, &interface->place_id);
	}
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
	int err = check_host(options);

	if (err < 0)
		return err;
	attachment = new_attachment(options);
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
		err = load(attachment, options->paths_max);
	if (err == 0)
		err = pins_make(&attachment->pins, &attachment->maps);
	if (err == 0)
		err = attach_settings_fill(attachment, options);
	if (err == 0)
		err = attach_all(attachment);
	if (err < 0)
		return err;
	note_places(attachment);
	connection_hook_attach(&attachment->connections, &attachment->maps);
	*out = take_ptr(attachment);
	return 0;
}

int attach_map(const struct attachment *attachment, const char *name)
{
	enum shared_map map = shared_map_of_name(name);

	return map < SHARED_MAP_MAX ? attachment->maps.fd[map] : -ENOENT;
}

const struct connection_hook *attach_connection_hook(const struct attachment *attachment)
{
	return &attachment->connections;
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

void attach_interfaces_renew(struct attachment *attachment,
			     const struct attach_interface *interfaces, size_t count)
{
	for (size_t i = 0; i < count && i < attachment->count; i++)
		attachment->interfaces[i] = interfaces[i];
}
