/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/port_stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "callcontrol/assembly.h"
#include "callcontrol/port_socket.h"

/* So much of one stream is read, and so many are accepted, before other work gets its turn. */
#define READ_BYTES 65536
#define ACCEPTED_PER_TURN 64

/* The streams are looked through this often for those that are stuck. */
#define LOOK_S 1.0

struct stream {
	struct port_streams *streams;
	uint64_t number;
	int fd;
	ev_io io;
	struct flow flow;
	struct assembly assembly;
	char *output; /* owned: what it has not taken, NULL while there is nothing */
	size_t output_used;
	uint64_t active_ns; /* when it last brought or took something */
	uint64_t begun_ns; /* when it began the message that is not whole, 0 without one */
	uint64_t taken_ns; /* while output waits: since when nothing of it was taken */
	uint64_t ended_ns; /* when its client had said everything, 0 before */
	size_t unanswered; /* requests without a final answer */
	size_t siblings; /* streams of its source, itself among them */
	bool is_proven; /* it has brought a whole message */
	bool broken; /* to be closed by its own watcher: it may be in use */
};

struct port_streams {
	struct port_streams_options options;
	ev_timer look;
	uint64_t opened; /* makes the numbers */
	struct stream *places[PORTS_STREAMS_MAX];
	char bytes[READ_BYTES];
};

static size_t place_of(uint64_t number)
{
	return number % PORTS_STREAMS_MAX;
}

/* One customer has a whole /64 of IPv6. */
static bool same_source(const struct stream *a, const struct stream *b)
{
	const uint8_t *address = a->flow.remote_addr;

	return memcmp(address, b->flow.remote_addr, address_is_ipv4(address) ? 16 : 8) == 0;
}

/* A stream joins those of its source, or (-1) has left them. */
static void count_siblings(struct stream *stream, int change)
{
	struct stream *const *places = stream->streams->places;

	stream->siblings = 1;
	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++) {
		if (!places[i] || places[i] == stream || !same_source(places[i], stream))
			continue;
		places[i]->siblings += (size_t)change;
		stream->siblings++;
	}
}

static void close_stream(struct stream *stream)
{
	struct port_streams *streams = stream->streams;

	streams->places[place_of(stream->number)] = NULL;
	count_siblings(stream, -1);
	ev_io_stop(streams->options.loop, &stream->io);
	assembly_clear(&stream->assembly);
	free(stream->output);
	close(stream->fd);
	free(stream);
}

/* Whoever is amid this stream's bytes goes on safely: it is closed at its next event. */
static void break_stream(struct stream *stream)
{
	stream->broken = true;
	ev_feed_event(stream->streams->options.loop, &stream->io, EV_READ);
}

/* Watches for what can happen to it now. */
static void watch(struct stream *stream)
{
	struct ev_loop *loop = stream->streams->options.loop;
	int events = (stream->ended_ns ? 0 : EV_READ) | (stream->output ? EV_WRITE : 0);

	ev_io_stop(loop, &stream->io);
	if (!events)
		return;
	ev_io_set(&stream->io, stream->fd, events);
	ev_io_start(loop, &stream->io);
}

