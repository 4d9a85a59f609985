/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/answer.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "surface/row.h"

/* {"name": value}; takes the value. */
static json_t *line_of(const char *name, json_t *value)
{
	struct row line = row_begin();

	row_put(&line, name, value);
	return row_end(&line);
}

json_t *answer_error(const char *reason)
{
	return line_of("error", row_text(span_of(reason)));
}

/* Says why a request is refused: -errno_value, or -ENOMEM if even that is not possible. */
static int refuse(int errno_value, json_t **line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(int errno_value, json_t **line, const char *format, ...)
{
	char reason[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	*line = answer_error(reason);
	return *line ? -errno_value : -ENOMEM;
}

/* Every member but "command" must be the argument of the command, a string. */
static int take_argument(struct answer *answer, const struct command *command, json_t *request,
			 json_t **line)
{
	struct progress *progress = &answer->progress;
	const char *name;
	json_t *value;

	json_object_foreach(request, name, value)
	{
		if (strcmp(name, "command") == 0)
			continue;
		if (!command->argument || strcmp(name, command->argument) != 0)
			return refuse(EINVAL, line, "%s does not take \"%s\"", command->name, name);
		if (!json_is_string(value) ||
		    json_string_length(value) >= sizeof(progress->argument))
			return refuse(EINVAL, line, "\"%s\" must be a string of at most %zu bytes",
				      name, sizeof(progress->argument) - 1);
		memcpy(progress->argument, json_string_value(value), json_string_length(value));
		progress->has_argument = true;
	}
	return 0;
}

static int begin(struct answer *answer, json_t *request, struct waker waker, json_t **line)
{
	const char *name = json_string_value(json_object_get(request, "command"));
	const struct command *command;
	int error;

	if (!name)
		return refuse(EBADMSG, line, "not a request: {\"command\": ...} is expected");
	command = commands_find(name);
	if (!command)
		return refuse(EINVAL, line, "there is no command \"%s\"", name);
	memset(answer, 0, sizeof(*answer));
	answer->progress.waker = waker;
	error = take_argument(answer, command, request, line);
	if (!error)
		answer->command = command;
	return error;
}

int answer_begin(struct answer *answer, struct span request, struct waker waker, json_t **line)
{
	json_error_t where;
	json_t *object = json_loadb(request.at, request.length, JSON_REJECT_DUPLICATES, &where);
	int error;

	if (!object)
		return refuse(EBADMSG, line, "not a request: %s", where.text);
	error = begin(answer, object, waker, line);
	json_decref(object);
	return error;
}

bool answer_going_on(const struct answer *answer)
{
	return answer->command != NULL;
}

bool answer_listens(const struct answer *answer)
{
	return answer->command && answer->progress.listening;
}

bool answer_waits(const struct answer *answer)
{
	return answer_is_quiet(answer) && !answer->progress.listening;
}

/* Nothing more is said, and nothing more is waited for. */
static void finish(struct answer *answer)
{
	inquiry_free(answer->progress.inquiry);
	answer->progress.inquiry = NULL;
	answer->command = NULL;
}

void answer_drop(struct answer *answer, const struct subject *subject)
{
	if (answer->progress.listening)
		events_part(subject->events);
	answer->progress.listening = false;
	finish(answer);
}

bool answer_is_quiet(const struct answer *answer)
{
	return answer->command && answer->quiet;
}

void answer_wake(struct answer *answer, uint64_t now_ns)
{
	answer->progress.now_ns = now_ns;
	answer->progress.next = NULL;
	answer->quiet = false;
}

/* The last line: nothing is left to say after it. */
static json_t *end_with(struct answer *answer, json_t *line)
{
	finish(answer);
	return line;
}

int answer_next(struct answer *answer, const struct subject *subject, json_t **line)
{
	enum command_result result = COMMAND_END;
	json_t *row = NULL;

	*line = NULL;
	if (!answer->ending)
		result = commands_step(answer->command, subject, &answer->progress, &row);
	switch (result) {
	case COMMAND_QUIET:
		answer->quiet = true;
		__attribute__((fallthrough));
	case COMMAND_LATER:
		return 0;
	case COMMAND_LAST_ROW:
		answer->ending = true;
		__attribute__((fallthrough));
	case COMMAND_ROW:
		*line = line_of("row", row);
		break;
	case COMMAND_END:
		*line = end_with(answer, line_of("end", json_true()));
		break;
	case COMMAND_REFUSED:
		*line = end_with(answer, answer_error(answer->progress.reason));
		break;
	case COMMAND_NO_MEMORY:
		break;
	}
	if (*line)
		return 0;
	finish(answer);
	return -ENOMEM;
}
