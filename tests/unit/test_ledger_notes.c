/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger notes is one record for each binding. */

#include "ledger.h"
#include "state/paths.h"
#include "store_world.h"

/* An hour from now: whoever tried in vain tries again. */
#define LATER (clock_now_ns() + 3600 * NS_PER_S)

struct world {
	struct counts counts;
	struct store *store;
	struct ledger *ledger;
	struct paths *paths;
	struct binding *binding; /* the one that is brought back */
};

static void take(void *context, uint64_t id, const struct record *record)
{
	struct world *world = context;
	struct binding_change change;
	struct path *path;

	assert_true(ledger_restore(world->ledger, id, record, clock_now_ns(), &change));
	path = paths_add(world->paths, &change.flow, clock_now_ns());
	assert_non_null(path);
	paths_attach(path, change.binding);
	world->binding = change.binding;
}

/* As the pipeline does with each turn. */
static bool write_down(struct world *world, uint64_t now_ns)
{
	if (store_begin_anew(world->store, now_ns))
		ledger_note_anew(world->ledger);
	if (ledger_note_on(world->ledger, world->paths))
		store_complete(world->store);
	store_flush(world->store);
	return !store_is_behind(world->store);
}

/* A ledger that has brought back one dialog. */
static void begin(struct world *world)
{
	struct ledger_options options = { .paths_max = 8, .counts = &world->counts };
	struct store_listener listener = { .binding = take, .context = world };

	in_a_child(put_flush_and_die);
	world->store = opened();
	options.store = world->store;
	world->ledger = ledger_new(&options);
	world->paths = paths_new(8);
	assert_non_null(world->ledger);
	assert_non_null(world->paths);
	assert_int_equal(store_walk(world->store, &listener), 1);
	assert_int_not_equal(world->binding->stored, 0);
}

static void end(struct world *world)
{
	struct path *path = world->binding->path;

	paths_detach(world->binding);
	paths_drop(world->paths, path);
	ledger_free(world->ledger);
	paths_free(world->paths);
	store_close(world->store);
}

static void what_is_brought_back_is_written_down_at_once(void **state)
{
	struct world world = { 0 };
	uint64_t stored;
	struct seen seen;

	(void)state;
	begin(&world);
	stored = world.binding->stored;
	assert_int_not_equal(stored, 0);
	assert_true(write_down(&world, clock_now_ns()));
	ledger_note(world.ledger, world.binding);
	assert_true(write_down(&world, clock_now_ns()));
	end(&world);
	seen = found();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], stored);
}

static int unlink_found(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	return unlink(path);
}

/* Something could not be written: now there is room again. */
static void fall_behind(struct world *world)
{
	leave_room(64);
	ledger_note(world->ledger, world->binding);
	assert_false(write_down(world, clock_now_ns()));
	leave_room(RLIM_INFINITY);
}

static void what_could_not_be_written_is_once_there_is_room(void **state)
{
	struct world world = { 0 };

	(void)state;
	begin(&world);
	fall_behind(&world);
	assert_int_equal(unlink_found(), 0); /* so that what comes back was written just now */
	assert_true(write_down(&world, LATER));
	end(&world);
	assert_int_equal(found().count, 1);
}

static void what_is_on_no_path_is_not_written(void **state)
{
	struct world world = { 0 };
	struct path *path;

	(void)state;
	begin(&world);
	fall_behind(&world);
	path = world.binding->path;
	paths_detach(world.binding);
	assert_true(write_down(&world, LATER));
	paths_attach(path, world.binding);
	end(&world);
	assert_int_equal(found().count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_brought_back_is_written_down_at_once),
		TEST(what_could_not_be_written_is_once_there_is_room),
		TEST(what_is_on_no_path_is_not_written),
	};

	return cmocka_run_group_tests_name("what the ledger notes", tests, NULL, NULL);
}