/* Hands bytes to the kernel; how many it took. */
static ssize_t push(struct stream *stream, struct span bytes)
{
	ssize_t sent = send(stream->fd, bytes.at, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent < 0 ? -errno : sent;
}

static int keep_for_later(struct stream *stream, struct span rest)
{
	if (rest.length > PORT_STREAM_OUTPUT_MAX - stream->output_used)
		return -EAGAIN;
	if (!stream->output) {
		stream->output = malloc(PORT_STREAM_OUTPUT_MAX);
		if (!stream->output)
			return -ENOMEM;
		stream->taken_ns = clock_now_ns();
		watch(stream);
	}
	memcpy(stream->output + stream->output_used, rest.at, rest.length);
	stream->output_used += rest.length;
	return 0;
}

static int write_stream(struct stream *stream, struct span bytes)
{
	ssize_t sent = stream->output ? 0 : push(stream, bytes);

	if (sent < 0)
		return (int)sent;
	if ((size_t)sent == bytes.length)
		return 0;
	return keep_for_later(stream,
			      (struct span){ bytes.at + sent, bytes.length - (size_t)sent });
}

static bool begins_with(struct span bytes, struct span start)
{
	return bytes.length >= start.length && memcmp(bytes.at, start.at, start.length) == 0;
}

static bool is_final_answer(struct span bytes)
{
	return begins_with(bytes, SPAN("SIP/2.0 ")) && !begins_with(bytes, SPAN("SIP/2.0 1"));
}

static bool wants_answer(struct span message)
{
	return !begins_with(message, SPAN("SIP/2.0 ")) && !begins_with(message, SPAN("ACK "));
}

/* True if neither side has anything more to say. */
static bool is_done(const struct stream *stream)
{
	return stream->ended_ns && !stream->output && stream->unanswered == 0;
}

int port_streams_send(struct port_streams *streams, uint64_t number, struct span bytes)
{
	struct stream *stream = streams->places[place_of(number)];
	int error;

	if (!stream || stream->number != number || stream->broken)
		return -ENOENT;
	error = write_stream(stream, bytes);
	if (!error && stream->unanswered > 0 && is_final_answer(bytes))
		stream->unanswered--;
	if (error || is_done(stream))
		break_stream(stream);
	return error;
}

static void flush(struct stream *stream, uint64_t now_ns)
{
	ssize_t sent = push(stream, (struct span){ stream->output, stream->output_used });

	if (sent < 0)
		stream->broken = true;
	if (sent <= 0)
		return;
	stream->active_ns = stream->taken_ns = now_ns;
	stream->output_used -= (size_t)sent;
	memmove(stream->output, stream->output + sent, stream->output_used);
	if (stream->output_used > 0)
		return;
	free(take_ptr(stream->output));
	watch(stream);
}

static void hand_over(struct stream *stream, struct span message, uint64_t now_ns)
{
	const struct port_streams_options *options = &stream->streams->options;
	struct passing_hop from = { .flow = stream->flow, .stream = stream->number };

	stream->is_proven = true;
	if (wants_answer(message))
		stream->unanswered++;
	options->take(options->context, message, &from, now_ns);
}

static void take_bytes(struct stream *stream, struct span bytes, uint64_t now_ns)
{
	bool was_amid = assembly_is_amid(&stream->assembly);
	struct span message;

	while (!stream->broken) {
		int result = assembly_next(&stream->assembly, &bytes, &message);

		if (result < 0)
			stream->broken = true;
		if (result == ASSEMBLY_HUNGRY)
			break;
		if (result == ASSEMBLY_PING)
			port_streams_send(stream->streams, stream->number, SPAN("\r\n"));
		if (result == ASSEMBLY_MESSAGE) {
			was_amid = false;
			hand_over(stream, message, now_ns);
		}
	}
	if (!assembly_is_amid(&stream->assembly))
		stream->begun_ns = 0;
	else if (!was_amid)
		stream->begun_ns = now_ns;
}

static void read_stream(struct stream *stream, uint64_t now_ns)
{
	char *bytes = stream->streams->bytes;
	ssize_t count = recv(stream->fd, bytes, READ_BYTES, MSG_DONTWAIT);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count < 0) {
		stream->broken = true;
		return;
	}
	if (count == 0) {
		stream->ended_ns = now_ns;
		watch(stream);
		return;
	}
	stream->active_ns = now_ns;
	take_bytes(stream, (struct span){ bytes, (size_t)count }, now_ns);
}

static void on_stream(struct ev_loop *loop, ev_io *io, int events)
{
	struct stream *stream = io->data;
	uint64_t now_ns = clock_now_ns();

	(void)loop;
	if (!stream->broken && stream->output && (events & EV_WRITE))
		flush(stream, now_ns);
	if (!stream->broken && (events & EV_READ))
		read_stream(stream, now_ns);
	if (stream->broken || is_done(stream))
		close_stream(stream);
}

