/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redis_link_world.h"

#define MANY 5000

static int with_server(void **state)
{
	*state = world_make(NULL);
	return 0;
}

static int without(void **state)
{
	world_free(*state);
	return 0;
}

static bool has_gone_down(void *context)
{
	struct link_world *world = context;

	return world->downs > 0;
}

static bool has_come_back(void *context)
{
	struct link_world *world = context;

	return world->ups == world->downs + 1 && world->downs > 0;
}

static void a_server_that_is_started_later_is_found(void **state)
{
	struct link_world *world = *state;

	redis_world_kill(&world->redis);
	world_open(world);
	wait_until(world, is_logged_lost);
	redis_world_restart(&world->redis);
	wait_until(world, is_logged_back);
	assert_true(redis_link_is_up(world->link));
	assert_int_equal(logged(world, "Connection refused"), 1);
	assert_int_equal(logged(world, "Redis"), 2);
	assert_int_equal(world->downs, 0);
}

static void a_link_without_a_purpose_logs_nothing(void **state)
{
	struct link_world *world = *state;

	world->options.purpose = NULL;
	world_open_up(world);
	redis_world_kill(&world->redis);
	wait_until(world, is_down);
	redis_world_restart(&world->redis);
	wait_until(world, is_up);
	assert_int_equal(logged(world, "Redis"), 0);
}

static void a_server_that_was_wiped_gets_the_scripts_again(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	assert_true(beat(world, "a"));
	redis_world_restart(&world->redis);
	wait_until(world, has_come_back);
	assert_true(beat(world, "b"));
	assert_string_equal(answer_to(world, "GET nothing"), "");
	assert_int_equal(logged(world, "out of reach"), 1);
	assert_int_equal(logged(world, "is back for"), 1);
}

/* The server is killed when it has answered some, and does not answer the second half. */
static void all_that_is_outstanding_is_answered_once(void **state)
{
	static struct asker askers[MANY];
	struct link_world *world = *state;

	world_open_up(world);
	for (size_t i = 0; i < MANY / 2; i++)
		assert_int_equal(ask(world, "PING", &askers[i]), 0);
	assert_int_equal(redis_link_outstanding(world->link), MANY / 2);
	assert_true(redis_world_run_until(world->loop, is_answered, &askers[0], PATIENTLY));
	redis_world_pause(&world->redis);
	for (size_t i = MANY / 2; i < MANY; i++)
		assert_int_equal(ask(world, "PING", &askers[i]), 0);
	redis_world_kill(&world->redis);
	wait_until(world, has_gone_down);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(askers[i].answers, 1);
	assert_int_equal(askers[0].nothings, 0);
	for (size_t i = MANY / 2; i < MANY; i++)
		assert_int_equal(askers[i].nothings, 1);
}

static void a_server_that_does_not_answer_is_given_up(void **state)
{
	struct link_world *world = *state;
	struct asker asker = { 0 };

	world_open_up(world);
	redis_world_pause(&world->redis);
	assert_int_equal(ask(world, "PING", &asker), 0);
	wait_until(world, is_down);
	redis_world_resume(&world->redis);
	wait_until(world, is_logged_back);
	assert_int_equal(asker.answers, 1);
	assert_int_equal(asker.nothings, 1);
	assert_int_equal(logged(world, "does not answer any more"), 1);
	assert_string_equal(answer_to(world, "PING"), "PONG");
}

/* Each takes nearly as long as one may. */
static void a_slow_server_is_not_given_up(void **state)
{
	struct link_world *world = *state;
	struct asker askers[4] = { 0 };

	world_open_up(world);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ask(world, "BLPOP nothing 0.25", &askers[i]), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &askers[3], PATIENTLY));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(askers[i].nothings, 0);
	assert_int_equal(world->downs, 0);
}

static void only_who_is_patient_waits_longer(void **state)
{
	struct link_world *world = *state;
	struct asker patient = { 0 }, impatient = { 0 };

	world_open_up(world);
	assert_int_equal(ask_as(world, "BLPOP nothing 0.7", true, on_answer, &patient), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &patient, PATIENTLY));
	assert_int_equal(patient.nothings, 0);
	assert_int_equal(ask_as(world, "BLPOP nothing 0.7", false, on_answer, &impatient), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &impatient, PATIENTLY));
	assert_int_equal(impatient.nothings, 1);
}

static void patience_has_an_end(void **state)
{
	struct link_world *world = *state;
	struct asker patient = { 0 };

	world_open_up(world);
	assert_int_equal(ask_as(world, "BLPOP nothing 0", true, on_answer, &patient), 0);
	assert_true(redis_world_run_until(world->loop, is_answered, &patient, PATIENTLY));
	assert_int_equal(patient.nothings, 1);
}

static void a_link_with_nothing_to_ask_stays(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	assert_false(
		redis_world_run_until(world->loop, is_down, world, 3. * PATIENCE_NS / NS_PER_S));
}

static void a_replica_is_left_until_it_is_promoted(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	server_does(world, "REPLICAOF 127.0.0.1 1");
	assert_null(answer_to(world, "SET a b"));
	wait_until(world, is_logged_lost);
	server_does(world, "REPLICAOF NO ONE");
	wait_until(world, is_up);
	assert_string_equal(answer_to(world, "SET a b"), "OK");
	assert_int_equal(logged(world, "promoted"), 1);
	assert_int_equal(logged(world, "is back for"), 1);
}

