/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes do when Redis is gone, slow, wiped or full of garbage, and when they are two of a name. */
#include "share_world.h"

#define MANY 10000

/* One loss was counted, and nobody is asked for an announcement meanwhile. */
static bool is_lost(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_cluster_losses] == 1 && share_epoch(node->share) == 0 &&
	       share_room(node->share) == 0;
}

static bool announced_twice(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_announcements] == 2 && is_whole(context);
}

/* True if Redis has one location of this binding, and says of it what the node does. */
static bool is_in_redis(const struct node_under_test *node, const struct kept *kept)
{
	redisReply *reply = redis_world_command(&redis, "HGETALL " NOTATION_AOR "%s", kept->aor);
	struct location location;
	bool is_there = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
			notation_read_location(
				(struct span){ reply->element[0]->str, reply->element[0]->len },
				(struct span){ reply->element[1]->str, reply->element[1]->len },
				&location) == 0 &&
			span_equal(location.node, span_of(node->name)) &&
			location.kind == kept->record.kind && location.epoch == whole_of(node) &&
			memcmp(&location.flow, &kept->record.flow, sizeof(location.flow)) == 0;

	freeReplyObject(reply);
	return is_there;
}

static void assert_all_in_redis(const struct node_under_test *node)
{
	for (size_t i = 0; i < node->kept_count; i++)
		assert_true(is_in_redis(node, &node->kept[i]));
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

/* The loop goes on while Redis answers nothing: so would everything else of an agent. */
static void a_slow_redis_holds_nobody_up(void **state)
{
	double longest = 0, begun, end;

	(void)state;
	keep_many(one, 100);
	start_node(one);
	redis_world_pause(&redis);
	for (end = redis_world_now() + 2; redis_world_now() < end;) {
		begun = redis_world_now();
		put_at(one, &one->kept[0]);
		ev_run(loop, EVRUN_NOWAIT);
		if (redis_world_now() - begun > longest)
			longest = redis_world_now() - begun;
	}
	/* Far below the 2 s of an answer. */
	assert_true(longest < 1);
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
	for (size_t i = 0; i < 16 * SHARE_WINDOW; i++)
		put_at(one, &one->kept[i % 9]);
	assert_int_equal(share_room(one->share), 0);
	begin_binding(one, BINDING_REGISTRATION, 77);
	redis_world_resume(&redis);
	assert_true(run_until(announced_twice, one));
	assert_true(whole_of(one) > first);
	assert_all_in_redis(one);
	assert_in_range(one->counts.value[COUNT_shared_written], SHARE_WINDOW, 8 * SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

/* One trunk's path carries more than the window has room for: it is announced all the same. */
static void a_path_may_exceed_the_window(void **state)
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

static bool counted_garbage(void *context)
{
	const struct node_under_test *node = context;

	return node->counts.value[COUNT_shared_garbage] > 0;
}

static void garbage_among_locations_is_left_out(void **state)
{
	(void)state;
	start_node(one);
	begin_binding(one, BINDING_REGISTRATION, 7);
	assert_true(run_until(is_settled, one));
	do_in_redis("HSET " NOTATION_AOR "sip:device7@example.org nonsense 1 x y");
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 1);
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 2);
	/* Whoever reports the device clears it away. */
	put_at(one, &one->kept[0]);
	assert_true(run_until(is_settled, one));
	assert_int_equal(number_in_redis("HLEN " NOTATION_AOR "sip:device7@example.org"), 1);
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 4);
	do_in_redis("SET " NOTATION_AOR "sip:other@example.org nonsense");
	assert_int_equal(where(one, "sip:other@example.org").location_count, 0);
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 5);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

static bool is_told(void *context)
{
	const struct node_under_test *node = context;

	return node->others > 0;
}

static bool has_no_orders(void *context)
{
	(void)context;
	return number_in_redis("EXISTS " NOTATION_ORDERS "one") == 0;
}

