/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/client.h"

#include <control.h> /* of include/, not the one beside this file */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "surface/answer.h"
#include "surface/rows.h"

/* Every line that can be made fits into an empty buffer. */
#define OUTPUT_MAX 65536

#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

_Static_assert(ROWS_ROW_BYTES_MAX + sizeof("{\"row\":}\n") <= OUTPUT_MAX, "a row fits");

struct client {
	const struct subject *subject;
	client_gone_handler *gone;
	void *context;
	ev_io io;
	uint64_t active_ns; /* when it was last heard or written to */
	uint64_t room_ns; /* when there was room for what waits, or it began to wait */
	struct answer answer;
	json_t *unsent; /* the line to be written next, NULL for none */
	bool input_ended; /* the client sends nothing more */
	bool closing; /* what is in "output" is the last */
	size_t input_used;
	size_t output_used;
	char input[CONTROL_REQUEST_MAX];
	char output[OUTPUT_MAX];
};

/* For want of memory nothing else can be said than what stands ready. */
static void fail(struct client *client)
{
	static const char line[] = "{\"error\":\"out of memory\"}\n";

	json_decref(client->unsent);
	client->unsent = NULL;
	client->closing = true;
	if (sizeof(line) - 1 <= OUTPUT_MAX - client->output_used) {
		memcpy(client->output + client->output_used, line, sizeof(line) - 1);
		client->output_used += sizeof(line) - 1;
	}
}

/* Moves the unsent line into the buffer; false if it has to wait for room. */
static bool write_unsent(struct client *client)
{
	size_t room = OUTPUT_MAX - client->output_used;
	size_t length = json_dumpb(client->unsent, client->output + client->output_used, room,
				   JSON_COMPACT);

	if (length >= room && client->output_used > 0)
		return false;
	if (length == 0 || length >= room) {
		fail(client);
		return true;
	}
	client->output_used += length;
	client->output[client->output_used++] = '\n';
	json_decref(client->unsent);
	client->unsent = NULL;
	return true;
}

/* Waits for these events; for none of them it waits to be woken. */
static void wait_for(struct client *client, int events)
{
	struct ev_loop *loop = client->subject->options.loop;

	if (events == (client->io.events & (EV_READ | EV_WRITE)))
		return;
	ev_io_stop(loop, &client->io);
	ev_io_set(&client->io, client->io.fd, events);
	if (events)
		ev_io_start(loop, &client->io);
}

/* Served by the loop, not from here: whoever tells of something waits for nobody. */
static void serve_soon(void *context)
{
	struct client *client = context;

	if (!(client->io.events & EV_WRITE))
		client->room_ns = clock_now_ns();
	wait_for(client, EV_WRITE);
}

static void begin_answer(struct client *client, struct span request, uint64_t now_ns)
{
	struct waker waker = { serve_soon, client };
	int error = answer_begin(&client->answer, request, waker, &client->unsent);

	if (error == -ENOMEM)
		fail(client);
	else if (error == -EBADMSG)
		client->closing = true;
	else if (error == 0)
		answer_wake(&client->answer, now_ns);
}

/* A line longer than any request: there is no telling where the next one begins. */
static void refuse_line(struct client *client)
{
	client->unsent = answer_error(
		"a request is one line of at most " TEXT_OF(CONTROL_REQUEST_MAX) " bytes");
	if (!client->unsent)
		fail(client);
	client->closing = true;
}

/* Whoever listens must not ask anything: its answer would never come. */
static void refuse_more(struct client *client)
{
	client->unsent = answer_error("nothing more can be asked where events are listened to: "
				      "open another connection");
	if (!client->unsent)
		fail(client);
	client->closing = true;
}

/* The length of the next request with its line end; 0 if no whole one is there. */
static size_t request_length(const struct client *client)
{
	const char *end = memchr(client->input, '\n', client->input_used);

	if (end)
		return (size_t)(end - client->input) + 1;
	return client->input_ended ? client->input_used : 0;
}

/* Takes the next request out of the input; false if no whole one is there. */
static bool take_request(struct client *client, uint64_t now_ns)
{
	size_t length = request_length(client);

	if (length == 0 && client->input_used < CONTROL_REQUEST_MAX)
		return false;
	if (length == 0) {
		refuse_line(client);
		return true;
	}
	begin_answer(client, (struct span){ client->input, length }, now_ns);
	client->input_used -= length;
	memmove(client->input, client->input + length, client->input_used);
	return true;
}

