/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.h - what a node is told to do, by another node, by call control, or by an operator. */
#ifndef AGENT_CLUSTER_ORDER_H
#define AGENT_CLUSTER_ORDER_H

#include <stdint.h>

#include "base/span.h"
#include "flow.h"

/* X(name, what the node does) */
#define ORDERS(X) \
	X(leave, "ends a registration, because the device has registered through another node") \
	X(drop, "keeps a path no longer, whatever it was kept for") \
	X(prompt, "prompts a path now, and says when it was heard") \
	X(drain, "gets no new calls from now on") \
	X(undrain, "gets calls again")

#define ORDER_ENUM_(name, text) ORDER_##name,

enum order_kind { ORDERS(ORDER_ENUM_) ORDER_MAX };

#undef ORDER_ENUM_

/* Older than this, nobody waits for what was ordered; "leave" is never too old. */
#define ORDER_STALE_MS UINT64_C(10000)

struct order {
	enum order_kind kind;
	uint64_t issued_ms; /* by the clock of the cluster */
	struct flow flow; /* of drop and prompt: as the node sees it */
	struct span node; /* of leave: the node where the device is now */
	struct span aor; /* of leave, as the next ones */
	struct span device;
	/*
	 * Of leave: when the server of the node that is told accepted what it is to end, as the node
	 * has written it. What it has accepted since is another matter, whose own report decides.
	 */
	uint64_t accepted_ms;
};

/* "leave", "drop", ... and back: ORDER_MAX for any other word. */
const char *order_name(enum order_kind kind);
enum order_kind order_find(struct span name);

#endif
