/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paths.c - "sippath paths": every path that is kept. */
#include "listing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The first three are what "sippath path" and "sippath prompt" take. */
static const struct field fields[] = {
	{ "TRANSPORT", "transport", FIELD_TEXT },
	{ "LOCAL", "local", FIELD_TEXT },
	{ "REMOTE", "remote", FIELD_TEXT },
	{ "STATE", "state", FIELD_TEXT },
	{ "HEALTH", "health", FIELD_TEXT },
	{ "KEPT BY", "kept_by", FIELD_TEXT },
	{ "IDLE", "idle_ms", FIELD_MS },
	{ "DUE IN", "due_in_ms", FIELD_MS },
	{ "PROMPTS", "prompts", FIELD_NUMBER },
	{ "ANSWERS", "answers", FIELD_NUMBER },
	{ "AVOIDED", "avoided", FIELD_NUMBER },
	{ "RTT", "rtt_us", FIELD_US },
	{ "WHY", "why", FIELD_WHY },
};

_Static_assert(COUNT(fields) <= TABLE_COLUMNS_MAX, "the table has room for every column");

enum exit_status paths_run(const struct invocation *invocation)
{
	static const struct listing_form form = { fields, COUNT(fields), "no paths are kept yet" };

	return listing_print(invocation, NULL, NULL, &form);
}
