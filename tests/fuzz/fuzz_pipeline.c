/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sightings through the whole pipeline, in simulated time: the input is a list of SIP messages,
 * each with a flow, a direction, and the time that has passed. The simulation's seam stands in
 * for the kernel and the network; what a message says reaches the rooms of registrations, dialogs,
 * subscriptions and transactions, and opens, moves and closes paths.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "pipeline.h"
#include "seam.h"

#define SEPARATOR "\n--\n" /* between sightings */
#define PATHS_MAX 6 /* fewer than there are flows */
#define REQUESTS_MAX 8
#define TURNS_MAX 64 /* of the pipeline between two sightings */

struct world {
	struct pipeline *pipeline;
	struct counts counts;
	uint64_t now_ns;
	uint32_t sequence[FUZZ_FLOWS][2];
};

/* Lets time pass until then, as the loop of the agent does. */
static void pass_time(struct world *world, uint64_t until_ns)
{
	for (int i = 0; i < TURNS_MAX && world->now_ns < until_ns; i++) {
		uint64_t due_ns = pipeline_turn(world->pipeline, world->now_ns);

		if (due_ns <= world->now_ns)
			due_ns = world->now_ns + NS_PER_MS;
		world->now_ns = due_ns < until_ns ? due_ns : until_ns;
	}
	world->now_ns = until_ns;
	(void)pipeline_turn(world->pipeline, until_ns);
}

/* Every path has a reason to be there, is known by its flow, and has its entry in the kernel. */
static void check(const struct world *world)
{
	const struct keeper *keeper = pipeline_keeper(world->pipeline);
	const struct paths *paths = keeper_paths(keeper);
	size_t kept = 0, all = 0;
	struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(paths, &cursor))) {
		size_t bindings = 0;

		for (const struct binding *b = path->bindings; b; b = b->next, bindings++)
			fuzz_demand(b->path == path && *b->link == b);
		fuzz_demand((bindings == 0) == (path_state(path) == PATH_IDLE));
		fuzz_demand(paths_find(paths, &path->flow) == path);
		fuzz_demand(bindings == 0 || fuzz_flows_has_entry(&path->flow));
		kept += bindings > 0;
		all++;
	}
	fuzz_demand(kept == keeper_kept(keeper) && kept <= PATHS_MAX);
	fuzz_demand(all == paths_count(paths));
}

static struct sighting *make_sighting(struct world *world, uint8_t which, uint8_t kind,
				      struct span bytes)
{
	struct sighting *sighting = calloc(1, sizeof(*sighting) + bytes.length);
	uint8_t flow = which % FUZZ_FLOWS, direction = which / FUZZ_FLOWS % 2;

	if (!sighting)
		abort();
	sighting->flow = fuzz_flow(flow);
	sighting->direction = direction;
	sighting->kind = kind;
	sighting->when_ns = world->now_ns;
	sighting->captured = (uint16_t)bytes.length;
	sighting->wire_length = (uint32_t)bytes.length;
	sighting->sequence = world->sequence[flow][direction];
	world->sequence[flow][direction] += sighting->wire_length;
	memcpy(sighting->bytes, bytes.at, bytes.length);
	return sighting;
}

/*
 * The first byte of a piece: flow and direction. The second one: how long it is since the last
 * one; the highest values have a connection opened or closed instead. Over TCP it is a segment.
 */
static void show(struct world *world, struct fuzz_input *piece)
{
	static const uint64_t steps_ns[] = {
		0, NS_PER_MS, NS_PER_S, 5 * NS_PER_S, 30 * NS_PER_S, NS_PER_S * 200, NS_PER_S * 3700
	};
	uint8_t which = fuzz_byte(piece), when = fuzz_byte(piece);
	uint8_t kind = fuzz_flow(which % FUZZ_FLOWS).transport == FLOW_TCP ? SIGHTING_SEGMENT
									   : SIGHTING_MESSAGE;
	struct span bytes = fuzz_bytes(piece, SIGHTING_CAPTURE_MAX);
	struct sighting *sighting;

	if (when >= 0xfe)
		kind = when == 0xfe ? SIGHTING_OPENED : SIGHTING_CLOSED;
	pass_time(world, world->now_ns + steps_ns[when % 7]);
	fuzz_flows_hear(which % FUZZ_FLOWS, world->now_ns, when & 0x40);
	sighting = make_sighting(world, which, kind, bytes);
	pipeline_sighting(world->pipeline, sighting);
	free(sighting);
	check(world);
}

static void begin(struct world *world)
{
	const struct pipeline_options options = {
		.keeper.path_map = -1,
		.keeper.connection_map = -1,
		.keeper.paths_max = PATHS_MAX,
		.keeper.defaults.threshold_ns = 24 * NS_PER_S,
		.keeper.coarse_lag_ns = SEAM_TICK_NS,
		.keeper.counts = &world->counts,
		.keeper.wire = (struct wire *)(void *)world, /* only has to be there */
		.transactions_max = REQUESTS_MAX,
		.linger_ns = 32 * NS_PER_S,
		.dialog_max_ns = 4 * 3600 * NS_PER_S,
	};

	fuzz_flows_begin();
	if (pipeline_new(&options, world->now_ns, &world->pipeline))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .now_ns = 1000 * NS_PER_S };

	begin(&world);
	while (input.left > 0) {
		struct span bytes = fuzz_piece(&input, SEPARATOR);
		struct fuzz_input piece = { (const uint8_t *)bytes.at, bytes.length };

		show(&world, &piece);
	}
	/* Whatever was learnt is over in the end. */
	pass_time(&world, world.now_ns + 8 * 24 * 3600 * NS_PER_S);
	check(&world);
	pipeline_free(world.pipeline);
	return 0;
}
