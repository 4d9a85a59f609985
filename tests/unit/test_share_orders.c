/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes are ordered and asked through Redis, and what they say of themselves. */
#include <inttypes.h>

#include "share_world.h"

static bool orders_are_gone(void *context)
{
	(void)context;
	return number_in_redis("XLEN " NOTATION_ORDERS "one") == 0;
}

static void an_order_is_read_once(void **state)
{
	(void)state;
	start_node(one);
	do_in_redis("XADD " NOTATION_ORDERS "one * o nonsense");
	assert_true(run_until(orders_are_gone, NULL));
	close_node(one);
	start_node(one);
	assert_int_equal(one->counts.value[COUNT_orders_ignored], 1);
}

static void an_order_waits_for_its_node(void **state)
{
	(void)state;
	keep_earlier(one, 7);
	start_node(one);
	close_node(one);
	start_node(two);
	begin_binding(two, BINDING_REGISTRATION, 7);
	assert_true(run_until(is_settled, two));
	assert_int_equal(number_in_redis("XLEN " NOTATION_ORDERS "one"), 1);
	open_node(one);
	assert_true(run_until(has_left, one));
	assert_int_equal(one->kept_count, 0);
	assert_int_equal(two->leaves, 0);
}

static bool is_told(void *context)
{
	const struct node_under_test *node = context;

	return node->others > 0;
}

static struct question_asked order(struct node_under_test *from, const char *to,
				   const struct order *order)
{
	const struct directory *directory = share_directory(from->share);
	struct question_asked asked = { 0 };

	assert_int_equal(
		directory->order(directory->context, span_of(to), order, note_answer, &asked), 0);
	assert_true(run_until(is_answered, &asked));
	return asked;
}

static void a_node_does_what_it_is_told(void **state)
{
	struct order drop = {
		.kind = ORDER_drop,
		.flow = { .transport = FLOW_UDP, .local_port = 5060, .remote_port = 9 }
	};

	(void)state;
	start_node(one);
	start_node(two);
	assert_int_equal(order(one, "two", &drop).error, 0);
	assert_true(run_until(is_told, two));
	assert_int_equal(two->other.kind, ORDER_drop);
	assert_memory_equal(&two->other.flow, &drop.flow, sizeof(drop.flow));
	assert_int_equal(two->counts.value[COUNT_orders_taken], 1);
	assert_int_equal(one->others, 0);
	assert_true(number_in_redis("TTL " NOTATION_ORDERS "two") > 0);
}

static void a_node_that_is_not_there_is_told_nothing(void **state)
{
	struct order drain = { .kind = ORDER_drain };
	const struct directory *directory;
	struct question_asked asked = { 0 };

	(void)state;
	start_node(one);
	assert_int_equal(order(one, "nobody", &drain).error, -ENOENT);
	assert_int_equal(number_in_redis("EXISTS " NOTATION_ORDERS "nobody"), 0);
	directory = share_directory(one->share);
	assert_int_equal(
		directory->order(directory->context, SPAN("no name"), &drain, note_answer, &asked),
		-ENOENT);
	assert_false(asked.answered);
}

/* It would be told once it is back, when nobody waits for that any more. */
static void a_node_that_is_dead_is_told_nothing(void **state)
{
	struct order drain = { .kind = ORDER_drain };
	struct question_asked asked;
	char entry[128];

	(void)state;
	start_node(one);
	snprintf(entry, sizeof(entry), "1 7 %" PRIu64 " 900 900 0 0 serving sip:192.0.2.9:5060",
		 clock_wall_ns() / NS_PER_MS - 60000);
	freeReplyObject(redis_world_command(&redis, "HSET " NOTATION_NODES " dead %s", entry));
	asked = order(one, "dead", &drain);
	assert_int_equal(asked.error, -EHOSTDOWN);
	assert_non_null(strstr(asked.reason, "node dead has not been heard of for "));
	assert_int_equal(number_in_redis("EXISTS " NOTATION_ORDERS "dead"), 0);
	do_in_redis("HSET " NOTATION_NODES " dead garbage");
	assert_int_equal(order(one, "dead", &drain).error, -ENOENT);
	assert_int_equal(number_in_redis("EXISTS " NOTATION_ORDERS "dead"), 0);
}

static bool ignored_three(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_orders_ignored] == 3;
}

static void late_orders_and_garbage_are_ignored(void **state)
{
	(void)state;
	start_node(one);
	do_in_redis("XADD " NOTATION_ORDERS "one * o nonsense");
	do_in_redis("XADD " NOTATION_ORDERS "one * x y z w");
	do_in_redis("XADD " NOTATION_ORDERS "one * o 1");
	assert_true(run_until(ignored_three, one));
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 3);
	one->counts.value[COUNT_orders_ignored] = 2;
	/* In 1970. */
	freeReplyObject(
		redis_world_command(&redis, "XADD " NOTATION_ORDERS "one * o %s", "1 drain 1000"));
	assert_true(run_until(ignored_three, one));
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 3);
	assert_int_equal(one->counts.value[COUNT_orders_taken], 0);
	assert_false(
		share_directory(one->share)->is_draining(share_directory(one->share)->context));
}

static bool is_draining(const struct node_under_test *node)
{
	const struct directory *directory = share_directory(node->share);

	return directory->is_draining(directory->context);
}

