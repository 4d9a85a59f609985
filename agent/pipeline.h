/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline.h - the agent's one sentence: sightings become bindings, bindings open
 * paths, due paths are prompted.
 *
 * Every stage turns the noun before it into its own noun and returns it; only the
 * pipeline knows the order of the stages.
 */
#ifndef AGENT_PIPELINE_H
#define AGENT_PIPELINE_H

#include <stdint.h>

#include "base/counts.h"
#include "keep/policy.h"
#include "keep/wire.h"
#include "sighting.h"
#include "state/paths.h"

struct pipeline;

struct pipeline_options {
	int path_map; /* descriptor of sip_paths */
	struct wire *wire; /* outlives the pipeline */
	struct counts *counts; /* outlives the pipeline */
	uint32_t paths_max;
	uint32_t transactions_max;
	uint64_t threshold_ns;
};

/* Makes the pipeline and drops from sip_paths what no binding keeps; -errno after one log line. */
int pipeline_new(const struct pipeline_options *options, uint64_t now_ns, struct pipeline **out);
void pipeline_free(struct pipeline *pipeline);

/* One SIP message was seen. */
void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting);

/* Does everything that is due at now_ns, and returns when to be called next (CLOCK_NEVER: not). */
uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns);

/* The idle threshold; a new one takes effect on every path as it is looked at next. */
uint64_t pipeline_threshold_ns(const struct pipeline *pipeline);
void pipeline_set_threshold(struct pipeline *pipeline, uint64_t threshold_ns, uint64_t now_ns);

/* Makes a path be prompted now; -EALREADY while a prompt is outstanding. */
int pipeline_prompt(struct pipeline *pipeline, struct path *path, uint64_t now_ns);

/* For whoever shows the state: the paths (with their bindings), and a path's entry in the kernel. */
const struct paths *pipeline_paths(const struct pipeline *pipeline);
int pipeline_read_entry(const struct pipeline *pipeline, const struct path *path,
			struct path_entry *entry);

#endif
