/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats.c - "sippath stats": every counter, and what it counts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "document.h"
#include "say.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MEANING(name, help) { #name, help },

static const struct meaning {
	const char *name;
	const char *help;
} meanings[] = { { "paths", "paths that are kept now" },
		 SIPPATH_KERNEL_COUNTERS(MEANING) SIPPATH_AGENT_COUNTERS(MEANING) };

/* The agent may be of another version and count what is not known here. */
static const char *meaning_of(const char *name)
{
	for (size_t i = 0; i < COUNT(meanings); i++) {
		if (strcmp(meanings[i].name, name) == 0)
			return meanings[i].help;
	}
	return "";
}

static enum exit_status write_stats(const json_t *row)
{
	static const struct table_column columns[] = {
		{ .title = "COUNTER" },
		{ .title = "COUNT", .alignment = TABLE_RIGHT },
		{ .title = "OF" },
	};
	struct table *table =
		table_new(stdout, columns, COUNT(columns), table_terminal_width(stdout));
	const char *name;
	json_t *value;
	int error;

	if (!table)
		return say(STATUS_FAILED, "out of memory");
	/* The iterator does not change the object, but jansson's macro wants it writable. */
	json_object_foreach((json_t *)row, name, value)
	{
		char number[24];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		table_add(table, name);
		table_add(table, number);
		table_add(table, meaning_of(name));
	}
	error = table_flush(table);
	table_free(table);
	return error ? say(STATUS_FAILED, "out of memory") : STATUS_DONE;
}

enum exit_status stats_run(const struct invocation *invocation)
{
	return document_print(invocation, NULL, NULL, write_stats);
}