static bool says_draining(void *context)
{
	const struct node_under_test *node = context;
	char room[NOTATION_MAX];
	struct node said;

	return read_node(node->name, room, &said) && said.draining && is_draining(node);
}

static bool says_serving(void *context)
{
	const struct node_under_test *node = context;
	char room[NOTATION_MAX];
	struct node said;

	return read_node(node->name, room, &said) && !said.draining && !is_draining(node);
}

static void a_node_drains(void **state)
{
	const struct directory *directory;
	struct order undrain = { .kind = ORDER_undrain };

	(void)state;
	start_node(one);
	start_node(two);
	assert_false(is_draining(one));
	directory = share_directory(one->share);
	assert_int_equal(directory->drain(directory->context, true), 0);
	assert_true(run_until(says_draining, one));
	assert_int_equal(order(two, "one", &undrain).error, 0);
	assert_true(run_until(says_serving, one));
	assert_int_equal(one->others, 0);
	assert_int_equal(one->counts.value[COUNT_orders_taken], 1);
}

/* A draining proxy drains over a restart, until it is told otherwise. */
static void draining_outlives_the_agent(void **state)
{
	struct order drain = { .kind = ORDER_drain };
	const struct directory *directory;

	(void)state;
	start_node(one);
	assert_int_equal(order(one, "one", &drain).error, 0);
	assert_true(run_until(says_draining, one));
	close_node(one);
	start_node(one);
	assert_true(run_until(says_draining, one));
	close_node(one);
	open_node(one);
	directory = share_directory(one->share);
	directory->drain(directory->context, false);
	assert_true(run_until(is_whole, one));
	assert_true(run_until(says_serving, one));
}

static void a_node_that_stops_stays_until_it_is_dead(void **state)
{
	(void)state;
	keep(one, BINDING_REGISTRATION, 1);
	start_node(one);
	start_node(two);
	close_node(one);
	assert_int_equal(where(two, "sip:device1@example.org").location_count, 1);
}

/* Now and then a beat clears garbage away before it can be seen; not each time. */
static struct question_asked cluster_with_garbage(struct node_under_test *node)
{
	const struct directory *directory = share_directory(node->share);
	struct question_asked asked = { 0 };

	for (int tries = 0; tries < 3 && node->counts.value[COUNT_shared_garbage] == 0; tries++) {
		asked = (struct question_asked){ 0 };
		do_in_redis("HSET " NOTATION_NODES " bad garbage");
		assert_int_equal(directory->cluster(directory->context, note_answer, &asked), 0);
		assert_true(run_until(is_answered, &asked));
	}
	return asked;
}

static void the_cluster_is_shown(void **state)
{
	struct question_asked asked;

	(void)state;
	keep(one, BINDING_REGISTRATION, 1);
	start_node(one);
	start_node(two);
	asked = cluster_with_garbage(two);
	assert_int_equal(asked.error, 0);
	assert_int_equal(asked.node_count, 2);
	assert_true(strcmp(asked.nodes[0], asked.nodes[1]) != 0);
	assert_in_range(asked.node.beat_ms, asked.now_ms - 5000, asked.now_ms + 5000);
	assert_int_equal(two->counts.value[COUNT_shared_garbage], 1);
}

static void whoever_is_gone_is_not_answered(void **state)
{
	const struct directory *directory;
	struct question_asked gone = { 0 }, there = { 0 };

	(void)state;
	start_node(one);
	directory = share_directory(one->share);
	assert_int_equal(directory->cluster(directory->context, note_answer, &gone), 0);
	assert_int_equal(directory->where(directory->context, SPAN("a"), note_answer, &gone), 0);
	assert_int_equal(directory->cluster(directory->context, note_answer, &there), 0);
	directory->forget(directory->context, &gone);
	assert_true(run_until(is_answered, &there));
	assert_int_equal(where(one, "a").location_count, 0);
	assert_false(gone.answered);
}

static void questions_are_bounded(void **state)
{
	const struct directory *directory;
	struct question_asked asked = { 0 };
	int error = 0;
	size_t count = 0;

	(void)state;
	start_node(one);
	directory = share_directory(one->share);
	for (; !error && count < 100000; count++)
		error = directory->cluster(directory->context, note_answer, &nodes[1]);
	assert_int_equal(error, -EBUSY);
	directory->forget(directory->context, &nodes[1]);
	for (error = -EBUSY; error == -EBUSY;) {
		ev_run(loop, EVRUN_ONCE);
		error = directory->cluster(directory->context, note_answer, &asked);
	}
	assert_int_equal(error, 0);
	assert_true(run_until(is_answered, &asked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(an_order_is_read_once),
		SHARE_TEST(an_order_waits_for_its_node),
		SHARE_TEST(a_node_does_what_it_is_told),
		SHARE_TEST(a_node_that_is_not_there_is_told_nothing),
		SHARE_TEST(a_node_that_is_dead_is_told_nothing),
		SHARE_TEST(late_orders_and_garbage_are_ignored),
		SHARE_TEST(a_node_drains),
		SHARE_TEST(draining_outlives_the_agent),
		SHARE_TEST(a_node_that_stops_stays_until_it_is_dead),
		SHARE_TEST(the_cluster_is_shown),
		SHARE_TEST(whoever_is_gone_is_not_answered),
		SHARE_TEST(questions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
