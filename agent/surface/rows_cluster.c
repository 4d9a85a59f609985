/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rows_cluster.c - what the set of proxies knows: a row of "cluster", and one of "where". */
#include "surface/rows.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "surface/row.h"

static void put_between(struct row *row, const char *name, uint64_t from_ms, uint64_t until_ms)
{
	row_put_number(row, name, until_ms > from_ms ? until_ms - from_ms : 0);
}

json_t *rows_node(const struct node *node, bool current, uint64_t now_ms)
{
	bool alive = node->beat_ms + NODE_DEAD_NS / NS_PER_MS > now_ms;
	struct row row = row_begin();

	row_put_text(&row, "node", node->name);
	row_put_text(&row, "uri", node->uri);
	row_put_number(&row, "paths", node->paths);
	put_between(&row, "last_contact_ms", node->beat_ms, now_ms);
	row_put_flag(&row, "draining", node->draining);
	row_put_number(&row, "lag_ms", node->lag_ms);
	if (current)
		row_put_flag(&row, "alive", alive);
	else
		row_put_null(&row, "alive");
	return row_end(&row);
}

bool rows_on_one_path(const struct location *a, const struct location *b)
{
	return span_equal(a->node, b->node) && memcmp(&a->flow, &b->flow, sizeof(a->flow)) == 0;
}

/* A path as its locations make it; only what they say is set in "path". */
struct merged {
	struct path path;
	uint64_t accepted_ms; /* the newest one, as the next ones */
	uint64_t ends_ms;
	uint64_t heard_ms;
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * The latest report tells the health: it knows of the latest word of the device. A path falls
 * silent without one, so of two that know of the same word the worse one came later.
 */
static void merge_health(struct merged *merged, const struct location *location)
{
	if (location->heard_ms > merged->heard_ms ||
	    (location->heard_ms == merged->heard_ms && location->health > merged->path.health))
		merged->path.health = location->health;
}

static struct merged merge(const struct location *locations, size_t count)
{
	struct merged merged = { .path.flow = locations[0].flow };

	for (size_t i = 0; i < count; i++) {
		const struct location *location = &locations[i];

		if (!rows_on_one_path(location, &locations[0]))
			continue;
		merge_health(&merged, location);
		merged.path.binding_counts[location->kind]++;
		merged.accepted_ms = later(merged.accepted_ms, location->accepted_ms);
		merged.ends_ms = later(merged.ends_ms, location->ends_ms);
		merged.heard_ms = later(merged.heard_ms, location->heard_ms);
	}
	return merged;
}

json_t *rows_locations(const struct location *locations, size_t count, uint64_t now_ms)
{
	const struct merged merged = merge(locations, count);
	const struct path *path = &merged.path;
	struct row row = row_begin();

	row_put_text(&row, "node", locations[0].node);
	row_put_word(&row, "transport", flow_transport_name(path->flow.transport));
	row_put_address(&row, "local", path->flow.local_addr, path->flow.local_port);
	row_put_address(&row, "remote", path->flow.remote_addr, path->flow.remote_port);
	row_put_word(&row, "health", path_health_name((enum path_health)path->health));
	row_put_word(&row, "state", path_state_name(path_state(path)));
	put_between(&row, "accepted_ago_ms", merged.accepted_ms, now_ms);
	put_between(&row, "expires_in_ms", now_ms, merged.ends_ms);
	put_between(&row, "heard_ago_ms", merged.heard_ms, now_ms);
	row_put_number(&row, "devices", path->binding_counts[BINDING_REGISTRATION]);
	return row_end(&row);
}
