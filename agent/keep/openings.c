/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/openings.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "keep/policy.h"
#include "kernel/flow_map.h"
#include "kernel/path_map.h"

int openings_init(struct openings *openings)
{
	openings->paths = paths_new(openings->paths_max);
	return openings->paths ? 0 : -ENOMEM;
}

static bool is_path(void *context, const struct flow *flow)
{
	const struct openings *openings = context;

	return paths_find(openings->paths, flow) != NULL;
}

int openings_sweep(struct openings *openings)
{
	int swept = path_map_sweep(openings->path_map, is_path, openings);

	return swept < 0 ? swept : 0;
}

void openings_free(struct openings *openings)
{
	paths_free(openings->paths);
	openings->paths = NULL;
}

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* Until the path's entry stands, the programs stamp the flow's packets in sip_flows. */
static uint64_t last_heard_ns(const struct openings *openings, const struct flow *flow,
			      uint64_t seen_ns)
{
	uint64_t stamped_ns = 0;

	if (openings->flow_map >= 0)
		flow_map_last_seen(openings->flow_map, flow, &stamped_ns);
	return later(stamped_ns, seen_ns);
}

/* Nobody has answered to any prompt there, nor spoken: how many were given up by now. */
static unsigned int failures_of(const struct path_entry *entry)
{
	unsigned int first =
		POLICY_TRIES_MAX - 1; /* of whose sendings are no prompts of their own */

	if (entry->packets_in > 0 || entry->answers > 0 || entry->prompts <= first)
		return 1;
	return entry->prompts - first < UINT8_MAX ? entry->prompts - first : UINT8_MAX;
}

/*
 * An agent before this one may have been waiting for an answer: whoever has not given it stays
 * prompted, however often agents begin. Its token is not ours: a late answer is just a packet.
 */
static void go_on(struct path *path, const struct path_entry *entry)
{
	path->last_seen_ns = entry->last_seen_ns;
	if (entry->prompt_ns <= entry->last_seen_ns || entry->answer_token == entry->prompt_token)
		return;
	path->prompt.sent_ns = entry->prompt_ns;
	path->prompt.failures = (uint8_t)failures_of(entry);
}

int openings_open(struct openings *openings, const struct flow *flow, uint64_t seen_ns,
		  struct path **out)
{
	struct path *path = paths_add(openings->paths, flow, seen_ns);
	struct path_entry entry;
	int error;

	if (!path)
		return -errno;
	if (path_map_read(openings->path_map, flow, &entry) == 0) {
		go_on(path, &entry);
		error = 0;
	} else {
		path->last_seen_ns = last_heard_ns(openings, flow, seen_ns);
		error = path_map_insert(openings->path_map, flow, path->last_seen_ns);
	}
	if (error) {
		paths_drop(openings->paths, path);
		return error;
	}
	openings->refusing = false;
	*out = path;
	return 0;
}

int openings_refuse(struct openings *openings, const struct flow *flow, int error)
{
	char name[128];
	struct text text = TEXT_OVER(name);

	count_up(openings->counts, paths_refused);
	if (openings->refusing)
		return error;
	openings->refusing = true;
	flow_write(&text, flow);
	if (error == -ENOSPC || error == -E2BIG)
		log_warning(
			"sip_paths is full (paths-max = %u), so %s is not kept: raise --paths-max",
			openings->paths_max, name);
	else
		log_warning("%s is not kept: %s", name, strerror(-error));
	return error;
}

int openings_close(struct openings *openings, struct path *path)
{
	int error = path_map_delete(openings->path_map, &path->flow);

	if (error) {
		count_up(openings->counts, paths_unreadable);
		return error;
	}
	paths_drop(openings->paths, path);
	return 0;
}

const struct path_entry *openings_read(struct openings *openings, const struct path *path,
				       struct path_entry *entry)
{
	if (path_map_read(openings->path_map, &path->flow, entry) == 0)
		return entry;
	count_up(openings->counts, paths_unreadable);
	if (path_map_insert(openings->path_map, &path->flow, path->last_seen_ns))
		count_up(openings->counts, paths_unreadable);
	return NULL;
}
