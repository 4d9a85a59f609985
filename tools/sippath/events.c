/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.c - "sippath events": what happens to paths, a line each, as it happens. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "document.h"
#include "say.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "23:59:59" */
#define TIME_MAX 16

/* "registered+dialog is silent", "registered -> registered+dialog" */
#define CHANGE_MAX 64

/* Nobody knows what the next line will be: columns are as wide as they are likely to be. */
static const struct table_column columns[] = {
	{ .least = 12 }, /* the time */
	{ .least = 38 }, /* the path */
	{ .least = 31 }, /* what it became */
	{ .least = 28 }, /* why */
	{ .least = 0 }, /* whose it is */
};

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "-";
}

/* "12:34:56.789" here, of the "2026-01-31T12:34:56.789Z" that the agent says. */
static void add_time(struct table *table, const char *when)
{
	char clock[TIME_MAX], text[TIME_MAX + 8];
	struct tm utc = { 0 }, local;
	const char *rest = strptime(when, "%Y-%m-%dT%H:%M:%S", &utc);
	time_t seconds = timegm(&utc);

	if (!rest || !localtime_r(&seconds, &local)) {
		table_add(table, when);
		return;
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	snprintf(text, sizeof(text), "%s%.*s", clock, (int)strcspn(rest, "Z"), rest);
	table_add(table, text);
}

/* A path goes from state to state, or its health changes where it stands. */
static void add_change(struct table *table, const json_t *row)
{
	const char *from = text_of(row, "from"), *to = text_of(row, "to");
	char change[CHANGE_MAX];

	if (strcmp(from, to) == 0)
		snprintf(change, sizeof(change), "%s is %s", to, text_of(row, "health"));
	else
		snprintf(change, sizeof(change), "%s -> %s", from, to);
	table_add(table, change);
}

static void write_line(struct table *table, const json_t *row)
{
	json_int_t missed = json_integer_value(json_object_get(row, "missed"));

	if (missed > 0)
		printf("(here %" JSON_INTEGER_FORMAT " events are missing: they came faster than "
		       "they were read)\n",
		       missed);
	add_time(table, text_of(row, "time"));
	table_add(table, text_of(row, "path"));
	add_change(table, row);
	table_add(table, text_of(row, "text"));
	table_add(table, text_of(row, "aor"));
}

struct lines_of_events {
	struct table *table;
	enum exit_status status;
};

/* Each line is written out at once: somebody may be watching. */
static bool show_line(void *context, const json_t *row)
{
	struct lines_of_events *shown = context;

	write_line(shown->table, row);
	if (table_flush(shown->table))
		shown->status = say(STATUS_FAILED, "out of memory");
	return fflush(stdout) == 0 && shown->status == STATUS_DONE;
}

static bool show_json(void *context, const json_t *row)
{
	(void)context;
	json_dumpf(row, stdout, DOCUMENT_FORMAT);
	putchar('\n');
	return fflush(stdout) == 0;
}

/* To be interrupted is how this command ends well; no line is left half-written by it. */
static void leave(int signal_number)
{
	(void)signal_number;
	_exit(STATUS_DONE);
}

static enum exit_status show_lines(const struct invocation *invocation)
{
	/* A terminal wraps what is too long: the reason stands near the end. */
	struct lines_of_events shown = {
		.table = table_new(stdout, columns, COUNT(columns), 0),
	};
	enum exit_status status;

	if (!shown.table)
		return say(STATUS_FAILED, "out of memory");
	status = client_listen(invocation, show_line, &shown);
	table_free(shown.table);
	return status == STATUS_DONE ? shown.status : status;
}

enum exit_status events_run(const struct invocation *invocation)
{
	signal(SIGINT, leave);
	signal(SIGTERM, leave);
	return invocation->json ? client_listen(invocation, show_json, NULL)
				: show_lines(invocation);
}
