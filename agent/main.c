/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - what is started, in which order, and stopped in the opposite one.
 *
 * sippathd                 keeps paths until SIGTERM or SIGINT
 * sippathd attach DEV      brings the programs onto an interface and ends
 * sippathd detach DEV      takes them off and ends
 */
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/log.h"
#include "config/config.h"
#include "kernel/attach.h"
#include "keep/policy.h"
#include "keep/wire.h"
#include "kernel/observer.h"
#include "pipeline.h"
#include "surface/control.h"

/* Sightings read in one go, before other work gets its turn. */
#define SIGHTINGS_PER_TURN 256

#define SIGNALS 2

struct agent {
	const struct config *config;
	struct ev_loop *loop;
	struct counts counts;
	struct attachment *attachment;
	struct wire *wire;
	struct pipeline *pipeline;
	struct observer *observer;
	struct control *control;
	ev_io sightings;
	ev_io addresses;
	ev_timer due;
	ev_signal signals[SIGNALS];
};

static struct attach_options attach_options(const struct config *config)
{
	struct attach_options options = {
		.interfaces = config->interfaces,
		.interface_count = config->interface_count,
		.pin_dir = config->pin_dir,
		.paths_max = config->paths_max,
		.mode = config->mode,
		.settings.prompt_mark = config->prompt_mark,
		.settings.port_count = (uint32_t)config->port_count,
	};

	memcpy(options.settings.ports, config->ports, sizeof(options.settings.ports));
	return options;
}

static int begin_attachment(struct agent *agent)
{
	struct attach_options options = attach_options(agent->config);

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

static int begin_pipeline(struct agent *agent)
{
	const struct config *config = agent->config;
	struct pipeline_options options = {
		.keeper.path_map = attach_map(agent->attachment, SIPPATH_MAP_PATHS),
		.keeper.wire = agent->wire,
		.keeper.counts = &agent->counts,
		.keeper.paths_max = attach_paths_max(agent->attachment),
		.keeper.threshold_ns = config->threshold_ns,
		.keeper.coarse_lag_ns = clock_coarse_lag_ns(),
		.transactions_max = config->transactions_max,
	};

	if (config->threshold_ns < POLICY_THRESHOLD_POLITE_NS)
		log_warning("a threshold below 15 s is obeyed, but some devices and networks ban "
			    "whoever prompts that often (RFC 8085 section 3.5)");
	return pipeline_new(&options, clock_now_ns(), &agent->pipeline);
}

static void end_pipeline(struct agent *agent)
{
	pipeline_free(agent->pipeline);
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

static void turn_for_control(void *context)
{
	turn(context);
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

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)signal;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
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
		.socket = agent->config->socket,
		.ports = agent->config->ports,
		.port_count = agent->config->port_count,
		.attachment = agent->attachment,
		.pipeline = agent->pipeline,
		.counts = &agent->counts,
		.turn = turn_for_control,
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
	static const int numbers[SIGNALS] = { SIGTERM, SIGINT };

	ev_init(&agent->due, on_due);
	agent->due.data = agent;
	ev_io_init(&agent->sightings, on_sightings, observer_fd(agent->observer), EV_READ);
	agent->sightings.data = agent;
	ev_io_start(agent->loop, &agent->sightings);
	ev_io_init(&agent->addresses, on_addresses, wire_watch_fd(agent->wire), EV_READ);
	agent->addresses.data = agent;
	ev_io_start(agent->loop, &agent->addresses);
	for (int i = 0; i < SIGNALS; i++) {
		ev_signal_init(&agent->signals[i], on_signal, numbers[i]);
		ev_signal_start(agent->loop, &agent->signals[i]);
	}
	return 0;
}

static void end_watching(struct agent *agent)
{
	for (int i = 0; i < SIGNALS; i++)
		ev_signal_stop(agent->loop, &agent->signals[i]);
	ev_io_stop(agent->loop, &agent->addresses);
	ev_io_stop(agent->loop, &agent->sightings);
	ev_timer_stop(agent->loop, &agent->due);
}

/* In order of privilege: what needs most comes first. */
static const struct stage {
	int (*begin)(struct agent *agent);
	void (*end)(struct agent *agent);
} stages[] = {
	{ begin_attachment, end_attachment }, { begin_wire, end_wire },
	{ begin_pipeline, end_pipeline },     { begin_observer, end_observer },
	{ begin_control, end_control },       { begin_watching, end_watching },
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

static int keep_paths(const struct config *config)
{
	struct agent agent = { .config = config, .loop = ev_default_loop(EVFLAG_AUTO) };
	size_t begun = 0;

	if (!agent.loop)
		return log_errno(ENOMEM, "cannot make an event loop");
	while (begun < STAGES && stages[begun].begin(&agent) == 0)
		begun++;
	if (begun == STAGES) {
		log_info("ready");
		turn(&agent);
		ev_run(agent.loop, 0);
	}
	for (size_t i = begun; i > 0; i--)
		stages[i - 1].end(&agent);
	ev_loop_destroy(agent.loop);
	return begun == STAGES ? 0 : -1;
}

static int attach_interface(const struct config *config)
{
	struct attach_options options = attach_options(config);
	struct attachment *attachment;
	int error;

	options.keep_settings = true;
	error = attach_open(&options, &attachment);
	if (!error)
		attach_close(attachment);
	return error;
}

static int detach_interface(const struct config *config)
{
	return attach_remove(config->interfaces[0], config->pin_dir);
}

/* A role is chosen by the first argument; "DEV" after it stands for --interface DEV. */
static const struct role {
	const char *name;
	int (*play)(const struct config *config);
} roles[] = {
	{ "attach", attach_interface },
	{ "detach", detach_interface },
};

static const struct role *role_of(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return &roles[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static char interface_flag[] = "--interface";
	const struct role *role = role_of(argc, argv);
	struct config config;

	if (role)
		argv[1] = interface_flag;
	switch (config_read(argc, argv, true, &config)) {
	case CONFIG_RUN:
		break;
	case CONFIG_DONE:
		return EXIT_SUCCESS;
	case CONFIG_USAGE:
		return 2;
	case CONFIG_BAD:
		return EXIT_FAILURE;
	}
	log_set_level(config.log_level);
	if (role)
		return role->play(&config) ? EXIT_FAILURE : EXIT_SUCCESS;
	return keep_paths(&config) ? EXIT_FAILURE : EXIT_SUCCESS;
}
