/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vigil.h - once a second looks at all that can be wrong: the programs and their interfaces, the
 * counters, the clocks, memory, the store, the cluster. What it finds goes to the troubles; what
 * can be healed it has healed, and it sees to it that nobody is prompted on the strength of stamps
 * that say nothing.
 */
#ifndef AGENT_VIGIL_H
#define AGENT_VIGIL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "health/clocks.h"
#include "health/troubles.h"
#include "keep/keeper.h"
#include "kernel/attach.h"
#include "store/store.h"

#define VIGIL_PERIOD_NS UINT64_C(1000000000)

struct vigil;

/*
 * What it looks at; all outlives the watching. An agent has a keeper; call control has none, and
 * leaves out what stands below "of an agent".
 */
struct vigil_options {
	struct ev_loop *loop;
	bool (*in_reach)(void *context); /* the cluster, now; NULL: there is none */
	/* Called at the end of every look; NULL for nobody. */
	void (*looked)(void *context, uint64_t now_ns);
	void *context; /* of all functions here */

	/* Of an agent. */
	struct keeper *keeper;
	int counter_map; /* descriptor of sip_counters */
	const struct store *store; /* NULL: it could not be opened */
	/* Asks for attach_mend(), and hands its repair to vigil_mended() now or later. */
	void (*mend)(void *context, uint64_t now_ns);
	bool (*helper_lives)(void *context); /* whoever mends; NULL: nobody but ourselves */
};

/*
 * Opens what it will look with, and whom it will tell (health/notify.h), while that is allowed;
 * the counters outlive it. -errno after one log line.
 */
int vigil_open(struct counts *counts, struct vigil **out);
void vigil_close(struct vigil *vigil);

/* The troubles, for whoever shows them; owned by the vigil. */
const struct troubles *vigil_troubles(const struct vigil *vigil);

/* Looks from the loop every VIGIL_PERIOD_NS, from now on. */
void vigil_watch(struct vigil *vigil, const struct vigil_options *options);

/* Tells whoever started us that we are ready; the loop turns from now on. */
void vigil_ready(struct vigil *vigil);

/* Looks no more, and tells whoever started us that we end. */
void vigil_unwatch(struct vigil *vigil);

/* Looks once. */
void vigil_look(struct vigil *vigil, const struct clock_reading *reading);

/* What was missing of the programs and interfaces, and what became of it. */
void vigil_mended(struct vigil *vigil, const struct attach_repair *repair, uint64_t now_ns);

/* True while the programs do not see all packets: nobody is prompted then. */
bool vigil_is_blind(const struct vigil *vigil);

#endif
