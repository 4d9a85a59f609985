/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/ports.h"

#include <errno.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "callcontrol/port_datagram.h"
#include "callcontrol/port_socket.h"
#include "callcontrol/port_stream.h"

/* While this host has no room for more connections, it is asked again so often. */
#define PAUSE_S 1.0

struct port {
	struct ports *ports;
	struct ports_listen listen;
	int fd;
	ev_io io;
};

struct ports {
	struct ev_loop *loop;
	ports_take *take;
	void *context;
	struct port_datagrams *datagrams; /* room for what is received */
	struct port_streams *streams;
	ev_timer pause; /* nobody is accepted until it ends */
	size_t count;
	struct port port[PORTS_MAX];
};

static struct span without_line_ends(struct span bytes)
{
	while (bytes.length > 0 && (bytes.at[0] == '\r' || bytes.at[0] == '\n')) {
		bytes.at++;
		bytes.length--;
	}
	return bytes;
}

static void take_datagrams(struct port *port, uint64_t now_ns)
{
	struct ports *ports = port->ports;
	size_t count = port_datagrams_receive(ports->datagrams, port->fd);

	for (size_t i = 0; i < count; i++) {
		struct passing_hop from = { .stream = 0 };
		struct span bytes = port_datagrams_get(ports->datagrams, i, &from.flow);

		from.flow.local_port = port->listen.port;
		bytes = without_line_ends(bytes);
		if (bytes.length > 0)
			ports->take(ports->context, bytes, &from, now_ns);
	}
}

static void on_datagrams(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	take_datagrams(io->data, clock_now_ns());
}

static void take_streams(struct ports *ports, bool wanted)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->port[i].listen.transport != FLOW_TCP)
			continue;
		if (wanted)
			ev_io_start(ports->loop, &ports->port[i].io);
		else
			ev_io_stop(ports->loop, &ports->port[i].io);
	}
}

static void on_streams(struct ev_loop *loop, ev_io *io, int events)
{
	struct port *port = io->data;
	struct ports *ports = port->ports;
	int error = port_streams_accept(ports->streams, port->fd, clock_now_ns());

	(void)events;
	if (!error)
		return;
	log_warning("cannot accept TCP connections for now: %s: raise the limit of open files "
		    "(LimitNOFILE)",
		    strerror(-error));
	take_streams(ports, false);
	ev_timer_set(&ports->pause, PAUSE_S, 0);
	ev_timer_start(loop, &ports->pause);
}

static void on_pause_end(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	take_streams(timer->data, true);
}

static void take_stream_message(void *context, struct span bytes, const struct passing_hop *from,
				uint64_t now_ns)
{
	struct ports *ports = context;

	ports->take(ports->context, bytes, from, now_ns);
}

static int open_port(struct ports *ports, const struct ports_listen *listen)
{
	struct port *port = &ports->port[ports->count];
	int fd = port_socket_open(listen);

	if (fd < 0)
		return fd;
	port->ports = ports;
	port->listen = *listen;
	port->fd = fd;
	ev_io_init(&port->io, listen->transport == FLOW_TCP ? on_streams : on_datagrams, fd,
		   EV_READ);
	port->io.data = port;
	ports->count++;
	return 0;
}

static struct ports *make(const struct ports_options *options)
{
	struct ports *ports = calloc(1, sizeof(*ports));
	struct port_streams_options streams = {
		.loop = options->loop,
		.take = take_stream_message,
		.context = ports,
		.stuck_ns = options->stuck_ns,
	};

	if (!ports)
		return NULL;
	ports->loop = options->loop;
	ev_init(&ports->pause, on_pause_end);
	ports->pause.data = ports;
	ports->datagrams = port_datagrams_new();
	ports->streams = port_streams_new(&streams);
	if (ports->datagrams && ports->streams)
		return ports;
	ports_close(ports);
	return NULL;
}

int ports_open(const struct ports_options *options, struct ports **out)
{
	struct ports *ports = make(options);

	if (!ports)
		return log_errno(ENOMEM, "no memory for the ports of call control");
	for (size_t i = 0; i < options->listen_count && i < PORTS_MAX; i++) {
		int error = open_port(ports, &options->listen[i]);

		if (error) {
			ports_close(ports);
			return error;
		}
	}
	*out = ports;
	return 0;
}

void ports_close(struct ports *ports)
{
	if (!ports)
		return;
	ev_timer_stop(ports->loop, &ports->pause);
	for (size_t i = 0; i < ports->count; i++) {
		ev_io_stop(ports->loop, &ports->port[i].io);
		close(ports->port[i].fd);
	}
	port_streams_free(ports->streams);
	port_datagrams_free(ports->datagrams);
	free(ports);
}

void ports_serve(struct ports *ports, ports_take *take, void *context)
{
	ports->take = take;
	ports->context = context;
	for (size_t i = 0; i < ports->count; i++)
		ev_io_start(ports->loop, &ports->port[i].io);
}

static bool same_family(const uint8_t a[16], const uint8_t b[16])
{
	return address_is_ipv4(a) == address_is_ipv4(b);
}

/* True if a port hears what is sent to an address of this host. */
static bool hears(const struct ports_listen *listen, const uint8_t address[16])
{
	return memcmp(listen->address, address, sizeof(listen->address)) == 0 ||
	       (port_is_any(listen->address) && same_family(listen->address, address));
}

static const struct port *find_datagram_port(const struct ports *ports, const uint8_t address[16],
					     uint16_t number)
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct ports_listen *listen = &ports->port[i].listen;

		if (listen->transport == FLOW_UDP && listen->port == number &&
		    hears(listen, address))
			return &ports->port[i];
	}
	return NULL;
}

int ports_send(struct ports *ports, const struct passing_hop *to, struct span bytes)
{
	const struct port *port;

	if (to->stream)
		return port_streams_send(ports->streams, to->stream, bytes);
	port = find_datagram_port(ports, to->flow.local_addr, to->flow.local_port);
	return port ? port_datagram_send(port->fd, &to->flow, bytes) : -ENOENT;
}

bool ports_listens(const struct ports *ports, const uint8_t address[16], uint16_t port)
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct ports_listen *listen = &ports->port[i].listen;

		if (listen->port == port && hears(listen, address) &&
		    (!port_is_any(listen->address) || port_socket_is_local(address)))
			return true;
	}
	return false;
}

int ports_local(const struct ports *ports, const struct passing_hop *from, const uint8_t remote[16],
		uint8_t address[16], uint16_t *port)
{
	const struct flow *flow = &from->flow;

	if (!from->stream && same_family(flow->local_addr, remote) &&
	    find_datagram_port(ports, flow->local_addr, flow->local_port)) {
		memcpy(address, flow->local_addr, sizeof(flow->local_addr));
		*port = flow->local_port;
		return 0;
	}
	for (size_t i = 0; i < ports->count; i++) {
		const struct ports_listen *listen = &ports->port[i].listen;

		if (listen->transport != FLOW_UDP || !same_family(listen->address, remote))
			continue;
		if (!port_is_any(listen->address))
			memcpy(address, listen->address, sizeof(listen->address));
		else if (port_socket_source(remote, address))
			continue;
		*port = listen->port;
		return 0;
	}
	return -ENOENT;
}
