/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes do when Redis is full of garbage, or refuses reports, and when they are two of a name. */
#include "share_world.h"

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

/* Numbers beyond all times, or of a time to come, do not stop a node from ever announcing. */
static void garbage_of_an_earlier_run_is_not_believed(void **state)
{
	static const char *const numbers[] = { "18446744073709551615", "9007199254740991" };

	(void)state;
	keep_many(one, 1);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		redisReply *reply = redis_world_command(
			&redis, "HSET " NOTATION_NODES " one %s%s%s%s%s", "1 7 1000 ", numbers[i],
			" ", numbers[i], " 0 0 serving sip:192.0.2.1:5060");

		assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
		freeReplyObject(reply);
		one->counts.value[COUNT_shared_garbage] = 0;
		start_node(one);
		assert_true(whole_of(one) <= clock_wall_ns() / NS_PER_MS + 5000);
		assert_int_equal(one->counts.value[COUNT_shared_garbage], 1);
		assert_all_in_redis(one);
		close_node(one);
	}
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

/* Changes may not be written: every report fails, until they may. */
static void refused_reports_are_made_again(void **state)
{
	double begun = redis_world_now();

	(void)state;
	keep_many(one, 10);
	do_in_redis("ACL SETUSER default -xadd");
	collect_log();
	open_node(one);
	assert_true(run_until(has_tried_thrice, one));
	/* Not over and over: with pauses, which grow. */
	assert_true(redis_world_now() - begun > 2);
	assert_int_equal(times_logged(REFUSED), 1);
	assert_int_equal(one->counts.value[COUNT_announcements], 0);
	do_in_redis("ACL SETUSER default +xadd");
	assert_true(run_until(is_whole, one));
	end_log();
	assert_all_in_redis(one);
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(garbage_among_locations_is_left_out),
		SHARE_TEST(garbage_in_place_of_orders_is_cleared_away),
		SHARE_TEST(garbage_in_our_place_is_overwritten),
		SHARE_TEST(garbage_of_an_earlier_run_is_not_believed),
		SHARE_TEST(two_agents_of_one_name_are_told_apart),
		SHARE_TEST(refused_reports_are_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
