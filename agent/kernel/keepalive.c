/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/keepalive.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/settings_map.h"

/* The kernel's own limits, in seconds and in probes. */
#define TIME_MAX_S 32767
#define COUNT_MAX 127

#define COUNT_MIN 9 /* the kernel's own choice */
#define PATIENCE_S 300 /* a connection that does not answer is given up after so long */

static uint32_t within(uint64_t value, uint32_t least, uint32_t most)
{
	if (value < least)
		return least;
	return value > most ? most : (uint32_t)value;
}

static void fill(struct sip_settings *settings, uint64_t threshold_ns)
{
	uint32_t idle_s = within(threshold_ns / NS_PER_S, 1, TIME_MAX_S);
	uint32_t interval_s = within(idle_s / 4, 1, TIME_MAX_S);

	settings->keepalive_idle_s = idle_s;
	settings->keepalive_interval_s = interval_s;
	settings->keepalive_count =
		within((PATIENCE_S + interval_s - 1) / interval_s, COUNT_MIN, COUNT_MAX);
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
		fill(&settings, threshold_ns);
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
	int err;

	if (!keepalive_works(attachment))
		return log_errno(EOPNOTSUPP, "no program of ours sees TCP connections: start"
					     " sippathd again, and see what it says");
	err = change_settings(attachment, threshold_ns);
	if (err < 0)
		return err;
	err = connection_hook_visit(attach_connection_hook(attachment));
	if (err < 0)
		return log_errno(-err,
				 "cannot set the keepalive of the TCP connections that"
				 " stand: %s",
				 strerror(-err));
	return 0;
}
