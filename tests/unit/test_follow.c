/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/follow: a view is as Redis has it, and what is in Redis may be anything. */
#include "follow_world.h"

static void what_was_there_before_is_read(void **state)
{
	struct world *world = *state;
	uint64_t since_ns = 0;

	write_node(world, "a", wall_ms(), "serving");
	write_node(world, "b", wall_ms(), "draining");
	put(world, "sip:alice@x", "a");
	put(world, "sip:bob@x", "b");
	put_quietly(world, "sip:carol@x", "b");
	drop(world, "sip:bob@x", "b");
	begin_to_follow(world);
	assert_false(follow_is_current(world->follow, &since_ns));
	assert_true(since_ns > 0);
	run_until(world, is_ready);
	assert_true(follow_is_current(world->follow, NULL));
	assert_string_equal(where(world, "sip:alice@x"), "a");
	assert_string_equal(where(world, "sip:bob@x"), "");
	assert_string_equal(where(world, "sip:carol@x"), "b");
	assert_true(view_find_node(world->view, SPAN("b"))->draining);
	assert_int_equal(world->changes, 0);
	assert_int_equal(world->counts.value[COUNT_shared_garbage], 0);
}

static bool has_changed_twice(void *context)
{
	return ((struct world *)context)->changes == 2;
}

static void changes_follow(void **state)
{
	struct world *world = *state;

	follow_two_nodes(world);
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
	assert_int_equal(world->changes, 1);
	assert_string_equal(world->changed, "sip:alice@x");
	put(world, "sip:alice@x", "a");
	run_until(world, has_changed_twice);
	drop(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "");
	put(world, "sip:alice@x", "b");
	run_until_where(world, "sip:alice@x", "b");
	assert_int_equal(world->changes, 3);
	assert_true(follow_is_current(world->follow, NULL));
}

static bool is_alive(void *context)
{
	struct world *world = context;

	return view_node_is_alive(world->view, span_of(world->node), clock_now_ns());
}

static bool is_dead(void *context)
{
	return !is_alive(context);
}

/* These two are asked while others go on beating. */
static bool has_died_alone(void *context)
{
	write_node(context, "b", wall_ms(), "serving");
	return is_dead(context);
}

static bool has_left(void *context)
{
	struct world *world = context;

	write_node(world, "b", wall_ms(), "serving");
	return !view_find_node(world->view, span_of(world->node));
}

static void nodes_live_and_die_and_leave(void **state)
{
	struct world *world = *state;
	double begun, ended;

	write_node(world, "old", wall_ms() - 3600000, "serving");
	follow_two_nodes(world);
	world->node = "old"; /* dead before anybody looked */
	assert_true(is_dead(world));
	write_node(world, "old", wall_ms() - 3600000 + 1000, "serving");
	begun = redis_world_now();
	run_until(world, is_alive); /* whatever its clock says */
	run_until(world, has_died_alone);
	ended = redis_world_now();
	assert_true(ended - begun >= (double)NODE_DEAD_NS / 1e9 - 0.1);
	world->node = "old";
	command(world, "HDEL " NOTATION_NODES " old");
	run_until(world, has_left);
}

/* How many seem to live that do not. */
static void note_cluster(void *context, const struct directory_answer *answer)
{
	struct world *world = context;

	world->count = 0;
	for (size_t i = 0; i < answer->node_count; i++)
		world->count +=
			answer->nodes[i].beat_ms + NODE_DEAD_NS / NS_PER_MS > answer->now_ms &&
			!view_node_is_alive(world->view, answer->nodes[i].name, clock_now_ns());
}

static void who_beats_in_the_future_lives_not(void **state)
{
	struct world *world = *state;
	const struct directory *directory;

	write_node(world, "far", wall_ms() + 3600000, "serving");
	write_node(world, "near", wall_ms() + 8000, "serving");
	follow_two_nodes(world);
	directory = follow_directory(world->follow);
	world->node = "far";
	assert_true(is_dead(world));
	world->node = "near";
	assert_true(is_alive(world));
	run_until(world, has_died_alone);
	assert_int_equal(directory->cluster(directory->context, note_cluster, world), 0);
	assert_int_equal(world->count, 0);
}