static void a_replica_is_not_taken_at_all(void **state)
{
	struct link_world *world = *state;

	server_does(world, "REPLICAOF 127.0.0.1 1");
	world_open(world);
	wait_until(world, is_logged_lost);
	assert_int_equal(world->ups, 0);
	assert_int_equal(logged(world, "promoted"), 1);
}

/* It lets us in each time; what it is shows at the first write only. */
static void who_refuses_each_time_is_logged_once(void **state)
{
	struct link_world *world = *state;

	server_does(world, "ACL SETUSER default -role");
	world_open_up(world);
	server_does(world, "REPLICAOF 127.0.0.1 1");
	for (int i = 0; i < 3; i++) {
		wait_until(world, is_up);
		assert_null(answer_to(world, "SET a b"));
	}
	assert_int_equal(logged(world, "Redis"), 1);
	server_does(world, "REPLICAOF NO ONE");
	wait_until(world, is_up);
	assert_string_equal(answer_to(world, "SET a b"), "OK");
	assert_int_equal(logged(world, "is back for"), 1);
}

static void a_full_server_is_given_up(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	server_does(world, "CONFIG SET maxmemory 1");
	assert_null(answer_to(world, "SET a b"));
	wait_until(world, is_logged_lost);
	assert_int_equal(logged(world, "maxmemory"), 1);
	assert_int_equal(logged(world, "Redis"), 1);
	server_does(world, "CONFIG SET maxmemory 0");
	wait_until(world, is_up);
	assert_string_equal(answer_to(world, "SET a b"), "OK");
}

static void scripts_that_were_flushed_are_loaded_again(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	server_does(world, "SCRIPT FLUSH");
	assert_false(beat(world, "a"));
	wait_until(world, has_come_back);
	assert_true(beat(world, "a"));
}

/* A link to a server that is like this one is never up, and is logged once to be lost. */
static void not_taken(struct link_world *world, struct fake *fake, const char *why)
{
	world_open(world);
	wait_until(world, is_logged_lost);
	while (fake->connections < 3)
		ev_run(world->loop, EVRUN_ONCE);
	assert_int_equal(world->ups + world->downs, 0);
	assert_int_equal(logged(world, "Redis"), 1);
	assert_int_equal(logged(world, why), 1);
	redis_link_close(take_link(world));
	fake_stop(fake);
}

static void who_says_nothing_is_not_taken(void **state)
{
	struct fake fake = { .greeting = NULL };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "does not answer any more");
}

static void who_hangs_up_is_not_taken(void **state)
{
	struct fake fake = { .closes = true };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "out of reach");
}

static void who_speaks_something_else_is_not_taken(void **state)
{
	struct fake fake = { .greeting = "HTTP/1.1 400 Bad Request\r\n\r\n" };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "does not speak the protocol");
}

static void who_stops_in_the_middle_is_not_taken(void **state)
{
	struct fake fake = { .greeting = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n$40\r\n0123456789" };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "does not answer any more");
}

static void who_gives_scripts_no_names_is_not_taken(void **state)
{
	struct fake fake = { .greeting = "+OK\r\n+OK\r\n+OK\r\n+OK\r\n" };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "gives a script no name");
}

/* hiredis would make room for all of them at once. */
static void who_announces_too_much_is_not_taken(void **state)
{
	struct fake fake = { .greeting = "*2000000000\r\n" };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "more at once than there is room for");
}

static void who_complains_is_heard(void **state)
{
	struct fake fake = { .greeting = "-ERR max number of \033[1mclients\033[0m reached\r\n" };

	fake_start(&fake, *state);
	not_taken(*state, &fake, "it says: ERR max number of ?[1mclients?[0m reached");
}

#define NAME "$40\r\n0123456789012345678901234567890123456789\r\n"

static void who_answers_what_was_not_asked_is_left(void **state)
{
	struct link_world *world = *state;
	struct fake fake = { .greeting = "*0\r\n" NAME NAME NAME "+what?\r\n" };

	fake_start(&fake, world);
	world_open(world);
	wait_until(world, is_logged_lost);
	assert_int_equal(world->ups, 1);
	assert_int_equal(world->downs, 1);
	assert_int_equal(logged(world, "what it was not asked"), 1);
	redis_link_close(take_link(world));
	fake_stop(&fake);
}

#define LOST(test) cmocka_unit_test_setup_teardown(test, with_server, without)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOST(a_server_that_is_started_later_is_found),
		LOST(a_link_without_a_purpose_logs_nothing),
		LOST(a_server_that_was_wiped_gets_the_scripts_again),
		LOST(all_that_is_outstanding_is_answered_once),
		LOST(a_server_that_does_not_answer_is_given_up),
		LOST(a_slow_server_is_not_given_up),
		LOST(only_who_is_patient_waits_longer),
		LOST(patience_has_an_end),
		LOST(a_link_with_nothing_to_ask_stays),
		LOST(a_replica_is_left_until_it_is_promoted),
		LOST(a_replica_is_not_taken_at_all),
		LOST(who_refuses_each_time_is_logged_once),
		LOST(a_full_server_is_given_up),
		LOST(scripts_that_were_flushed_are_loaded_again),
		LOST(who_says_nothing_is_not_taken),
		LOST(who_hangs_up_is_not_taken),
		LOST(who_speaks_something_else_is_not_taken),
		LOST(who_stops_in_the_middle_is_not_taken),
		LOST(who_gives_scripts_no_names_is_not_taken),
		LOST(who_announces_too_much_is_not_taken),
		LOST(who_complains_is_heard),
		LOST(who_answers_what_was_not_asked_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
