/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - a binding as it is written down, so that it outlives the agent: the noun
 * between the rooms that make bindings, the store, and the cluster.
 */
#ifndef AGENT_STATE_RECORD_H
#define AGENT_STATE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "flow.h"
#include "state/binding.h"

/* The texts of a record; what a kind of binding does not have is absent. */
#define RECORD_TEXTS(X) \
	X(aor) \
	X(target) \
	X(call_id) \
	X(instance) /* of a registration */ \
	X(device_tag) /* of a dialog and a subscription */ \
	X(peer_tag) /* of a dialog */ \
	X(event) /* of a subscription */ \
	X(event_id)

#define RECORD_TEXT_MAX 4096 /* bytes of one */

#define RECORD_TEXT_MEMBER_(name) struct span name;

struct record {
	struct flow flow;
	uint64_t ends_ns; /* CLOCK_MONOTONIC */
	uint64_t accepted_ns; /* CLOCK_MONOTONIC; of a registration */
	uint32_t cseq;
	uint32_t reg_id; /* of a registration */
	uint32_t session_expires; /* of a dialog */
	uint8_t kind; /* enum binding_kind, never a connection */
	uint8_t expiry; /* enum binding_reason */
	bool behind_nat;
	bool early; /* of a dialog, as are the next ones */
	bool device_called;
	bool device_refreshes;
	RECORD_TEXTS(RECORD_TEXT_MEMBER_)
};

#undef RECORD_TEXT_MEMBER_

/*
 * Writes what a binding is; the flow only if it is on a path. The texts stay its room's. False for a
 * connection, which only the kernel remembers.
 */
bool record_describe(const struct binding *binding, struct record *record);

#endif
