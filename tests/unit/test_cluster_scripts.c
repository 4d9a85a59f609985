/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several nodes report the same device, in any order; one of them has it in the end. */
#include "scripts_world.h"

#include "base/clock.h"

#define A_FIELD "r a " DEVICE
#define B_FIELD "r b " DEVICE

static void the_newest_wins_if_it_reports_last(void **state)
{
	(void)state;
	assert_int_equal(put_kept(report_by("a", now_ms - 2000)), 0);
	assert_int_equal(put_kept(report_by("b", now_ms - 1000)), 0);
	assert_true(has_field(B_FIELD));
	assert_int_equal(location_count(), 1);
}

static void the_newest_wins_if_it_reports_first(void **state)
{
	(void)state;
	put_kept(report_by("b", now_ms - 1000));
	put_stale(report_by("a", now_ms - 2000), "b", now_ms - 1000);
	assert_true(has_field(B_FIELD));
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "b"), 0);
}

static void the_greater_name_wins_a_tie(void **state)
{
	(void)state;
	put_kept(report_by("a", now_ms));
	put_kept(report_by("b", now_ms));
	put_stale(report_by("a", now_ms), "b", now_ms);
	assert_int_equal(location_count(), 1);
}

/* It was sent six seconds before it got here: what was accepted meanwhile is no mistake. */
static void a_report_that_was_long_on_its_way_is_late_and_no_more(void **state)
{
	uint64_t server_ms = clock_wall_ns() / NS_PER_MS;
	struct report late = report_by("a", server_ms - 6000), newer = report_by("b", server_ms);

	(void)state;
	late.undated = newer.undated = true;
	put_kept(newer);
	put_stale(late, "b", server_ms);
	assert_true(has_field(B_FIELD));
}

/* The same registration on the same path, whose times were converted anew: not an older one. */
static void a_node_that_was_renamed_keeps_its_paths(void **state)
{
	struct report before = report_by("cc", now_ms - 1000), after = before;

	(void)state;
	put_kept(before);
	after.node = "bb";
	after.accepted_ms -= 3;
	put_kept(after);
	assert_true(has_field("r bb " DEVICE));
	assert_int_equal(location_count(), 1);
}

/* Its node had reported it while it was the newest one, and now renews what it has lost. */
static void what_is_stale_is_taken_away(void **state)
{
	struct report older = report_by("a", now_ms - 2000), newer = report_by("b", now_ms - 1000);

	(void)state;
	older.move = newer.move = "keep";
	put_kept(older);
	put_kept(newer);
	assert_int_equal(location_count(), 2);
	older.move = "stop";
	put_stale(older, "b", now_ms - 1000);
	assert_false(has_field(A_FIELD));
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 3);
}

static void a_node_renews_its_own_report(void **state)
{
	struct report report = report_by("a", now_ms - 1000);

	(void)state;
	put_kept(report);
	report.flow = FAR_FLOW;
	put_kept(report);
	report.accepted_ms -= 500;
	put_kept(report);
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "a"), 0);
}

static void whoever_has_lost_is_told(void **state)
{
	struct report older = report_by("a", now_ms - 2000), newer = report_by("b", now_ms - 1000);
	struct order order;
	redisReply *reply;

	(void)state;
	older.device = newer.device = " 5 odd \"device\" %d#1";
	put_kept(older);
	put_kept(newer);
	reply = read_order("a", &order);
	assert_int_equal(order.kind, ORDER_leave);
	assert_int_equal(order.issued_ms, now_ms);
	/* Of what it is to end: what it has accepted since is not meant. */
	assert_int_equal(order.accepted_ms, now_ms - 2000);
	assert_true(span_equal(order.node, SPAN("b")));
	assert_true(span_equal(order.aor, SPAN(AOR)));
	assert_true(span_equal(order.device, span_of(newer.device)));
	freeReplyObject(reply);
	assert_in_range(ask_number("TTL " NOTATION_ORDERS "a"), 3590, 3600);
}

static void assert_is_told(const char *node, uint64_t accepted_ms)
{
	struct order order;
	redisReply *reply = read_order(node, &order);

	assert_int_equal(order.accepted_ms, accepted_ms);
	assert_true(span_equal(order.node, SPAN("c")));
	freeReplyObject(reply);
}

