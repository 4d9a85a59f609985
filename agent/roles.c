/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roles.h"

#include <string.h>

#include "attaching.h"
#include "keeping.h"
#include "routing.h"

static const struct role roles[] = {
	{ "attach", CONFIG_FOR_INTERFACES, true, attaching_attach },
	{ "detach", CONFIG_FOR_INTERFACES, true, attaching_detach },
	{ "call-control", CONFIG_FOR_CALLS, false, routing_run },
	{ NULL, CONFIG_FOR_PATHS, false, keeping_run },
};

const struct role *roles_choose(int *argc, char **argv)
{
	static char interface_flag[] = "--interface";
	const struct role *role = roles;

	while (role->name && (*argc < 2 || strcmp(argv[1], role->name) != 0))
		role++;
	if (!role->name)
		return role;
	if (role->takes_interfaces) {
		argv[1] = interface_flag;
		return role;
	}
	/* With the NULL behind the last one. */
	memmove(&argv[1], &argv[2], (size_t)(*argc - 1) * sizeof(argv[0]));
	*argc -= 1;
	return role;
}
