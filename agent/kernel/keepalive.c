/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/keepalive.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/settings_map.h"

#define IDLE_MAX_S 32767 /* the kernel's own limit */

/* Rounded up: at no threshold is a connection probed more often than that says. */
void keepalive_fill(struct sip_settings *settings, uint64_t threshold_ns)
{
	uint64_t idle_s = threshold_ns / NS_PER_S + (threshold_ns % NS_PER_S != 0);

	if (idle_s == 0)
		idle_s = 1;
	settings->keepalive_idle_s = idle_s < IDLE_MAX_S ? (uint32_t)idle_s : IDLE_MAX_S;
}

/* In turn with those who note in the same settings which qdiscs they have made. */
static int change_settings(struct attachment *attachment, uint64_t threshold_ns)
{
	cleanup_close int turn = attach_take_turn(attachment);
	int map = attach_map(attachment, SIPPATH_MAP_SETTINGS);
	struct sip_settings settings;
	int err;

	if (turn < 0)
		return turn;
	err = settings_map_read(map, &settings);
	if (err == 0) {
		keepalive_fill(&settings, threshold_ns);
		err = settings_map_write(map, &settings);
	}
	if (err < 0)
		return log_errno(-err, "cannot set the keepalive of TCP connections: %s",
				 strerror(-err));
	return 0;
}

bool keepalive_works(const struct attachment *attachment)
{
	return connection_hook_stands(attach_connection_hook(attachment));
}

int keepalive_set(struct attachment *attachment, uint64_t threshold_ns)
{
	if (!keepalive_works(attachment))
		return log_errno(EOPNOTSUPP, "no program of ours sees TCP connections: start"
					     " sippathd again, and see what it says");
	return change_settings(attachment, threshold_ns);
}

int keepalive_look_around(const struct attachment *attachment, uint64_t now_ns,
			  connection_handler *stands, connection_handler *gone, void *context)
{
	int map = attach_map(attachment, SIPPATH_MAP_CONNECTIONS);
	int err = connection_hook_visit(attach_connection_hook(attachment));

	if (err < 0)
		return log_errno(-err,
				 "cannot look at the TCP connections that stand, which are kept no"
				 " better than before: %s",
				 strerror(-err));
	err = connection_map_walk(map, now_ns, stands, gone, context);
	if (err < 0)
		return log_errno(-err, "cannot read " SIPPATH_MAP_CONNECTIONS ": %s",
				 strerror(-err));
	return 0;
}
