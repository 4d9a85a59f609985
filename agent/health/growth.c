/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/growth.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

#define AGENT_SIGN(counter, trouble) \
	{ \
		COUNT_##counter, TROUBLE_##trouble, #counter \
	}
#define KERNEL_SIGN(counter, trouble) \
	{ \
		COUNTER_##counter, TROUBLE_##trouble, #counter \
	}

/* A counter that grows is the sign of a trouble. */
struct sign {
	unsigned int counter;
	enum trouble trouble;
	const char *name;
};

static const struct sign agent_signs[] = {
	AGENT_SIGN(prompts_failed_congested, sends_congested),
	AGENT_SIGN(prompts_failed_denied, sends_denied),
	AGENT_SIGN(prompts_failed_unreachable, sends_unreachable),
	AGENT_SIGN(prompts_capped_address, prompts_capped),
	AGENT_SIGN(prompts_capped_network, prompts_capped),
	AGENT_SIGN(prompts_capped_host, prompts_capped),
	AGENT_SIGN(requests_dropped, memory_short),
	AGENT_SIGN(requests_crowded, flood),
	AGENT_SIGN(streams_refused, tables_full),
	AGENT_SIGN(bindings_refused, tables_full),
	AGENT_SIGN(paths_refused, tables_full),
	AGENT_SIGN(paths_unreadable, maps_unreadable),
};

static const struct sign kernel_signs[] = {
	KERNEL_SIGN(sightings_lost, sightings_lost),
	KERNEL_SIGN(connections_refused, tables_full),
	KERNEL_SIGN(sightings_limited, flood),
	KERNEL_SIGN(flows_limited, flood),
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What somebody has set back has not grown. */
static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

static void note_growth(const struct sign *signs, size_t sign_count, const uint64_t *before,
			const uint64_t *after, struct troubles *troubles, uint64_t now_ns)
{
	for (size_t i = 0; i < sign_count; i++) {
		uint64_t more = grown(before[signs[i].counter], after[signs[i].counter]);

		if (more > 0)
			troubles_note(troubles, signs[i].trouble, now_ns,
				      "%s grew by %" PRIu64 " to %" PRIu64, signs[i].name, more,
				      after[signs[i].counter]);
	}
}

/* Refused for another reason than those that have a counter of their own. */
static uint64_t otherwise_failed(const uint64_t counts[AGENT_COUNTER_MAX])
{
	return counts[COUNT_prompts_failed] - counts[COUNT_prompts_failed_congested] -
	       counts[COUNT_prompts_failed_denied] - counts[COUNT_prompts_failed_unreachable];
}

void growth_look(struct growth *growth, const struct counts *counts, struct troubles *troubles,
		 uint64_t now_ns)
{
	uint64_t failed = otherwise_failed(counts->value) - otherwise_failed(growth->agent);

	note_growth(agent_signs, COUNT_OF(agent_signs), growth->agent, counts->value, troubles,
		    now_ns);
	if (failed > 0)
		troubles_note(troubles, TROUBLE_sends_failed, now_ns,
			      "%" PRIu64 " of them since a second ago", failed);
	memcpy(growth->agent, counts->value, sizeof(growth->agent));
}

void growth_look_kernel(struct growth *growth, const uint64_t kernel[KERNEL_COUNTER_MAX],
			struct troubles *troubles, uint64_t now_ns)
{
	bool first = growth->heard_ns == 0;

	if (!first)
		note_growth(kernel_signs, COUNT_OF(kernel_signs), growth->kernel, kernel, troubles,
			    now_ns);
	if (first || kernel[COUNTER_packets_in] != growth->kernel[COUNTER_packets_in]) {
		growth->heard_ns = now_ns;
		growth->prompts = growth->agent[COUNT_prompts_sent];
	}
	memcpy(growth->kernel, kernel, sizeof(growth->kernel));
}

void growth_look_for_silence(const struct growth *growth, uint64_t patience_ns, uint64_t paths,
			     struct troubles *troubles, uint64_t now_ns)
{
	uint64_t in_vain = growth->agent[COUNT_prompts_sent] - growth->prompts;

	if (paths > 0 && in_vain >= GROWTH_PROMPTS_IN_VAIN &&
	    now_ns - growth->heard_ns >= patience_ns)
		troubles_set(troubles, TROUBLE_nothing_seen, now_ns,
			     "%" PRIu64 " paths, %" PRIu64 " prompts, no packet for %" PRIu64 " s",
			     paths, in_vain, (now_ns - growth->heard_ns) / NS_PER_S);
	else if (paths == 0 || growth->heard_ns == now_ns)
		troubles_clear(troubles, TROUBLE_nothing_seen, now_ns);
}
