/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/view: Redis has lost what living nodes said, or nobody can be heard there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "view_world.h"

#define TICK_NS (NODE_BEAT_NS / 2)

static void judge(struct view *view, uint64_t now_ns)
{
	view_end_nodes(view);
	view_judge_nodes(view, now_ns);
}

static void put_epochs(struct view *view, const char *name, uint64_t begun, uint64_t whole,
		       uint64_t now_ns)
{
	struct node node = { .name = span_of(name),
			     .uri = SPAN("sip:192.0.2.11:5060"),
			     .beat_ms = now_ns / 1000000,
			     .begun = begun,
			     .whole = whole };

	assert_int_equal(view_put_node(view, &node, now_ns), 0);
}

static void beat(struct view *view, const char *name, uint64_t now_ns)
{
	put_epochs(view, name, 1, 1, now_ns);
}

static bool lives(const struct view *view, const char *name, uint64_t now_ns)
{
	return view_node_is_alive(view, span_of(name), now_ns);
}

static void read_nothing(struct view *view, uint64_t now_ns)
{
	view_begin_reading(view);
	view_end_reading(view, now_ns);
	expire(view, NOW_MS);
}

/* Alice is at "a" and "b", both of which live. */
static void put_both(struct view *view)
{
	beat(view, "a", NOW_NS);
	beat(view, "b", NOW_NS);
	put(view, "a", NOW_MS - 1);
	put(view, "b", NOW_MS - 2);
	judge(view, NOW_NS);
}

static void a_missing_node_goes_on_until_it_is_dead(void **state)
{
	struct view *view = *state;
	uint64_t now_ns = NOW_NS;

	put_both(view);
	while ((now_ns += TICK_NS) < NOW_NS + NODE_DEAD_NS) {
		beat(view, "b", now_ns);
		judge(view, now_ns);
		read_nothing(view, now_ns);
		assert_non_null(view_find_node(view, SPAN("a")));
		assert_true(lives(view, "a", now_ns));
		assert_string_equal(where(view), "a"); /* "b" was there, and is not found */
	}
	beat(view, "b", now_ns);
	judge(view, now_ns);
	assert_null(view_find_node(view, SPAN("a")));
	beat(view, "a", now_ns);
	assert_string_equal(where(view), ""); /* what was spared for it went with it */
}

static void a_wiped_redis_takes_nothing_until_all_is_announced_anew(void **state)
{
	struct view *view = *state;
	struct location again = at_node("a", NOW_MS);
	uint64_t now_ns = NOW_NS + TICK_NS;

	put_both(view);
	view_lose(view, now_ns);
	beat(view, "a", now_ns); /* its first beat thereafter does not know it yet */
	beat(view, "b", now_ns);
	judge(view, now_ns);
	read_nothing(view, now_ns);
	assert_string_equal(where(view), "a b");
	for (int tick = 0; tick < 20; tick++) {
		now_ns += TICK_NS;
		put_epochs(view, "a", 2, 1, now_ns);
		put_epochs(view, "b", 2, 1, now_ns);
		judge(view, now_ns);
		read_nothing(view, now_ns);
		assert_string_equal(where(view), "a b");
	}
	again.epoch = 2;
	assert_int_equal(view_put(view, &again), 0);
	put_epochs(view, "a", 2, 2, now_ns);
	put_epochs(view, "b", 2, 2, now_ns);
	assert_string_equal(where(view), "a");
	read_nothing(view, now_ns);
	assert_string_equal(where(view), "");
}

/* The clock of another Redis is behind: so are the epochs. */
static void an_epoch_may_be_of_an_earlier_time(void **state)
{
	struct view *view = *state;
	struct location again = at_node("a", NOW_MS - 9);

	put_epochs(view, "a", 7, 7, NOW_NS);
	again.epoch = 7;
	assert_int_equal(view_put(view, &again), 0);
	again.kind = BINDING_DIALOG;
	assert_int_equal(view_put(view, &again), 0);
	view_lose(view, NOW_NS);
	read_nothing(view, NOW_NS);
	assert_int_equal(count_of(view, ALICE), 2);
	again.epoch = 2;
	put_epochs(view, "a", 2, 0, NOW_NS);
	assert_int_equal(view_put(view, &again), 0);
	assert_int_equal(count_of(view, ALICE), 2);
	put_epochs(view, "a", 2, 2, NOW_NS);
	assert_int_equal(count_of(view, ALICE), 1);
}

static void who_does_not_announce_has_lost_nothing(void **state)
{
	struct view *view = *state;
	uint64_t now_ns = NOW_NS;

	put_both(view);
	view_lose(view, NOW_NS);
	read_nothing(view, NOW_NS);
	while ((now_ns += TICK_NS) < NOW_NS + NODE_DEAD_NS) {
		beat(view, "a", now_ns);
		beat(view, "b", now_ns);
		judge(view, now_ns);
		assert_string_equal(where(view), "a b");
	}
	beat(view, "a", now_ns);
	beat(view, "b", now_ns);
	judge(view, now_ns);
	assert_string_equal(where(view), "");
	expire(view, NOW_MS);
	assert_int_equal(view_count(view), 0);
}

