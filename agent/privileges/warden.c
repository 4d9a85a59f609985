/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden.c - the agent's half: it asks, and is told. */
#include "privileges/warden.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "privileges/descriptors.h"
#include "privileges/warden_parts.h"

/* The loop stands still so long at most, and only if somebody changes the threshold. */
#define KEEPALIVE_WAIT_NS (NS_PER_S / 2)

/* At the start and in the end, when nothing else is to be done. */
#define LONG_WAIT_NS (10 * NS_PER_S)

struct warden {
	int channel; /* -1 once the warden has ended */
	pid_t pid;
	uint32_t number; /* of the latest request */
	bool owed; /* the report of a task */
	enum warden_task task; /* which */
	uint32_t task_number;
	uint64_t begun_ns;
	bool stashed; /* the report came while another reply was waited for */
	struct warden_report stash;
	struct ev_loop *loop; /* NULL until it is watched */
	ev_io io;
	warden_handler *handler;
	void *context;
};

static bool owes(const struct warden *warden, const struct warden_reply *reply)
{
	return warden->owed && reply->verb == (uint32_t)warden->task &&
	       reply->number == warden->task_number;
}

/* What the warden says has a size, too; -EAGAIN if it says nothing yet, -EPIPE if it has ended. */
static int receive(struct warden *warden, struct warden_reply *reply)
{
	ssize_t length = recv(warden->channel, reply, sizeof(*reply), MSG_DONTWAIT | MSG_TRUNC);

	if (length == sizeof(*reply))
		return 0;
	return length < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EPIPE;
}

static struct warden_report report_of(const struct warden *warden, const struct warden_reply *reply)
{
	return (struct warden_report){
		.task = warden->task,
		.error = reply->error,
		.begun_ns = warden->begun_ns,
		.connections = reply->connections != 0,
		.repair = reply->repair,
	};
}

/* The loop hands it on when it is its turn again. */
static void stash(struct warden *warden, const struct warden_reply *reply)
{
	if (!owes(warden, reply))
		return;
	warden->stash = report_of(warden, reply);
	warden->stashed = true;
	ev_feed_event(warden->loop, &warden->io, EV_READ);
}

static int wait_readable(const struct warden *warden, uint64_t end_ns)
{
	uint64_t now_ns = clock_now_ns();
	struct pollfd channel = { .fd = warden->channel, .events = POLLIN };
	int ready;

	if (now_ns >= end_ns)
		return -ETIMEDOUT;
	ready = poll(&channel, 1, (int)((end_ns - now_ns) / NS_PER_MS) + 1);
	return ready < 0 && errno != EINTR ? -errno : 0;
}

static int wait_for(struct warden *warden, uint32_t number, uint64_t patience_ns,
		    struct warden_reply *reply)
{
	uint64_t end_ns = clock_now_ns() + patience_ns;
	int error;

	for (;;) {
		error = receive(warden, reply);
		if (error == 0 && reply->number == number)
			return 0;
		if (error == 0)
			stash(warden, reply);
		else if (error == -EPIPE)
			return error;
		else if ((error = wait_readable(warden, end_ns)))
			return error;
	}
}

static int child(const struct warden_options *options, int theirs, int ours)
{
	close(ours);
	attach_leave(options->attachment);
	if (descriptors_close_others(theirs))
		return EXIT_FAILURE;
	return warden_serve(options, theirs);
}

