/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeping_sight.c - what an agent sees: that programs stay where they are, and which connections
 * stand.
 */
#include "base/clock.h"
#include "base/log.h"
#include "keeping_parts.h"

static void take_connection(void *context, const struct flow *flow)
{
	struct agent *agent = context;

	pipeline_connection(agent->pipeline, flow, clock_now_ns());
}

/* As the programs would have reported it. */
static void lose_connection(void *context, const struct flow *flow)
{
	struct agent *agent = context;
	struct sighting closed = {
		.flow = *flow,
		.when_ns = clock_now_ns(),
		.kind = SIGHTING_CLOSED,
	};

	pipeline_sighting(agent->pipeline, &closed);
}

static void take_repair(void *context, const struct attach_repair *repair)
{
	struct agent *agent = context;

	vigil_mended(agent->vigil, repair, clock_now_ns());
}

/* After a report of the warden, and after every look. */
static void on_looked(void *context, uint64_t now_ns)
{
	(void)now_ns;
	keeping_turn(context);
}

/* A restart loses nothing, and begins with a warden that attaches what is missing. */
static void give_up(struct agent *agent)
{
	log_error("packets pass unseen, and without its warden sippathd cannot put that right: it "
		  "ends; start it again, or have systemd do so (Restart=on-failure)");
	agent->failed = true;
	ev_break(agent->loop, EVBREAK_ALL);
}

static void mend(void *context, uint64_t now_ns)
{
	struct agent *agent = context;

	if (agent->threshold_due && mending_works(agent->mending))
		keeping_keep_connections(agent,
					 keeper_threshold_ns(pipeline_keeper(agent->pipeline)));
	mending_turn(agent->mending, now_ns);
	if (vigil_is_blind(agent->vigil) && !mending_works(agent->mending) && !agent->failed)
		give_up(agent);
}

static bool can_mend(void *context)
{
	const struct agent *agent = context;

	return mending_works(agent->mending);
}

static bool is_in_reach(void *context)
{
	const struct agent *agent = context;
	const struct directory *directory = share_directory(agent->share);

	return directory->is_reachable(directory->context);
}

void keeping_watch_sight(struct agent *agent)
{
	const struct vigil_options vigil = {
		.loop = agent->loop,
		.in_reach = agent->config->in_cluster ? is_in_reach : NULL,
		.looked = on_looked,
		.context = agent,
		.keeper = pipeline_keeper(agent->pipeline),
		.counter_map = attach_map(agent->attachment, SIPPATH_MAP_COUNTERS),
		.store = agent->store,
		.mend = mend,
		.helper_lives = can_mend,
	};
	const struct mending_handlers mended = {
		.repaired = take_repair,
		.stands = take_connection,
		.gone = lose_connection,
		.told = on_looked,
		.context = agent,
	};

	vigil_watch(agent->vigil, &vigil);
	mending_watch(agent->mending, agent->loop, &mended);
	keeping_keep_connections(agent, keeper_threshold_ns(vigil.keeper));
}

int keeping_keep_connections(void *context, uint64_t threshold_ns)
{
	struct agent *agent = context;
	int error = mending_set_threshold(agent->mending, threshold_ns, clock_now_ns());

	agent->threshold_due = error != 0;
	return error;
}

bool keeping_sees_packets(void *context)
{
	const struct agent *agent = context;

	return !vigil_is_blind(agent->vigil);
}

bool keeping_sees_connections(void *context)
{
	const struct agent *agent = context;

	return mending_sees_connections(agent->mending);
}
