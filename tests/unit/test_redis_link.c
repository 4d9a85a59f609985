/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redis_link_world.h"

#define MANY 5000

static int with_server(void **state)
{
	*state = world_make(NULL);
	return 0;
}

static int with_password(void **state)
{
	*state = world_make("open sesame");
	return 0;
}

static int without(void **state)
{
	world_free(*state);
	return 0;
}

static void a_command_is_answered(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	assert_string_equal(answer_to(world, "SET greeting hello"), "OK");
	assert_string_equal(answer_to(world, "GET greeting"), "hello");
	assert_int_equal(redis_link_outstanding(world->link), 0);
	assert_int_equal(logged(world, "Redis"), 0);
}

static void an_error_is_an_answer(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	assert_non_null(strstr(answer_to(world, "NONSENSE"), "unknown command"));
	assert_true(redis_link_is_up(world->link));
}

static void words_may_be_empty_or_hold_any_byte(void **state)
{
	const struct span words[] = { SPAN("ECHO"), SPAN("a\0b\r\nc") };
	const struct span empty[] = { SPAN("ECHO"), { NULL, 0 } };
	struct link_world *world = *state;
	struct asker asker = { 0 }, other = { .text = "something" };

	world_open_up(world);
	assert_int_equal(redis_link_ask(world->link, words, 2, false, on_answer, &asker), 0);
	assert_int_equal(redis_link_ask(world->link, empty, 2, false, on_answer, &other), 0);
	assert_int_equal(redis_link_outstanding(world->link), 2);
	assert_true(redis_world_run_until(world->loop, is_answered, &other, PATIENTLY));
	assert_int_equal(asker.nothings + other.nothings, 0);
	assert_string_equal(asker.text, "a");
	assert_string_equal(other.text, "");
}

static void scripts_are_there(void **state)
{
	struct link_world *world = *state;

	world_open_up(world);
	assert_true(beat(world, "a"));
	assert_int_equal(strncmp(answer_to(world, "HGET sippath:nodes a"), "1 7 ", 4), 0);
}

static void what_cannot_be_asked_is_not_answered(void **state)
{
	struct span words[REDIS_LINK_WORDS_MAX + 1];
	struct link_world *world = *state;
	struct asker asker = { 0 };

	for (size_t i = 0; i <= REDIS_LINK_WORDS_MAX; i++)
		words[i] = SPAN("x");
	world_open(world);
	assert_int_equal(ask(world, "PING", &asker), -ENOTCONN);
	assert_int_equal(
		redis_link_run(world->link, REDIS_SCRIPT_PUT, words, 1, 1, on_answer, &asker),
		-ENOTCONN);
	wait_until(world, is_up);
	assert_int_equal(redis_link_ask(world->link, words, REDIS_LINK_WORDS_MAX + 1, false,
					on_answer, &asker),
			 -E2BIG);
	assert_int_equal(redis_link_run(world->link, REDIS_SCRIPT_PUT, words, 1,
					REDIS_LINK_WORDS_MAX, on_answer, &asker),
			 -E2BIG);
	assert_string_equal(answer_to(world, "PING"), "PONG");
	assert_int_equal(asker.answers, 0);
}

static void the_database_is_chosen(void **state)
{
	struct link_world *world = *state;

	world->address.database = 3;
	world_open_up(world);
	assert_string_equal(answer_to(world, "SET where here"), "OK");
	server_does(world, "SWAPDB 0 3");
	server_does(world, "RENAME where there");
}

static void a_database_that_there_is_not_is_logged(void **state)
{
	struct link_world *world = *state;

	world->address.database = 999;
	world_open(world);
	wait_until(world, is_logged_lost);
	assert_int_equal(logged(world, "DB index is out of range"), 1);
	assert_int_equal(world->ups, 0);
}

static void a_name_is_looked_up(void **state)
{
	struct link_world *world = *state;

	strcpy(world->address.host, "localhost");
	world_open_up(world);
	assert_string_equal(answer_to(world, "PING"), "PONG");
	assert_int_equal(logged(world, "Redis"), 0);
}

static void a_link_may_be_closed_while_a_name_is_looked_up(void **state)
{
	struct link_world *world = *state;

	strcpy(world->address.host, "nowhere.invalid");
	for (int i = 0; i < 8; i++) {
		world_open(world);
		redis_link_close(take_link(world));
	}
}

static void a_name_that_nobody_knows_is_logged(void **state)
{
	struct link_world *world = *state;

	strcpy(world->address.host, "nowhere.invalid");
	world_open(world);
	wait_until(world, is_logged_lost);
	assert_int_equal(logged(world, "nowhere.invalid"), 1);
}

static void the_password_opens(void **state)
{
	struct link_world *world = *state;

	strcpy(world->address.password, "open sesame");
	world_open_up(world);
	assert_string_equal(answer_to(world, "PING"), "PONG");
}

static void a_user_signs_in_with_his_own(void **state)
{
	struct link_world *world = *state;

	server_does(world, "ACL SETUSER node on >secret allkeys allchannels +@all");
	strcpy(world->address.user, "node");
	strcpy(world->address.password, "secret");
	world_open_up(world);
	assert_string_equal(answer_to(world, "ACL WHOAMI"), "node");
}

/* It has been refused more than once by then. */
static void until_it_must_have_tried_again(struct link_world *world)
{
	redisReply *reply;
	long long refused = 0;

	while (refused < 3) {
		redis_world_run_until(world->loop, is_up, world, 0.1);
		reply = redis_world_command(&world->redis, "ACL LOG");
		refused = reply->elements > 0 ? reply->element[0]->element[1]->integer : 0;
		freeReplyObject(reply);
	}
}