/* Makes, or moves on, at most one line; false if there is nothing to do but wait. */
static bool step(struct client *client, uint64_t now_ns)
{
	if (client->unsent)
		return write_unsent(client);
	if (client->closing)
		return false;
	if (answer_is_quiet(&client->answer)) {
		if (client->input_used == 0 || answer_waits(&client->answer))
			return false;
		refuse_more(client);
	} else if (!answer_going_on(&client->answer)) {
		if (!take_request(client, now_ns))
			return false;
	} else if (answer_next(&client->answer, client->subject, &client->unsent)) {
		fail(client);
	}
	return !client->unsent || write_unsent(client);
}

/* True if the client reads nothing more either, so that it need not wait for its answer. */
static bool hung_up(const struct client *client)
{
	struct pollfd connection = { .fd = client->io.fd };

	return poll(&connection, 1, 0) == 1 && (connection.revents & POLLHUP);
}

/* False if the connection is of no use any more. */
static bool receive(struct client *client)
{
	ssize_t length = recv(client->io.fd, client->input + client->input_used,
			      CONTROL_REQUEST_MAX - client->input_used, 0);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	client->input_used += (size_t)length;
	if (length > 0)
		return true;
	client->input_ended = true;
	return !answer_waits(&client->answer) || !hung_up(client);
}

/* False if the connection is of no use any more. */
static bool transmit(struct client *client)
{
	ssize_t length;

	if (client->output_used == 0)
		return true;
	length = send(client->io.fd, client->output, client->output_used, MSG_NOSIGNAL);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	client->output_used -= (size_t)length;
	memmove(client->output, client->output + length, client->output_used);
	return true;
}

/* True if the client may say more, and there is room for it. */
static bool can_read(const struct client *client)
{
	return !client->input_ended && client->input_used < CONTROL_REQUEST_MAX;
}

/* What to wait for: room for what is to be said, else requests; 0 if neither can come. */
static int wanted_events(const struct client *client)
{
	if (client->unsent || client->output_used > 0)
		return EV_WRITE;
	if (client->closing)
		return 0;
	if (answer_is_quiet(&client->answer))
		return can_read(client) ? EV_READ : 0;
	if (answer_going_on(&client->answer) || request_length(client) > 0)
		return EV_WRITE;
	return client->input_ended ? 0 : EV_READ;
}

/* True once nothing will come from the client, and nothing is owed to it. */
static bool is_over(const struct client *client)
{
	return wanted_events(client) == 0 && !answer_waits(&client->answer);
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct client *client = io->data;
	uint64_t now_ns = clock_now_ns();
	bool useful = true;

	(void)loop;
	client->active_ns = now_ns;
	client->room_ns = now_ns;
	if (events & EV_READ)
		useful = receive(client);
	answer_wake(&client->answer, now_ns);
	for (int i = 0; useful && i < CLIENT_STEPS && step(client, now_ns); i++)
		;
	useful = useful && transmit(client) && !is_over(client);
	if (useful)
		wait_for(client, wanted_events(client));
	else
		client->gone(client->context, client);
}

struct client *client_new(int fd, const struct subject *subject, client_gone_handler *gone,
			  void *context)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->subject = subject;
	client->gone = gone;
	client->context = context;
	client->active_ns = clock_now_ns();
	ev_io_init(&client->io, on_event, fd, EV_READ);
	client->io.data = client;
	ev_io_start(subject->options.loop, &client->io);
	return client;
}

bool client_wake(struct client *client)
{
	if (!answer_listens(&client->answer))
		return false;
	serve_soon(client);
	return true;
}

uint64_t client_idle_since(const struct client *client)
{
	bool idle = !answer_going_on(&client->answer) && wanted_events(client) == EV_READ;

	return idle ? client->active_ns : CLOCK_NEVER;
}

uint64_t client_stuck_for(const struct client *client, uint64_t now_ns)
{
	return client->io.events & EV_WRITE ? now_ns - client->room_ns : 0;
}

void client_free(struct client *client)
{
	answer_drop(&client->answer, client->subject);
	ev_io_stop(client->subject->options.loop, &client->io);
	close(client->io.fd);
	json_decref(client->unsent);
	free(client);
}
