/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_world.h - an agent around a control socket, and its clients, for tests.
 * Include cmocka first, and include this in one file of a test.
 *
 * The paths are real; the keeper, the attachment and the kernel's counters are
 * replaced by what the test says, so no root and no kernel is needed. Client and
 * agent share one thread: turn() gives the agent one turn of its loop.
 */
#ifndef TESTS_UNIT_CONTROL_WORLD_H
#define TESTS_UNIT_CONTROL_WORLD_H

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/share.h"
#include "kernel/connection_map.h"
#include "kernel/kernel_counts.h"
#include "state/registration.h"
#include "surface/control.h"
#include "surface/listener.h"

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Long after anything here has happened, and still an end. */
#define PATIENCE_NS (20 * NS_PER_S)

#define PATHS_MANY 5000

struct keeper {
	struct paths *paths;
	uint64_t threshold_ns;
	size_t entries_read;
	struct path *prompted;
	int prompt_error;
	path_event_handler *on_event;
	void *event_context;
};

struct pipeline {
	struct keeper keeper;
};

static struct pipeline pipeline;
static struct counts counts;
static struct registration registrations[PATHS_MANY];
static size_t registered;
static size_t turns_asked_for;
static uint64_t threshold_told_ns;
static int threshold_error;
static struct connection_entry connection;
static struct path_rules rules;
static int kernel_error;
static struct ev_loop *loop;
static struct control *control;
static int listening;
static struct troubles *troubles;
static char directory[] = "/tmp/sippath-test-control-XXXXXX";
static char socket_path[sizeof(directory) + 16];

struct keeper *pipeline_keeper(const struct pipeline *of)
{
	return (struct keeper *)&of->keeper;
}

const struct paths *keeper_paths(const struct keeper *keeper)
{
	return keeper->paths;
}

size_t keeper_kept(const struct keeper *keeper)
{
	struct path *path;
	uint32_t cursor = 0;
	size_t kept = 0;

	while ((path = paths_walk(keeper->paths, &cursor)))
		kept += path_state(path) != PATH_IDLE;
	return kept;
}

void keeper_on_event(struct keeper *keeper, path_event_handler *handler, void *context)
{
	keeper->on_event = handler;
	keeper->event_context = context;
}

uint64_t keeper_threshold_ns(const struct keeper *keeper)
{
	return keeper->threshold_ns;
}

void keeper_set_threshold(struct keeper *keeper, uint64_t threshold_ns)
{
	keeper->threshold_ns = threshold_ns;
}

int keeper_prompt(struct keeper *keeper, struct path *path, uint64_t now_ns)
{
	(void)now_ns;
	keeper->prompted = path;
	return keeper->prompt_error;
}

int keeper_read_entry(const struct keeper *keeper, const struct path *path,
		      struct path_entry *entry)
{
	(void)path;
	((struct keeper *)keeper)->entries_read++;
	*entry = (struct path_entry){ .last_seen_ns = 1 };
	return 0;
}

const struct attach_interface *attach_interfaces(const struct attachment *attachment, size_t *count)
{
	static const struct attach_interface interface = { .name = "eth0", .native = true };

	(void)attachment;
	*count = 1;
	return &interface;
}

int attach_map(const struct attachment *attachment, const char *name)
{
	(void)attachment;
	if (strcmp(name, SIPPATH_MAP_COUNTERS) == 0)
		return 77;
	return strcmp(name, SIPPATH_MAP_CONNECTIONS) == 0 ? 78 : -ENOENT;
}

uint32_t attach_paths_max(const struct attachment *attachment)
{
	(void)attachment;
	return 1024;
}

int kernel_counts_read(int map_fd, uint64_t out[KERNEL_COUNTER_MAX])
{
	assert_int_equal(map_fd, 77);
	if (!kernel_error)
		memset(out, 0, KERNEL_COUNTER_MAX * sizeof(out[0]));
	return kernel_error;
}

int connection_map_read(int map, const struct flow *flow, struct connection_entry *entry)
{
	assert_int_equal(map, 78);
	assert_int_equal(flow->transport, FLOW_TCP);
	*entry = connection;
	return 0;
}

static inline bool sees_all(void *context)
{
	assert_ptr_equal(context, &turns_asked_for);
	return true;
}

static inline int note_threshold(void *context, uint64_t threshold_ns)
{
	assert_ptr_equal(context, &turns_asked_for);
	threshold_told_ns = threshold_ns;
	return threshold_error;
}

static inline void count_turn(void *context)
{
	assert_ptr_equal(context, &turns_asked_for);
	turns_asked_for++;
}

static inline void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* One more path with one registration, from a remote port of its own. */
static inline struct path *add_path_over(enum flow_transport transport, uint32_t number)
{
	struct flow flow = {
		.local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.remote_addr = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = (uint16_t)(10000 + number),
		.transport = (uint8_t)transport,
	};
	struct registration *registration = &registrations[registered++];
	struct path *path = paths_add(pipeline.keeper.paths, &flow, 1);

	assert_non_null(path);
	*registration = (struct registration){
		.binding.kind = BINDING_REGISTRATION,
		.binding.target = SPAN("sip:alice@198.51.100.7"),
		.binding.aor = SPAN("sip:\xff\x1b\"@example.org"),
		.accepted_ns = 1,
	};
	path->rules = &rules;
	paths_attach(path, &registration->binding);
	return path;
}

static inline struct path *add_path(uint32_t number)
{
	return add_path_over(FLOW_UDP, number);
}

static inline void drop_path(struct path *path)
{
	while (path->bindings)
		paths_detach(path->bindings);
	paths_drop(pipeline.keeper.paths, path);
}

