/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * location.h - a binding as the whole set of proxies sees it: which node keeps which path for
 * which device of an AOR, since when and until when.
 *
 * Times are milliseconds since 1970 by the clock of the cluster, which is that of the Redis
 * server: nodes measure how far their own is away, so nothing depends on how well they agree.
 */
#ifndef AGENT_CLUSTER_LOCATION_H
#define AGENT_CLUSTER_LOCATION_H

#include <stdint.h>

#include "base/span.h"
#include "base/text.h"
#include "flow.h"
#include "state/binding.h"
#include "state/path.h"
#include "state/record.h"

/* No AOR, and no device, is longer in the cluster; what is stays with its node. */
#define LOCATION_TEXT_MAX 1024

/*
 * What tells locations of one AOR apart: the node, the kind and the device. A node's name has
 * neither blanks nor control characters; nor has a device, except by mischief.
 */
struct location {
	struct span node;
	struct span aor;
	struct span device; /* see location_device() */
	uint8_t kind; /* enum binding_kind, never a connection */
	uint8_t health; /* enum path_health, of its path */
	struct flow flow; /* as the node sees it */
	uint64_t accepted_ms; /* when the server accepted it; the newest registration wins */
	uint64_t ends_ms;
	uint64_t heard_ms; /* when the device was last heard, as far as was known at the writing */
	uint64_t epoch; /* of the announcement that it belongs to, see node.h */
};

/*
 * Appends to "memory", and returns, what tells a device of an AOR from the others, the same on
 * every node: of a registration its instance and reg-id, or its Contact if it has no instance
 * (RFC 5626 section 6); of a dialog its Call-ID and the device's tag; of a subscription those and
 * the event. Absent if it does not fit.
 */
struct span location_device(const struct record *record, struct text *memory);

#endif
