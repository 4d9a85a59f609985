/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports.h"

#include "state/record.h"

/* So many paths are announced in one turn: then other work gets its own. */
#define PATHS_PER_TURN 512

void reports_put(struct reports *reports, const struct binding *binding, uint64_t heard_ns,
		 uint64_t now_ns)
{
	struct record record;
	struct share_report report = {
		.record = &record,
		.seen_ns = heard_ns,
		.health = binding->path->health,
	};

	if (record_describe(binding, &record))
		share_put(reports->share, &report, now_ns);
}

void reports_put_path(struct reports *reports, const struct path *path, uint64_t heard_ns,
		      uint64_t now_ns)
{
	for (const struct binding *binding = path->bindings; binding; binding = binding->next)
		reports_put(reports, binding, heard_ns, now_ns);
}

void reports_drop(struct reports *reports, const struct binding *binding)
{
	struct record record;

	if (record_describe(binding, &record))
		share_drop(reports->share, &record);
}

/* Paths that come while the walk goes on are reported on their own, wherever it has got to. */
bool reports_turn(struct reports *reports, const struct paths *paths, uint64_t now_ns)
{
	uint64_t wanted = share_epoch(reports->share);
	const struct path *path;

	if (wanted != reports->epoch)
		reports->cursor = 0;
	reports->epoch = wanted;
	for (int i = 0; i < PATHS_PER_TURN && wanted > 0; i++) {
		if (share_room(reports->share) == 0)
			return false;
		path = paths_walk(paths, &reports->cursor);
		if (!path) {
			share_announced(reports->share, wanted);
			return false;
		}
		reports_put_path(reports, path, path->last_seen_ns, now_ns);
	}
	return wanted > 0;
}
