/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline.h"

#include "pipeline_parts.h"

/* What is remembered is taken up; one walk through the store. */
struct recollection {
	struct pipeline *pipeline;
	uint64_t now_ns;
	int bindings;
};

/* Heard a threshold ago, unless sip_paths knows better: whatever was not heard since is due. */
static void recall_binding(void *context, uint64_t id, const struct record *record)
{
	struct recollection *recollection = context;
	struct pipeline *pipeline = recollection->pipeline;
	uint64_t threshold_ns = keeper_threshold_ns(pipeline->keeper);
	uint64_t now_ns = recollection->now_ns;
	struct binding_change change;

	if (!ledger_restore(pipeline->ledger, id, record, now_ns, &change))
		return;
	pipeline_apply(pipeline, &change, now_ns > threshold_ns ? now_ns - threshold_ns : 1,
		       now_ns);
	recollection->bindings++;
}

/* What the server had asked when the agent before this one heard it, it has asked. */
static void recall_request(void *context, uint64_t id, const struct waiting *waiting)
{
	struct recollection *recollection = context;
	struct pipeline *pipeline = recollection->pipeline;

	if (requests_restore(pipeline->requests, id, waiting) &&
	    waiting->direction == SIGHTING_TO_DEVICE)
		hearsay_asked(pipeline->hearsay, &waiting->flow, waiting->facts, waiting->since_ns);
}

/* No request expires before it is clear whether its answer is in the backlog: see there. */
int pipeline_recall(struct pipeline *pipeline, uint64_t now_ns)
{
	struct recollection recollection = { .pipeline = pipeline, .now_ns = now_ns };
	struct store_listener listener = { recall_binding, recall_request, &recollection };
	int walked = pipeline->store ? store_walk(pipeline->store, &listener) : 0;

	pipeline->heard = true;
	if (pipeline->store && walked >= 0)
		keeper_settle(pipeline->keeper);
	return walked < 0 ? walked : recollection.bindings;
}
