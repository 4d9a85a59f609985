/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach_settings.c - the settings that an attachment makes, and sees to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/attach_parts.h"
#include "kernel/lock.h"
#include "kernel/settings_map.h"

/* 0, which the programs can do with, on a host that is too young to have random numbers. */
static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	return getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed) ? seed : 0;
}

int attach_settings_fill(struct attachment *attachment, const struct attach_options *options)
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
	if (settings.limit_seed == 0)
		settings.limit_seed = random_seed();
	if (settings.netns_cookie == 0)
		settings.netns_cookie = netns_cookie;
	memcpy(settings.clsact_created, before->clsact_created, sizeof(settings.clsact_created));
	for (size_t i = 0; i < attachment->count; i++)
		settings_map_watch(&settings, attachment->interfaces[i].index);
	err = settings_map_write(map_fd, &settings);
	if (err < 0)
		return log_errno(-err, "cannot fill the settings map: %s", strerror(-err));
	attachment->settings = settings;
	attachment->settings_changed = true;
	return 0;
}

/*
 * Which interfaces there are is noted by everybody who attaches and detaches: that is taken
 * over, unless the settings are none of ours any more. The rest is this attachment's alone.
 */
static void take_over_notes(struct attachment *attachment, const struct sip_settings *found)
{
	struct sip_settings *settings = &attachment->settings;

	if (found->abi == SIPPATH_ABI) {
		memcpy(settings->clsact_created, found->clsact_created,
		       sizeof(settings->clsact_created));
		memcpy(settings->watched, found->watched, sizeof(settings->watched));
	}
	for (size_t i = 0; i < attachment->count; i++)
		settings_map_watch(settings, attachment->interfaces[i].index);
}

bool attach_settings_stand(struct attachment *attachment, int *error)
{
	struct sip_settings found;

	*error = settings_map_read(attachment->maps.fd[SHARED_SETTINGS], &found);
	if (*error < 0)
		return false;
	take_over_notes(attachment, &found);
	return memcmp(&found, &attachment->settings, sizeof(found)) == 0;
}

int attach_settings_mend(struct attachment *attachment)
{
	int err;

	if (attach_settings_stand(attachment, &err))
		return 0;
	return err < 0 ? err
		       : settings_map_write(attachment->maps.fd[SHARED_SETTINGS],
					    &attachment->settings);
}

/* While it can be undone, the attachment has the turn itself. */
int attach_turn(const struct attachment *attachment)
{
	int turn;

	if (attachment->turn < 0)
		return lock_turn_now(attachment->pins.directory);
	turn = fcntl(attachment->turn, F_DUPFD_CLOEXEC, 0);
	return turn < 0 ? -errno : turn;
}

static int turn_refused(const struct attachment *attachment, int err)
{
	const char *pin_dir = attachment->pins.directory;

	if (err == -EBUSY)
		return log_errno(EBUSY, "somebody is attaching or detaching in %s: try again",
				 pin_dir);
	return log_errno(-err, "cannot use the pin directory %s: %s", pin_dir, strerror(-err));
}

int attach_set_keepalive(struct attachment *attachment, uint32_t idle_s)
{
	cleanup_close int turn = attach_turn(attachment);
	uint32_t before = attachment->settings.keepalive_idle_s;
	int err;

	if (turn < 0)
		return turn_refused(attachment, turn);
	attachment->settings.keepalive_idle_s = idle_s;
	err = attach_settings_mend(attachment);
	if (err == 0)
		return 0;
	attachment->settings.keepalive_idle_s = before;
	return log_errno(-err, "cannot set the keepalive of TCP connections: %s", strerror(-err));
}
