/* SPDX-License-Identifier: GPL-2.0-or-later */
/* where.c - "sippath where AOR": every path of an AOR in the set of proxies. */
#include "listing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field fields[] = {
	{ "NODE", "node", FIELD_TEXT },
	{ "REMOTE", "remote", FIELD_TEXT },
	{ "HEALTH", "health", FIELD_TEXT },
	{ "STATE", "state", FIELD_TEXT },
	{ "ACCEPTED", "accepted_ago_ms", FIELD_MS },
	{ "EXPIRES", "expires_in_ms", FIELD_MS },
};

_Static_assert(COUNT(fields) <= TABLE_COLUMNS_MAX, "the table has room for every column");

enum exit_status where_run(const struct invocation *invocation)
{
	static const struct listing_form form = { fields, COUNT(fields),
						  "nobody in the set has a path of this AOR" };

	return listing_print(invocation, "aor", invocation->arguments[0], &form);
}
