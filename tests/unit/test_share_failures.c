/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes do when Redis is gone, slow or wiped. */
#include "share_world.h"

#define MANY 10000

/* One loss was counted, and nobody is asked for an announcement meanwhile. */
static bool is_lost(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_cluster_losses] == 1 && share_epoch(node->share) == 0 &&
	       share_room(node->share) == 0;
}

static void everything_comes_back_to_an_empty_redis(void **state)
{
	uint64_t first;

	(void)state;
	keep_many(one, MANY);
	start_node(one);
	assert_all_in_redis(one);
	first = whole_of(one);
	redis_world_kill(&redis);
	assert_true(run_until(is_lost, one));
	redis_world_restart(&redis);
	assert_true(run_until(announced_twice, one));
	assert_true(whole_of(one) > first);
	assert_all_in_redis(one);
	assert_int_equal(one->room_exceeded, 0);
}

static bool has_ignored_an_order(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_orders_ignored] > 0;
}

/* The connection stands all the while: the next beat notices. */
static void a_wiped_redis_is_noticed(void **state)
{
	(void)state;
	keep_many(one, MANY);
	start_node(one);
	do_in_redis("FLUSHALL");
	assert_true(run_until(announced_twice, one));
	assert_all_in_redis(one);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
	/* Orders are read as before. */
	freeReplyObject(redis_world_command(&redis, "XADD " NOTATION_ORDERS "one * o nonsense"));
	assert_true(run_until(has_ignored_an_order, one));
}

/* How often a timer of 1 s has gone off, as that of the beats does. */
static void count_second(struct ev_loop *on, ev_timer *timer, int events)
{
	unsigned int *seconds = timer->data;

	(void)on;
	(void)events;
	++*seconds;
}

/* Runs the loop for so many beats of each node. */
static void run_for_beats(unsigned int beats)
{
	unsigned int seconds = 0;
	ev_timer timer;

	ev_timer_init(&timer, count_second, 1.1, 1);
	timer.data = &seconds;
	ev_timer_start(loop, &timer);
	while (seconds < beats)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &timer);
}

/*
 * The loop goes on while Redis answers nothing: so would everything else of an agent. Whoever waited
 * for an answer here would wait until the alarm: Redis is not let go on before the loop has.
 */
