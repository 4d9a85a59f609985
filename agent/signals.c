/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = { SIGTERM, SIGINT };

#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

/* libev has one signal handler in a process as well. */
static ev_signal watchers[COUNT];

static sigset_t all_numbers(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT; i++)
		sigaddset(&set, numbers[i]);
	return set;
}

void signals_hold(void)
{
	sigset_t held = all_numbers();

	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &held, NULL);
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)signal;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

void signals_watch(struct ev_loop *loop)
{
	sigset_t watched = all_numbers();

	for (size_t i = 0; i < COUNT; i++) {
		ev_signal_init(&watchers[i], on_signal, numbers[i]);
		ev_signal_start(loop, &watchers[i]);
	}
	sigprocmask(SIG_UNBLOCK, &watched, NULL);
}

void signals_unwatch(struct ev_loop *loop)
{
	signals_hold();
	for (size_t i = 0; i < COUNT; i++)
		ev_signal_stop(loop, &watchers[i]);
}
