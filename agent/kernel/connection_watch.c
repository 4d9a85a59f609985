/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/connection_watch.h"

#include <errno.h>

#include "base/log.h"
#include "kernel/keepalive.h"

static int look_around(struct connection_watch *watch, uint64_t now_ns)
{
	watch->next_ns = now_ns + CONNECTION_WATCH_PERIOD_NS;
	return keepalive_look_around(watch->attachment, now_ns, watch->stands, watch->gone,
				     watch->context);
}

int connection_watch_set(struct connection_watch *watch, uint64_t threshold_ns, uint64_t now_ns)
{
	int err;

	watch->works = keepalive_works(watch->attachment);
	if (!watch->works)
		return 0;
	err = keepalive_set(watch->attachment, threshold_ns);
	return err < 0 ? err : look_around(watch, now_ns);
}

/* Again if now is not the time; what cannot be made good is said once. */
static void mend(struct connection_watch *watch, uint64_t now_ns)
{
	if (!watch->lost)
		log_error("what sees TCP connections has been taken off the cgroup v2 hierarchy");
	watch->lost = true;
	if (attach_mend_connections(watch->attachment) == -EBUSY)
		return;
	watch->lost = false;
	watch->works = keepalive_works(watch->attachment);
	if (!watch->works) {
		log_error("TCP connections are not known and not kept open, UDP paths are: restart"
			  " sippathd once its place is free");
		return;
	}
	log_info("TCP connections are seen again");
	look_around(watch, now_ns);
}

void connection_watch_turn(struct connection_watch *watch, uint64_t now_ns)
{
	if (!watch->works)
		return;
	if (!keepalive_works(watch->attachment))
		mend(watch, now_ns);
	else if (now_ns >= watch->next_ns)
		look_around(watch, now_ns);
}