static void a_slow_redis_holds_nobody_up(void **state)
{
	(void)state;
	keep_many(one, 100);
	start_node(one);
	redis_world_pause(&redis);
	alarm((unsigned int)PATIENCE_S);
	put_at(one, &one->kept[0]);
	run_for_beats(2);
	put_at(one, &one->kept[0]);
	alarm(0);
	redis_world_resume(&redis);
	assert_true(run_until(is_whole, one));
	assert_all_in_redis(one);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

/* More changes than may wait for their answers: those in excess are lost, so all is announced. */
static void what_was_lost_is_made_good(void **state)
{
	uint64_t first;

	(void)state;
	keep_many(one, 10);
	start_node(one);
	first = whole_of(one);
	redis_world_pause(&redis);
	for (size_t i = 0; i < 256 * SHARE_WINDOW; i++)
		put_at(one, &one->kept[i % 9]);
	assert_int_equal(share_room(one->share), 0);
	begin_binding(one, BINDING_REGISTRATION, 77);
	redis_world_resume(&redis);
	assert_true(run_until(announced_twice, one));
	assert_true(whole_of(one) > first);
	assert_all_in_redis(one);
	assert_in_range(one->counts.value[COUNT_shared_written], SHARE_WINDOW, 128 * SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

/* Changes come when they come: they are told all the same. */
static void changes_may_exceed_the_window(void **state)
{
	(void)state;
	start_node(one);
	keep_many(one, 2 * SHARE_WINDOW);
	for (size_t i = 0; i < one->kept_count; i++)
		put_at(one, &one->kept[i]);
	assert_int_equal(share_room(one->share), 0);
	assert_true(run_until(is_settled, one));
	assert_int_equal(one->counts.value[COUNT_shared_written], 2 * SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
}

/* What is told in pieces outside of an announcement goes on as well. */
static void whoever_found_no_room_is_told_when_there_is(void **state)
{
	(void)state;
	start_node(one);
	keep_many(one, SHARE_WINDOW + 1);
	one->wakes = 0;
	for (size_t i = 0; i < one->kept_count - 2; i++)
		put_at(one, &one->kept[i]);
	assert_true(run_until(is_settled, one));
	assert_int_equal(one->wakes, 0);
	for (size_t i = 0; i < one->kept_count; i++)
		put_at(one, &one->kept[i]);
	assert_int_equal(share_room(one->share), 0);
	assert_true(run_until(is_settled, one));
	assert_int_equal(one->wakes, 1);
	assert_int_equal(one->room_at_wake, SHARE_WINDOW / 2);
	assert_int_equal(one->epoch, 0);
}

/* What the server has run, scripts all, as it counts. */
static long long scripts_run(void)
{
	redisReply *reply = redis_world_command(&redis, "INFO commandstats");
	const char *at = strstr(reply->str, "cmdstat_evalsha:calls=");
	long long calls = at ? strtoll(strchr(at, '=') + 1, NULL, 10) : 0;

	freeReplyObject(reply);
	return calls;
}

static void one_beat_waits_at_a_time(void **state)
{
	long long before;

	(void)state;
	start_node(one);
	before = scripts_run();
	redis_world_pause(&redis);
	run_for_beats(4);
	redis_world_resume(&redis);
	/* Whatever else it had been sent by then it has seen to by the time of the next command. */
	do_in_redis("PING");
	assert_in_range(scripts_run() - before, 1, 2);
	assert_true(run_until(is_whole, one));
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

/* It could not be taken back, so it stays in Redis until it ends; but it is void. */
static void what_ended_meanwhile_is_void(void **state)
{
	char gone[64];

	(void)state;
	keep_many(one, 2);
	start_node(one);
	snprintf(gone, sizeof(gone), "%s", one->kept[0].aor);
	assert_int_equal(where(one, gone).location_count, 1);
	do_in_redis("CLIENT KILL TYPE normal");
	assert_true(run_until(is_lost, one));
	forget_at(one, 0);
	assert_true(run_until(announced_twice, one));
	assert_int_equal(number_in_redis("HLEN " NOTATION_AOR "sip:device0@example.org"), 1);
	assert_int_equal(where(one, gone).location_count, 0);
	assert_int_equal(where(one, one->kept[0].aor).location_count, 1);
	assert_int_equal(one->counts.value[COUNT_shared_dropped], 0);
}

static bool is_another_run(void *context)
{
	const struct node *before = context;
	char room[NOTATION_MAX];
	struct node said;

	return read_node("one", room, &said) && said.incarnation != before->incarnation &&
	       said.begun > before->begun && said.whole == before->whole;
}

/* A new run of the agent says at once what was void before; it has not announced anything yet. */
static void what_is_void_stays_so_over_a_restart(void **state)
{
	char room[NOTATION_MAX];
	struct node before;

	(void)state;
	keep_many(one, 2);
	start_node(one);
	assert_true(read_node("one", room, &before));
	/* As if it had been killed, and had said no farewell. */
	close_node(one);
	freeReplyObject(redis_world_command(&redis, "HSET " NOTATION_NODES " one %s", room));
	one->mute = true;
	open_node(one);
	assert_true(run_until(is_another_run, &before));
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
}

static void whoever_asks_is_told_that_redis_is_gone(void **state)
{
	const struct directory *directory;
	struct question_asked asked = { 0 };
	struct order order = { .kind = ORDER_drain };

	(void)state;
	open_node(one);
	directory = share_directory(one->share);
	assert_int_equal(directory->cluster(directory->context, note_answer, &asked), -ENOTCONN);
	assert_true(run_until(is_whole, one));
	redis_world_pause(&redis);
	assert_int_equal(directory->where(directory->context, SPAN("a"), note_answer, &asked), 0);
	redis_world_kill(&redis);
	assert_true(run_until(is_answered, &asked));
	assert_int_equal(asked.error, -ENOTCONN);
	assert_true(run_until(is_lost, one));
	assert_int_equal(directory->where(directory->context, SPAN("a"), note_answer, &asked),
			 -ENOTCONN);
	assert_int_equal(
		directory->order(directory->context, SPAN("one"), &order, note_answer, &asked),
		-ENOTCONN);
	/* To drain is this node's own affair: the cluster hears of it later. */
	assert_int_equal(directory->drain(directory->context, true), 0);
	assert_true(directory->is_draining(directory->context));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(everything_comes_back_to_an_empty_redis),
		SHARE_TEST(a_wiped_redis_is_noticed),
		SHARE_TEST(a_slow_redis_holds_nobody_up),
		SHARE_TEST(what_was_lost_is_made_good),
		SHARE_TEST(changes_may_exceed_the_window),
		SHARE_TEST(whoever_found_no_room_is_told_when_there_is),
		SHARE_TEST(one_beat_waits_at_a_time),
		SHARE_TEST(what_ended_meanwhile_is_void),
		SHARE_TEST(what_is_void_stays_so_over_a_restart),
		SHARE_TEST(whoever_asks_is_told_that_redis_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
