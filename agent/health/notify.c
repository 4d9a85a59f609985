/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"

#define MESSAGE_MAX 512
#define US_PER_S 1e6

/* What is set for longer than this is no watchdog; systemd's own "infinity" is not announced. */
#define WATCHDOG_MAX_US (UINT64_C(24) * 3600 * 1000000)

struct notify {
	int fd; /* -1: nobody is told */
	uint64_t watchdog_us; /* 0: nobody watches */
	struct ev_loop *loop; /* NULL until we are ready */
	ev_timer alive;
};

static void tell(const struct notify *notify, const char *message)
{
	if (notify->fd >= 0 &&
	    send(notify->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("cannot tell the service manager \"%s\": %s", message, strerror(errno));
}

/* "@name" stands for a name in the abstract namespace, which begins with a zero byte. */
static int reach(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	cleanup_close int fd = -1;

	if ((name[0] != '/' && name[0] != '@') || length < 2)
		return -EINVAL;
	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)))
		return -errno;
	return take_fd(fd);
}

/* $WATCHDOG_PID says whom it is meant for, if not everybody. */
static uint64_t read_watchdog(const char *usec, const char *pid)
{
	uint64_t watchdog_us, wanted;

	if (!usec || number_read(span_of(usec), 1, WATCHDOG_MAX_US, &watchdog_us))
		return 0;
	if (pid && (number_read(span_of(pid), 1, INT32_MAX, &wanted) || (pid_t)wanted != getpid()))
		return 0;
	return watchdog_us;
}

int notify_open(struct notify **out)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct notify *notify = calloc(1, sizeof(*notify));

	if (!notify)
		return log_errno(ENOMEM, "out of memory");
	notify->fd = name ? reach(name) : -ENOENT;
	if (name && notify->fd < 0)
		log_warning("the service manager's socket \"%s\" (NOTIFY_SOCKET) cannot be "
			    "reached: %s; it is not told that we are ready",
			    name, strerror(-notify->fd));
	notify->watchdog_us = read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*out = notify;
	return 0;
}

static void unwatch(struct notify *notify)
{
	if (notify->loop && notify->watchdog_us > 0)
		ev_timer_stop(notify->loop, &notify->alive);
	notify->loop = NULL;
}

void notify_close(struct notify *notify)
{
	if (!notify)
		return;
	unwatch(notify);
	cleanup_close_(&notify->fd);
	free(notify);
}

static void on_alive(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	tell(timer->data, "WATCHDOG=1");
}

void notify_ready(struct notify *notify, struct ev_loop *loop)
{
	double half_s = (double)notify->watchdog_us / US_PER_S / 2;

	dprintf(STDERR_FILENO, "sippathd: ready\n");
	tell(notify, "READY=1");
	notify->loop = loop;
	if (notify->watchdog_us == 0)
		return;
	ev_timer_init(&notify->alive, on_alive, half_s, half_s);
	notify->alive.data = notify;
	ev_timer_start(loop, &notify->alive);
}

void notify_status(const struct notify *notify, const char *status)
{
	char message[MESSAGE_MAX];

	snprintf(message, sizeof(message), "STATUS=%s", status);
	tell(notify, message);
}

void notify_stopping(struct notify *notify)
{
	unwatch(notify);
	tell(notify, "STOPPING=1");
}
