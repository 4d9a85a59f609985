/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/node.h"

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

bool node_name_is_good(struct span name)
{
	if (name.length == 0 || name.length > NODE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (!is_name_character(name.at[i]))
			return false;
	return true;
}
