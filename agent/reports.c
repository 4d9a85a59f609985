/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports.h"

#include <string.h>

#include "keep/rules.h"
#include "state/record.h"

/* So many paths are announced in one turn: then other work gets its own. */
#define PATHS_PER_TURN 512

/* Whether an answer is being waited for would be out of date before anybody reads it. */
static uint8_t lasting_health(const struct path *path)
{
	return path->health == PATH_SILENT ? PATH_SILENT : PATH_LIVE;
}

void reports_put(struct reports *reports, const struct binding *binding, uint64_t heard_ns,
		 uint64_t now_ns)
{
	struct record record;
	struct share_report report = {
		.record = &record,
		.seen_ns = heard_ns,
		.health = lasting_health(binding->path),
	};

	/* Trunks and other proxies: no device is reached there. */
	if (!reports->share || binding->path->rules->ignored)
		return;
	if (record_describe(binding, &record))
		share_put(reports->share, &report, now_ns);
}

static const struct binding *nth_binding(const struct path *path, uint32_t n)
{
	const struct binding *binding = path->bindings;

	for (uint32_t i = 0; binding && i < n; i++)
		binding = binding->next;
	return binding;
}

/*
 * Tells of the bindings of a path from "*told" on, as far as there is room; true once that was
 * the last one. Bindings that come meanwhile are told of on their own.
 */
static bool tell(struct reports *reports, const struct path *path, uint64_t heard_ns,
		 uint64_t now_ns, uint32_t *told)
{
	const struct binding *binding = nth_binding(path, *told);

	for (; binding; binding = binding->next) {
		if (share_room(reports->share) == 0)
			return false;
		reports_put(reports, binding, heard_ns, now_ns);
		++*told;
	}
	return true;
}

static bool is_small(const struct path *path)
{
	size_t count = 0;

	for (size_t kind = 0; kind < BINDING_KIND_MAX; kind++)
		count += path->binding_counts[kind];
	return count <= REPORTS_AT_ONCE;
}

static void take_out(struct reports *reports, size_t at)
{
	reports->retold_count--;
	memmove(&reports->retold[at], &reports->retold[at + 1],
		(reports->retold_count - at) * sizeof(reports->retold[0]));
}

/* One that is being told of already begins anew. */
static void tell_bit_by_bit(struct reports *reports, const struct path *path, uint64_t heard_ns)
{
	for (size_t i = 0; i < reports->retold_count; i++) {
		if (memcmp(&reports->retold[i].flow, &path->flow, sizeof(path->flow)) == 0) {
			take_out(reports, i);
			break;
		}
	}
	if (reports->retold_count == REPORTS_RETOLD_MAX)
		take_out(reports, 0);
	reports->retold[reports->retold_count++] =
		(struct reports_retold){ .flow = path->flow, .heard_ns = heard_ns };
}

void reports_put_path(struct reports *reports, const struct path *path, uint64_t heard_ns,
		      uint64_t now_ns)
{
	if (!reports->share)
		return;
	if (!is_small(path)) {
		tell_bit_by_bit(reports, path, heard_ns);
		return;
	}
	for (const struct binding *binding = path->bindings; binding; binding = binding->next)
		reports_put(reports, binding, heard_ns, now_ns);
}

void reports_drop(struct reports *reports, const struct binding *binding)
{
	struct record record;

	if (reports->share && record_describe(binding, &record))
		share_drop(reports->share, &record);
}

/* False while there is no room for more. */
static bool retell(struct reports *reports, const struct paths *paths, uint64_t now_ns)
{
	while (reports->retold_count > 0) {
		struct reports_retold *retold = &reports->retold[0];
		const struct path *path = paths_find(paths, &retold->flow);

		if (path && !tell(reports, path, retold->heard_ns, now_ns, &retold->told))
			return false;
		take_out(reports, 0);
	}
	return true;
}

/* Paths that come while the walk goes on are reported on their own, wherever it has got to. */
static bool announce(struct reports *reports, const struct paths *paths, uint64_t now_ns)
{
	for (int i = 0; i < PATHS_PER_TURN; i++) {
		uint32_t next = reports->cursor;
		const struct path *path = paths_walk(paths, &next);

		if (!path) {
			share_announced(reports->share, reports->epoch);
			return false;
		}
		if (!tell(reports, path, path->last_seen_ns, now_ns, &reports->told))
			return false;
		reports->cursor = next;
		reports->told = 0;
	}
	return true;
}

bool reports_turn(struct reports *reports, const struct paths *paths, uint64_t now_ns)
{
	uint64_t wanted = reports->share ? share_epoch(reports->share) : 0;

	if (wanted != reports->epoch) {
		reports->cursor = 0;
		reports->told = 0;
	}
	reports->epoch = wanted;
	if (!reports->share || !retell(reports, paths, now_ns) || wanted == 0)
		return false;
	return announce(reports, paths, now_ns);
}
