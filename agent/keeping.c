/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeping.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attaching.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/log.h"
#include "cluster/share.h"
#include "kernel/attach.h"
#include "kernel/connection_watch.h"
#include "keep/policy.h"
#include "keep/wire.h"
#include "kernel/lookout.h"
#include "kernel/observer.h"
#include "kernel/requirements.h"
#include "pipeline.h"
#include "signals.h"
#include "store/store.h"
#include "surface/control.h"
#include "surface/listener.h"

/* Sightings read in one go, before other work gets its turn. */
#define SIGHTINGS_PER_TURN 256

/* The interfaces are asked for the programs this often. */
#define LOOKOUT_S 1.0

struct agent {
	const struct config *config;
	struct ev_loop *loop;
	struct counts counts;
	int listening;
	struct attachment *attachment;
	struct wire *wire;
	struct store *store; /* NULL: bindings are forgotten with a restart */
	struct share *share;
	struct pipeline *pipeline;
	struct observer *observer;
	struct control *control;
	ev_io sightings;
	ev_io addresses;
	ev_timer due;
	ev_timer lookout;
	bool blind; /* an interface has lost the programs */
	struct connection_watch connections;
};

static int check_privileges(struct agent *agent)
{
	(void)agent;
	return requirements_privileges();
}

static int begin_listening(struct agent *agent)
{
	agent->listening = listener_open(agent->config->socket);
	return agent->listening < 0 ? agent->listening : 0;
}

static void end_listening(struct agent *agent)
{
	listener_close(agent->listening, agent->config->socket);
}

static int begin_attachment(struct agent *agent)
{
	struct attach_options options = attaching_options(agent->config);

	options.agent = true;
	return attach_open(&options, &agent->attachment);
}

static void end_attachment(struct agent *agent)
{
	attach_close(agent->attachment);
}

static int begin_wire(struct agent *agent)
{
	return wire_open(agent->config->prompt_mark, &agent->counts, &agent->wire);
}

static void end_wire(struct agent *agent)
{
	wire_close(agent->wire);
}

/* To keep paths is the work; to remember them over a restart is a comfort. */
static int begin_store(struct agent *agent)
{
	if (store_open(agent->config->state_dir, &agent->store))
		log_warning("bindings are not remembered over a restart of sippathd");
	return 0;
}

static void end_store(struct agent *agent)
{
	store_close(agent->store);
}

/* Does what is due, and sets the timer for what is due next. */
static void turn(struct agent *agent)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t next_ns = pipeline_turn(agent->pipeline, now_ns);

	ev_timer_stop(agent->loop, &agent->due);
	if (next_ns == CLOCK_NEVER)
		return;
	ev_now_update(agent->loop);
	ev_timer_set(&agent->due, next_ns > now_ns ? (double)(next_ns - now_ns) / NS_PER_S : 0, 0);
	ev_timer_start(agent->loop, &agent->due);
}

static void turn_for_others(void *context)
{
	turn(context);
}

static uint32_t count_paths(void *context)
{
	const struct agent *agent = context;

	return (uint32_t)keeper_kept(pipeline_keeper(agent->pipeline));
}

static void carry_out(void *context, const struct order *order, uint64_t accepted_ns)
{
	struct agent *agent = context;

	pipeline_order(agent->pipeline, order, accepted_ns, clock_now_ns());
	turn(agent);
}

static int begin_share(struct agent *agent)
{
	const struct config *config = agent->config;
	struct share_options options = {
		.loop = agent->loop,
		.address = config->cluster,
		.node = config->node,
		.uri = config->node_uri,
		.move = config->move,
		.counts = &agent->counts,
		.paths = count_paths,
		.ordered = carry_out,
		.wake = turn_for_others,
		.context = agent,
	};

	if (config->in_cluster)
		return share_redis_open(&options, &agent->share);
	agent->share = share_none();
	return 0;
}

static void end_share(struct agent *agent)
{
	share_close(agent->share);
}

static int begin_pipeline(struct agent *agent)
{
	const struct config *config = agent->config;
	int recalled, error;
	struct pipeline_options options = {
		.keeper.path_map = attach_map(agent->attachment, SIPPATH_MAP_PATHS),
		.keeper.flow_map = attach_map(agent->attachment, SIPPATH_MAP_FLOWS),
		.keeper.connection_map = attach_map(agent->attachment, SIPPATH_MAP_CONNECTIONS),
		.keeper.wire = agent->wire,
		.keeper.counts = &agent->counts,
		.keeper.paths_max = attach_paths_max(agent->attachment),
		.keeper.defaults = config->defaults,
		.keeper.networks = config->networks,
		.keeper.network_count = config->network_count,
		.keeper.coarse_lag_ns = clock_coarse_lag_ns(),
		.store = agent->store,
		.share = agent->config->in_cluster ? agent->share : NULL,
		.transactions_max = config->transactions_max,
		.linger_ns = config->linger_ns,
		.dialog_max_ns = config->dialog_max_ns,
	};

	config_warn(config);
	if (options.keeper.paths_max != config->paths_max)
		log_info("sip_paths was there before, with room for %u paths: another --paths-max "
			 "takes effect after \"sippath detach\"",
			 options.keeper.paths_max);
	error = pipeline_new(&options, clock_now_ns(), &agent->pipeline);
	if (error)
		return error;
	recalled = pipeline_recall(agent->pipeline, clock_now_ns());
	if (recalled < 0)
		log_warning("paths that are not remembered are kept again once their devices are "
			    "heard from");
	if (recalled > 0)
		log_info("bindings that are remembered: %d", recalled);
	return 0;
}

static void end_pipeline(struct agent *agent)
{
	pipeline_free(agent->pipeline);
}

