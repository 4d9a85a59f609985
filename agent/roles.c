/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roles.h"

#include <string.h>

#include "kernel/keepalive.h"

struct attach_options roles_attach_options(const struct config *config)
{
	struct attach_options options = {
		.interfaces = config->interfaces,
		.interface_count = config->interface_count,
		.pin_dir = config->pin_dir,
		.paths_max = config->paths_max,
		.mode = config->mode,
		.settings.prompt_mark = config->prompt_mark,
		.settings.port_count = (uint32_t)config->port_count,
	};

	keepalive_fill(&options.settings, config->defaults.threshold_ns);
	memcpy(options.settings.ports, config->ports, sizeof(options.settings.ports));
	return options;
}

static int play_attach(const struct config *config)
{
	struct attach_options options = roles_attach_options(config);
	struct attachment *attachment;
	int error;

	options.keep_settings = true;
	error = attach_open(&options, &attachment);
	if (error)
		return error;
	attach_keep(attachment);
	attach_close(attachment);
	return 0;
}

/* What cannot be taken off one interface does not keep the others. */
static int play_detach(const struct config *config)
{
	int result = 0;

	for (size_t i = 0; i < config->interface_count; i++) {
		int error = attach_remove(config->interfaces[i], config->pin_dir);

		if (error)
			result = error;
	}
	return result;
}

static const struct role roles[] = {
	{ "attach", play_attach },
	{ "detach", play_detach },
};

const struct role *roles_find(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(name, roles[i].name) == 0)
			return &roles[i];
	return NULL;
}
