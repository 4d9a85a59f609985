/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attaching.h"

#include <string.h>

#include "kernel/keepalive.h"

struct attach_options attaching_options(const struct config *config)
{
	struct attach_options options = {
		.interfaces = config->interfaces,
		.interface_count = config->interface_count,
		.pin_dir = config->pin_dir,
		.paths_max = config->paths_max,
		.mode = config->mode,
		.settings.prompt_mark = config->prompt_mark,
		.settings.flows_rate = config->flows_rate,
		.settings.sightings_rate = config->sightings_rate,
		.settings.port_count = (uint32_t)config->port_count,
	};

	keepalive_fill(&options.settings, config->defaults.threshold_ns);
	memcpy(options.settings.ports, config->ports, sizeof(options.settings.ports));
	return options;
}

int attaching_attach(const struct config *config)
{
	struct attach_options options = attaching_options(config);
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
int attaching_detach(const struct config *config)
{
	int result = 0;

	for (size_t i = 0; i < config->interface_count; i++) {
		int error = attach_remove(config->interfaces[i], config->pin_dir);

		if (error)
			result = error;
	}
	return result;
}