static void on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	turn(timer->data);
}

static void on_sightings(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;

	(void)loop;
	(void)events;
	observer_read(agent->observer, SIGHTINGS_PER_TURN);
	turn(agent);
}

static void on_addresses(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;

	(void)loop;
	(void)events;
	keeper_addresses_changed(pipeline_keeper(agent->pipeline), clock_now_ns());
	turn(agent);
}

/* The programs can be taken off at any time: then nothing is known, and nothing prompted (trap 11). */
static void look_at_interfaces(struct agent *agent)
{
	const struct attach_interface *missing = lookout_missing(agent->attachment);
	bool blind = missing != NULL;

	if (blind == agent->blind)
		return;
	agent->blind = blind;
	if (missing)
		log_error("%s does not carry the programs any more, so nothing is prompted: "
			  "restart sippathd, which attaches them again",
			  missing->name);
	else
		log_info("the programs are on their interfaces again");
	keeper_set_blind(pipeline_keeper(agent->pipeline), blind, clock_now_ns());
}

static void on_lookout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;

	(void)loop;
	(void)events;
	look_at_interfaces(agent);
	if (!agent->blind)
		connection_watch_turn(&agent->connections, clock_now_ns());
	turn(agent);
}

static void take_sighting(void *context, const struct sighting *sighting)
{
	struct agent *agent = context;

	pipeline_sighting(agent->pipeline, sighting);
}

static int begin_observer(struct agent *agent)
{
	int map = attach_map(agent->attachment, SIPPATH_MAP_SIGHTINGS);

	agent->observer = observer_new(map, take_sighting, agent);
	if (!agent->observer)
		return log_errno(errno, "cannot read sip_sightings: %s", strerror(errno));
	return 0;
}

static void end_observer(struct agent *agent)
{
	observer_free(agent->observer);
}

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

static int keep_connections(void *context, uint64_t threshold_ns)
{
	struct agent *agent = context;

	return connection_watch_set(&agent->connections, threshold_ns, clock_now_ns());
}

static int begin_connections(struct agent *agent)
{
	agent->connections = (struct connection_watch){
		.attachment = agent->attachment,
		.stands = take_connection,
		.gone = lose_connection,
		.context = agent,
	};
	keep_connections(agent, keeper_threshold_ns(pipeline_keeper(agent->pipeline)));
	return 0;
}

static int begin_control(struct agent *agent)
{
	struct control_options options = {
		.loop = agent->loop,
		.listening = agent->listening,
		.ports = agent->config->ports,
		.port_count = agent->config->port_count,
		.attachment = agent->attachment,
		.pipeline = agent->pipeline,
		.directory = share_directory(agent->share),
		.cluster = agent->config->in_cluster ? &agent->config->cluster : NULL,
		.node = agent->config->in_cluster ? agent->config->node : NULL,
		.counts = &agent->counts,
		.turn = turn_for_others,
		.threshold_changed = keep_connections,
		.context = agent,
	};
	int error = listener_admit_group(agent->config->socket);

	return error ? error : control_open(&options, &agent->control);
}

static void end_control(struct agent *agent)
{
	control_close(agent->control);
}

static int begin_watching(struct agent *agent)
{
	ev_init(&agent->due, on_due);
	agent->due.data = agent;
	ev_io_init(&agent->sightings, on_sightings, observer_fd(agent->observer), EV_READ);
	agent->sightings.data = agent;
	ev_io_start(agent->loop, &agent->sightings);
	ev_io_init(&agent->addresses, on_addresses, wire_watch_fd(agent->wire), EV_READ);
	agent->addresses.data = agent;
	ev_io_start(agent->loop, &agent->addresses);
	ev_timer_init(&agent->lookout, on_lookout, LOOKOUT_S, LOOKOUT_S);
	agent->lookout.data = agent;
	ev_timer_start(agent->loop, &agent->lookout);
	signals_watch(agent->loop);
	return 0;
}

static void end_watching(struct agent *agent)
{
	signals_unwatch(agent->loop);
	ev_io_stop(agent->loop, &agent->addresses);
	ev_io_stop(agent->loop, &agent->sightings);
	ev_timer_stop(agent->loop, &agent->lookout);
	ev_timer_stop(agent->loop, &agent->due);
}

/*
 * What fails most often comes before what would have to be undone; then in order of
 * privilege. Whatever was attached is undone if a later stage fails.
 */
static const struct stage {
	int (*begin)(struct agent *agent);
	void (*end)(struct agent *agent);
} stages[] = {
	{ check_privileges, NULL },           { begin_listening, end_listening },
	{ begin_attachment, end_attachment }, { begin_wire, end_wire },
	{ begin_store, end_store },           { begin_share, end_share },
	{ begin_pipeline, end_pipeline },     { begin_observer, end_observer },
	{ begin_connections, NULL },          { begin_control, end_control },
	{ begin_watching, end_watching },
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

int keeping_run(const struct config *config)
{
	struct agent agent = { .config = config, .loop = ev_default_loop(EVFLAG_AUTO) };
	size_t begun = 0;

	if (!agent.loop)
		return log_errno(ENOMEM, "cannot make an event loop");
	while (begun < STAGES && stages[begun].begin(&agent) == 0)
		begun++;
	if (begun == STAGES) {
		attach_keep(agent.attachment);
		/* Whoever started us waits for this line, whatever the log level is. */
		dprintf(STDERR_FILENO, "sippathd: ready\n");
		turn(&agent);
		ev_run(agent.loop, 0);
	}
	for (size_t i = begun; i > 0; i--) {
		if (stages[i - 1].end)
			stages[i - 1].end(&agent);
	}
	ev_loop_destroy(agent.loop);
	return begun == STAGES ? 0 : -1;
}
