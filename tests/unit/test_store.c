/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is put into the store is there for the next agent, and nothing else is. */
#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "store_world.h"

static bool deletes_fail; /* as on a full disk */
static int held = -1; /* by another agent, which goes once somebody wants what it has */

/* Stands before LMDB's own. */
int mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value)
{
	int (*next)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);

	if (deletes_fail)
		return ENOSPC;
	*(void **)&next = dlsym(RTLD_NEXT, "mdb_del");
	return next(txn, dbi, key, value);
}

/* The C library's, but for the other agent. */
int flock(int fd, int operation)
{
	int result = (int)syscall(SYS_flock, fd, operation);
	int error = errno;

	if (result && held >= 0) {
		close(held);
		held = -1;
	}
	errno = error;
	return result;
}

struct world {
	struct store *store;
	struct seen seen;
};

/* An hour from now: whoever tried in vain tries again. */
#define LATER (clock_now_ns() + 3600 * NS_PER_S)

#define ENOUGH 400 /* records, so that they cannot all be where there is no room */

static void a_record_is_there_for_the_next_agent(void **state)
{
	struct record first = dialog_record("first"), second = dialog_record("second");
	struct store *store = begun();
	struct seen seen;
	uint64_t id;

	(void)state;
	id = store_put(store, 0, &first);
	assert_int_not_equal(id, 0);
	assert_int_not_equal(store_put(store, 0, &second), id);
	store_close(store);

	seen = found();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], id);
	assert_string_equal(seen.call_ids[0], "first");
	assert_string_equal(seen.call_ids[1], "second");
	assert_int_equal(seen.ends_ns[0], first.ends_ns);
}

static void a_record_is_replaced_and_deleted(void **state)
{
	struct record record = dialog_record("old");
	struct store *store = begun();
	struct seen seen;
	uint64_t id, other;

	(void)state;
	id = store_put(store, 0, &record);
	other = store_put(store, 0, &record);
	store_flush(store);
	record.call_id = SPAN("new");
	assert_int_equal(store_put(store, id, &record), id);
	store_delete(store, other);
	store_delete(store, 12345); /* there is none: no harm */
	store_close(store);
	seen = found();
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "new");
}

/* It goes by the ids that it was told of, and none of them is given again. */
static void the_next_agent_writes_down_what_it_was_told_of(void **state)
{
	struct record record = dialog_record("known");
	struct store *store = begun();
	struct seen seen;
	uint64_t first, last;

	(void)state;
	first = store_put(store, 0, &record);
	last = store_put(store, 0, &record);
	store_close(store);

	store = opened();
	assert_int_equal(walk(store).count, 2);
	assert_false(store_is_behind(store));
	assert_int_equal(store_put(store, first, &record), first);
	store_delete(store, last);
	assert_true(store_put(store, 0, &record) > last);
	store_close(store);
	seen = found();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], first);
	assert_true(seen.ids[1] > last);
}

static void put_and_die(void)
{
	struct record record = dialog_record("half");
	struct store *store = NULL;

	if (store_open(directory, &store) || store_is_behind(store))
		_exit(1);
	store_put(store, 0, &record);
}

static void what_was_taken_over_is_there_whatever_comes(void **state)
{
	struct seen seen;

	(void)state;
	in_a_child(put_flush_and_die);
	in_a_child(put_and_die);
	seen = found();
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "killed");
	assert_int_equal(files("bindings.mdb*"), 1);
}

static void trap_40_what_was_flushed_outlives_a_killed_agent(void **state)
{
	struct seen seen;

	(void)state;
	in_a_child(put_flush_and_die);
	seen = found();
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "killed");
}

static void a_store_belongs_to_one_agent_at_a_time(void **state)
{
	struct store *store = opened(), *second = NULL;

	(void)state;
	assert_int_equal(store_open(directory, &second), -EWOULDBLOCK);
	assert_null(second);
	store_close(store);
	store_close(opened());
}

static void put_many(struct store *store)
{
	struct record record = dialog_record("many");

	for (size_t i = 0; i < ENOUGH; i++)
		store_put(store, 0, &record);
	store_flush(store);
}

static void who_is_about_to_go_is_waited_for(void **state)
{
	(void)state;
	held = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(held >= 0);
	assert_int_equal(syscall(SYS_flock, held, LOCK_EX | LOCK_NB), 0);
	store_close(opened());
	assert_int_equal(held, -1);
}

/* One of those that it is told of cannot be deleted; it is told of all of them. */
static void delete_it(void *context, uint64_t id, const struct record *record)
{
	struct world *world = context;

	note(&world->seen, id, record);
	deletes_fail = true;
	store_delete(world->store, id);
	deletes_fail = false;
}

static void walk_where_nothing_can_be_deleted(void)
{
	struct world world = { .store = opened() };
	struct store_listener listener = { delete_it, note_request, &world };

	if (store_is_behind(world.store) || store_walk(world.store, &listener) != ENOUGH)
		_exit(2);
	if (world.seen.count != ENOUGH || !store_is_behind(world.store))
		_exit(3);
	if (!begin_anew(world.store, LATER))
		_exit(4);
	store_close(world.store);
}