static void a_dead_node_is_not_spared(void **state)
{
	struct view *view = *state;

	put_epochs(view, "a", 2, 1, NOW_NS);
	put(view, "a", NOW_MS);
	read_nothing(view, NOW_NS + NODE_DEAD_NS - 1);
	assert_string_equal(where(view), "a");
	read_nothing(view, NOW_NS + NODE_DEAD_NS);
	assert_string_equal(where(view), "");
}

static void if_all_fall_silent_none_has_died(void **state)
{
	struct view *view = *state;
	uint64_t now_ns = NOW_NS;

	beat(view, "dead", NOW_NS - NODE_DEAD_NS);
	put_both(view);
	while ((now_ns += TICK_NS) < NOW_NS + 10 * NODE_DEAD_NS) {
		if (now_ns == NOW_NS + NODE_BEAT_NS)
			beat(view, "b", now_ns);
		put_node_at(view, "c", 1, 1, NOW_NS - 2 * NODE_DEAD_NS);
		judge(view, now_ns);
		assert_true(lives(view, "a", now_ns));
		assert_true(lives(view, "b", now_ns));
		assert_false(lives(view, "dead", now_ns));
	}
	assert_true(view_quiet_ns(view, now_ns) >= NODE_DEAD_NS);
	beat(view, "b", now_ns);
	judge(view, now_ns);
	assert_int_equal(view_quiet_ns(view, now_ns), 0);
	for (uint64_t end_ns = now_ns + NODE_DEAD_NS; now_ns < end_ns; now_ns += TICK_NS) {
		assert_true(lives(view, "a", now_ns));
		beat(view, "b", now_ns);
		judge(view, now_ns);
	}
	assert_false(lives(view, "a", now_ns));
	assert_true(lives(view, "b", now_ns));
}

static void one_alone_may_die(void **state)
{
	struct view *view = *state;
	uint64_t now_ns = NOW_NS;

	beat(view, "dead", NOW_NS - NODE_DEAD_NS);
	beat(view, "a", NOW_NS);
	while ((now_ns += TICK_NS) < NOW_NS + NODE_DEAD_NS) {
		judge(view, now_ns);
		assert_true(lives(view, "a", now_ns));
	}
	judge(view, now_ns);
	assert_false(lives(view, "a", now_ns));
	assert_int_equal(view_quiet_ns(view, now_ns), 0);
}

static void the_living_take_the_place_of_the_dead(void **state)
{
	struct view *view = *state;
	uint64_t now_ns = NOW_NS + NODE_DEAD_NS;
	struct node real = { .name = SPAN("real"), .uri = SPAN("sip:192.0.2.1"), .beat_ms = 1 };
	char name[16];

	put_both(view);
	for (int i = 0; i < VIEW_NODES_MAX - 2; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put_node_at(view, name, 1, 1, NOW_NS + 1);
	}
	assert_int_equal(view_put_node(view, &real, 0), -ENOSPC);
	beat(view, "a", now_ns);
	assert_int_equal(view_put_node(view, &real, now_ns), 0); /* as "b" was dead */
	assert_null(view_find_node(view, SPAN("b")));
	assert_true(lives(view, "a", now_ns));
	assert_true(lives(view, "real", now_ns));
	real.name = SPAN("another");
	assert_int_equal(view_put_node(view, &real, now_ns), -ENOSPC);
	judge(view, now_ns);
	assert_int_equal(view_put_node(view, &real, now_ns + 1), 0);
}

static void what_is_no_sign_of_life_makes_none_live(void **state)
{
	struct view *view = *state;
	struct node node = { .name = SPAN("b"), .uri = SPAN("sip:192.0.2.1"), .beat_ms = 1 };

	beat(view, "a", NOW_NS);
	assert_int_equal(view_put_node(view, &node, 0), 0);
	assert_false(lives(view, "b", NOW_NS));
	node.name = SPAN("a");
	assert_int_equal(view_put_node(view, &node, 0), 0);
	assert_true(lives(view, "a", NOW_NS + NODE_DEAD_NS - 1));
	assert_false(lives(view, "a", NOW_NS + NODE_DEAD_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_node_goes_on_until_it_is_dead),
		TEST(a_wiped_redis_takes_nothing_until_all_is_announced_anew),
		TEST(an_epoch_may_be_of_an_earlier_time),
		TEST(who_does_not_announce_has_lost_nothing),
		TEST(a_dead_node_is_not_spared),
		TEST(if_all_fall_silent_none_has_died),
		TEST(one_alone_may_die),
		TEST(the_living_take_the_place_of_the_dead),
		TEST(what_is_no_sign_of_life_makes_none_live),
	};

	return cmocka_run_group_tests_name("view_losses", tests, NULL, NULL);
}