static bool is_garbage_counted(void *context)
{
	struct world *world = context;

	return world->counts.value[COUNT_shared_garbage] >= world->count;
}

static void garbage_is_counted_and_left_out(void **state)
{
	struct world *world = *state;

	put(world, "sip:alice@x", "a");
	command(world, "HSET " NOTATION_AOR "sip:alice@x %s %s", "x y z", "garbage");
	command(world, "HSET " NOTATION_AOR "sip:alice@x %s %s", "r b <urn:uuid:1>#1", "2 1 1");
	command(world, "HSET " NOTATION_NODES " c garbage");
	follow_two_nodes(world);
	assert_string_equal(where(world, "sip:alice@x"), "a");
	world->count = 3;
	assert_true(is_garbage_counted(world));
	command(world, "HDEL " NOTATION_NODES " c");

	tell_change(world, "sip:alice@x", "r b <urn:uuid:1>#1", "garbage");
	tell_change(world, "sip:alice@x", "garbage", "");
	command(world, "XADD " NOTATION_CHANGES " * nothing useful");
	command(world, "XADD " NOTATION_CHANGES " * n -1 a b f c v d");
	world->count = world->counts.value[COUNT_shared_garbage] + 4;
	run_until(world, is_garbage_counted);
	put(world, "sip:alice@x", "b");
	run_until_where(world, "sip:alice@x", "b a");
	assert_true(follow_is_current(world->follow, NULL)); /* none of them was a gap */
}

static void keys_of_other_types_do_no_harm(void **state)
{
	struct world *world = *state;

	put_quietly(world, "sip:alice@x", "a");
	command(world, "SET " NOTATION_AOR "sip:bob@x text");
	command(world, "RPUSH " NOTATION_AOR "sip:carol@x text");
	command(world, "SET " NOTATION_CHANGES " text");
	command(world, "RPUSH " NOTATION_SEQUENCE " text");
	write_node(world, "a", wall_ms(), "serving");
	begin_to_follow(world);
	world->count = 2; /* readings that did not come far */
	run_until(world, is_garbage_counted);
	assert_false(world->is_ready);
	command(world, "DEL " NOTATION_CHANGES " " NOTATION_SEQUENCE);
	run_until(world, is_ready);
	assert_string_equal(where(world, "sip:alice@x"), "a");

	command(world, "DEL " NOTATION_NODES);
	command(world, "SET " NOTATION_NODES " text");
	command(world, "DEL " NOTATION_CHANGES);
	command(world, "SET " NOTATION_CHANGES " text");
	run_until(world, is_not_current);
	assert_string_equal(where(world, "sip:alice@x"), "a");
	command(world, "DEL " NOTATION_NODES " " NOTATION_CHANGES);
	write_node(world, "a", wall_ms(), "serving");
	run_until(world, is_current);
	put(world, "sip:alice@x", "a");
	run_until_where(world, "sip:alice@x", "a");
}

static void note_answer(void *context, const struct directory_answer *answer)
{
	struct world *world = context;

	world->answers++;
	world->answer = *answer;
}

static bool is_answered(void *context)
{
	return ((struct world *)context)->answers > 0;
}

static int order(struct world *world, const char *node, enum order_kind kind)
{
	const struct directory *directory = follow_directory(world->follow);

	world->answers = 0;
	return directory->order(
		directory->context, span_of(node),
		&(struct order){
			.kind = kind,
			.flow = { .local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 11 },
				  .remote_addr = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 7 },
				  .local_port = 5060,
				  .remote_port = 40001,
				  .transport = FLOW_UDP } },
		note_answer, world);
}

