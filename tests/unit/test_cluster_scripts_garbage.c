/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever somebody has put into Redis, nodes go on to report; and they beat. */
#include "scripts_world.h"

#define A_FIELD "r a " DEVICE
#define B_FIELD "r b " DEVICE
#define GOOD_TIMES "410244480000000 410244840000000 410244480000000"

/* The scripts take for garbage what the agents do. */
static void the_scripts_read_as_the_agents_do(void **state)
{
	static const char *const pairs[][2] = {
		{ B_FIELD, "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "l b call;tag", "1 1 " GOOD_TIMES " silent " FAR_FLOW },
		{ "d b " DEVICE,
		  "1 0 0 9007199254740991 0 awaiting tcp [2001:db8::1]:5060 [::]:1" },
		{ "s b " DEVICE, "1 18446744073709551615 " GOOD_TIMES " live " FAR_FLOW },
		{ B_FIELD, "1 18446744073709551616 " GOOD_TIMES " live " FAR_FLOW },
		{ B_FIELD, "1 01 " GOOD_TIMES " live " FAR_FLOW },
		{ B_FIELD, "1 1 0410244480000000 410244840000000 0 live " FAR_FLOW },
		{ "d b x", "1 1 0 9007199254740992 0 live " FAR_FLOW },
		{ "d b x", "1 1 1e3 410244840000000 0 live " FAR_FLOW },
		{ "d b x", "1 1 0 410244840000000 -1 live " FAR_FLOW },
		{ "d b x", "1 1 0 410244840000000 0.5 live " FAR_FLOW },
		{ B_FIELD, "1 1 " GOOD_TIMES " dead " FAR_FLOW },
		{ B_FIELD, "1 1 " GOOD_TIMES " live udp 192.0.2.2:5060" },
		{ B_FIELD, "1 1 " GOOD_TIMES " live " FAR_FLOW " " },
		{ B_FIELD, "1 1 " GOOD_TIMES " live  " FAR_FLOW },
		{ B_FIELD, "2 1 " GOOD_TIMES " live " FAR_FLOW },
		{ B_FIELD, " 1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ B_FIELD, "" },
		{ B_FIELD, "1" },
		{ "c b x", "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "rb x", "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "r b/ x", "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "r b ", "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "r  x", "1 1 " GOOD_TIMES " live " FAR_FLOW },
		{ "", "1 1 " GOOD_TIMES " live " FAR_FLOW },
	};
	struct report report = report_by("a", now_ms);
	struct location read;

	(void)state;
	/* They are in nobody's way. */
	report.move = "keep";
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool good = notation_read_location(span_of(pairs[i][0]), span_of(pairs[i][1]),
						   &read) == 0;

		scripts_world_empty(NULL);
		write_field(pairs[i][0], pairs[i][1]);
		if (put_kept(report) != !good || has_field(pairs[i][0]) != good)
			fail_msg("\"%s\" with \"%s\" is read otherwise", pairs[i][0], pairs[i][1]);
		assert_true(has_field(A_FIELD));
	}
}

static void long_garbage_is_garbage(void **state)
{
	static char text[100000];

	(void)state;
	memset(text, ':', sizeof(text) - 1);
	memcpy(text, B_FIELD, sizeof(B_FIELD) - 1);
	write_field(text, "1 1 " GOOD_TIMES " live " FAR_FLOW);
	memcpy(text, "1 1 " GOOD_TIMES " live udp ", sizeof("1 1 " GOOD_TIMES " live udp ") - 1);
	memcpy(text + sizeof(text) - sizeof(":1 x:1"), ":1 x:1", sizeof(":1 x:1"));
	write_field(B_FIELD, text);
	assert_int_equal(put_kept(report_by("a", now_ms)), 2);
	assert_int_equal(location_count(), 1);
}

/* A node of its own may have written garbage as well: it writes it anew. */
static void own_garbage_is_written_over(void **state)
{
	(void)state;
	write_field(A_FIELD, "garbage");
	assert_int_equal(put_kept(report_by("a", now_ms)), 0);
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 1);
}

/* Else nobody could take the device from a node whose clock was stepped for a moment. */
static void what_was_accepted_in_the_future_is_not_believed(void **state)
{
	static const uint64_t ahead_ms[] = { 1001, 2000, 5000, 3600000 };

	(void)state;
	put_kept(report_by("b", now_ms + 1000));
	put_stale(report_by("a", now_ms), "b", now_ms + 1000);
	for (size_t i = 0; i < sizeof(ahead_ms) / sizeof(ahead_ms[0]); i++) {
		put_kept(report_by("b", now_ms + ahead_ms[i]));
		assert_int_equal(put_kept(report_by("a", now_ms)), 1);
		assert_false(has_field(B_FIELD));
		assert_true(has_field(A_FIELD));
	}
}

