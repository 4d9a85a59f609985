/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/follow: Redis is wiped, killed, slow, or has lost changes; the view comes right again. */
#include "follow_world.h"

static void a_wiped_redis_is_noticed(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
	command(world, "FLUSHALL");
	run_until(world, is_not_current);
	run_until(world, is_current);
	assert_string_equal(where(world, "sip:alice@x"), "a"); /* which will announce anew */
	world->begun = 2;
	write_node(world, "a", wall_ms(), "serving");
	put(world, "sip:bob@x", "a");
	run_until_where(world, "sip:bob@x", "a");
	assert_string_equal(where(world, "sip:alice@x"), "a");
	world->whole = 2;
	write_node(world, "a", wall_ms(), "serving");
	run_until_where(world, "sip:alice@x", "");
	assert_string_equal(where(world, "sip:bob@x"), "a");
}

static bool is_a_second_later(void *context)
{
	return clock_now_ns() >= ((struct world *)context)->count;
}

static void lost_nodes_take_no_locations_with_them(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
	command(world, "DEL " NOTATION_NODES);
	world->count = clock_now_ns() + NS_PER_S;
	run_until(world, is_a_second_later);
	assert_true(view_node_is_alive(world->view, SPAN("a"), clock_now_ns()));
	assert_string_equal(where(world, "sip:alice@x"), "a");
}

static bool is_quiet_for_long(void *context)
{
	struct world *world = context;

	return view_quiet_ns(world->view, clock_now_ns()) > 2 * NODE_DEAD_NS;
}

static bool is_heard_again(void *context)
{
	struct world *world = context;

	return view_quiet_ns(world->view, clock_now_ns()) == 0;
}

static void a_redis_that_takes_no_writes_kills_no_node(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	run_until(world, is_quiet_for_long);
	assert_true(view_node_is_alive(world->view, SPAN("a"), clock_now_ns()));
	assert_true(view_node_is_alive(world->view, SPAN("b"), clock_now_ns()));
	assert_true(follow_is_current(world->follow, NULL));
	write_node(world, "b", wall_ms(), "serving");
	run_until(world, is_heard_again);
}

/* The real ones come last. */
static void a_crowd_of_false_nodes_keeps_no_real_one_out(void **state)
{
	struct world *world = *state;

	command(world, "EVAL %s 0 %llu",
		"for i = 1, 10000 do redis.call('HSET', '" NOTATION_NODES "', 'false' .. i,"
		" '1 7 ' .. ARGV[1] .. ' 1 1 10 5 serving sip:192.0.2.11:5060') end",
		(unsigned long long)wall_ms() + 3600000);
	follow_two_nodes(world);
	assert_true(view_node_is_alive(world->view, SPAN("a"), clock_now_ns()));
	assert_true(view_node_is_alive(world->view, SPAN("b"), clock_now_ns()));
	assert_true(world->counts.value[COUNT_shared_garbage] > 0);
}

/* The wiped stream begins anew with ids that are older than those which had been read. */
static void a_clock_that_was_set_back_hides_no_changes(void **state)
{
	struct world *world = *state;

	write_node(world, "a", wall_ms(), "serving");
	command(world, "XADD " NOTATION_CHANGES " 99999999999999-1 n 5 a sip:x@x f garbage v x");
	command(world, "SET " NOTATION_SEQUENCE " 5");
	begin_to_follow(world);
	run_until(world, is_ready);
	command(world, "FLUSHALL");
	write_node(world, "a", wall_ms(), "serving");
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
	put(world, "sip:bob@x", "a");
	run_until_where(world, "sip:bob@x", "a");
}

static void after_a_crash_it_fills_again(void **state)
{
	struct world *world = *state;
	uint64_t before_ns = clock_now_ns(), since_ns = 0;

	follow_two_nodes(world);
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
	redis_world_kill(&world->redis);
	run_until(world, is_not_current);
	assert_false(follow_is_current(world->follow, &since_ns));
	assert_true(since_ns > before_ns && since_ns <= clock_now_ns());
	assert_string_equal(where(world, "sip:alice@x"), "a"); /* the last known state */
	redis_world_restart(&world->redis);
	run_until(world, is_current);
	assert_string_equal(where(world, "sip:alice@x"), "a");
	world->begun = world->whole = 2;
	write_node(world, "a", wall_ms(), "serving");
	run_until_where(world, "sip:alice@x", "");
	write_node(world, "b", wall_ms(), "serving");
	put(world, "sip:alice@x", "b");
	run_until_where(world, "sip:alice@x", "b");
	assert_int_equal(world->counts.value[COUNT_cluster_losses], 1);
}

static bool is_four_seconds_later(void *context)
{
	return clock_now_ns() >= ((struct world *)context)->count;
}

/* Longer than a node may be silent. */
static void a_slow_redis_kills_no_node(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	redis_world_pause(&world->redis);
	world->count = clock_now_ns() + 4 * NS_PER_S;
	run_until(world, is_four_seconds_later);
	assert_false(follow_is_current(world->follow, NULL));
	assert_true(view_node_is_alive(world->view, SPAN("a"), clock_now_ns()));
	redis_world_resume(&world->redis);
	run_until(world, is_current);
	assert_true(view_node_is_alive(world->view, SPAN("a"), clock_now_ns()));
	assert_int_equal(world->counts.value[COUNT_cluster_losses], 0);
}

/* While nobody reads: the loop does not run. */
static void change_five(struct world *world)
{
	put(world, "sip:one@x", "a");
	put(world, "sip:two@x", "a");
	drop(world, "sip:zero@x", "a");
	put(world, "sip:three@x", "a");
	put(world, "sip:four@x", "a");
}

static void assert_five_are_known(struct world *world)
{
	run_until_where(world, "sip:zero@x", "");
	run_until_where(world, "sip:one@x", "a");
	run_until_where(world, "sip:two@x", "a");
	run_until_where(world, "sip:three@x", "a");
	run_until_where(world, "sip:four@x", "a");
	run_until(world, is_current);
}

static void a_stream_that_was_cut_is_noticed(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:zero@x", "a");
	run_until_where(world, "sip:zero@x", "a");
	change_five(world);
	command(world, "XTRIM " NOTATION_CHANGES " MAXLEN 1");
	assert_five_are_known(world);
}

static void a_stream_that_was_emptied_is_noticed(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:zero@x", "a");
	run_until_where(world, "sip:zero@x", "a");
	change_five(world);
	command(world, "XTRIM " NOTATION_CHANGES " MAXLEN 0");
	assert_five_are_known(world);
	put(world, "sip:five@x", "b");
	run_until_where(world, "sip:five@x", "b");
	assert_true(follow_is_current(world->follow, NULL));
}

static void a_stream_that_was_deleted_is_noticed(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:zero@x", "a");
	run_until_where(world, "sip:zero@x", "a");
	change_five(world);
	command(world, "DEL " NOTATION_CHANGES " " NOTATION_SEQUENCE);
	assert_five_are_known(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wiped_redis_is_noticed),
		TEST(lost_nodes_take_no_locations_with_them),
		TEST(a_redis_that_takes_no_writes_kills_no_node),
		TEST(a_crowd_of_false_nodes_keeps_no_real_one_out),
		TEST(a_clock_that_was_set_back_hides_no_changes),
		TEST(after_a_crash_it_fills_again),
		TEST(a_slow_redis_kills_no_node),
		TEST(a_stream_that_was_cut_is_noticed),
		TEST(a_stream_that_was_emptied_is_noticed),
		TEST(a_stream_that_was_deleted_is_noticed),
	};

	return cmocka_run_group_tests_name("follow_losses", tests, NULL, NULL);
}
