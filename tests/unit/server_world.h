/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server_world.h - a call control server on a loopback address of its own, with a view that is
 * filled by hand, two proxies, a caller and a stranger.
 */
#ifndef TESTS_UNIT_SERVER_WORLD_H
#define TESTS_UNIT_SERVER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "callcontrol/message.h"
#include "callcontrol/reply.h"
#include "callcontrol/server.h"

#define NODES 2
#define WAIT_NS (10 * NS_PER_S)
#define NOW_MS UINT64_C(1700000000000)
#define HOUR_MS UINT64_C(3600000)
#define ALICE "sip:alice@example.com"
#define PATH1 "udp 192.0.2.1:5060 198.51.100.7:40001"
#define PATH2 "udp 192.0.2.1:5060 198.51.100.8:40002"

struct world {
	struct ev_loop *loop;
	struct view *view;
	struct ports *ports;
	struct server *server;
	struct counts counts;
	uint64_t now_ms; /* the clock of the cluster */
	char address[32]; /* the server's */
	int caller, stranger;
	uint16_t caller_port, stranger_port;
	int node[NODES];
	char node_uri[NODES][64];
	uint64_t beats;
	/* What was ordered last, and how often. */
	struct order order;
	char order_node[NODE_NAME_MAX + 1];
	unsigned int orders;
	int order_error; /* of the next one */
	bool confirms; /* orders are written at once */
	directory_answered *answered;
	void *asker;
	unsigned int forgotten;
	struct hash_key key;
	bool is_ignorant, is_blind; /* nothing was read yet; no node can be heard */
	struct server_options options;
	char received[MESSAGE_MAX];
};

static inline struct sockaddr_in name_of(const char *address, uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, address, &name.sin_addr), 1);
	return name;
}

static inline int open_peer(const char *address, uint16_t *port)
{
	struct sockaddr_in name = name_of(address, 0);
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_return_code(bind(fd, (struct sockaddr *)&name, length), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&name, &length), errno);
	*port = ntohs(name.sin_port);
	return fd;
}

static inline int take_order(void *context, struct span node, const struct order *order,
			     directory_answered *answered, void *asker)
{
	struct world *world = context;

	if (world->order_error)
		return world->order_error;
	world->order = *order;
	snprintf(world->order_node, sizeof(world->order_node), "%.*s", (int)node.length, node.at);
	world->answered = answered;
	world->asker = asker;
	world->orders++;
	if (world->confirms)
		answered(asker, &(struct directory_answer){ .error = 0 });
	return 0;
}

static inline void forget_asker(void *context, void *asker)
{
	struct world *world = context;

	world->forgotten++;
	if (world->asker == asker)
		world->asker = NULL;
}

static inline uint64_t world_clock_ms(void *context)
{
	return ((struct world *)context)->now_ms;
}

static inline bool world_knows(void *context)
{
	return !((struct world *)context)->is_ignorant;
}

static inline bool world_follows(void *context)
{
	return !((struct world *)context)->is_blind;
}

static inline void put_node(struct world *world, size_t index, bool draining, uint64_t heard_ns)
{
	static const char *const names[NODES] = { "one", "two" };
	struct node node = {
		.name = span_of(names[index]),
		.uri = span_of(world->node_uri[index]),
		.incarnation = 1,
		.beat_ms = world->now_ms + ++world->beats,
		.begun = 1,
		.whole = 1,
		.draining = draining,
	};

	assert_int_equal(view_put_node(world->view, &node, heard_ns), 0);
}

/* The first node is not heard of any more while the second one is, until it is dead. */
static inline void let_first_die(struct world *world)
{
	while (view_node_is_alive(world->view, SPAN("one"), clock_now_ns())) {
		put_node(world, 1, false, clock_now_ns());
		view_end_nodes(world->view);
		view_judge_nodes(world->view, clock_now_ns());
		usleep(50000);
	}
	view_judge_nodes(world->view, clock_now_ns());
}

static inline struct location make_location(const struct world *world, const char *node,
					    const char *flow, uint64_t accepted_ms, uint8_t health)
{
	struct location location = {
		.node = span_of(node),
		.aor = SPAN(ALICE),
		.device = SPAN("<urn:uuid:1>#0"),
		.kind = BINDING_REGISTRATION,
		.health = health,
		.accepted_ms = accepted_ms,
		.ends_ms = NOW_MS + HOUR_MS,
		.heard_ms = world->now_ms - 60000,
		.epoch = 1,
	};

	assert_int_equal(flow_read(span_of(flow), &location.flow), 0);
	return location;
}

