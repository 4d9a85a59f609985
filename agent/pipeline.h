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

#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "cluster/order.h"
#include "cluster/share.h"
#include "keep/keeper.h"
#include "sighting.h"
#include "store/store.h"

struct pipeline;

struct pipeline_options {
	struct keeper_options keeper;
	struct store *store; /* outlives the pipeline; NULL: nothing is remembered */
	struct share *share; /* outlives the pipeline; NULL: nobody else is told */
	uint32_t
		transactions_max; /* requests that may wait for their answers, and as many INVITEs */
	uint64_t linger_ns; /* a path is kept so long after its last dialog */
	uint64_t dialog_max_ns; /* a dialog without a session timer is over after so long */
};

/* Makes the pipeline; -errno after one log line. */
int pipeline_new(const struct pipeline_options *options, uint64_t now_ns, struct pipeline **out);
void pipeline_free(struct pipeline *pipeline);

/*
 * Takes up what the store remembers, and sweeps sip_paths of everything else; once, before
 * anything is sighted. Returns how many bindings were remembered, or -errno if that could not
 * be read to its end (said). Nothing is swept then, nor without a store: what this agent does not
 * know of is no path of its own, but the next one may read of it, and finds when its device was
 * last heard. Until then it only takes up room.
 */
int pipeline_recall(struct pipeline *pipeline, uint64_t now_ns);

/* Something was seen. */
void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting);

/*
 * A TCP connection stands, whether or not it was seen to be opened. What was known of another
 * one on its flow, which was not seen to be closed, is gone.
 */
void pipeline_connection(struct pipeline *pipeline, const struct flow *flow, uint64_t now_ns);

/*
 * The cluster orders something; of "leave", accepted_ns is when the registration was accepted
 * that ends.
 */
void pipeline_order(struct pipeline *pipeline, const struct order *order, uint64_t accepted_ns,
		    uint64_t now_ns);

/* Does everything that is due at now_ns, and returns when to be called next (CLOCK_NEVER: not). */
uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns);

/*
 * True if what was sighted before the last turn outlives the agent, or never will: the disk is
 * full, or nothing is to be remembered. False while there is more to write than one turn does,
 * and while everything is written down anew; the caller then keeps the ring buffer as it is, so
 * that whoever comes after a killed agent reads it again. A million bindings take a second or
 * two; a flood in that time may fill the buffer, which takes some thousands of messages: what
 * comes then is not reported at all, and is counted, and those phones are known with their next
 * REGISTER.
 */
bool pipeline_is_safe(const struct pipeline *pipeline);

/* The paths and their schedule, for whoever shows or steers them; owned by the pipeline. */
struct keeper *pipeline_keeper(const struct pipeline *pipeline);

#endif
