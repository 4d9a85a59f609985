/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a Redis server answers: to an agent, which reports its bindings and takes orders, or to call
 * control, which follows who is where. The links, hiredis and libev are the real ones; the input
 * is a list of answers, each with its connection and the time that passes.
 */
#include "fuzz.h"

#include <ev.h>
#include <string.h>

#include "base/clock.h"
#include "cluster/follow.h"
#include "cluster/share.h"
#include "cluster/view.h"
#include "redis_server.h"

#define SEPARATOR "\n--\n" /* between answers */
#define LOCATIONS_MAX 16
#define TURNS 4 /* of the loop after each answer */

struct world {
	struct ev_loop *loop;
	struct counts counts;
	struct share *share; /* of an agent, or */
	struct follow *follow; /* of call control */
	struct view *view;
};

static uint32_t count_paths(void *context)
{
	(void)context;
	return 1;
}

static void take_order(void *context, const struct order *order, uint64_t accepted_ns)
{
	(void)context;
	(void)accepted_ns;
	fuzz_touch(order->aor);
	fuzz_touch(order->device);
	fuzz_touch(order->node);
}

static void report(struct world *world, bool is_over)
{
	struct record record = { .flow = fuzz_flow(0),
				 .ends_ns = 5000 * NS_PER_S,
				 .accepted_ns = 900 * NS_PER_S,
				 .aor = SPAN("sip:alice@example.com"),
				 .target = SPAN("sip:alice@192.168.0.9"),
				 .instance = SPAN("<urn:uuid:1>"),
				 .call_id = SPAN("c1") };
	const struct share_report said = { .record = &record, .seen_ns = 900 * NS_PER_S };
	uint64_t epoch = share_epoch(world->share);

	if (is_over)
		share_drop(world->share, &record);
	else
		share_put(world->share, &said, clock_now_ns());
	if (epoch)
		share_announced(world->share, epoch);
}

static void wake(void *context)
{
	report(context, false);
}

static void ignore(void *context)
{
	(void)context;
}

static void take_change(void *context, const struct location *location)
{
	(void)context;
	fuzz_touch(location->aor);
	fuzz_touch(location->device);
	fuzz_touch(location->node);
}

static void take_answer(void *context, const struct directory_answer *answer)
{
	(void)context;
	fuzz_demand(!answer->error || answer->reason);
	for (size_t i = 0; i < answer->location_count; i++)
		take_change(NULL, &answer->locations[i]);
	for (size_t i = 0; i < answer->node_count; i++) {
		fuzz_touch(answer->nodes[i].name);
		fuzz_touch(answer->nodes[i].uri);
	}
}

static void ask(struct world *world, uint8_t what)
{
	const struct directory *directory =
		world->share ? share_directory(world->share) : follow_directory(world->follow);
	const struct order order = { .kind = ORDER_drain };

	if (what == 1)
		(void)directory->where(directory->context, SPAN("sip:alice@example.com"),
				       take_answer, world);
	else if (what == 2)
		(void)directory->cluster(directory->context, take_answer, world);
	else if (what == 3)
		(void)directory->order(directory->context, SPAN("b"), &order, take_answer, world);
}

static void begin(struct world *world, bool is_agent)
{
	const struct redis_address address = { .host = "127.0.0.1", .port = 6379 };
	const struct share_options share = { .loop = world->loop,
					     .address = address,
					     .node = "a",
					     .uri = "sip:192.0.2.11:5060",
					     .counts = &world->counts,
					     .paths = count_paths,
					     .ordered = take_order,
					     .wake = wake,
					     .context = world };
	const struct follow_options follow = { .loop = world->loop,
					       .address = address,
					       .view = world->view,
					       .counts = &world->counts,
					       .ready = ignore,
					       .changed = take_change,
					       .context = world };

	if (is_agent ? share_redis_open(&share, &world->share)
		     : follow_redis_open(&follow, &world->follow))
		abort();
}

static void take_turns(struct world *world)
{
	for (int i = 0; i < TURNS; i++) {
		ev_run(world->loop, EVRUN_NOWAIT);
		redis_server_listen();
	}
}

/*
 * The first byte of an answer: its connection, whether that is closed afterwards, and what is asked
 * for or reported before. The second one: the time that passes, in tenths of a second.
 */
static void answer(struct world *world, struct fuzz_input *piece)
{
	uint8_t how = fuzz_byte(piece);

	redis_server_wait(fuzz_byte(piece) * 100 * NS_PER_MS);
	ask(world, how >> 2 & 3);
	if (world->share && how & 0x10)
		report(world, how & 0x20);
	redis_server_say(how & 3, fuzz_bytes(piece, piece->left));
	if ((how & 0xc0) == 0xc0)
		redis_server_hang_up(how & 3);
	take_turns(world);
	fuzz_demand(view_count(world->view) <= LOCATIONS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .loop = NULL };
	uint8_t how = fuzz_byte(&input);

	redis_server_begin(!(how & 2));
	world.loop = ev_loop_new(0);
	world.view = view_new(LOCATIONS_MAX);
	if (!world.loop || !world.view)
		abort();
	begin(&world, how & 1);
	take_turns(&world);
	while (input.left > 0) {
		struct span bytes = fuzz_piece(&input, SEPARATOR);
		struct fuzz_input piece = { (const uint8_t *)bytes.at, bytes.length };

		answer(&world, &piece);
	}
	follow_close(world.follow);
	if (world.share)
		share_close(world.share);
	redis_server_end();
	view_free(world.view);
	ev_loop_destroy(world.loop);
	return 0;
}
