/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster.c - "sippath cluster": the nodes of the set of proxies. */
#include "listing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field fields[] = {
	{ "NODE", "node", FIELD_TEXT },
	{ "URI", "uri", FIELD_TEXT },
	{ "PATHS", "paths", FIELD_NUMBER },
	{ "LAG", "lag_ms", FIELD_MS },
	{ "LAST CONTACT", "last_contact_ms", FIELD_MS },
	{ "STATE", NULL, FIELD_SERVICE },
};

_Static_assert(COUNT(fields) <= TABLE_COLUMNS_MAX, "the table has room for every column");

enum exit_status cluster_run(const struct invocation *invocation)
{
	static const struct listing_form form = { fields, COUNT(fields),
						  "no node has reported to the cluster yet" };

	return listing_print(invocation, NULL, NULL, &form);
}
