/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/finder.h"

#include <errno.h>

#include "base/address.h"

/* Paths looked at in one call. */
#define PATHS_PER_CALL 256

/* Matches that are listed for a client who has to choose. */
#define LISTED_MAX 4

static void note_match(struct finder *finder, const struct flow *flow)
{
	struct text listed = TEXT_OVER(finder->listed);

	listed.used = strlen(finder->listed);
	if (finder->matches < LISTED_MAX) {
		text_format(&listed, "%s", finder->matches ? "; " : "");
		flow_write(&listed, flow);
	}
	if (finder->matches == 0) {
		memcpy(finder->flow.local_addr, flow->local_addr, sizeof(flow->local_addr));
		finder->flow.local_port = flow->local_port;
		finder->flow.transport = flow->transport;
	}
	finder->matches++;
}

static bool has_remote(const struct path *path, const struct flow *wanted)
{
	return path->flow.remote_port == wanted->remote_port &&
	       memcmp(path->flow.remote_addr, wanted->remote_addr, sizeof(wanted->remote_addr)) ==
		       0;
}

/* False once every path has been looked at. */
static bool walk_on(struct finder *finder, const struct paths *paths)
{
	for (int i = 0; i < PATHS_PER_CALL; i++) {
		const struct path *path = paths_walk(paths, &finder->cursor);

		if (!path)
			return false;
		if (path_state(path) != PATH_IDLE && has_remote(path, &finder->flow))
			note_match(finder, &path->flow);
	}
	return true;
}

static int find_flow(const struct finder *finder, const struct paths *paths, struct text *reason,
		     struct path **out)
{
	struct path *path = paths_find(paths, &finder->flow);

	if (!path || path_state(path) == PATH_IDLE) {
		text_format(reason, "no such path: ");
		flow_write(reason, &finder->flow);
		return -ENOENT;
	}
	*out = path;
	return 0;
}

static int find_remote(struct finder *finder, const struct paths *paths, struct span wanted,
		       struct text *reason, struct path **out)
{
	if (walk_on(finder, paths))
		return -EAGAIN;
	if (finder->matches == 1)
		return find_flow(finder, paths, reason, out);
	if (finder->matches == 0) {
		text_format(reason, "no path has the remote address ");
		text_add(reason, wanted);
		return -ENOENT;
	}
	text_format(reason, "%zu paths have that remote address, say the flow: %s%s",
		    finder->matches, finder->listed, finder->matches > LISTED_MAX ? "; ..." : "");
	return -ENOENT;
}

int finder_next(struct finder *finder, const struct paths *paths, struct span wanted,
		struct text *reason, struct path **out)
{
	struct flow flow;

	if (finder->walking)
		return find_remote(finder, paths, wanted, reason, out);
	if (flow_read(wanted, &flow) == 0) {
		finder->flow = flow;
		return find_flow(finder, paths, reason, out);
	}
	if (address_read_port(wanted, finder->flow.remote_addr, &finder->flow.remote_port)) {
		text_format(reason, "a flow is expected, such as \"udp 192.0.2.1:5060 "
				    "198.51.100.7:40001\", or a remote address and port alone");
		return -EINVAL;
	}
	finder->walking = true;
	return -EAGAIN;
}