static bool is_stuck(const struct stream *stream, uint64_t now_ns)
{
	uint64_t stuck_ns = stream->streams->options.stuck_ns;

	return (stream->begun_ns && now_ns - stream->begun_ns >= stuck_ns) ||
	       (stream->output && now_ns - stream->taken_ns >= stuck_ns) ||
	       (stream->ended_ns && now_ns - stream->ended_ns >= stuck_ns);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct port_streams *streams = timer->data;
	uint64_t now_ns = clock_now_ns();

	(void)loop;
	(void)events;
	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++)
		if (streams->places[i] && is_stuck(streams->places[i], now_ns))
			close_stream(streams->places[i]);
}

/* True if a stream has to make room rather than another one. */
static bool is_less_worth(const struct stream *a, const struct stream *b)
{
	if (a->is_proven != b->is_proven)
		return b->is_proven;
	if (a->siblings != b->siblings)
		return a->siblings > b->siblings;
	return a->active_ns < b->active_ns;
}

/* A free place; if there is none, that of the stream that is least worth. */
static size_t find_place(struct port_streams *streams)
{
	struct stream *const *places = streams->places;
	size_t least = 0;

	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++) {
		if (!places[i])
			return i;
		if (is_less_worth(places[i], places[least]))
			least = i;
	}
	close_stream(places[least]);
	return least;
}

static int read_flow(int fd, const union port_name *remote, struct flow *flow)
{
	union port_name local;
	socklen_t length = sizeof(local);

	if (getsockname(fd, &local.any, &length))
		return -errno;
	*flow = (struct flow){ .transport = FLOW_TCP };
	port_name_read(&local, flow->local_addr, &flow->local_port);
	port_name_read(remote, flow->remote_addr, &flow->remote_port);
	return 0;
}

/* Takes the descriptor over if it succeeds. */
static int open_stream(struct port_streams *streams, int fd, const union port_name *remote,
		       uint64_t now_ns)
{
	cleanup_free struct stream *stream = calloc(1, sizeof(*stream));
	int on = 1, error;
	size_t place;

	if (!stream)
		return -ENOMEM;
	error = read_flow(fd, remote, &stream->flow);
	if (error)
		return error;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	place = find_place(streams);
	stream->streams = streams;
	stream->number = ++streams->opened * PORTS_STREAMS_MAX + place;
	stream->fd = fd;
	stream->active_ns = now_ns;
	ev_io_init(&stream->io, on_stream, fd, EV_READ);
	stream->io.data = stream;
	watch(stream);
	count_siblings(stream, 1);
	streams->places[place] = take_ptr(stream);
	return 0;
}

/* These say that this host has no room: accept() would fail again at once. */
static bool is_want_of_room(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

int port_streams_accept(struct port_streams *streams, int listening, uint64_t now_ns)
{
	for (size_t i = 0; i < ACCEPTED_PER_TURN; i++) {
		union port_name remote;
		socklen_t length = sizeof(remote);
		cleanup_close int fd =
			accept4(listening, &remote.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return is_want_of_room(errno) ? -errno : 0;
		if (open_stream(streams, fd, &remote, now_ns) == 0)
			(void)take_fd(fd);
	}
	return 0;
}

struct port_streams *port_streams_new(const struct port_streams_options *options)
{
	struct port_streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return NULL;
	streams->options = *options;
	ev_timer_init(&streams->look, on_look, LOOK_S, LOOK_S);
	streams->look.data = streams;
	ev_timer_start(options->loop, &streams->look);
	return streams;
}

void port_streams_free(struct port_streams *streams)
{
	if (!streams)
		return;
	ev_timer_stop(streams->options.loop, &streams->look);
	for (size_t i = 0; i < PORTS_STREAMS_MAX; i++)
		if (streams->places[i])
			close_stream(streams->places[i]);
	free(streams);
}
