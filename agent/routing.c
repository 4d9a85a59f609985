/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing.h"

#include <errno.h>
#include <ev.h>
#include <string.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/log.h"
#include "callcontrol/kept_key.h"
#include "callcontrol/ports.h"
#include "callcontrol/server.h"
#include "cluster/follow.h"
#include "cluster/view.h"
#include "privileges/identity.h"
#include "privileges/sandbox.h"
#include "privileges/warden.h"
#include "signals.h"
#include "surface/control.h"
#include "surface/listener.h"
#include "vigil.h"

/* More than any set has; memory is taken as it is needed. */
#define LOCATIONS_MAX (UINT32_C(128) * 1024 * 1024)

/* Callers are kept waiting so long at the start for what Redis knows. */
#define PATIENCE_S 5.0

struct routing {
	const struct config *config;
	struct ev_loop *loop;
	struct counts counts;
	struct hash_key key;
	struct identity identity;
	int listening;
	struct warden *warden; /* NULL: we remove the socket ourselves */
	struct ports *ports;
	struct view *view;
	struct follow *follow;
	struct server *server;
	struct control *control;
	struct vigil *vigil;
	ev_timer patience;
	bool serving;
	bool knows; /* everything has been read once */
};

static bool has_datagram_port(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listen[i].transport == FLOW_UDP)
			return true;
	return false;
}

static int check_ports(struct routing *routing)
{
	const struct config *config = routing->config;

	if (config->mode_of_calls == SERVER_FORWARD && !has_datagram_port(config))
		return log_errno(EINVAL, "--mode forward sends from a UDP port, and none is "
					 "listened at: add --listen udp:ADDR:PORT");
	return 0;
}

static int begin_vigil(struct routing *routing)
{
	return vigil_open(&routing->counts, &routing->vigil);
}

static void end_vigil(struct routing *routing)
{
	vigil_close(routing->vigil);
}

static int find_identity(struct routing *routing)
{
	return identity_find(routing->config->user, &routing->identity);
}

static int begin_listening(struct routing *routing)
{
	routing->listening = listener_open(routing->config->socket);
	return routing->listening < 0 ? routing->listening : 0;
}

static void end_listening(struct routing *routing)
{
	listener_close(routing->listening, routing->config->socket);
}

static int begin_ports(struct routing *routing)
{
	struct ports_options options = {
		.loop = routing->loop,
		.listen = routing->config->listen,
		.listen_count = routing->config->listen_count,
		.stuck_ns = PORTS_STUCK_NS,
	};

	return ports_open(&options, &routing->ports);
}

static void end_ports(struct routing *routing)
{
	ports_close(routing->ports);
}

/* Only root's directory of the socket takes somebody to remove it in the end. */
static int begin_warden(struct routing *routing)
{
	struct warden_options options = {
		.socket_path = routing->config->socket,
		.sandbox = routing->config->sandbox,
	};

	return routing->identity.other ? warden_begin(&options, &routing->warden) : 0;
}

static void end_warden(struct routing *routing)
{
	warden_end(routing->warden);
}

static int begin_unprivileged(struct routing *routing)
{
	int error = listener_admit_group(routing->config->socket);

	if (error)
		return error;
	error = identity_hand_over(&routing->identity, routing->config->state_dir);
	return error ? error : identity_assume(&routing->identity);
}

static int begin_view(struct routing *routing)
{
	routing->view = view_new(LOCATIONS_MAX);
	return routing->view ? 0 : log_errno(ENOMEM, "no memory for what the proxies report");
}

static void end_view(struct routing *routing)
{
	view_free(routing->view);
}

static void serve(struct routing *routing)
{
	if (routing->serving)
		return;
	routing->serving = true;
	ev_timer_stop(routing->loop, &routing->patience);
	server_serve(routing->server);
	vigil_ready(routing->vigil);
}

static void on_known(void *context)
{
	struct routing *routing = context;

	routing->knows = true;
	serve(routing);
}

static void on_reported(void *context, const struct location *location)
{
	struct routing *routing = context;

	server_reported(routing->server, location, clock_now_ns());
}

static void on_patience_end(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	log_warning(
		"Redis has not told yet who is registered where: until it does, callers are told "
		"to try again (503); check --cluster");
	serve(timer->data);
}

static int begin_following(struct routing *routing)
{
	struct follow_options options = {
		.loop = routing->loop,
		.address = routing->config->cluster,
		.view = routing->view,
		.counts = &routing->counts,
		.ready = on_known,
		.changed = on_reported,
		.context = routing,
	};

	return follow_redis_open(&options, &routing->follow);
}

