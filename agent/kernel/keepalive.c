/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/keepalive.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"

#define IDLE_MAX_S 32767 /* the kernel's own limit */

/* Rounded up: at no threshold is a connection probed more often than that says. */
void keepalive_fill(struct sip_settings *settings, uint64_t threshold_ns)
{
	uint64_t idle_s = threshold_ns / NS_PER_S + (threshold_ns % NS_PER_S != 0);

	if (idle_s == 0)
		idle_s = 1;
	settings->keepalive_idle_s = idle_s < IDLE_MAX_S ? (uint32_t)idle_s : IDLE_MAX_S;
}

bool keepalive_works(const struct attachment *attachment)
{
	return connection_hook_stands(attach_connection_hook(attachment));
}

int keepalive_set(struct attachment *attachment, uint64_t threshold_ns)
{
	struct sip_settings settings;

	if (!keepalive_works(attachment))
		return log_errno(EOPNOTSUPP, "no program of ours sees TCP connections: start"
					     " sippathd again, and see what it says");
	keepalive_fill(&settings, threshold_ns);
	return attach_set_keepalive(attachment, settings.keepalive_idle_s);
}