static void all_who_have_lost_are_told_what(void **state)
{
	struct report report = report_by("a", now_ms - 3000);

	(void)state;
	report.move = "keep";
	put_kept(report);
	report.node = "b";
	report.flow = FAR_FLOW;
	report.accepted_ms = now_ms - 2000;
	put_kept(report);
	report = report_by("c", now_ms - 1000);
	report.flow = "udp 192.0.2.3:5060 198.51.100.7:40003";
	put_kept(report);
	assert_is_told("a", now_ms - 3000);
	assert_is_told("b", now_ms - 2000);
	assert_int_equal(location_count(), 1);
}

static void kept_registrations_stay_side_by_side(void **state)
{
	struct report older = report_by("a", now_ms - 2000), newer = report_by("b", now_ms - 1000);

	(void)state;
	older.move = newer.move = "keep";
	put_kept(older);
	put_kept(newer);
	put_kept(older);
	assert_int_equal(location_count(), 2);
	assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "a"), 0);
}

/* Two nodes that claim one path: one prompts, whatever may be kept. */
static void one_path_has_one_node(void **state)
{
	struct report older = report_by("a", now_ms - 2000), newer = report_by("b", now_ms - 1000);

	(void)state;
	older.flow = newer.flow = NEAR_FLOW;
	older.move = newer.move = "keep";
	put_kept(older);
	put_kept(newer);
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("XLEN " NOTATION_ORDERS "a"), 1);
	put_stale(older, "b", now_ms - 1000);
}

/* Nobody ends a dialog because of another one: neither may take the other's field away. */
static void nothing_but_registrations_has_rivals(void **state)
{
	(void)state;
	for (const char *kind = "sdl"; *kind; kind++) {
		struct report older = report_by("a", now_ms - 2000);
		struct report newer = report_by("b", now_ms - 1000);

		scripts_world_empty(NULL);
		older.kind = newer.kind = *kind;
		older.flow = newer.flow = NEAR_FLOW;
		/* Nor a registration, even if it is of what is called alike. */
		put_kept(report_by("a", now_ms - 3000));
		put_kept(older);
		put_kept(newer);
		put_kept(older);
		assert_int_equal(location_count(), 3);
		assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "a"), 0);
	}
}

/* A running dialog keeps its old path until it ends. */
static void only_registrations_move(void **state)
{
	(void)state;
	for (const char *kind = "sdl"; *kind; kind++) {
		struct report older = report_by("a", now_ms - 2000);
		struct report newer = report_by("b", now_ms - 1000);

		scripts_world_empty(NULL);
		older.kind = newer.kind = *kind;
		put_kept(older);
		put_kept(newer);
		put_kept(report_by("b", now_ms));
		assert_int_equal(location_count(), 3);
		assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "a"), 0);
	}
}

/* Trap 31: two reg-ids are two flows on purpose. */
static void trap_31_two_reg_ids_at_two_nodes_both_stay(void **state)
{
	struct report other = report_by("b", now_ms - 1000);

	(void)state;
	other.device = "<urn:uuid:1>#2";
	put_kept(report_by("a", now_ms - 2000));
	put_kept(other);
	assert_int_equal(location_count(), 2);
}

static void what_has_ended_goes_with_the_next_report(void **state)
{
	struct report ended = report_by("b", now_ms - 1000), other = report_by("c", now_ms - 9000);

	(void)state;
	ended.ends_ms = now_ms;
	other.kind = 'd';
	other.device = "call;tag";
	other.ends_ms = now_ms - 1;
	put_kept(ended);
	put_kept(other);
	/* It is newer, and void. */
	put_kept(report_by("a", now_ms - 2000));
	assert_true(has_field(A_FIELD));
	assert_int_equal(location_count(), 1);
	assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "b"), 0);
	/* a and b and c came, b and c went. */
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 5);
}

static void a_key_lives_as_long_as_its_last_location(void **state)
{
	struct report report = report_by("a", now_ms);

	(void)state;
	put_kept(report);
	assert_int_equal(ask_number("PEXPIRETIME " LOCATION_KEY), report.ends_ms);
	report.device = "<urn:uuid:2>#1";
	report.ends_ms -= 1000000;
	put_kept(report);
	assert_int_equal(ask_number("PEXPIRETIME " LOCATION_KEY), now_ms + 3600000);
	report.ends_ms += 2000000;
	put_kept(report);
	assert_int_equal(ask_number("PEXPIRETIME " LOCATION_KEY), now_ms + 4600000);
}

/* Nothing is left of what ends by the server's own clock. */
static void a_report_that_has_ended_leaves_nothing(void **state)
{
	struct report report = report_by("a", 1000);

	(void)state;
	report.ends_ms = 2000;
	put_kept(report);
	assert_int_equal(ask_number("EXISTS " LOCATION_KEY), 0);
}