static void questions_are_answered_at_once(void **state)
{
	struct world *world = *state;
	const struct directory *directory;

	put_quietly(world, "sip:alice@x", "a");
	follow_two_nodes(world);
	directory = follow_directory(world->follow);
	assert_int_equal(
		directory->where(directory->context, SPAN("sip:alice@x"), note_answer, world), 0);
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->answer.error, 0);
	assert_int_equal(world->answer.location_count, 1);
	assert_true(world->answer.now_ms + 5000 > wall_ms());
	assert_true(world->answer.now_ms < wall_ms() + 5000);
	assert_int_equal(directory->cluster(directory->context, note_answer, world), 0);
	assert_int_equal(world->answers, 2);
	assert_int_equal(world->answer.node_count, 2);
	assert_null(directory->drain);
	assert_null(directory->is_draining);
}

static void orders_are_written(void **state)
{
	struct world *world = *state;
	const struct directory *directory;
	redisReply *entries, *lifetime;
	struct order written;

	follow_two_nodes(world);
	directory = follow_directory(world->follow);
	assert_int_equal(order(world, "a", ORDER_prompt), 0);
	run_until(world, is_answered);
	assert_int_equal(world->answer.error, 0);
	entries = redis_world_command(&world->redis, "XRANGE " NOTATION_ORDERS "a - +");
	assert_int_equal(entries->elements, 1);
	assert_string_equal(entries->element[0]->element[1]->element[0]->str, "o");
	assert_int_equal(
		notation_read_order(span_of(entries->element[0]->element[1]->element[1]->str),
				    &written),
		0);
	assert_int_equal(written.kind, ORDER_prompt);
	assert_int_equal(written.flow.remote_port, 40001);
	assert_true(written.issued_ms + 5000 > wall_ms());
	freeReplyObject(entries);
	lifetime = redis_world_command(&world->redis, "TTL " NOTATION_ORDERS "a");
	assert_true(lifetime->integer > 0);
	freeReplyObject(lifetime);

	assert_int_equal(order(world, "nobody", ORDER_prompt), -ENOENT);
	assert_int_equal(order(world, "a", ORDER_leave), -EINVAL);
	command(world, "DEL " NOTATION_ORDERS "b");
	command(world, "SET " NOTATION_ORDERS "b text");
	assert_int_equal(order(world, "b", ORDER_drain), 0);
	run_until(world, is_answered);
	assert_int_equal(world->answer.error, -EIO);

	assert_int_equal(order(world, "a", ORDER_drain), 0);
	directory->forget(directory->context, world);
	redis_world_kill(&world->redis);
	run_until(world, is_not_current);
	assert_int_equal(world->answers, 0);
	assert_int_equal(order(world, "a", ORDER_drain), -ENOTCONN);
}

static void note_refusal(void *context, const struct directory_answer *answer)
{
	struct world *world = context;

	assert_int_equal(answer->error, -EHOSTDOWN);
	assert_non_null(strstr(answer->reason, "node old has not been heard of for 360"));
	world->answers++;
}

static void a_dead_node_is_ordered_nothing(void **state)
{
	struct world *world = *state;
	const struct directory *directory;
	redisReply *orders;

	write_node(world, "old", wall_ms() - 3600000, "serving");
	follow_two_nodes(world);
	directory = follow_directory(world->follow);
	assert_int_equal(directory->order(directory->context, SPAN("old"),
					  &(struct order){ .kind = ORDER_drain }, note_refusal,
					  world),
			 0);
	assert_int_equal(world->answers, 1);
	orders = redis_world_command(&world->redis, "EXISTS " NOTATION_ORDERS "old");
	assert_int_equal(orders->integer, 0);
	freeReplyObject(orders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_there_before_is_read),   TEST(changes_follow),
		TEST(nodes_live_and_die_and_leave),    TEST(who_beats_in_the_future_lives_not),
		TEST(garbage_is_counted_and_left_out), TEST(keys_of_other_types_do_no_harm),
		TEST(questions_are_answered_at_once),  TEST(orders_are_written),
		TEST(a_dead_node_is_ordered_nothing),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