/* A client, and what it has read but not yet looked at. */
struct peer {
	int fd;
	size_t used;
	char bytes[128 * 1024];
};

static inline struct peer *connect_peer(void)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_non_null(peer);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(peer->fd >= 0);
	strcpy(address.sun_path, socket_path);
	assert_int_equal(connect(peer->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	turn();
	return peer;
}

static inline void leave(struct peer *peer)
{
	close(peer->fd);
	free(peer);
	turn();
}

static inline void say_bytes(struct peer *peer, const char *bytes, size_t length)
{
	assert_int_equal(send(peer->fd, bytes, length, MSG_NOSIGNAL), length);
}

static inline void say(struct peer *peer, const char *line)
{
	say_bytes(peer, line, strlen(line));
	say_bytes(peer, "\n", 1);
}

/* Takes what has come; false at the end of the connection. */
static inline bool hear(struct peer *peer)
{
	ssize_t length =
		recv(peer->fd, peer->bytes + peer->used, sizeof(peer->bytes) - peer->used, 0);

	if (length < 0) {
		assert_true(errno == EAGAIN || errno == ECONNRESET);
		return errno == EAGAIN;
	}
	peer->used += (size_t)length;
	return length > 0;
}

/* The next line of the answer, or NULL if the connection ends instead. */
static inline json_t *next_line(struct peer *peer)
{
	uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	struct pollfd ready = { .fd = peer->fd, .events = POLLIN };
	bool open = true;
	json_t *line;
	char *end;

	while (!(end = memchr(peer->bytes, '\n', peer->used))) {
		if (!open)
			return NULL;
		assert_true(clock_now_ns() < end_ns);
		turn();
		poll(&ready, 1, 1);
		open = hear(peer);
	}
	line = json_loadb(peer->bytes, (size_t)(end - peer->bytes), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	peer->used -= (size_t)(end + 1 - peer->bytes);
	memmove(peer->bytes, end + 1, peer->used);
	return line;
}

static inline void assert_closed(struct peer *peer)
{
	assert_null(next_line(peer));
	assert_int_equal(peer->used, 0);
}

/* The row that comes next; the caller's. */
static inline json_t *expect_row(struct peer *peer)
{
	json_t *line = next_line(peer);
	json_t *row;

	assert_non_null(line);
	row = json_incref(json_object_get(line, "row"));
	assert_true(json_is_object(row));
	json_decref(line);
	return row;
}

static inline void expect_end(struct peer *peer)
{
	json_t *line = next_line(peer);

	assert_non_null(line);
	assert_true(json_is_true(json_object_get(line, "end")));
	json_decref(line);
}

static inline void expect_error(struct peer *peer, const char *wanted)
{
	json_t *line = next_line(peer);
	const char *reason;

	assert_non_null(line);
	reason = json_string_value(json_object_get(line, "error"));
	if (!reason || !strstr(reason, wanted))
		fail_msg("expected an error with \"%s\", not \"%s\"", wanted, reason ? reason : "");
	json_decref(line);
}

static inline void expect_status(struct peer *peer)
{
	json_t *row;

	say(peer, "{\"command\": \"status\"}");
	row = expect_row(peer);
	assert_non_null(json_object_get(row, "version"));
	json_decref(row);
	expect_end(peer);
}

static inline json_int_t number_of(const json_t *row, const char *name)
{
	assert_true(json_is_integer(json_object_get(row, name)));
	return json_integer_value(json_object_get(row, name));
}

/* An agent outside of any cluster; whoever serves it sets the loop and the socket. */
static inline struct control_options agent_options(void)
{
	static const uint16_t ports[] = { 5060, 5062 };

	return (struct control_options){
		.counts = &counts,
		.directory = share_directory(share_none()),
		.pipeline = &pipeline,
		.ports = ports,
		.port_count = COUNT(ports),
		.turn = count_turn,
		.threshold_changed = note_threshold,
		.sees_packets = sees_all,
		.sees_connections = sees_all,
		.context = &turns_asked_for,
	};
}

static inline int begin_with(struct control_options options)
{
	log_set_level(LOG_LEVEL_ERROR);
	loop = ev_loop_new(EVFLAG_AUTO);
	pipeline.keeper = (struct keeper){
		.paths = paths_new(PATHS_MANY),
		.threshold_ns = 24 * NS_PER_S,
	};
	registered = 0;
	turns_asked_for = 0;
	threshold_told_ns = 0;
	threshold_error = 0;
	kernel_error = 0;
	connection = (struct connection_entry){ .keepalive = 1 };
	rules = (struct path_rules){ .threshold_ns = 24 * NS_PER_S };
	memset(&counts, 0, sizeof(counts));
	troubles = troubles_new(&counts);
	options.troubles = troubles;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	if (!loop || !troubles || !pipeline.keeper.paths || !mkdtemp(directory))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s.sock", directory);
	listening = listener_open(socket_path);
	options.loop = loop;
	options.listening = listening;
	return listening < 0 ? listening : control_open(&options, &control);
}

static inline int begin(void **state)
{
	(void)state;
	return begin_with(agent_options());
}

static inline int end(void **state)
{
	struct path *path;
	uint32_t cursor = 0;

	(void)state;
	if (control)
		control_close(control);
	troubles_free(troubles);
	listener_close(listening, socket_path);
	ev_loop_destroy(loop);
	while ((path = paths_walk(pipeline.keeper.paths, &cursor)))
		drop_path(path);
	paths_free(pipeline.keeper.paths);
	/* Fails if the socket file is still there. */
	return rmdir(directory);
}

#endif
