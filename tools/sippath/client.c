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

#include "say.h"

/* An agent that says nothing for so long is stuck. */
#define PATIENCE_S 10

static enum exit_status cannot_reach(const char *path, int error)
{
	const char *hint = ": is sippathd running?";

	if (error == EACCES)
		hint = ": only root and the group sippath may";
	return say(STATUS_FAILED, "cannot reach the agent at %s: %s%s", path, strerror(error),
		   hint);
}

/* A connection to the agent as a stream, or NULL after one line. */
static FILE *reach(const char *path)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	FILE *stream = NULL;
	int fd, error;

	if (length >= sizeof(address.sun_path)) {
		cannot_reach(path, ENAMETOOLONG);
		return NULL;
	}
	memcpy(address.sun_path, path, length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		stream = fdopen(fd, "r+");
	if (!stream) {
		error = errno;
		if (fd >= 0)
			close(fd);
		cannot_reach(path, error);
	}
	return stream;
}

/* False without memory, or if the agent has gone; what is wrong then shows in the answer. */
static bool send_request(FILE *stream, const char *command, const char *argument, const char *value)
{
	json_t *request = json_object();
	bool sent;

	sent = json_object_set_new(request, "command", json_string(command)) == 0 &&
	       (!value || json_object_set_new(request, argument, json_string(value)) == 0) &&
	       json_dumpf(request, stream, JSON_COMPACT) == 0 && fputc('\n', stream) != EOF &&
	       fflush(stream) == 0;
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

static enum exit_status take_answer(FILE *stream, const char *path, client_row_handler *handler,
				    void *context)
{
	enum line_kind kind = LINE_ROW;
	char *line = NULL;
	ssize_t length = 0;
	size_t size = 0;

	while (kind == LINE_ROW && (length = getline(&line, &size, stream)) >= 0)
		kind = take_line(line, (size_t)length, handler, context);
	free(line);
	if (kind == LINE_END)
		return STATUS_DONE;
	if (kind == LINE_ERROR)
		return STATUS_FAILED;
	if (ferror(stream) && errno == EAGAIN)
		return say(STATUS_FAILED, "the agent at %s does not answer", path);
	return say(STATUS_FAILED, "the agent at %s ended before its answer did", path);
}

enum exit_status client_ask(const struct invocation *invocation, const char *argument,
			    const char *value, client_row_handler *handler, void *context)
{
	FILE *stream = reach(invocation->socket);
	enum exit_status status;

	if (!stream)
		return STATUS_FAILED;
	/* One that is full turns a client away unasked: there is an answer to read all the same. */
	if (!send_request(stream, invocation->command->name, argument, value) && errno != EPIPE)
		status = say(STATUS_FAILED, "cannot ask the agent at %s: %s", invocation->socket,
			     strerror(errno));
	else
		status = take_answer(stream, invocation->socket, handler, context);
	fclose(stream);
	return status;
}
