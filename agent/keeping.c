/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeping.h"

#include <errno.h>
#include <ev.h>
#include <string.h>

#include "attaching.h"
#include "base/clock.h"
#include "base/log.h"
#include "keep/policy.h"
#include "kernel/requirements.h"
#include "keeping_parts.h"
#include "privileges/sandbox.h"
#include "signals.h"
#include "surface/listener.h"

/* Sightings read in one go, before other work gets its turn. */
#define SIGHTINGS_PER_TURN 256

static int check_privileges(struct agent *agent)
{
	(void)agent;
	return requirements_privileges();
}

static int find_identity(struct agent *agent)
{
	return identity_find(agent->config->user, &agent->identity);
}

static int begin_vigil(struct agent *agent)
{
	return vigil_open(&agent->counts, &agent->vigil);
}

static void end_vigil(struct agent *agent)
{
	vigil_close(agent->vigil);
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

static int begin_mending(struct agent *agent)
{
	struct mending_options options = {
		.attachment = agent->attachment,
		.socket_path = agent->config->socket,
		.sandbox = agent->config->sandbox,
	};

	return mending_begin(&options, &agent->mending);
}

/* What is to be undone the warden undoes. */
static void end_mending(struct agent *agent)
{
	mending_end(agent->mending);
}

static int begin_wire(struct agent *agent)
{
	return wire_open(agent->config->prompt_mark, &agent->counts, &agent->wire);
}

static void end_wire(struct agent *agent)
{
	wire_close(agent->wire);
}

/* Everything that only root can open is open. */
static int begin_unprivileged(struct agent *agent)
{
	int error = listener_admit_group(agent->config->socket);

	if (error)
		return error;
	error = identity_hand_over(&agent->identity, agent->config->state_dir);
	return error ? error : identity_assume(&agent->identity);
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

void keeping_turn(struct agent *agent)
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
	keeping_turn(context);
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
	keeping_turn(agent);
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
		.keeper.caps = config->caps,
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
	keeping_turn(timer->data);
}

static void on_sightings(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;

	(void)loop;
	(void)events;
	observer_read(agent->observer, SIGHTINGS_PER_TURN);
	keeping_turn(agent);
	/* Whoever is killed before this line reads them again. */
	if (pipeline_is_safe(agent->pipeline))
		observer_release(agent->observer);
}

static void on_addresses(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *agent = io->data;

	(void)loop;
	(void)events;
	keeper_addresses_changed(pipeline_keeper(agent->pipeline), clock_now_ns());
	keeping_turn(agent);
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
		.troubles = vigil_troubles(agent->vigil),
		.turn = turn_for_others,
		.threshold_changed = keeping_keep_connections,
		.sees_packets = keeping_sees_packets,
		.sees_connections = keeping_sees_connections,
		.context = agent,
	};

	return control_open(&options, &agent->control);
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
	keeping_watch_sight(agent);
	signals_watch(agent->loop);
	return 0;
}

static void end_watching(struct agent *agent)
{
	vigil_unwatch(agent->vigil);
	signals_unwatch(agent->loop);
	ev_io_stop(agent->loop, &agent->addresses);
	ev_io_stop(agent->loop, &agent->sightings);
	ev_timer_stop(agent->loop, &agent->due);
}

static int begin_sandbox(struct agent *agent)
{
	return agent->config->sandbox ? sandbox_enter(SANDBOX_AGENT) : 0;
}

/* Nothing can fail from here on. */
static int keep_what_is_attached(struct agent *agent)
{
	return mending_keep(agent->mending);
}

/*
 * What fails most often comes before what would have to be undone; then in order of
 * privilege. Whatever was attached is undone if a later stage fails.
 */
static const struct stage {
	int (*begin)(struct agent *agent);
	void (*end)(struct agent *agent);
} stages[] = {
	{ check_privileges, NULL },
	{ find_identity, NULL },
	{ begin_vigil, end_vigil },
	{ begin_listening, end_listening },
	{ begin_attachment, end_attachment },
	{ begin_mending, end_mending },
	{ begin_wire, end_wire },
	{ begin_unprivileged, NULL },
	{ begin_store, end_store },
	{ begin_share, end_share },
	{ begin_pipeline, end_pipeline },
	{ begin_observer, end_observer },
	{ begin_control, end_control },
	{ begin_watching, end_watching },
	{ begin_sandbox, NULL },
	{ keep_what_is_attached, NULL },
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
		vigil_ready(agent.vigil);
		keeping_turn(&agent);
		ev_run(agent.loop, 0);
	}
	for (size_t i = begun; i > 0; i--) {
		if (stages[i - 1].end)
			stages[i - 1].end(&agent);
	}
	ev_loop_destroy(agent.loop);
	return begun == STAGES && !agent.failed ? 0 : -1;
}