/* Somebody has written something else where orders are: it goes, and orders come again. */
static void garbage_in_place_of_orders_is_cleared_away(void **state)
{
	struct order drop = { .kind = ORDER_drop, .flow = { .transport = FLOW_UDP } };
	const struct directory *directory;
	struct question_asked asked = { 0 };

	(void)state;
	do_in_redis("SET " NOTATION_ORDERS "one nonsense");
	start_node(one);
	assert_true(run_until(counted_garbage, one));
	assert_true(run_until(has_no_orders, NULL));
	directory = share_directory(one->share);
	assert_int_equal(
		directory->order(directory->context, SPAN("one"), &drop, note_answer, &asked), 0);
	assert_true(run_until(is_told, one));
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

static void garbage_in_our_place_is_overwritten(void **state)
{
	(void)state;
	keep_many(one, 1);
	start_node(one);
	do_in_redis("HSET " NOTATION_NODES " one nonsense");
	assert_true(run_until(announced_twice, one));
	assert_int_equal(one->counts.value[COUNT_shared_garbage], 1);
}

static FILE *logged;
static int stderr_before;

static void collect_log(void)
{
	logged = tmpfile();
	assert_non_null(logged);
	fflush(stderr);
	stderr_before = dup(STDERR_FILENO);
	assert_true(dup2(fileno(logged), STDERR_FILENO) >= 0);
}

static size_t times_logged(const char *phrase)
{
	static char text[65536];
	ssize_t length = pread(fileno(logged), text, sizeof(text) - 1, 0);
	size_t times = 0;

	assert_true(length >= 0);
	text[length] = '\0';
	for (const char *at = text; (at = strstr(at, phrase)); at++)
		times++;
	return times;
}

static void end_log(void)
{
	assert_true(dup2(stderr_before, STDERR_FILENO) >= 0);
	close(stderr_before);
	fclose(logged);
}

#define TWIN "another agent says that it is node one"

static bool twins_have_met(void *context)
{
	(void)context;
	return times_logged(TWIN) >= 2;
}

/* Three beats of each, one after the other. */
static bool has_beaten_thrice(void *context)
{
	static uint64_t beat_ms;
	char room[NOTATION_MAX];
	struct node said;
	int *beats = context;

	if (!read_node("one", room, &said) || said.beat_ms == beat_ms)
		return false;
	beat_ms = said.beat_ms;
	return ++*beats >= 6;
}

/* Each says so once, and they do not answer each other with announcements. */
static void two_agents_of_one_name_are_told_apart(void **state)
{
	int beats = 0;

	(void)state;
	snprintf(two->name, sizeof(two->name), "one");
	keep_many(one, 10);
	collect_log();
	open_node(one);
	open_node(two);
	assert_true(run_until(twins_have_met, NULL));
	assert_true(run_until(has_beaten_thrice, &beats));
	assert_int_equal(times_logged(TWIN), 2);
	assert_in_range(one->counts.value[COUNT_announcements], 1, 2);
	assert_in_range(two->counts.value[COUNT_announcements], 1, 2);
	one->counts.value[COUNT_announcements] = 1;
	close_node(two);
	assert_true(run_until(announced_twice, one));
	end_log();
	assert_all_in_redis(one);
}

#define REFUSED "redis refuses what node one reports"

static bool has_tried_thrice(void *context)
{
	static uint64_t tried;
	const struct node_under_test *node = context;
	uint64_t epoch = share_epoch(node->share);
	static int tries;

	if (epoch != tried)
		tries++;
	tried = epoch;
	return tries >= 3;
}

/* The stream of changes takes nothing more: every report fails, until somebody deletes it. */
static void refused_reports_are_made_again(void **state)
{
	double begun = redis_world_now();

	(void)state;
	keep_many(one, 10);
	do_in_redis("XADD " NOTATION_CHANGES " 18446744073709551615-18446744073709551615 x y");
	collect_log();
	open_node(one);
	assert_true(run_until(has_tried_thrice, one));
	/* Not over and over: with pauses, which grow. */
	assert_true(redis_world_now() - begun > 2);
	assert_int_equal(times_logged(REFUSED), 1);
	assert_int_equal(one->counts.value[COUNT_announcements], 0);
	do_in_redis("DEL " NOTATION_CHANGES);
	assert_true(run_until(is_whole, one));
	end_log();
	assert_all_in_redis(one);
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(everything_comes_back_to_an_empty_redis),
		SHARE_TEST(a_wiped_redis_is_noticed),
		SHARE_TEST(a_slow_redis_holds_nobody_up),
		SHARE_TEST(what_was_lost_is_made_good),
		SHARE_TEST(a_path_may_exceed_the_window),
		SHARE_TEST(what_ended_meanwhile_is_void),
		SHARE_TEST(what_is_void_stays_so_over_a_restart),
		SHARE_TEST(whoever_asks_is_told_that_redis_is_gone),
		SHARE_TEST(garbage_among_locations_is_left_out),
		SHARE_TEST(garbage_in_place_of_orders_is_cleared_away),
		SHARE_TEST(garbage_in_our_place_is_overwritten),
		SHARE_TEST(two_agents_of_one_name_are_told_apart),
		SHARE_TEST(refused_reports_are_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