/* A path to somebody else. */
static inline void put_other(struct world *world, const char *aor, const char *node,
			     const char *flow)
{
	struct location location = make_location(world, node, flow, NOW_MS - 1000, PATH_LIVE);

	location.aor = span_of(aor);
	assert_int_equal(view_put(world->view, &location), 0);
}

/* Alice is registered with that node since so many ms. */
static inline void put_alice(struct world *world, const char *node, const char *flow,
			     uint64_t ago_ms, uint8_t health)
{
	struct location location = make_location(world, node, flow, NOW_MS - ago_ms, health);

	assert_int_equal(view_put(world->view, &location), 0);
}

/* A path was heard just now, as its node says. */
static inline void report_heard(struct world *world, const char *node, const char *flow,
				uint64_t ago_ms)
{
	struct location location = make_location(world, node, flow, NOW_MS - ago_ms, PATH_LIVE);

	location.heard_ms = world->now_ms;
	assert_int_equal(view_put(world->view, &location), 0);
	server_reported(world->server, &location, clock_now_ns());
}

static inline void open_ports(struct world *world)
{
	struct ports_listen listen[] = { { .port = 5060, .transport = FLOW_UDP },
					 { .port = 5060, .transport = FLOW_TCP } };
	struct ports_options options = {
		.loop = world->loop,
		.listen = listen,
		.listen_count = 2,
		.stuck_ns = PORTS_STUCK_NS,
	};

	/* Each test program has an address of its own, so that they do not meet. */
	snprintf(world->address, sizeof(world->address), "127.%u.%u.%u",
		 100 + (unsigned int)getpid() / 65536 % 100, (unsigned int)getpid() / 256 % 256,
		 (unsigned int)getpid() % 256);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(address_read(span_of(world->address), listen[i].address), 0);
	assert_int_equal(ports_open(&options, &world->ports), 0);
}

static inline struct directory *world_directory(struct world *world)
{
	static struct directory directory;

	directory = (struct directory){
		.order = take_order,
		.forget = forget_asker,
		.context = world,
	};
	return &directory;
}

/* The server has stopped and starts again with these options. */
static inline void restart_server(struct world *world)
{
	server_free(world->server);
	world->server = NULL;
	assert_int_equal(server_new(&world->options, &world->server), 0);
	server_serve(world->server);
}

static inline struct world *open_world(enum server_mode mode, uint64_t verify_ns)
{
	struct world *world = calloc(1, sizeof(*world));
	struct server_options options = {
		.mode = mode,
		.verify_ns = verify_ns,
		.domain = "",
		.clock_ms = world_clock_ms,
		.knows = world_knows,
		.follows = world_follows,
	};

	assert_non_null(world);
	assert_int_equal(hash_key_make(&world->key), 0);
	options.key = &world->key;
	world->now_ms = NOW_MS;
	world->loop = ev_loop_new(EVFLAG_AUTO);
	world->view = view_new(1000);
	assert_non_null(world->view);
	open_ports(world);
	options.loop = world->loop;
	options.view = world->view;
	options.directory = world_directory(world);
	options.ports = world->ports;
	options.counts = &world->counts;
	options.context = world;
	world->options = options;
	restart_server(world);
	world->caller = open_peer("127.0.0.1", &world->caller_port);
	world->stranger = open_peer("127.0.0.99", &world->stranger_port);
	for (size_t i = 0; i < NODES; i++) {
		char address[32];
		uint16_t port;

		snprintf(address, sizeof(address), "127.0.0.%zu", 11 + i);
		world->node[i] = open_peer(address, &port);
		snprintf(world->node_uri[i], sizeof(world->node_uri[i]), "sip:%s:%u", address,
			 port);
		put_node(world, i, false, clock_now_ns());
	}
	return world;
}

static inline int close_world(void **state)
{
	struct world *world = *state;

	server_free(world->server);
	ports_close(world->ports);
	view_free(world->view);
	for (size_t i = 0; i < NODES; i++)
		close(world->node[i]);
	close(world->stranger);
	close(world->caller);
	ev_loop_destroy(world->loop);
	free(world);
	return 0;
}

