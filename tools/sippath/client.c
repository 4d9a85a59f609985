/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lines.h"
#include "say.h"

/* An agent that says nothing for so long is stuck: it waits for the cluster, but not as long. */
#define PATIENCE_S 30
#define PATIENCE_MS (PATIENCE_S * 1000)

/* As lines_next() takes it. */
#define PATIENCE_ENDLESS (-1)

static enum exit_status cannot_reach(const char *path, int error)
{
	const char *hint = ": is sippathd running?";

	if (error == EACCES)
		hint = ": only root and the group sippath may";
	return say(STATUS_FAILED, "cannot reach the agent at %s: %s%s", path, strerror(error),
		   hint);
}

/* A connection to the agent, or -1 after one line. */
static int reach(const char *path)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, error;

	if (length >= sizeof(address.sun_path)) {
		cannot_reach(path, ENAMETOOLONG);
		return -1;
	}
	memcpy(address.sun_path, path, length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	cannot_reach(path, error);
	return -1;
}

/* False without memory, or if the agent has gone; what is wrong then shows in the answer. */
static bool send_request(int fd, const char *command, const char *argument, const char *value)
{
	json_t *request = json_object();
	char *text = NULL;
	bool sent;

	if (json_object_set_new(request, "command", json_string(command)) == 0 &&
	    (!value || json_object_set_new(request, argument, json_string(value)) == 0))
		text = json_dumps(request, JSON_COMPACT);
	sent = text && dprintf(fd, "%s\n", text) > 0;
	free(text);
	json_decref(request);
	return sent;
}

enum line_kind { LINE_ROW, LINE_END, LINE_ERROR };

/* Hands on one line of the answer. */
static enum line_kind take_line(const char *text, size_t length, client_row_handler *handler,
				void *context)
{
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *row = json_object_get(line, "row");
	const char *reason = json_string_value(json_object_get(line, "error"));
	enum line_kind kind = LINE_ROW;

	if (row)
		kind = handler(context, row) ? LINE_ROW : LINE_END;
	else if (json_is_true(json_object_get(line, "end")))
		kind = LINE_END;
	else
		kind = LINE_ERROR;
	if (kind == LINE_ERROR)
		say(STATUS_FAILED, "%s",
		    reason ? reason : "the agent's answer makes no sense: are the versions alike?");
	json_decref(line);
	return kind;
}

static enum exit_status take_answer(struct lines *lines, const char *path, int patience_ms,
				    client_row_handler *handler, void *context)
{
	enum line_kind kind = LINE_ROW;
	enum lines_result result = LINES_LINE;
	const char *line;
	size_t length;

	while (kind == LINE_ROW && result == LINES_LINE) {
		result = lines_next(lines, patience_ms, &line, &length);
		if (result == LINES_LINE)
			kind = take_line(line, length, handler, context);
	}
	switch (result) {
	case LINES_LINE:
		return kind == LINE_END ? STATUS_DONE : STATUS_FAILED;
	case LINES_UNWANTED:
		return STATUS_DONE;
	case LINES_LATE:
		return say(STATUS_FAILED, "the agent at %s does not answer", path);
	case LINES_FAILED:
		return say(STATUS_FAILED, "out of memory");
	case LINES_ENDED:
		break;
	}
	if (patience_ms == PATIENCE_ENDLESS)
		return say(STATUS_FAILED, "the agent at %s has gone", path);
	return say(STATUS_FAILED, "the agent at %s ended before its answer did", path);
}

/* One request and the rows of its answer, each waited for so long. */
static enum exit_status converse(const struct invocation *invocation, const char *argument,
				 const char *value, int patience_ms, client_row_handler *handler,
				 void *context)
{
	struct lines lines = { .fd = reach(invocation->socket) };
	enum exit_status status;

	if (lines.fd < 0)
		return STATUS_FAILED;
	/* One that is full turns a client away unasked: there is an answer to read all the same. */
	if (!send_request(lines.fd, invocation->command->name, argument, value) && errno != EPIPE)
		status = say(STATUS_FAILED, "cannot ask the agent at %s: %s", invocation->socket,
			     strerror(errno));
	else
		status = take_answer(&lines, invocation->socket, patience_ms, handler, context);
	lines_free(&lines);
	close(lines.fd);
	return status;
}

enum exit_status client_ask(const struct invocation *invocation, const char *argument,
			    const char *value, client_row_handler *handler, void *context)
{
	return converse(invocation, argument, value, PATIENCE_MS, handler, context);
}

enum exit_status client_listen(const struct invocation *invocation, client_row_handler *handler,
			       void *context)
{
	return converse(invocation, NULL, NULL, PATIENCE_ENDLESS, handler, context);
}
