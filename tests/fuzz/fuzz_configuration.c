/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration file, and flags in front of it: the lines of the input up to an empty one are
 * flags, the rest is the file. It stands in memory (memfd), and no host is looked up.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

#define FLAGS_MAX 12

static int file = -1;
static char path[64];

static void write_file(struct span text)
{
	if (file < 0) {
		file = memfd_create("configuration", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (file < 0 || ftruncate(file, 0) ||
	    pwrite(file, text.at, text.length, 0) != (ssize_t)text.length)
		abort();
}

static bool is_terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

/* What whoever uses a configuration relies on. */
static void check(const struct config *config)
{
	fuzz_demand(config->interface_count <= SIPPATH_HOOKS_MAX);
	for (size_t i = 0; i < config->interface_count; i++)
		fuzz_demand(config->interfaces[i] == config->interface_names[i] &&
			    is_terminated(config->interfaces[i], 16));
	fuzz_demand(config->port_count <= SIPPATH_PORTS_MAX);
	fuzz_demand(config->network_count <= RULES_NETWORKS_MAX);
	fuzz_demand(config->listen_count <= PORTS_MAX);
	fuzz_demand(config->peer_count <= TRUST_NETWORKS_MAX);
	fuzz_demand(is_terminated(config->socket, sizeof(config->socket)) && config->socket[0]);
	fuzz_demand(is_terminated(config->state_dir, sizeof(config->state_dir)));
	fuzz_demand(is_terminated(config->pin_dir, sizeof(config->pin_dir)));
	fuzz_demand(is_terminated(config->node, sizeof(config->node)));
	fuzz_demand(is_terminated(config->node_uri, sizeof(config->node_uri)));
	fuzz_demand(is_terminated(config->domain, sizeof(config->domain)));
	fuzz_demand(config->defaults.threshold_ns > 0);
	fuzz_demand(config->paths_max > 0 && config->transactions_max > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	enum config_use use = fuzz_byte(&input) % 3;
	static struct config config; /* it is large */
	char *argv[FLAGS_MAX + 4] = { strdup("sippathd"), strdup("--config") };
	struct span flag;
	int argc = 3;

	while ((flag = fuzz_piece(&input, "\n")).length > 0 && argc < FLAGS_MAX)
		argv[argc++] = strndup(flag.at, flag.length);
	write_file(fuzz_bytes(&input, input.left));
	argv[2] = strdup(path);
	memset(&config, 0xa5, sizeof(config));
	if (config_read(argc, argv, use, &config) == CONFIG_RUN) {
		check(&config);
		config_warn(&config);
	}
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return 0;
}
