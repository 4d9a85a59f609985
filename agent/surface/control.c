/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "surface/client.h"

/* Without descriptors or memory to accept with, try again after so many seconds. */
#define ACCEPT_PAUSE_S 1.0

/* Clients that are stuck are looked for this often. */
#define ROUND_S 5.0

struct control {
	struct subject subject;
	ev_io listening;
	ev_timer pause;
	ev_timer round;
	struct client *clients[CONTROL_CLIENTS_MAX]; /* NULL where a place is free */
};

static struct client **find_place(struct control *control, const struct client *client)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i] == client)
			return &control->clients[i];
	}
	return NULL;
}

static void on_gone(void *context, struct client *client)
{
	*find_place(context, client) = NULL;
	client_free(client);
}

/* A free place, if need be that of the client that has been idle longest; NULL if all are busy. */
static struct client **make_place(struct control *control)
{
	struct client **place = find_place(control, NULL);
	uint64_t longest_ns = UINT64_MAX;

	if (place)
		return place;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		uint64_t since_ns = client_idle_since(control->clients[i]);

		if (since_ns < longest_ns) {
			longest_ns = since_ns;
			place = &control->clients[i];
		}
	}
	if (place)
		on_gone(control, *place);
	return place;
}

/* Says why to a client that finds no place; its buffer is empty, so this does not block. */
static void turn_away(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("a client of the control socket left at once: %s", strerror(errno));
}

static void admit(struct control *control, int accepted)
{
	struct client **place = make_place(control);
	cleanup_close int fd = accepted;

	if (!place) {
		turn_away(fd, "{\"error\":\"too many clients at a time: try again\"}\n");
		return;
	}
	*place = client_new(fd, &control->subject, on_gone, control);
	if (*place)
		(void)take_fd(fd);
	else
		turn_away(fd, "{\"error\":\"out of memory\"}\n");
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct control *control = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0) {
		admit(control, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		/* The connection stays in the queue: the loop would spin on it. */
		log_warning("cannot accept clients of the control socket for now: %s",
			    strerror(errno));
		ev_io_stop(loop, io);
		ev_timer_set(&control->pause, ACCEPT_PAUSE_S, 0);
		ev_timer_start(loop, &control->pause);
	}
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control *control = timer->data;

	(void)events;
	ev_io_start(loop, &control->listening);
}

static void on_round(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control *control = timer->data;
	uint64_t now_ns = clock_now_ns();

	(void)loop;
	(void)events;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = control->clients[i];

		if (client && client_stuck_for(client, now_ns) >= CONTROL_STUCK_NS)
			on_gone(control, client);
	}
}

/* Nothing is held while nobody listens. */
static void on_path_event(void *context, const struct path_event *event)
{
	struct control *control = context;
	bool listened = false;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i] && client_wake(control->clients[i]))
			listened = true;
	}
	if (listened)
		events_note(control->subject.events, event);
}

int control_open(const struct control_options *options, struct control **out)
{
	cleanup_free struct control *control = calloc(1, sizeof(*control));

	if (control)
		control->subject.events = events_new();
	if (!control || !control->subject.events)
		return log_errno(ENOMEM, "out of memory");
	control->subject.options = *options;
	if (options->pipeline)
		control->subject.keeper = pipeline_keeper(options->pipeline);
	control->subject.started_ns = clock_now_ns();
	ev_init(&control->pause, on_pause_over);
	control->pause.data = control;
	ev_timer_init(&control->round, on_round, ROUND_S, ROUND_S);
	control->round.data = control;
	ev_timer_start(options->loop, &control->round);
	ev_io_init(&control->listening, on_connection, options->listening, EV_READ);
	control->listening.data = control;
	ev_io_start(options->loop, &control->listening);
	if (control->subject.keeper)
		keeper_on_event(control->subject.keeper, on_path_event, control);
	*out = take_ptr(control);
	return 0;
}

void control_close(struct control *control)
{
	struct ev_loop *loop = control->subject.options.loop;

	if (control->subject.keeper)
		keeper_on_event(control->subject.keeper, NULL, NULL);
	ev_timer_stop(loop, &control->round);
	ev_timer_stop(loop, &control->pause);
	ev_io_stop(loop, &control->listening);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i])
			client_free(control->clients[i]);
	}
	events_free(control->subject.events);
	free(control);
}