static void end_following(struct routing *routing)
{
	follow_close(routing->follow);
}

static uint64_t cluster_clock_ms(void *context)
{
	const struct routing *routing = context;

	return follow_clock_ms(routing->follow);
}

static bool knows(void *context)
{
	const struct routing *routing = context;

	return routing->knows;
}

static bool follows(void *context)
{
	const struct routing *routing = context;

	return follow_is_current(routing->follow, NULL);
}

static int begin_key(struct routing *routing)
{
	return kept_key_get(routing->config->state_dir, &routing->key);
}

static int begin_server(struct routing *routing)
{
	const struct config *config = routing->config;
	struct server_options options = {
		.loop = routing->loop,
		.mode = config->mode_of_calls,
		.verify_ns = config->verify_ns,
		.domain = config->domain,
		.trusted = config->peers,
		.trusted_count = config->peer_count,
		.key = &routing->key,
		.view = routing->view,
		.directory = follow_directory(routing->follow),
		.ports = routing->ports,
		.counts = &routing->counts,
		.clock_ms = cluster_clock_ms,
		.knows = knows,
		.follows = follows,
		.context = routing,
	};

	return server_new(&options, &routing->server);
}

static void end_server(struct routing *routing)
{
	server_free(routing->server);
}

static struct control_routing show(void *context)
{
	static struct node nodes[VIEW_NODES_MAX];
	const struct routing *routing = context;
	struct control_routing shown = {
		.nodes = view_nodes(routing->view, nodes, VIEW_NODES_MAX),
		.locations = view_count(routing->view),
	};

	shown.following = follow_is_current(routing->follow, &shown.lost_ns);
	return shown;
}

static int begin_control(struct routing *routing)
{
	struct control_options options = {
		.loop = routing->loop,
		.listening = routing->listening,
		.counts = &routing->counts,
		.troubles = vigil_troubles(routing->vigil),
		.directory = follow_directory(routing->follow),
		.cluster = &routing->config->cluster,
		.routing = show,
		.context = routing,
	};

	return control_open(&options, &routing->control);
}

static void end_control(struct routing *routing)
{
	control_close(routing->control);
}

static int begin_watching(struct routing *routing)
{
	struct vigil_options vigil = {
		.loop = routing->loop,
		.in_reach = follows,
		.context = routing,
	};

	ev_timer_init(&routing->patience, on_patience_end, PATIENCE_S, 0);
	routing->patience.data = routing;
	ev_timer_start(routing->loop, &routing->patience);
	vigil_watch(routing->vigil, &vigil);
	signals_watch(routing->loop);
	return 0;
}

static void end_watching(struct routing *routing)
{
	vigil_unwatch(routing->vigil);
	signals_unwatch(routing->loop);
	ev_timer_stop(routing->loop, &routing->patience);
}

static int begin_sandbox(struct routing *routing)
{
	return routing->config->sandbox ? sandbox_enter(SANDBOX_CALL_CONTROL) : 0;
}

/* The socket alone is left to it, until the end. */
static int keep_warden(struct routing *routing)
{
	return routing->warden ? warden_keep(routing->warden) : 0;
}

/* Nobody is answered before it is known who is registered where, or cannot be known for now. */
static const struct stage {
	int (*begin)(struct routing *routing);
	void (*end)(struct routing *routing);
} stages[] = {
	{ check_ports, NULL },
	{ begin_vigil, end_vigil },
	{ find_identity, NULL },
	{ begin_listening, end_listening },
	{ begin_ports, end_ports },
	{ begin_warden, end_warden },
	{ begin_unprivileged, NULL },
	{ begin_view, end_view },
	{ begin_following, end_following },
	{ begin_key, NULL },
	{ begin_server, end_server },
	{ begin_control, end_control },
	{ begin_watching, end_watching },
	{ begin_sandbox, NULL },
	{ keep_warden, NULL },
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

int routing_run(const struct config *config)
{
	struct routing routing = { .config = config, .loop = ev_default_loop(EVFLAG_AUTO) };
	size_t begun = 0;

	if (!routing.loop)
		return log_errno(ENOMEM, "cannot make an event loop");
	while (begun < STAGES && stages[begun].begin(&routing) == 0)
		begun++;
	if (begun == STAGES)
		ev_run(routing.loop, 0);
	for (size_t i = begun; i > 0; i--) {
		if (stages[i - 1].end)
			stages[i - 1].end(&routing);
	}
	ev_loop_destroy(routing.loop);
	return begun == STAGES ? 0 : -1;
}