static void times_are_never_rounded(void **state)
{
	struct report report = report_by("b", now_ms + 999);

	(void)state;
	report.ends_ms = (UINT64_C(1) << 53) - 1;
	put_kept(report);
	put_stale(report_by("a", now_ms + 998), "b", now_ms + 999);
	assert_int_equal(ask_number("PEXPIRETIME " LOCATION_KEY), report.ends_ms);
}

static void set(const char *key, const char *value)
{
	freeReplyObject(redis_world_command(&world, "SET %s %s", key, value));
}

static void keys_of_another_type_are_begun_anew(void **state)
{
	struct order order;
	redisReply *reply;

	(void)state;
	set(LOCATION_KEY, "mischief");
	set(NOTATION_CHANGES, "mischief");
	freeReplyObject(redis_world_command(&world, "LPUSH " NOTATION_SEQUENCE " mischief"));
	assert_int_equal(put_kept(report_by("a", now_ms - 1000)), 3);
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("XLEN " NOTATION_CHANGES), 1);
	set(NOTATION_ORDERS "a", "mischief");
	assert_int_equal(put_kept(report_by("b", now_ms)), 1);
	reply = redis_world_command(&world, "XRANGE " NOTATION_ORDERS "a - +");
	assert_int_equal(notation_read_order(
				 span_of(reply->element[0]->element[1]->element[1]->str), &order),
			 0);
	freeReplyObject(reply);
}

static void a_sequence_that_is_no_number_begins_anew(void **state)
{
	static const char *const garbage[] = {
		"",
		"mischief",
		"-7",
		"1.5",
		"9007199254740991",
		"9223372036854775807",
		"1e3",
		"99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		scripts_world_empty(NULL);
		set(NOTATION_SEQUENCE, garbage[i]);
		assert_int_equal(put_kept(report_by("a", now_ms)), 1);
		assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 1);
		set(NOTATION_SEQUENCE, garbage[i]);
		assert_int_equal(drop(A_FIELD), 1);
		assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 1);
	}
}

static void a_large_sequence_goes_on(void **state)
{
	redisReply *reply;

	(void)state;
	set(NOTATION_SEQUENCE, "9007199254740989");
	assert_int_equal(put_kept(report_by("a", now_ms)), 0);
	reply = redis_world_command(&world, "XRANGE " NOTATION_CHANGES " - +");
	assert_string_equal(reply->element[0]->element[1]->element[1]->str, "9007199254740990");
	freeReplyObject(reply);
}

static void a_drop_survives_keys_of_another_type(void **state)
{
	(void)state;
	set(LOCATION_KEY, "mischief");
	assert_int_equal(drop(A_FIELD), 0);
	put_kept(report_by("a", now_ms));
	set(NOTATION_CHANGES, "mischief");
	assert_int_equal(drop(A_FIELD), 1);
	assert_int_equal(ask_number("XLEN " NOTATION_CHANGES), 1);
}

/* What is not the key's fault is no reason to delete it. */
static void a_full_server_loses_nothing(void **state)
{
	struct report report = report_by("a", now_ms);
	redisReply *reply;

	(void)state;
	put_kept(report);
	freeReplyObject(redis_world_command(&world, "CONFIG SET maxmemory 1"));
	reply = redis_world_command(&world,
				    "EVAL %s 3 " LOCATION_KEY " " NOTATION_CHANGES
				    " " NOTATION_SEQUENCE " " AOR
				    " r b x 1 1 410244840000000 1 flow stop",
				    put_text);
	assert_int_equal(reply->type, REDIS_REPLY_ERROR);
	assert_memory_equal(reply->str, "OOM", 3);
	freeReplyObject(reply);
	freeReplyObject(redis_world_command(&world, "CONFIG SET maxmemory 0"));
	assert_true(has_field(A_FIELD));
	assert_int_equal(ask_number("XLEN " NOTATION_CHANGES), 1);
}

/* After the last ID that there can be Redis adds no more. */
static void exhaust(const char *stream)
{
	freeReplyObject(redis_world_command(
		&world, "XADD %s 18446744073709551615-18446744073709551615 x y", stream));
}

static void streams_that_are_exhausted_begin_anew(void **state)
{
	struct order order;

	(void)state;
	exhaust(NOTATION_CHANGES);
	assert_int_equal(put_kept(report_by("a", now_ms - 1000)), 1);
	assert_int_equal(ask_number("XLEN " NOTATION_CHANGES), 1);
	exhaust(NOTATION_ORDERS "a");
	assert_int_equal(put_kept(report_by("b", now_ms)), 1);
	freeReplyObject(read_order("a", &order));
	exhaust(NOTATION_CHANGES);
	assert_int_equal(drop(B_FIELD), 1);
	assert_int_equal(ask_number("XLEN " NOTATION_CHANGES), 1);
}

