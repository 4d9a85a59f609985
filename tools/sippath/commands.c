/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <string.h>

static const struct command commands[] = {
	{ "status", "", "what the agent watches and how it is", "sippath status", 0, 0, false,
	  status_run },
	{ "paths", "", "every path that is kept", "sippath paths", 0, 0, false, paths_run },
	{ "path", "FLOW", "one path, its bindings and its entry in the kernel",
	  "sippath path 198.51.100.7:40001", 1, 3, false, path_run },
	{ "bindings", "", "why each path is kept: registrations, subscriptions, calls",
	  "sippath bindings", 0, 0, false, bindings_run },
	{ "events", "", "what happens to paths, a line each, until it is interrupted",
	  "sippath events", 0, 0, false, events_run },
	{ "stats", "", "every counter, and what it counts", "sippath stats", 0, 0, false,
	  stats_run },
	{ "check", "", "what is wrong and what to do; exit status 0 if nothing is", "sippath check", 0,
	  0, false, check_run },
	{ "prompt", "FLOW", "prompt one path now",
	  "sippath prompt udp 192.0.2.1:5060 198.51.100.7:40001", 1, 3, false, prompt_run },
	{ "threshold", "[TIME]", "say after how long a quiet path is prompted, or set it",
	  "sippath threshold 24s", 0, 1, false, threshold_run },
	{ "cluster", "", "the proxies of the set, their paths, and when they were last heard of",
	  "sippath cluster", 0, 0, false, cluster_run },
	{ "where", "AOR", "every path of an AOR in the set of proxies, newest first",
	  "sippath where sip:alice@example.org", 1, 1, false, where_run },
	{ "drain", "[on|off]", "say whether new calls come to this proxy, or set it",
	  "sippath drain on", 0, 1, false, drain_run },
	{ "order", "NODE WHAT [FLOW]", "tell a proxy to drain, undrain, or drop or prompt a path",
	  "sippath order proxy1 prompt udp 192.0.2.1:5060 198.51.100.7:40001", 2, 5, false,
	  order_run },
	{ "attach", "DEV [FLAG...]", "put the programs onto an interface (flags of sippathd)",
	  "sippath attach eth0 --xdp-mode generic", 1, 64, true, attach_run },
	{ "detach", "DEV [FLAG...]", "take the programs off an interface", "sippath detach eth0", 1,
	  64, true, detach_run },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const struct command *commands_all(size_t *count)
{
	*count = COMMAND_COUNT;
	return commands;
}

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}
