/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "orders.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"

/* An answer is on its way for some ten milliseconds: this adds little to it. */
#define LOOK_AGAIN_NS (5 * NS_PER_MS)

static void leave(struct orders *orders, const struct order *order, uint64_t accepted_ns,
		  uint64_t now_ns)
{
	struct binding_change change;

	if (!ledger_leave(orders->ledger, order->aor, order->device, accepted_ns, &change))
		return;
	keeper_leave(orders->keeper, change.binding, change.reason, now_ns);
	ledger_forget(orders->ledger, change.binding);
}

static void drop(struct orders *orders, const struct order *order, uint64_t now_ns)
{
	struct binding *dropped;
	char name[128];
	struct text text = TEXT_OVER(name);

	keeper_drop(orders->keeper, &order->flow, REASON_dropped, now_ns, &dropped);
	if (dropped) {
		flow_write(&text, &order->flow);
		log_info("%s is dropped, as the cluster orders", name);
	}
	ledger_forget_all(orders->ledger, dropped);
}

/* When the device was last heard, of which the agent itself may not have taken note yet. */
static uint64_t last_heard(const struct orders *orders, const struct path *path)
{
	struct path_entry entry = { 0 };

	if (keeper_read_entry(orders->keeper, path, &entry))
		return path->last_seen_ns;
	return entry.answer_ns > entry.last_seen_ns ? entry.answer_ns : entry.last_seen_ns;
}

static void unwatch(struct orders *orders, size_t at)
{
	orders->watched_count--;
	memmove(&orders->watched[at], &orders->watched[at + 1],
		(orders->watched_count - at) * sizeof(orders->watched[0]));
}

/* Whoever asks for the same path twice waits for the same answer. */
static void watch(struct orders *orders, const struct flow *flow, uint64_t asked_ns,
		  uint64_t now_ns)
{
	for (size_t i = 0; i < orders->watched_count; i++) {
		if (memcmp(&orders->watched[i].flow, flow, sizeof(*flow)) == 0) {
			unwatch(orders, i);
			break;
		}
	}
	if (orders->watched_count == ORDERS_WATCHED_MAX)
		unwatch(orders, 0);
	orders->watched[orders->watched_count++] =
		(struct orders_watched){ *flow, asked_ns, now_ns + ORDERS_WATCH_NS };
}

/* A prompt that is on its way, or was answered just now, does as well as one of our own. */
static void prompt(struct orders *orders, const struct order *order, uint64_t now_ns)
{
	struct path *path = paths_find(keeper_paths(orders->keeper), &order->flow);
	int error;

	if (!path || !path->bindings)
		return;
	error = keeper_verify(orders->keeper, path, now_ns);
	if (!error)
		watch(orders, &order->flow, now_ns, now_ns);
	else if (error == -EALREADY)
		watch(orders, &order->flow, path->prompt.first_ns, now_ns);
	else
		log_debug("a path is not prompted as ordered: %s", strerror(-error));
}

void orders_carry_out(struct orders *orders, const struct order *order, uint64_t accepted_ns,
		      uint64_t now_ns)
{
	switch (order->kind) {
	case ORDER_leave:
		leave(orders, order, accepted_ns, now_ns);
		break;
	case ORDER_drop:
		drop(orders, order, now_ns);
		break;
	case ORDER_prompt:
		prompt(orders, order, now_ns);
		break;
	default: /* draining is the share's own affair */
		break;
	}
}

/* False once nobody waits for it any more. */
static bool look(struct orders *orders, const struct orders_watched *watched, uint64_t now_ns)
{
	const struct path *path = paths_find(keeper_paths(orders->keeper), &watched->flow);
	uint64_t heard_ns;

	if (!path || now_ns >= watched->until_ns)
		return false;
	heard_ns = last_heard(orders, path);
	if (heard_ns < watched->asked_ns)
		return true;
	ledger_report_path(orders->ledger, path, heard_ns, now_ns);
	return false;
}

uint64_t orders_turn(struct orders *orders, uint64_t now_ns)
{
	size_t at = 0;

	while (at < orders->watched_count) {
		if (look(orders, &orders->watched[at], now_ns))
			at++;
		else
			unwatch(orders, at);
	}
	return orders->watched_count > 0 ? now_ns + LOOK_AGAIN_NS : CLOCK_NEVER;
}