struct beaten {
	uint64_t now_ms;
	char before[NOTATION_MAX];
};

static struct beaten beat(const char *name, const struct node *node, const char *now)
{
	char head_room[64], tail_room[NOTATION_MAX];
	struct text head = TEXT_OVER(head_room), tail = TEXT_OVER(tail_room);
	struct beaten beaten;
	redisReply *reply;

	notation_write_node_head(&head, node);
	notation_write_node_tail(&tail, node);
	reply = run_script(beat_text, "1",
			   (struct span[]){ SPAN(NOTATION_NODES), span_of(name), text_span(&head),
					    text_span(&tail), span_of(now) },
			   5);
	assert_int_equal(reply->elements, 2);
	beaten.now_ms = number_of(reply->element[0]);
	snprintf(beaten.before, sizeof(beaten.before), "%s", reply->element[1]->str);
	freeReplyObject(reply);
	return beaten;
}

static const struct node some_node = {
	.uri = { "sip:192.0.2.1:5060", 18 },
	.incarnation = UINT64_MAX,
	.begun = 2,
	.whole = 1,
};

static uint64_t server_time_ms(void)
{
	redisReply *time = redis_world_command(&world, "TIME");
	uint64_t ms = number_of(time->element[0]) * 1000 + number_of(time->element[1]) / 1000;

	freeReplyObject(time);
	return ms;
}

static void a_beat_tells_the_time_of_the_server(void **state)
{
	uint64_t before_ms = server_time_ms();
	struct beaten beaten = beat("a", &some_node, "");

	(void)state;
	assert_in_range(beaten.now_ms, before_ms, server_time_ms());
}

static void a_beat_is_read_back_and_tells_the_one_before(void **state)
{
	struct node node = some_node, back;
	struct beaten beaten = beat("a", &node, "4102444800123");

	(void)state;
	assert_int_equal(beaten.now_ms, 4102444800123);
	assert_string_equal(beaten.before, "");
	beat("b", &some_node, "4102444800123");
	node.incarnation = 7;
	beaten = beat("a", &node, "4102444800999");
	assert_int_equal(notation_read_node(SPAN("a"), span_of(beaten.before), &back), 0);
	assert_int_equal(back.incarnation, UINT64_MAX);
	assert_int_equal(back.beat_ms, 4102444800123);
	assert_int_equal(back.begun, 2);
	assert_true(span_equal(back.uri, some_node.uri));
	assert_int_equal(ask_number("HLEN " NOTATION_NODES), 2);
}

static void beats_survive_garbage(void **state)
{
	struct beaten beaten;

	(void)state;
	set(NOTATION_NODES, "mischief");
	beaten = beat("a", &some_node, "");
	assert_string_equal(beaten.before, "");
	freeReplyObject(redis_world_command(&world, "HSET " NOTATION_NODES " a mischief b %b",
					    "\0 1 2", (size_t)5));
	beaten = beat("a", &some_node, "4102444800000"); /* looks through all of them */
	assert_string_equal(beaten.before, "mischief");
}

