/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c - "sippath check": what is wrong and what to do, for people and for monitoring: the exit
 * status says whether anything is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client.h"
#include "document.h"
#include "human.h"
#include "say.h"

struct check {
	bool json;
	bool answered;
	enum exit_status status;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "-";
}

static void write_present(const json_t *trouble)
{
	json_int_t since_ms = json_integer_value(json_object_get(trouble, "since_ms"));
	char since[HUMAN_MAX];

	human_ms(since_ms > 0 ? (uint64_t)since_ms : 0, since);
	printf("WRONG   %s, for %s: %s\n", text_of(trouble, "name"), since,
	       text_of(trouble, "wrong"));
	printf("        seen:  %s\n", text_of(trouble, "detail"));
	printf("        to do: %s\n", text_of(trouble, "remedy"));
}

static void write_past(const json_t *trouble, json_int_t times)
{
	printf("over    %s, %" JSON_INTEGER_FORMAT " time%s so far, the last time: %s\n",
	       text_of(trouble, "name"), times, times == 1 ? "" : "s", text_of(trouble, "detail"));
}

static void write_troubles(const json_t *row, bool present)
{
	const json_t *trouble;
	size_t i;

	json_array_foreach(json_object_get(row, "troubles"), i, trouble)
	{
		bool active = json_is_true(json_object_get(trouble, "active"));
		json_int_t times = json_integer_value(json_object_get(trouble, "times"));

		if (active && present)
			write_present(trouble);
		else if (!active && !present && times > 0)
			write_past(trouble, times);
	}
}

static bool take_row(void *context, const json_t *row)
{
	struct check *check = context;
	bool healthy = json_is_true(json_object_get(row, "healthy"));

	check->answered = true;
	check->status = healthy ? STATUS_DONE : STATUS_FAILED;
	if (check->json) {
		json_dumpf(row, stdout, DOCUMENT_FORMAT);
		putchar('\n');
		return true;
	}
	if (healthy)
		puts("healthy: nothing is wrong");
	write_troubles(row, true);
	write_troubles(row, false);
	return true;
}

/* The agent does not tell: what can be seen from outside is whether it has left its socket. */
static void look_from_outside(const char *path)
{
	struct stat found;

	if (stat(path, &found) == 0)
		say(STATUS_FAILED, S_ISSOCK(found.st_mode)
					   ? "its socket is there: sippathd has ended without "
					     "tidying up, hangs, or is not to be asked by you; "
					     "see \"systemctl status sippathd\""
					   : "what is there is no socket: is --socket right?");
	else if (errno == ENOENT || errno == ENOTDIR)
		say(STATUS_FAILED, "there is no such socket: sippathd does not run, or has another "
				   "--socket; paths are not kept until it runs");
}

enum exit_status check_run(const struct invocation *invocation)
{
	struct check check = { .json = invocation->json, .status = STATUS_FAILED };
	enum exit_status status = client_ask(invocation, NULL, NULL, take_row, &check);

	if (status == STATUS_DONE && !check.answered)
		status = say(STATUS_FAILED, "the agent answered nothing: are the versions alike?");
	if (!check.answered)
		look_from_outside(invocation->socket);
	return status == STATUS_DONE ? check.status : status;
}