static int begin(const struct warden_options *options, struct warden *warden)
{
	cleanup_close int theirs = -1;
	int channel[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
		return log_errno(errno, "cannot make a socket to the warden: %s", strerror(errno));
	warden->channel = channel[0];
	theirs = channel[1];
	warden->pid = fork();
	if (warden->pid < 0)
		return log_errno(errno, "cannot fork the warden: %s", strerror(errno));
	if (warden->pid == 0)
		_exit(child(options, theirs, warden->channel));
	return 0;
}

/* One that does not serve is not waited for in the end, either. */
static int await_service(struct warden *warden)
{
	struct warden_reply reply;
	int error = wait_for(warden, WARDEN_NUMBER_OF_START, WARDEN_PATIENCE_NS, &reply);

	if (!error)
		return 0;
	kill(warden->pid, SIGKILL);
	waitpid(warden->pid, NULL, 0);
	return log_errno(
		-error, "the warden, without which sippathd could mend nothing, does not start: %s",
		strerror(-error));
}

int warden_begin(const struct warden_options *options, struct warden **out)
{
	struct warden *warden = calloc(1, sizeof(*warden));
	int error;

	if (!warden)
		return log_errno(ENOMEM, "no memory for the warden");
	warden->channel = -1;
	error = begin(options, warden);
	if (!error)
		error = await_service(warden);
	if (error) {
		cleanup_close_(&warden->channel);
		free(warden);
		return error;
	}
	*out = warden;
	return 0;
}

static void deliver(struct warden *warden, const struct warden_report *report)
{
	warden->owed = false;
	warden->handler(warden->context, report);
}

/* Its end of the socket is closed: whatever is owed does not come. */
static void lose(struct warden *warden)
{
	struct warden_report report = { .task = warden->task,
					.error = -EPIPE,
					.begun_ns = warden->begun_ns };
	int fd = take_fd(warden->channel);

	if (fd < 0)
		return;
	if (warden->loop)
		ev_io_stop(warden->loop, &warden->io);
	close(fd);
	waitpid(warden->pid, NULL, WNOHANG);
	log_error("the warden, process %d, has ended: paths are kept as before, but when programs"
		  " are taken off, nobody can put them back, and sippathd ends: restart it",
		  (int)warden->pid);
	if (warden->owed && warden->loop)
		deliver(warden, &report);
}

/* Others than the one that is owed came too late for whoever waited for them. */
static void take_replies(struct warden *warden)
{
	struct warden_reply reply;
	int error;

	while ((error = receive(warden, &reply)) == 0) {
		if (owes(warden, &reply)) {
			struct warden_report report = report_of(warden, &reply);

			deliver(warden, &report);
		}
	}
	if (error == -EPIPE)
		lose(warden);
}

static void on_replies(struct ev_loop *loop, ev_io *io, int events)
{
	struct warden *warden = io->data;

	(void)loop;
	(void)events;
	if (warden->stashed) {
		warden->stashed = false;
		deliver(warden, &warden->stash);
	}
	if (warden->channel >= 0)
		take_replies(warden);
}

void warden_watch(struct warden *warden, struct ev_loop *loop, warden_handler *handler,
		  void *context)
{
	warden->loop = loop;
	warden->handler = handler;
	warden->context = context;
	ev_io_init(&warden->io, on_replies, warden->channel, EV_READ);
	warden->io.data = warden;
	if (warden->channel >= 0)
		ev_io_start(loop, &warden->io);
}

/* The number of the request, or -errno; it never waits. */
static int64_t request(struct warden *warden, enum warden_verb verb, uint64_t threshold_ns)
{
	struct warden_request sent = {
		.verb = verb,
		.number = warden->number + 1,
		.threshold_ns = threshold_ns,
	};

	if (warden->channel < 0)
		return -EPIPE;
	if (send(warden->channel, &sent, sizeof(sent), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return ++warden->number;
}

int warden_ask(struct warden *warden, enum warden_task task, uint64_t now_ns)
{
	int64_t number;

	if (warden->channel < 0)
		return -EPIPE;
	if (warden->owed)
		return now_ns - warden->begun_ns < WARDEN_PATIENCE_NS ? -EBUSY : -ETIMEDOUT;
	number = request(warden, (enum warden_verb)task, 0);
	if (number < 0)
		return (int)number;
	warden->owed = true;
	warden->task = task;
	warden->task_number = (uint32_t)number;
	warden->begun_ns = now_ns;
	return 0;
}

int warden_set_keepalive(struct warden *warden, uint64_t threshold_ns)
{
	struct warden_reply reply;
	int64_t number = request(warden, WARDEN_VERB_KEEPALIVE, threshold_ns);
	int error = number < 0 ? (int)number
			       : wait_for(warden, (uint32_t)number, KEEPALIVE_WAIT_NS, &reply);

	if (error)
		return log_errno(-error,
				 "the warden cannot set the keepalive of TCP connections: %s",
				 strerror(-error));
	return reply.error;
}

int warden_keep(struct warden *warden)
{
	struct warden_reply reply;
	int64_t number = request(warden, WARDEN_VERB_KEEP, 0);
	int error =
		number < 0 ? (int)number : wait_for(warden, (uint32_t)number, LONG_WAIT_NS, &reply);

	if (error)
		return log_errno(-error,
				 "the warden does not take over what is attached (%s): start"
				 " sippathd again",
				 strerror(-error));
	return reply.error;
}

bool warden_lives(const struct warden *warden)
{
	return warden->channel >= 0;
}

/* Replies that nobody waits for any more, and then the end of the socket. */
static bool wait_for_end(const struct warden *warden)
{
	uint64_t end_ns = clock_now_ns() + LONG_WAIT_NS;
	struct warden_reply reply;

	while (wait_readable(warden, end_ns) == 0)
		if (recv(warden->channel, &reply, sizeof(reply), MSG_DONTWAIT) == 0)
			return true;
	return false;
}

void warden_end(struct warden *warden)
{
	if (!warden)
		return;
	if (warden->loop)
		ev_io_stop(warden->loop, &warden->io);
	if (request(warden, WARDEN_VERB_END, 0) >= 0) {
		if (wait_for_end(warden))
			waitpid(warden->pid, NULL, 0);
		else
			log_warning("the warden, process %d, does not end: it does with sippathd",
				    (int)warden->pid);
	}
	cleanup_close_(&warden->channel);
	free(warden);
}
