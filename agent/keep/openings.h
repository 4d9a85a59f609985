/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openings.h - opens and closes paths: a place in the table of paths and an entry in
 * sip_paths, always both.
 *
 * Knows neither bindings nor the schedule.
 */
#ifndef AGENT_KEEP_OPENINGS_H
#define AGENT_KEEP_OPENINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "path_entry.h"
#include "state/paths.h"

/* Visible because it is a value that its owner embeds; only openings.c changes its members. */
struct openings {
	int path_map; /* descriptor of sip_paths */
	int flow_map; /* descriptor of sip_flows, -1 for none */
	uint32_t paths_max;
	struct counts *counts; /* outlives the openings */
	struct paths *paths;
	bool refusing; /* said once, until a path fits again */
};

/*
 * Makes the table; -errno. The first four members are set by the caller; openings_free()
 * follows either way.
 */
int openings_init(struct openings *openings);

/* Frees the table; entries of sip_paths stay. */
void openings_free(struct openings *openings);

/* Deletes every entry of sip_paths that is no path's; -errno. */
int openings_sweep(struct openings *openings);

/*
 * Opens the path of a flow that has none. It counts as last heard at seen_ns, or when
 * sip_flows says so if that is later: a path may be opened long after its phone's
 * REGISTER was seen. An entry that an agent before this one has left in sip_paths goes on,
 * and knows better than either; if it tells of a prompt that was not answered, the path has that
 * prompt's time and counts it as failed. -ENOSPC or -E2BIG if there is no room, or another -errno.
 */
int openings_open(struct openings *openings, const struct flow *flow, uint64_t seen_ns,
		  struct path **out);

/* A path is not opened because of "error": counts it, says it once, returns the error. */
int openings_refuse(struct openings *openings, const struct flow *flow, int error);

/*
 * Closes a path that has no bindings and is off the schedule. -errno (counted) if its
 * entry could not be deleted: the path then stays, so that nothing is left behind for
 * ever.
 */
int openings_close(struct openings *openings, struct path *path);

/*
 * The path's entry, read into *entry; NULL if there is none, which is mended: unknown
 * is not idle (trap 11). What fails is counted.
 */
const struct path_entry *openings_read(struct openings *openings, const struct path *path,
				       struct path_entry *entry);

#endif
