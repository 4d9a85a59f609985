/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/transactions: how what waits is written down, and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "transactions_world.h"

#define NOTES_MAX 32
#define STAGES 3

/* What is written down, by its id, which is never 0. */
struct notes {
	size_t last;
	struct note {
		bool erased;
		struct waiting waiting;
		struct facts facts;
	} of[NOTES_MAX];
};

static uint64_t note(void *context, const struct waiting *waiting)
{
	struct notes *notes = context;
	struct note *note = &notes->of[++notes->last];

	assert_true(notes->last < NOTES_MAX);
	note->waiting = *waiting;
	memcpy(&note->facts, waiting->facts,
	       offsetof(struct facts, contacts) + sizeof(waiting->facts->contacts[0]));
	note->waiting.facts = &note->facts;
	return notes->last;
}

static void erase(void *context, uint64_t stored)
{
	struct notes *notes = context;

	assert_in_range(stored, 1, notes->last);
	assert_false(notes->of[stored].erased);
	notes->of[stored].erased = true;
}

static size_t standing(const struct notes *notes)
{
	size_t count = 0;

	for (size_t id = 1; id <= notes->last; id++)
		count += !notes->of[id].erased;
	return count;
}

/* Whoever brings them back by their ids finds each the newest of those that wait for the same. */
static void assert_in_order(const struct notes *notes)
{
	uint64_t newest_ns[STAGES] = { 0 };

	for (size_t id = 1; id <= notes->last; id++) {
		const struct waiting *waiting = &notes->of[id].waiting;

		if (notes->of[id].erased)
			continue;
		assert_true(waiting->since_ns >= newest_ns[waiting->stage]);
		newest_ns[waiting->stage] = waiting->since_ns;
	}
}

static bool write_down(struct world *world, size_t limit, struct notes *notes)
{
	return transactions_write_down(world->transactions, limit, note, notes);
}

static void only_what_is_new_is_written(void **state)
{
	struct notes notes = { 0 };
	struct world *world = *state;

	transactions_on_forget(world->transactions, erase, &notes);
	remember(world, 1, 1);
	remember(world, 2, 2);
	assert_true(write_down(world, NOTES_MAX, &notes));
	assert_true(write_down(world, NOTES_MAX, &notes));
	assert_int_equal(notes.last, 2);
	remember(world, 3, 3);
	assert_true(write_down(world, NOTES_MAX, &notes));
	assert_int_equal(notes.last, 3);
	assert_int_equal(standing(&notes), 3);
	assert_in_order(&notes);
}

/* The last to be asked rings first, twice, and before it was written or after. */
static void what_rings_is_written_in_the_order_in_which_it_does(void **state)
{
	struct notes notes = { 0 };
	struct world *world = *state;

	transactions_on_forget(world->transactions, erase, &notes);
	for (uint32_t cseq = 1; cseq <= ROOM; cseq++)
		remember(world, cseq, cseq);
	assert_true(answer(world, ROOM, 180, 10));
	assert_true(write_down(world, NOTES_MAX, &notes));
	assert_in_order(&notes);
	for (uint32_t cseq = ROOM; cseq > 0; cseq--)
		assert_true(answer(world, cseq, 180, 20 + ROOM - cseq));
	assert_true(answer(world, ROOM, 183, 30));
	assert_true(write_down(world, NOTES_MAX, &notes));
	assert_int_equal(standing(&notes), ROOM);
	assert_in_order(&notes);
}

static void no_more_is_written_at_once_than_is_asked_for(void **state)
{
	struct notes notes = { 0 };
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM; cseq++)
		remember(world, cseq, cseq);
	assert_false(write_down(world, ROOM - 1, &notes));
	assert_int_equal(notes.last, ROOM - 1);
	assert_true(write_down(world, ROOM - 1, &notes));
	assert_int_equal(notes.last, ROOM);
}

/* The store is empty, and some were not written yet. */
static void all_of_it_is_written_anew(void **state)
{
	struct notes notes = { 0 }, anew = { 0 };
	struct world *world = *state;

	for (uint32_t cseq = 1; cseq <= ROOM; cseq++) {
		remember(world, cseq, cseq);
		write_down(world, cseq < ROOM ? NOTES_MAX : 0, &notes);
	}
	transactions_write_anew(world->transactions);
	remember(world, ROOM + 1, ROOM + 1); /* makes the first one go */
	assert_true(write_down(world, NOTES_MAX, &anew));
	assert_int_equal(anew.last, ROOM);
	assert_in_order(&anew);
}

static void what_comes_back_waits_as_it_did(void **state)
{
	struct notes notes = { 0 };
	struct world *world = *state;
	struct world next = { .transactions = transactions_new(ROOM, 200 * NS_PER_S, NULL) };

	remember(world, 1, 1);
	remember(world, 2, 2);
	assert_true(answer(world, 1, 180, 3));
	assert_true(write_down(world, NOTES_MAX, &notes));
	for (size_t id = 1; id <= notes.last; id++)
		assert_int_equal(transactions_restore(next.transactions, id, &notes.of[id].waiting),
				 0);
	assert_true(write_down(&next, NOTES_MAX, &notes)); /* it is as it is written */
	assert_int_equal(notes.last, 2);
	transactions_expire(next.transactions, 200 * NS_PER_S + 3);
	assert_int_equal(transactions_count(next.transactions), 1);
	assert_true(answer(&next, 1, 200, 200 * NS_PER_S + 3));
	transactions_free(next.transactions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(only_what_is_new_is_written),
		WORLD_TEST(what_rings_is_written_in_the_order_in_which_it_does),
		WORLD_TEST(no_more_is_written_at_once_than_is_asked_for),
		WORLD_TEST(all_of_it_is_written_anew),
		WORLD_TEST(what_comes_back_waits_as_it_did),
	};

	return cmocka_run_group_tests_name("transactions, written down", tests, NULL, NULL);
}
