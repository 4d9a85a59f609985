/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands_paths.c - the commands that show and steer the paths that an agent keeps. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "config/options.h"
#include "keep/policy.h"
#include "kernel/connection_map.h"
#include "surface/commands_parts.h"
#include "surface/rows.h"
#include "surface/row.h"

/* The next path that is kept: one without bindings is about to go. */
static struct path *next_path(const struct subject *subject, struct progress *progress)
{
	const struct paths *paths = keeper_paths(subject->keeper);
	struct path *path = paths_walk(paths, &progress->cursor);

	while (path && path_state(path) == PATH_IDLE)
		path = paths_walk(paths, &progress->cursor);
	return path;
}

/* A path with what the kernel's maps say of it; "buffers" holds what is read. */
struct path_buffers {
	struct path_entry entry;
	struct connection_entry connection;
};

static struct rows_path read_maps(const struct subject *subject, const struct path *path,
				  struct path_buffers *buffers)
{
	int connections = attach_map(subject->options.attachment, SIPPATH_MAP_CONNECTIONS);
	struct rows_path shown = { .path = path };

	if (keeper_read_entry(subject->keeper, path, &buffers->entry) == 0)
		shown.entry = &buffers->entry;
	if (path->flow.transport == FLOW_TCP && connections >= 0 &&
	    connection_map_read(connections, &path->flow, &buffers->connection) == 0)
		shown.connection = &buffers->connection;
	return shown;
}

enum command_result commands_paths(const struct subject *subject, struct progress *progress,
				   json_t **row)
{
	const struct path *path = next_path(subject, progress);
	struct path_buffers buffers;
	struct rows_path shown;

	if (!path)
		return COMMAND_END;
	shown = read_maps(subject, path, &buffers);
	*row = rows_path(&shown, progress->now_ns);
	return commands_with_row(*row, COMMAND_ROW);
}

/* COMMAND_ROW once *path is the one that the client means. */
static enum command_result find_path(const struct subject *subject, struct progress *progress,
				     struct path **path)
{
	struct text reason = TEXT_OVER(progress->reason);
	int error = finder_next(&progress->finder, keeper_paths(subject->keeper),
				span_of(progress->argument), &reason, path);

	if (error == -EAGAIN)
		return COMMAND_LATER;
	return error ? COMMAND_REFUSED : COMMAND_ROW;
}

enum command_result commands_path(const struct subject *subject, struct progress *progress,
				  json_t **row)
{
	struct path_buffers buffers;
	enum command_result result;
	struct rows_path shown;
	struct path *path;

	result = find_path(subject, progress, &path);
	if (result != COMMAND_ROW)
		return result;
	shown = read_maps(subject, path, &buffers);
	*row = rows_path_in_full(&shown, progress->now_ns);
	return commands_with_row(*row, COMMAND_LAST_ROW);
}

/* The binding to go on with at a path, by counting if paths may have changed since. */
static const struct binding *next_binding(const struct progress *progress, const struct path *path)
{
	const struct binding *binding = path->bindings;

	if (progress->next)
		return progress->next;
	for (uint32_t i = 0; binding && i < progress->shown; i++)
		binding = binding->next;
	return binding;
}

/*
 * The cursor stays at a path until its last binding has been shown. Bindings that
 * come or go meanwhile may be missed or be shown twice; all others are shown once.
 */
enum command_result commands_bindings(const struct subject *subject, struct progress *progress,
				      json_t **row)
{
	uint32_t cursor = progress->cursor;
	const struct path *path = paths_walk(keeper_paths(subject->keeper), &cursor);
	const struct binding *binding;

	if (!path)
		return COMMAND_END;
	binding = next_binding(progress, path);
	progress->shown++;
	progress->next = binding ? binding->next : NULL;
	if (!progress->next) {
		progress->cursor = cursor;
		progress->shown = 0;
	}
	if (!binding)
		return COMMAND_LATER;
	*row = rows_binding(binding, progress->now_ns);
	return commands_with_row(*row, COMMAND_ROW);
}