static void a_drop_takes_one_location_away(void **state)
{
	(void)state;
	put_kept(report_by("a", now_ms));
	assert_int_equal(drop(B_FIELD), 0);
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 1);
	assert_int_equal(drop(A_FIELD), 1);
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), 2);
	assert_int_equal(drop(A_FIELD), 0);
	assert_int_equal(ask_number("EXISTS " LOCATION_KEY), 0);
}

static void report_at_random(unsigned int *seed)
{
	static const char *const nodes[] = { "a", "b", "c" };
	static const char *const devices[] = { "<urn:uuid:1>#1", "<urn:uuid:1>#2", "sip:x@y" };
	struct report report =
		report_by(nodes[rand_r(seed) % 3], now_ms - (uint64_t)(rand_r(seed) % 1000));
	char field[64];

	report.device = devices[rand_r(seed) % 3];
	report.kind = "rd"[rand_r(seed) % 2];
	snprintf(field, sizeof(field), "%c %s %s", report.kind, report.node, report.device);
	if (rand_r(seed) % 4 == 0)
		drop(field);
	else
		freeReplyObject(put(&report));
}

/* Does with a copy what a change says. */
static void follow_change(const redisReply *words, uint64_t number)
{
	assert_int_equal(words->elements, 8);
	assert_string_equal(words->element[0]->str, "n");
	assert_int_equal(number_of(words->element[1]), number);
	assert_string_equal(words->element[2]->str, "a");
	assert_string_equal(words->element[3]->str, AOR);
	assert_string_equal(words->element[4]->str, "f");
	assert_string_equal(words->element[6]->str, "v");
	if (words->element[7]->len == 0)
		freeReplyObject(
			redis_world_command(&world, "HDEL copy %s", words->element[5]->str));
	else
		freeReplyObject(redis_world_command(
			&world, "HSET copy %s %s", words->element[5]->str, words->element[7]->str));
}

static void assert_copy_is_complete(void)
{
	redisReply *all = redis_world_command(&world, "HGETALL " LOCATION_KEY);

	assert_int_equal(ask_number("HLEN copy"), all->elements / 2);
	for (size_t i = 0; i < all->elements; i += 2) {
		redisReply *copy =
			redis_world_command(&world, "HGET copy %s", all->element[i]->str);

		assert_string_equal(copy->str, all->element[i + 1]->str);
		freeReplyObject(copy);
	}
	freeReplyObject(all);
}

static void whoever_follows_the_changes_has_it_all(void **state)
{
	unsigned int seed = 20240229;
	redisReply *changes;

	(void)state;
	for (int i = 0; i < 500; i++)
		report_at_random(&seed);
	changes = redis_world_command(&world, "XRANGE " NOTATION_CHANGES " - +");
	assert_true(changes->elements > 300);
	for (size_t i = 0; i < changes->elements; i++)
		follow_change(changes->element[i]->element[1], i + 1);
	assert_int_equal(ask_number("GET " NOTATION_SEQUENCE), changes->elements);
	freeReplyObject(changes);
	assert_copy_is_complete();
}

int main(void)
{
#define TEST_(name) cmocka_unit_test_setup(name, scripts_world_empty)
	static const struct CMUnitTest tests[] = {
		TEST_(the_newest_wins_if_it_reports_last),
		TEST_(the_newest_wins_if_it_reports_first),
		TEST_(the_greater_name_wins_a_tie),
		TEST_(a_report_that_was_long_on_its_way_is_late_and_no_more),
		TEST_(a_node_that_was_renamed_keeps_its_paths),
		TEST_(what_is_stale_is_taken_away),
		TEST_(a_node_renews_its_own_report),
		TEST_(whoever_has_lost_is_told),
		TEST_(all_who_have_lost_are_told_what),
		TEST_(kept_registrations_stay_side_by_side),
		TEST_(one_path_has_one_node),
		TEST_(nothing_but_registrations_has_rivals),
		TEST_(only_registrations_move),
		TEST_(trap_31_two_reg_ids_at_two_nodes_both_stay),
		TEST_(what_has_ended_goes_with_the_next_report),
		TEST_(a_key_lives_as_long_as_its_last_location),
		TEST_(a_report_that_has_ended_leaves_nothing),
		TEST_(a_drop_takes_one_location_away),
		TEST_(whoever_follows_the_changes_has_it_all),
	};
#undef TEST_

	return cmocka_run_group_tests_name("cluster_scripts", tests, scripts_world_begin,
					   scripts_world_end);
}
