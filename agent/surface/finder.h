/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finder.h - finds the path that a client means, by its flow or by its remote
 * address alone.
 *
 * A flow is one look-up. A remote address means looking at every path, so that is
 * done a little at a time.
 */
#ifndef AGENT_SURFACE_FINDER_H
#define AGENT_SURFACE_FINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "state/paths.h"

/* Visible because it is a value that its owner embeds; all zero before the first call. */
struct finder {
	bool walking; /* through all paths, for flow.remote_addr and flow.remote_port */
	uint32_t cursor;
	struct flow flow; /* the wanted one, as far as is known */
	size_t matches;
	char listed[512]; /* the first matches as text */
};

/*
 * Goes on looking for what "wanted" names; the same "wanted" each time. 0 and *out
 * when it is found; -EAGAIN if there is more to look at; -ENOENT if there is no
 * such path or no single one, and -EINVAL if it is no flow, with the reason added
 * to "reason".
 */
int finder_next(struct finder *finder, const struct paths *paths, struct span wanted,
		struct text *reason, struct path **out);

#endif
