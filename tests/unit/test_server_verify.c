/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_server_verify.c - calls that wait until the path that they are to take has been heard. */
#include "server_world.h"

/* Longer than any test that does not wait for its end. */
#define LONG_NS (30 * NS_PER_S)
#define SHORT_NS (50 * NS_PER_MS)

static int open_patient(void **state)
{
	*state = open_world(SERVER_FORWARD, LONG_NS);
	return 0;
}

static int open_impatient(void **state)
{
	struct world *world = open_world(SERVER_FORWARD, SHORT_NS);

	world->confirms = true;
	*state = world;
	return 0;
}

/* A call comes in and waits. */
static void begin_call(struct world *world, const char *branch)
{
	send_call(world, &CALL_ALICE(branch));
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->node[0]);
	assert_nothing_at(world->node[1]);
}

static void a_call_waits_until_its_path_is_heard(void **state)
{
	struct world *world = *state;
	struct flow flow;

	assert_int_equal(flow_read(SPAN(PATH1), &flow), 0);
	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	assert_int_equal(world->orders, 1);
	assert_string_equal(world->order_node, "one");
	assert_int_equal(world->order.kind, ORDER_prompt);
	assert_int_equal(world->order.issued_ms, world->now_ms);
	assert_memory_equal(&world->order.flow, &flow, sizeof(flow));

	world->now_ms += 100;
	report_heard(world, "one", PATH1, 5000);
	assert_begins(receive(world, world->node[0]), "INVITE ");
	assert_int_equal(counted(world, calls_verified), 1);
	assert_int_equal(world->forgotten, 1);
}

static void another_path_that_is_heard_changes_nothing(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	report_heard(world, "two", PATH1, 9000);
	report_heard(world, "one", PATH2, 9000);
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_verified), 0);
}

static void news_from_before_prove_nothing(void **state)
{
	struct world *world = *state;
	struct location old;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	old = make_location(world, "one", PATH1, NOW_MS - 5000, PATH_LIVE);
	old.heard_ms = world->now_ms - SERVER_FRESH_MS - 1;
	server_reported(world->server, &old, clock_now_ns());
	assert_int_equal(counted(world, calls_verified), 0);
	assert_nothing_at(world->node[0]);
}

static void a_path_that_is_not_heard_is_the_second_choice(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	send_call(world, &CALL_ALICE("a"));
	assert_begins(receive(world, world->node[0]), "INVITE ");
	assert_nothing_at(world->node[1]);
	assert_string_equal(world->order_node, "two");
	assert_int_equal(world->orders, 1);
	assert_int_equal(counted(world, calls_unverified), 1);
}

static void a_call_takes_a_path_that_is_not_heard_if_it_is_the_only_one(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	send_call(world, &CALL_ALICE("a"));
	assert_begins(receive(world, world->node[0]), "INVITE ");
	assert_int_equal(counted(world, calls_unverified), 1);
}

/* Redis is slow or half open: that says nothing about the path. */
static void an_order_that_is_never_confirmed_proves_nothing(void **state)
{
	struct world *world = *state;

	world->confirms = false;
	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	send_call(world, &CALL_ALICE("a"));
	assert_begins(receive(world, world->node[1]), "INVITE ");
	assert_nothing_at(world->node[0]);
	assert_int_equal(world->orders, 1);
	assert_int_equal(counted(world, calls_unverified), 0);
}

static void whoever_goes_blind_while_it_waits_learns_nothing(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	send_call(world, &CALL_ALICE("a"));
	while (world->orders == 0)
		ev_run(world->loop, EVRUN_ONCE);
	world->is_blind = true;
	assert_begins(receive(world, world->node[1]), "INVITE ");
	assert_int_equal(counted(world, calls_unverified), 0);
}

static void the_blind_ask_nobody(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	world->is_blind = true;
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	assert_int_equal(world->orders, 0);
}

static void a_path_over_tcp_is_not_asked(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", "tcp 192.0.2.1:5060 198.51.100.7:40001", 5000, PATH_LIVE);
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	assert_int_equal(world->orders, 0);
}