static void what_cannot_be_deleted_ends_no_walk(void **state)
{
	struct store *store = begun();

	(void)state;
	put_many(store);
	store_close(store);
	in_a_child(walk_where_nothing_can_be_deleted);
	assert_int_equal(found().count, 0);
}

static void no_store_is_fine_everywhere(void **state)
{
	struct record record = dialog_record("x");

	(void)state;
	assert_int_equal(store_put(NULL, 0, &record), 0);
	store_delete(NULL, 1);
	store_flush(NULL);
	assert_false(store_is_behind(NULL));
	assert_false(store_begin_anew(NULL, 1));
	store_close(NULL);
}

static struct store *behind_on_a_full_disk(uint64_t *id)
{
	struct record record = dialog_record("early");
	struct store *store = begun();

	*id = store_put(store, 0, &record);
	store_flush(store);
	assert_false(store_is_behind(store));
	leave_room(file_size("bindings.mdb"));
	put_many(store);
	assert_true(store_is_behind(store));
	leave_room(RLIM_INFINITY);
	return store;
}

static void what_a_full_disk_lost_is_written_once_there_is_room(void **state)
{
	struct record early = dialog_record("early"), late = dialog_record("late");
	struct store *store;
	uint64_t id, late_id;
	struct seen seen;

	(void)state;
	store = behind_on_a_full_disk(&id);
	assert_int_equal(store_put(store, id, &early), 0);
	assert_true(begin_anew(store, LATER));
	assert_false(store_is_behind(store));
	assert_int_equal(store_put(store, id, &early), id);
	late_id = store_put(store, 0, &late);
	assert_true(late_id > id);
	store_flush(store);
	assert_false(store_is_behind(store));
	store_close(store);
	seen = found();
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.call_ids[0], "early");
	assert_string_equal(seen.call_ids[1], "late");
}

static void what_was_forgotten_while_the_disk_was_full_does_not_come_back(void **state)
{
	struct store *store;
	uint64_t id;

	(void)state;
	store = behind_on_a_full_disk(&id);
	store_delete(store, id);
	assert_true(begin_anew(store, LATER));
	store_close(store);
	assert_int_equal(found().count, 0);
}

static void a_full_disk_is_tried_now_and_then(void **state)
{
	struct record record = dialog_record("late");
	uint64_t later_ns = LATER, id;
	struct store *store;

	(void)state;
	store = behind_on_a_full_disk(&id);
	leave_room(1);
	assert_false(store_begin_anew(store, later_ns));
	leave_room(RLIM_INFINITY);
	assert_false(store_begin_anew(store, later_ns + 1));
	assert_int_equal(store_put(store, 0, &record), 0);
	store_delete(store, id);
	store_flush(store);
	assert_int_equal(files("bindings.mdb*"), 1);
	assert_true(store_begin_anew(store, later_ns + 3600 * NS_PER_S));
	assert_false(store_begin_anew(store, later_ns + 7200 * NS_PER_S));
	store_close(store);
}

static void a_start_on_a_full_disk_remembers_all_the_same(void **state)
{
	struct store *store;

	(void)state;
	in_a_child(put_flush_and_die);
	leave_room(64);
	store = opened();
	assert_int_equal(walk(store).count, 1);
	assert_false(store_begin_anew(store, clock_now_ns()));
	store_close(store);
	assert_int_equal(found().count, 1);
	leave_room(RLIM_INFINITY);
}

/* Its old self would be brought back. */
static void a_record_that_cannot_be_put_leaves_nothing_old(void **state)
{
	struct record record = dialog_record("call");
	static char text[RECORD_TEXT_MAX + 1];
	struct store *store = begun();
	uint64_t id = store_put(store, 0, &record), other = store_put(store, 0, &record);

	(void)state;
	memset(text, 'x', sizeof(text));
	record.target = (struct span){ text, sizeof(text) };
	assert_int_equal(store_put(store, id, &record), 0);
	assert_int_equal(store_put(store, other, &record), 0);
	record.target = SPAN("sip:alice@10.0.0.2");
	assert_int_equal(store_put(store, id, &record), id);
	store_close(store);
	assert_int_equal(found().count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_there_for_the_next_agent),
		TEST(a_record_is_replaced_and_deleted),
		TEST(the_next_agent_writes_down_what_it_was_told_of),
		TEST(what_was_taken_over_is_there_whatever_comes),
		TEST(trap_40_what_was_flushed_outlives_a_killed_agent),
		TEST(a_store_belongs_to_one_agent_at_a_time),
		TEST(who_is_about_to_go_is_waited_for),
		TEST(what_cannot_be_deleted_ends_no_walk),
		TEST(no_store_is_fine_everywhere),
		TEST(what_a_full_disk_lost_is_written_once_there_is_room),
		TEST(what_was_forgotten_while_the_disk_was_full_does_not_come_back),
		TEST(a_full_disk_is_tried_now_and_then),
		TEST(a_start_on_a_full_disk_remembers_all_the_same),
		TEST(a_record_that_cannot_be_put_leaves_nothing_old),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