static void a_wrong_password_is_logged_once(void **state)
{
	struct link_world *world = *state;

	strcpy(world->address.password, "open barley");
	world_open(world);
	until_it_must_have_tried_again(world);
	assert_int_equal(world->ups, 0);
	assert_int_equal(logged(world, "password is wrong"), 1);
	assert_int_equal(logged(world, "Redis"), 1);
	assert_int_equal(logged(world, "barley"), 0);
}

static void a_missing_password_is_logged(void **state)
{
	struct link_world *world = *state;

	world_open(world);
	wait_until(world, is_logged_lost);
	assert_int_equal(logged(world, "asks for a password"), 1);
}

/* Asks again within the answer, until it has been answered so often. */
static void ask_again(void *context, const struct redisReply *reply)
{
	const struct span word = SPAN("PING");
	struct asker *asker = context;

	on_answer(context, reply);
	if (asker->answers < MANY)
		assert_int_equal(redis_link_ask(asker->link, &word, 1, false, ask_again, asker), 0);
}

static bool is_answered_often(void *context)
{
	struct asker *asker = context;

	return asker->answers >= MANY;
}

static void an_answer_may_ask(void **state)
{
	struct link_world *world = *state;
	struct asker asker = { 0 };

	world_open_up(world);
	asker.link = world->link;
	assert_int_equal(ask_as(world, "PING", false, ask_again, &asker), 0);
	assert_true(redis_world_run_until(world->loop, is_answered_often, &asker, PATIENTLY));
	assert_int_equal(asker.nothings, 0);
}

static void reset_once(void *context, const struct redisReply *reply)
{
	const struct span word = SPAN("PING");
	struct asker *asker = context;

	on_answer(context, reply);
	redis_link_reset(asker->link, "the test says so");
	redis_link_reset(asker->link, "and says so again");
	assert_false(redis_link_is_up(asker->link));
	assert_int_equal(redis_link_ask(asker->link, &word, 1, false, on_answer, asker), -ENOTCONN);
}

static void an_answer_may_reset_the_link(void **state)
{
	struct link_world *world = *state;
	struct asker asker = { 0 }, later = { 0 };

	world_open_up(world);
	asker.link = world->link;
	assert_int_equal(ask_as(world, "PING", false, reset_once, &asker), 0);
	assert_int_equal(ask(world, "PING", &later), 0);
	assert_int_equal(ask(world, "PING", &later), 0);
	wait_until(world, is_logged_back);
	assert_int_equal(asker.answers, 1);
	assert_int_equal(asker.nothings, 0);
	assert_int_equal(later.answers, 2);
	assert_int_equal(later.nothings, 2);
	assert_int_equal(world->ups, 2);
	assert_int_equal(logged(world, "the test says so"), 1);
	assert_string_equal(answer_to(world, "PING"), "PONG");
}

static void closing_answers_what_is_outstanding(void **state)
{
	struct link_world *world = *state;
	struct asker asker = { 0 };

	world_open_up(world);
	asker.link = world->link;
	assert_int_equal(ask_as(world, "PING", false, reset_once, &asker), 0);
	assert_int_equal(ask(world, "PING", &asker), 0);
	redis_link_close(take_link(world));
	assert_int_equal(asker.answers, 2);
	assert_int_equal(asker.nothings, 2);
	assert_int_equal(world->downs, 0);
	assert_int_equal(logged(world, "Redis"), 0);
}

static bool last_words_were_heard(void *context)
{
	struct link_world *world = context;
	redisReply *reply = redis_world_command(&world->redis, "EXISTS last");
	bool heard = reply->integer == 1;

	freeReplyObject(reply);
	return heard;
}

static void what_was_asked_last_is_sent_all_the_same(void **state)
{
	struct link_world *world = *state;
	struct asker asker = { 0 };

	world_open_up(world);
	assert_int_equal(ask(world, "SET last words", &asker), 0);
	redis_link_close(take_link(world));
	assert_int_equal(asker.nothings, 1);
	wait_until(world, last_words_were_heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_answered, with_server, without),
		cmocka_unit_test_setup_teardown(an_error_is_an_answer, with_server, without),
		cmocka_unit_test_setup_teardown(words_may_be_empty_or_hold_any_byte, with_server,
						without),
		cmocka_unit_test_setup_teardown(scripts_are_there, with_server, without),
		cmocka_unit_test_setup_teardown(what_cannot_be_asked_is_not_answered, with_server,
						without),
		cmocka_unit_test_setup_teardown(the_database_is_chosen, with_server, without),
		cmocka_unit_test_setup_teardown(a_database_that_there_is_not_is_logged, with_server,
						without),
		cmocka_unit_test_setup_teardown(a_name_is_looked_up, with_server, without),
		cmocka_unit_test_setup_teardown(a_link_may_be_closed_while_a_name_is_looked_up,
						with_server, without),
		cmocka_unit_test_setup_teardown(a_name_that_nobody_knows_is_logged, with_server,
						without),
		cmocka_unit_test_setup_teardown(the_password_opens, with_password, without),
		cmocka_unit_test_setup_teardown(a_user_signs_in_with_his_own, with_password,
						without),
		cmocka_unit_test_setup_teardown(a_wrong_password_is_logged_once, with_password,
						without),
		cmocka_unit_test_setup_teardown(a_missing_password_is_logged, with_password,
						without),
		cmocka_unit_test_setup_teardown(an_answer_may_ask, with_server, without),
		cmocka_unit_test_setup_teardown(an_answer_may_reset_the_link, with_server, without),
		cmocka_unit_test_setup_teardown(what_was_asked_last_is_sent_all_the_same,
						with_server, without),
		cmocka_unit_test_setup_teardown(closing_answers_what_is_outstanding, with_server,
						without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