static inline void send_bytes(struct world *world, int fd, struct span bytes)
{
	struct sockaddr_in name = name_of(world->address, 5060);

	assert_int_equal(
		sendto(fd, bytes.at, bytes.length, 0, (struct sockaddr *)&name, sizeof(name)),
		bytes.length);
}

/* The next datagram, which has to come; the server works meanwhile. */
static inline const char *receive(struct world *world, int fd)
{
	uint64_t end_ns = clock_now_ns() + WAIT_NS;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t count;

		ev_run(world->loop, EVRUN_NOWAIT);
		count = recv(fd, world->received, sizeof(world->received) - 1, MSG_DONTWAIT);
		if (count >= 0) {
			world->received[count] = '\0';
			return world->received;
		}
		assert_true(clock_now_ns() < end_ns);
		poll(&ready, 1, 1);
	}
}

static inline void assert_nothing_at(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static inline void assert_begins(const char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", text, start);
}

static inline void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("\"%s\" does not have \"%s\"", text, piece);
}

static inline void assert_has_not(const char *text, const char *piece)
{
	if (strstr(text, piece))
		fail_msg("\"%s\" has \"%s\"", text, piece);
}

struct call {
	const char *method;
	const char *uri;
	const char *branch;
	const char *to_tag; /* ";tag=x", or NULL */
	const char *headers; /* more of them, whole lines, or NULL */
	const char *transport; /* NULL: "UDP" */
};

static inline struct span write_call(const struct world *world, const struct call *call,
				     char *buffer, size_t size)
{
	int length = snprintf(buffer, size,
			      "%s %s SIP/2.0\r\n"
			      "Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bK%s;rport\r\n"
			      "Max-Forwards: 70\r\n"
			      "From: <sip:bob@example.com>;tag=b\r\n"
			      "To: <" ALICE ">%s\r\n"
			      "Call-ID: %s@127.0.0.1\r\n"
			      "CSeq: 1 %s\r\n"
			      "%s"
			      "Content-Length: 0\r\n\r\n",
			      call->method, call->uri, call->transport ? call->transport : "UDP",
			      world->caller_port, call->branch, call->to_tag ? call->to_tag : "",
			      call->branch, call->method, call->headers ? call->headers : "");

	assert_in_range(length, 1, size - 1);
	return (struct span){ buffer, (size_t)length };
}

static inline void send_call(struct world *world, const struct call *call)
{
	char buffer[2048];

	send_bytes(world, world->caller, write_call(world, call, buffer, sizeof(buffer)));
}

/* Sends a request and returns the answer, which is no larger than it may be. */
static inline const char *ask(struct world *world, const struct call *call)
{
	char buffer[2048];
	struct span bytes = write_call(world, call, buffer, sizeof(buffer));
	const char *answer;

	send_bytes(world, world->caller, bytes);
	answer = receive(world, world->caller);
	assert_true(2 * strlen(answer) <= 3 * bytes.length);
	return answer;
}

/* From now on only hosts of that network are served and trusted, besides the nodes. */
static inline void trust_only(struct world *world, const char *address, uint8_t prefix)
{
	static struct trust_network network;

	network.prefix = (uint8_t)(96 + prefix);
	assert_int_equal(address_read(span_of(address), network.address), 0);
	world->options.trusted = &network;
	world->options.trusted_count = 1;
	restart_server(world);
}

/* Everything that was sent before has been dealt with, and the caller was told nothing. */
static inline void assert_caller_hears_nothing(struct world *world)
{
	static unsigned int times;
	char branch[32];
	struct call call = { .method = "OPTIONS", .uri = "sip:127.0.0.1", .branch = branch };

	snprintf(branch, sizeof(branch), "barrier%u", times++);
	assert_has(ask(world, &call), branch);
	assert_nothing_at(world->caller);
}

/* What a node answers to a request that it got. */
static inline void answer_from(struct world *world, int fd, const char *request, const char *status)
{
	char bytes[4096];
	const char *headers = strstr(request, "\r\n");

	assert_non_null(headers);
	snprintf(bytes, sizeof(bytes), "SIP/2.0 %s%s", status, headers);
	send_bytes(world, fd, span_of(bytes));
}

#define counted(world, name) ((world)->counts.value[COUNT_##name])

#define CALL_ALICE(branch_) ((struct call){ .method = "INVITE", .uri = ALICE, .branch = (branch_) })

#endif
