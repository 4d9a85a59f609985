/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/path.h"

#include "base/clock.h"

static const char *const state_names[] = {
	[PATH_IDLE] = "idle",
	[PATH_REGISTERED] = "registered",
	[PATH_REGISTERED_DIALOG] = "registered+dialog",
	[PATH_DIALOG] = "dialog",
	[PATH_LINGERING] = "lingering",
	[PATH_CONNECTED] = "connected",
};

static const char *const health_names[] = {
	[PATH_LIVE] = "live",
	[PATH_AWAITING] = "awaiting",
	[PATH_SILENT] = "silent",
};

#define NOTE_TEXT_(name, text) [PATH_NOTE_##name] = (text),
#define NOTE_NAME_(name, text) [PATH_NOTE_##name] = #name,

static const char *const note_texts[] = { PATH_NOTES(NOTE_TEXT_) };
static const char *const note_names[] = { PATH_NOTES(NOTE_NAME_) };

_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == PATH_STATE_MAX,
	       "every state of a path has a name");
_Static_assert(sizeof(health_names) / sizeof(health_names[0]) == PATH_HEALTH_MAX,
	       "every health of a path has a name");

enum path_state path_state(const struct path *path)
{
	const uint32_t *counts = path->binding_counts;

	if (counts[BINDING_REGISTRATION] > 0 || counts[BINDING_SUBSCRIPTION] > 0)
		return counts[BINDING_DIALOG] > 0 ? PATH_REGISTERED_DIALOG : PATH_REGISTERED;
	if (counts[BINDING_DIALOG] > 0)
		return PATH_DIALOG;
	if (counts[BINDING_CONNECTION] > 0)
		return PATH_CONNECTED;
	return counts[BINDING_LINGERING] > 0 ? PATH_LINGERING : PATH_IDLE;
}

const char *path_state_name(enum path_state state)
{
	return state_names[state];
}

const char *path_health_name(enum path_health health)
{
	return health_names[health];
}

const char *path_note_text(enum path_note note)
{
	return note_texts[note];
}

const char *path_note_name(enum path_note note)
{
	return note_names[note];
}

bool path_outlives(const struct path *path, uint64_t when_ns)
{
	for (const struct binding *binding = path->bindings; binding; binding = binding->next)
		if (binding->ends_ns > when_ns)
			return true;
	return false;
}

static uint64_t seek_first_end(const struct path *path)
{
	uint64_t first_ns = CLOCK_NEVER;

	for (const struct binding *binding = path->bindings; binding; binding = binding->next)
		if (binding->ends_ns < first_ns)
			first_ns = binding->ends_ns;
	return first_ns;
}

static bool is_trunk(const struct path *path)
{
	uint64_t count = 0;

	for (size_t i = 0; i < BINDING_KIND_MAX; i++)
		count += path->binding_counts[i];
	return count > PATH_TRUNK_BINDINGS;
}

static uint64_t whole_second(uint64_t when_ns)
{
	return when_ns == CLOCK_NEVER ? CLOCK_NEVER
				      : (when_ns + NS_PER_S - 1) / NS_PER_S * NS_PER_S;
}

uint64_t path_first_end_ns(struct path *path)
{
	bool was_due = !path->due.link && path->due.due_ns >= path->first_end_ns;

	if (!path->bindings)
		return CLOCK_NEVER;
	if (was_due)
		path->first_end_ns = seek_first_end(path);
	return is_trunk(path) ? whole_second(path->first_end_ns) : path->first_end_ns;
}
