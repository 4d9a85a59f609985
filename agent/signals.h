/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals.h - what asks sippathd to end, whatever its role. */
#ifndef AGENT_SIGNALS_H
#define AGENT_SIGNALS_H

#include <ev.h>

/*
 * From now on a reader of our log that goes away does not end us, and whoever wants us to end
 * has to wait until signals_watch(): what was begun is then whole.
 */
void signals_hold(void);

/* A signal that asks us to end breaks the loop from now on. */
void signals_watch(struct ev_loop *loop);

/* No more: a second signal does not cut the tidying up short. */
void signals_unwatch(struct ev_loop *loop);

#endif
