/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline.h - the agent's one sentence: sightings become facts, facts become
 * bindings, bindings open paths, due paths are prompted.
 *
 * Every stage turns the noun before it into its own noun and returns it; only the
 * pipeline knows the order of the stages.
 */
#ifndef AGENT_PIPELINE_H
#define AGENT_PIPELINE_H

#include <stdint.h>

#include "base/counts.h"
#include "keep/keeper.h"
#include "sighting.h"

struct pipeline;

struct pipeline_options {
	struct keeper_options keeper;
	uint32_t transactions_max; /* requests that may wait for their answers */
};

/* Makes the pipeline; -errno after one log line. */
int pipeline_new(const struct pipeline_options *options, uint64_t now_ns, struct pipeline **out);
void pipeline_free(struct pipeline *pipeline);

/* One SIP message was seen. */
void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting);

/* Does everything that is due at now_ns, and returns when to be called next (CLOCK_NEVER: not). */
uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns);

/* The paths and their schedule, for whoever shows or steers them; owned by the pipeline. */
struct keeper *pipeline_keeper(const struct pipeline *pipeline);

#endif
