/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.h - what the agent has been told, by its configuration file and its flags. */
#ifndef AGENT_CONFIG_CONFIG_H
#define AGENT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "callcontrol/ports.h"
#include "callcontrol/server.h"
#include "callcontrol/trust.h"
#include "cluster/node.h"
#include "cluster/redis_link.h"
#include "cluster/share.h"
#include "keep/caps.h"
#include "keep/rules.h"
#include "kernel/attach.h"
#include "kernel_abi.h"

#define CONFIG_FILE_DEFAULT "/etc/sippath/sippath.conf"
#define CONFIG_STATE_DIR_DEFAULT "/var/lib/sippath"

struct config {
	char interface_names[SIPPATH_HOOKS_MAX][16];
	const char *interfaces[SIPPATH_HOOKS_MAX]; /* point into interface_names */
	size_t interface_count;
	uint16_t ports[SIPPATH_PORTS_MAX];
	size_t port_count;
	struct path_rules defaults; /* of every remote network that is not named */
	struct rules_network networks[RULES_NETWORKS_MAX]; /* each once */
	size_t network_count;
	struct caps_limits caps; /* of prompts in a second */
	uint64_t linger_ns;
	uint64_t dialog_max_ns;
	uint32_t paths_max;
	uint32_t transactions_max;
	uint32_t flows_rate; /* of strangers, as sip_settings has it; so the next one */
	uint32_t sightings_rate;
	uint32_t prompt_mark;
	enum attach_mode mode;
	enum log_level log_level;
	char user[33]; /* to work as after the start; "" for the default */
	bool sandbox; /* only the system calls that are needed */
	char socket[108];
	char state_dir[256];
	char pin_dir[256];
	char file[256]; /* the configuration file that was read, "" for none */
	bool in_cluster; /* "cluster" says which one */
	struct redis_address cluster;
	char node[NODE_NAME_MAX + 1]; /* "" for none */
	char node_uri[NODE_URI_MAX + 1]; /* "" for none */
	enum share_move move;
	struct ports_listen listen[PORTS_MAX]; /* of call control, as the next ones */
	size_t listen_count;
	enum server_mode mode_of_calls;
	struct trust_network peers[TRUST_NETWORKS_MAX]; /* none: anybody's requests are served */
	size_t peer_count;
	char domain[254]; /* of calls to an address of our own, or a number; "" for none */
	uint64_t verify_ns; /* 0: paths are not verified */
};

enum config_result {
	CONFIG_RUN, /* go on */
	CONFIG_DONE, /* --help or --version has been answered: exit status 0 */
	CONFIG_USAGE, /* exit status 2 */
	CONFIG_BAD, /* exit status 1 */
};

/* What a configuration is for: then it has all that this takes. */
enum config_use {
	CONFIG_FOR_INTERFACES, /* to attach and detach */
	CONFIG_FOR_PATHS, /* to keep them */
	CONFIG_FOR_CALLS, /* to route them */
};

/*
 * Fills *config: the defaults of the option table, then the file (--config, or the
 * default one if it is there), then the flags. A network of a flag replaces the one of
 * the file. Anything wrong is one line on standard error that names file and line or
 * flag, the option and what was expected; *config must then not be used. What "use" takes must be set in
 * the end. argv[0] is not looked at. "interfaces" points into *config:
 * it must not be copied or moved.
 */
enum config_result config_read(int argc, char **argv, enum config_use use, struct config *config);

/* Warns, a line each, of thresholds that are obeyed although they are below 15 s (trap 4). */
void config_warn(const struct config *config);

#endif
