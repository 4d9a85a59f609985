/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "privileges/warden.h"

struct mending {
	struct attachment *attachment;
	struct warden *warden;
	struct mending_handlers handlers;
	struct attach_repair latest; /* what is known to be missing */
	uint64_t told_ns; /* when the warden last said something, or was first asked */
	uint64_t visit_ns; /* when connections are visited next */
	bool connections; /* are seen and kept */
	bool overdue; /* the warden does not answer; that was said */
};

int mending_begin(const struct mending_options *options, struct mending **out)
{
	struct warden_options warden = {
		.attachment = options->attachment,
		.socket_path = options->socket_path,
		.sandbox = options->sandbox,
	};
	struct mending *mending = calloc(1, sizeof(*mending));
	int error;

	if (!mending)
		return log_errno(ENOMEM, "out of memory");
	mending->attachment = options->attachment;
	error = warden_begin(&warden, &mending->warden);
	if (!error)
		error = attach_lend(options->attachment);
	if (error) {
		warden_end(mending->warden);
		free(mending);
		return error;
	}
	*out = mending;
	return 0;
}

int mending_keep(struct mending *mending)
{
	return warden_keep(mending->warden);
}

static void take_repair(struct mending *mending, const struct warden_report *report)
{
	const struct attach_repair *repair = &report->repair;

	mending->latest = *repair;
	mending->connections = report->connections;
	if (repair->shared.mended & ATTACH_PART_CONNECTIONS)
		mending->visit_ns = 0; /* what came and went meanwhile is found now */
	attach_interfaces_renew(mending->attachment, repair->interfaces, repair->count);
	mending->handlers.repaired(mending->handlers.context, repair);
}

/* What the iterator has confirmed stands in the map; the rest is gone. */
static void walk_connections(struct mending *mending, const struct warden_report *report)
{
	const struct mending_handlers *handlers = &mending->handlers;
	int map = attach_map(mending->attachment, SIPPATH_MAP_CONNECTIONS);
	int error = report->error;

	if (!error)
		error = connection_map_walk(map, report->begun_ns, handlers->stands, handlers->gone,
					    handlers->context);
	if (error)
		log_error("cannot look at the TCP connections that stand, which are kept no better"
			  " than before: %s",
			  strerror(-error));
}

static void on_report(void *context, const struct warden_report *report)
{
	struct mending *mending = context;

	mending->overdue = false;
	if (report->error == -EPIPE && !warden_lives(mending->warden))
		return;
	mending->told_ns = clock_now_ns();
	if (report->task == WARDEN_MEND)
		take_repair(mending, report);
	else
		walk_connections(mending, report);
	mending->handlers.told(mending->handlers.context, clock_now_ns());
}

void mending_watch(struct mending *mending, struct ev_loop *loop,
		   const struct mending_handlers *handlers)
{
	mending->handlers = *handlers;
	warden_watch(mending->warden, loop, on_report, mending);
}

static void say_overdue(struct mending *mending)
{
	if (!mending->overdue)
		log_error("the warden does not answer: when programs are taken off, sippathd"
			  " ends; restart it");
	mending->overdue = true;
}

/* Nobody else does. */
static void look(struct mending *mending)
{
	attach_look(mending->attachment, &mending->latest);
	mending->handlers.repaired(mending->handlers.context, &mending->latest);
}

void mending_turn(struct mending *mending, uint64_t now_ns)
{
	bool visit = mending->connections && now_ns >= mending->visit_ns;
	int error = warden_ask(mending->warden, visit ? WARDEN_VISIT : WARDEN_MEND, now_ns);

	if (error == -ETIMEDOUT)
		say_overdue(mending);
	if (!error && visit)
		mending->visit_ns = now_ns + MENDING_VISIT_NS;
	if (mending->told_ns == 0)
		mending->told_ns = now_ns;
	if (error == -EPIPE || now_ns > mending->told_ns + MENDING_PATIENCE_NS)
		look(mending);
}

int mending_set_threshold(struct mending *mending, uint64_t threshold_ns, uint64_t now_ns)
{
	int error = warden_set_keepalive(mending->warden, threshold_ns);

	if (error == -EOPNOTSUPP)
		return 0;
	if (error)
		return error;
	mending->connections = true;
	mending->visit_ns = now_ns;
	mending_turn(mending, now_ns);
	return 0;
}

bool mending_sees_connections(const struct mending *mending)
{
	return mending->connections;
}

bool mending_works(const struct mending *mending)
{
	return warden_lives(mending->warden) && !mending->overdue;
}

void mending_end(struct mending *mending)
{
	if (!mending)
		return;
	warden_end(mending->warden);
	free(mending);
}
