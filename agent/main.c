/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - what sippathd is told to do.
 *
 * sippathd                 keeps paths until SIGTERM or SIGINT
 * sippathd ROLE            plays another role, see roles.c
 */
#include <stdlib.h>

#include "config/config.h"
#include "roles.h"
#include "signals.h"

int main(int argc, char **argv)
{
	const struct role *role = roles_choose(&argc, argv);
	struct config config;

	switch (config_read(argc, argv, role->use, &config)) {
	case CONFIG_RUN:
		break;
	case CONFIG_DONE:
		return EXIT_SUCCESS;
	case CONFIG_USAGE:
		return 2;
	case CONFIG_BAD:
		return EXIT_FAILURE;
	}
	log_set_level(config.log_level);
	signals_hold();
	return role->play(&config) ? EXIT_FAILURE : EXIT_SUCCESS;
}