/* The script takes for a node what the agents do. */
static void what_is_no_node_is_removed(void **state)
{
	static const char *const pairs[][2] = {
		{ "b", "1 18446744073709551615 4102444800000 8 8 4294967295 0 serving sip:b;lr" },
		{ "b", "1 0 4102444800000 9007199254740991 0 0 4294967295 draining !#;=?~" },
		{ "b", "1 5 4102444800000 9007199254740992 1 3 4 serving sip:b" },
		{ "b",
		  "1 5 4102444800000 18446744073709551615 18446744073709551615 3 4 serving x" },
		{ "b", "1 5 4102444800000 1 2 3 4 serving sip:b" },
		{ "b", "1 18446744073709551616 4102444800000 1 1 3 4 serving sip:b" },
		{ "b", "1 5 9007199254740992 1 1 3 4 serving sip:b" },
		{ "b", "1 5 04102444800000 1 1 3 4 serving sip:b" },
		{ "b", "1 5 4102444800000 1 1 4294967296 4 serving sip:b" },
		{ "b", "1 5 4102444800000 1 1 3 4294967296 serving sip:b" },
		{ "b", "1 5 4102444800000 1 1 3 04 serving sip:b" },
		{ "b", "1 5 4102444800000 1 1 3 4 dancing sip:b" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving " },
		{ "b", "1 5 4102444800000 1 1 3 4 serving" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving sip:b c" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving sip:b\x7f" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving sip:\xe4" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving <sip:b" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving sip:b>" },
		{ "b", "1 5 4102444800000 1 1 3 4 serving \"b" },
		{ "b", "2 5 4102444800000 1 1 3 4 serving sip:b" },
		{ "b", " 1 5 4102444800000 1 1 3 4 serving sip:b" },
		{ "b", "mischief" },
		{ "b", "" },
		{ "", "1 5 4102444800000 1 1 3 4 serving sip:b" },
		{ "b c", "1 5 4102444800000 1 1 3 4 serving sip:b" },
		{ "b/", "1 5 4102444800000 1 1 3 4 serving sip:b" },
	};
	struct node read;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *name = pairs[i][0], *value = pairs[i][1];
		bool good = notation_read_node(span_of(name), span_of(value), &read) == 0;

		scripts_world_empty(NULL);
		freeReplyObject(
			redis_world_command(&world, "HSET " NOTATION_NODES " %s %s", name, value));
		beat("a", &some_node, "4102444800000"); /* looks through all of them */
		if (ask_number("HLEN " NOTATION_NODES) != 1 + (uint64_t)good)
			fail_msg("\"%s\" with \"%s\" is read otherwise", name, value);
	}
}

/* As long as they may be, and one byte longer. */
static void a_node_that_is_too_long_is_removed(void **state)
{
	static char text[NODE_URI_MAX + 2];

	(void)state;
	memset(text, 'x', NODE_URI_MAX + 1);
	for (int longer = 0; longer <= 1; longer++) {
		freeReplyObject(redis_world_command(
			&world, "HSET " NOTATION_NODES " %b %s %s %s%b", text,
			(size_t)(NODE_NAME_MAX + longer), "1 5 4102444800000 1 1 3 4 serving sip:b",
			longer ? "c" : "b", "1 5 4102444800000 1 1 3 4 serving ", text,
			(size_t)(NODE_URI_MAX + longer)));
		assert_int_equal(ask_number("HLEN " NOTATION_NODES), longer ? 5 : 2);
		beat("a", &some_node, "4102444800000"); /* looks through all of them */
		assert_int_equal(ask_number("HLEN " NOTATION_NODES), 3);
	}
}

static void a_node_of_far_in_the_future_is_forgotten(void **state)
{
	(void)state;
	beat("b", &some_node, "4103049600001");
	beat("c", &some_node, "4103049600000");
	beat("a", &some_node, "4102444800000"); /* a week before, looks through all of them */
	assert_int_equal(ask_number("HEXISTS " NOTATION_NODES " b"), 0);
	assert_int_equal(ask_number("HLEN " NOTATION_NODES), 2);
}

static void a_node_of_long_ago_is_forgotten(void **state)
{
	const char *const week_later = "4103049600000"; /* in a second in which all are looked at */

	(void)state;
	beat("a", &some_node, "4102444799999");
	beat("b", &some_node, "4102444800000");
	beat("c", &some_node, "4103049599999"); /* in one in which they are not */
	assert_int_equal(ask_number("HLEN " NOTATION_NODES), 3);
	beat("c", &some_node, week_later);
	assert_int_equal(ask_number("HLEN " NOTATION_NODES), 2);
	assert_int_equal(ask_number("HEXISTS " NOTATION_NODES " a"), 0);
}

int main(void)
{
#define TEST_(name) cmocka_unit_test_setup(name, scripts_world_empty)
	static const struct CMUnitTest tests[] = {
		TEST_(the_scripts_read_as_the_agents_do),
		TEST_(long_garbage_is_garbage),
		TEST_(own_garbage_is_written_over),
		TEST_(what_was_accepted_in_the_future_is_not_believed),
		TEST_(times_are_never_rounded),
		TEST_(keys_of_another_type_are_begun_anew),
		TEST_(a_sequence_that_is_no_number_begins_anew),
		TEST_(a_large_sequence_goes_on),
		TEST_(a_drop_survives_keys_of_another_type),
		TEST_(a_full_server_loses_nothing),
		TEST_(streams_that_are_exhausted_begin_anew),
		TEST_(a_beat_tells_the_time_of_the_server),
		TEST_(a_beat_is_read_back_and_tells_the_one_before),
		TEST_(beats_survive_garbage),
		TEST_(what_is_no_node_is_removed),
		TEST_(a_node_that_is_too_long_is_removed),
		TEST_(a_node_of_far_in_the_future_is_forgotten),
		TEST_(a_node_of_long_ago_is_forgotten),
	};
#undef TEST_

	return cmocka_run_group_tests_name("cluster_scripts_garbage", tests, scripts_world_begin,
					   scripts_world_end);
}
