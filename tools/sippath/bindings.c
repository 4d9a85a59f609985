/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bindings.c - "sippath bindings": why each path is kept. */
#include "bindings.h"

#include "listing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field fields[] = {
	{ "KIND", "kind", FIELD_TEXT },     { "AOR", "aor", FIELD_TEXT },
	{ "REMOTE", "remote", FIELD_TEXT }, { "ENDS IN", "ends_in_ms", FIELD_MS },
	{ "ABOUT", "about", FIELD_ABOUT },  { "CONTACT", "contact", FIELD_TEXT },
};

_Static_assert(COUNT(fields) <= TABLE_COLUMNS_MAX, "the table has room for every column");

enum exit_status bindings_run(const struct invocation *invocation)
{
	static const struct listing_form form = {
		fields, COUNT(fields),
		"nothing keeps a path yet: no device is registered, or in a call"
	};

	return listing_print(invocation, NULL, NULL, &form);
}

int bindings_print_array(const json_t *bindings)
{
	return listing_print_array(bindings, fields, COUNT(fields));
}
