/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orders.h - what this node does when the cluster tells it to (cluster/order.h).
 *
 * "prompt" is answered by a report of the path, once the device was heard after it was asked;
 * so the paths that were asked for are looked at every few milliseconds, for a little while.
 */
#ifndef AGENT_ORDERS_H
#define AGENT_ORDERS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/order.h"
#include "keep/keeper.h"
#include "ledger.h"

/* So many paths are looked at for whoever asked; for more, the oldest make room. */
#define ORDERS_WATCHED_MAX 256

/* Call control does not wait any longer (--verify). */
#define ORDERS_WATCH_NS (5 * UINT64_C(1000000000))

struct orders_watched {
	struct flow flow;
	uint64_t asked_ns; /* heard since then will do */
	uint64_t until_ns;
};

/* Visible because it is a value that its owner embeds; only orders.c touches its members. */
struct orders {
	struct keeper *keeper;
	struct ledger *ledger;
	struct orders_watched watched[ORDERS_WATCHED_MAX]; /* the oldest first */
	size_t watched_count;
};

/* Carries out an order; of "leave", accepted_ns is when the registration was accepted that ends. */
void orders_carry_out(struct orders *orders, const struct order *order, uint64_t accepted_ns,
		      uint64_t now_ns);

/* Looks at the paths that were asked for; returns when to look again, CLOCK_NEVER: there are none. */
uint64_t orders_turn(struct orders *orders, uint64_t now_ns);

#endif