/* Those from now on: there is no end. */
enum command_result commands_events(const struct subject *subject, struct progress *progress,
				    json_t **row)
{
	struct text reason = TEXT_OVER(progress->reason);
	int error;

	if (!progress->listening) {
		if (!events_join(subject->events, CONTROL_LISTENERS_MAX)) {
			text_format(&reason, "%d clients listen to events, and no more may",
				    CONTROL_LISTENERS_MAX);
			return COMMAND_REFUSED;
		}
		progress->event = events_next(subject->events);
		progress->listening = true;
	}
	error = events_read(subject->events, &progress->event, row);
	if (error == -EAGAIN)
		return COMMAND_QUIET;
	return error ? COMMAND_NO_MEMORY : COMMAND_ROW;
}

/* Why keeper_prompt() did not prompt. */
static void say_unprompted(struct text *reason, int error)
{
	switch (error) {
	case -EALREADY:
		text_format(reason, "a prompt is on its way on this path already");
		break;
	case -EAGAIN:
		text_format(reason, "a cap of prompts is used up: see prompts_capped_* of "
				    "\"sippath stats\", and try again");
		break;
	case -ENETDOWN:
		text_format(reason, "the programs are not on their interfaces: restart sippathd");
		break;
	case -EPROTONOSUPPORT:
		text_format(reason, "nothing can be put into a TCP connection of the SIP server: "
				    "the kernel's keepalive keeps it");
		break;
	default:
		text_format(reason, "the prompt could not be sent: %s", strerror(-error));
	}
}

enum command_result commands_prompt(const struct subject *subject, struct progress *progress,
				    json_t **row)
{
	struct text reason = TEXT_OVER(progress->reason);
	struct path_buffers buffers;
	enum command_result result;
	struct rows_path shown;
	struct path *path;
	int error;

	result = find_path(subject, progress, &path);
	if (result != COMMAND_ROW)
		return result;
	error = keeper_prompt(subject->keeper, path, progress->now_ns);
	if (error) {
		say_unprompted(&reason, error);
	} else {
		shown = read_maps(subject, path, &buffers);
		*row = rows_path(&shown, progress->now_ns);
	}
	/* Last of all: the turn may close the path. */
	subject->options.turn(subject->options.context);
	return error ? COMMAND_REFUSED : commands_with_row(*row, COMMAND_LAST_ROW);
}

/* -errno if TCP connections are kept at the old one. */
static int set_threshold(const struct subject *subject, uint64_t threshold_ns)
{
	char written[NUMBER_DURATION_MAX];
	int error;

	number_write_duration(threshold_ns, written);
	log_info("the threshold is %s from now on, by the control socket", written);
	if (threshold_ns < POLICY_THRESHOLD_POLITE_NS)
		log_warning("some devices and networks ban whoever prompts that often "
			    "(RFC 8085 section 3.5)");
	keeper_set_threshold(subject->keeper, threshold_ns);
	error = subject->options.threshold_changed(subject->options.context, threshold_ns);
	subject->options.turn(subject->options.context);
	return error;
}

enum command_result commands_threshold(const struct subject *subject, struct progress *progress,
				       json_t **out)
{
	const struct option_entry *entry = options_find_flag(SPAN("threshold"));
	struct text reason = TEXT_OVER(progress->reason);
	struct row row;
	uint64_t wanted_ns;
	int error;

	if (progress->has_argument) {
		if (number_read_duration(span_of(progress->argument), entry->lowest, entry->highest,
					 &wanted_ns)) {
			text_format(&reason, "expected %s, not \"%s\"", entry->expected,
				    progress->argument);
			return COMMAND_REFUSED;
		}
		error = set_threshold(subject, wanted_ns);
		if (error) {
			text_format(&reason,
				    "the threshold of UDP paths is %s now, but TCP connections "
				    "are kept at the old one: %s; try again",
				    progress->argument, strerror(-error));
			return COMMAND_REFUSED;
		}
	}
	row = row_begin();
	row_put_number(&row, "threshold_ms", keeper_threshold_ns(subject->keeper) / NS_PER_MS);
	*out = row_end(&row);
	return commands_with_row(*out, COMMAND_LAST_ROW);
}