static void who_waits_along_learns_what_became_of_the_order(void **state)
{
	struct directory_answer lost = { .error = -ENOTCONN, .reason = "out of reach" };
	struct call cancel = { .method = "CANCEL", .uri = ALICE, .branch = "a" };
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	begin_call(world, "b");
	assert_begins(ask(world, &cancel), "SIP/2.0 200 OK\r\n");
	assert_begins(receive(world, world->caller), "SIP/2.0 487 Request Terminated\r\n");
	assert_int_equal(world->forgotten, 0);
	world->answered(world->asker, &lost);
	assert_has(receive(world, world->node[0]), "branch=z9hG4bKb;");
	assert_int_equal(world->forgotten, 1);
}

static void what_waits_may_be_sent_again(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	begin_call(world, "a");
	assert_int_equal(world->orders, 1);
	report_heard(world, "one", PATH1, 5000);
	receive(world, world->node[0]);
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->node[0]);
}

static void two_calls_wait_for_one_prompt(void **state)
{
	struct world *world = *state;
	bool is_first;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	begin_call(world, "b");
	assert_int_equal(world->orders, 1);
	report_heard(world, "one", PATH1, 5000);
	is_first = strstr(receive(world, world->node[0]), "branch=z9hG4bKa;");
	assert_has(receive(world, world->node[0]),
		   is_first ? "branch=z9hG4bKb;" : "branch=z9hG4bKa;");
	assert_int_equal(counted(world, calls_verified), 2);
}

static void a_path_heard_lately_needs_no_prompt(void **state)
{
	struct world *world = *state;

	report_heard(world, "one", PATH1, 5000);
	world->now_ms += SERVER_FRESH_MS;
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	assert_int_equal(world->orders, 0);
}

static void a_silent_path_is_not_asked_again(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_SILENT);
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	assert_int_equal(world->orders, 0);
}

static void out_of_reach_nobody_waits(void **state)
{
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	world->order_error = -ENOTCONN;
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	assert_int_equal(counted(world, calls_unverified), 0);
}

static void an_order_that_is_lost_ends_the_wait(void **state)
{
	struct directory_answer lost = { .error = -ENOTCONN, .reason = "out of reach" };
	struct directory_answer sent = { .error = 0 };
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	begin_call(world, "b");
	world->answered(world->asker, &sent);
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->node[0]);
	world->answered(world->asker, &lost);
	receive(world, world->node[0]);
	receive(world, world->node[0]);
	assert_int_equal(counted(world, calls_verified), 0);
	assert_int_equal(counted(world, calls_unverified), 0);
}

static void who_waits_may_give_up(void **state)
{
	struct call cancel = { .method = "CANCEL", .uri = ALICE, .branch = "a" };
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	begin_call(world, "a");
	assert_begins(ask(world, &cancel), "SIP/2.0 200 OK\r\n");
	assert_begins(receive(world, world->caller), "SIP/2.0 487 Request Terminated\r\n");
	report_heard(world, "one", PATH1, 5000);
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->node[0]);
}

static void only_so_many_wait(void **state)
{
	struct world *world = *state;
	char branch[16];

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	for (unsigned int i = 0; i < SERVER_WAITING_MAX; i++) {
		snprintf(branch, sizeof(branch), "w%u", i);
		send_call(world, &CALL_ALICE(branch));
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->node[0]);
	send_call(world, &CALL_ALICE("one-more"));
	assert_has(receive(world, world->node[0]), "one-more");
	assert_nothing_at(world->node[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_patient, close_world)
#define TEST_IMPATIENT(name) cmocka_unit_test_setup_teardown(name, open_impatient, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_waits_until_its_path_is_heard),
		TEST(another_path_that_is_heard_changes_nothing),
		TEST(news_from_before_prove_nothing),
		TEST_IMPATIENT(a_path_that_is_not_heard_is_the_second_choice),
		TEST_IMPATIENT(a_call_takes_a_path_that_is_not_heard_if_it_is_the_only_one),
		TEST_IMPATIENT(an_order_that_is_never_confirmed_proves_nothing),
		TEST_IMPATIENT(whoever_goes_blind_while_it_waits_learns_nothing),
		TEST(the_blind_ask_nobody),
		TEST(a_path_over_tcp_is_not_asked),
		TEST(who_waits_along_learns_what_became_of_the_order),
		TEST(what_waits_may_be_sent_again),
		TEST(two_calls_wait_for_one_prompt),
		TEST(a_path_heard_lately_needs_no_prompt),
		TEST(a_silent_path_is_not_asked_again),
		TEST(out_of_reach_nobody_waits),
		TEST(an_order_that_is_lost_ends_the_wait),
		TEST(who_waits_may_give_up),
		TEST(only_so_many_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
