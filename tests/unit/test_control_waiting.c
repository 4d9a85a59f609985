/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_waiting.c - clients whose answer has to come from the cluster first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "directory_world.h"

static void a_client_that_goes_is_forgotten(void **state)
{
	struct peer *peer = connect_peer(), *other = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	say(other, ALICE);
	await_questions(2);
	leave(peer);
	await_forgotten(1);
	assert_null(questions[0].asker);
	answer_with((struct directory_answer){ .now_ms = NOW_MS });
	expect_end(other);
	leave(other);
	assert_int_equal(forgotten, 1);
}

/* As "nc -N" does: it reads on. */
static void a_client_that_only_says_no_more_is_answered(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
	for (int i = 0; i < 10; i++)
		turn();
	assert_int_equal(forgotten, 0);
	answer_with((struct directory_answer){ .now_ms = NOW_MS });
	expect_end(peer);
	assert_closed(peer);
	leave(peer);
}

static void questions_are_forgotten_when_the_control_closes(void **state)
{
	struct control_options options = agent_options();
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	control_close(control);
	control = NULL;
	assert_int_equal(forgotten, 1);
	assert_closed(peer);
	leave(peer);
	options.loop = loop;
	options.listening = listening;
	assert_int_equal(control_open(&options, &control), 0); /* for the end of the test */
}

/* However much of it there is: nothing is lost, and nothing is answered out of turn. */
static void what_is_asked_meanwhile_waits_for_its_turn(void **state)
{
	enum { HEAP = 400 };
	static const char request[] = "{\"command\": \"drain\"}\n";
	char heap[HEAP * sizeof(request)] = "";
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	for (size_t i = 0; i < HEAP; i++)
		strcat(heap, request);
	say_bytes(peer, heap, strlen(heap));
	for (int i = 0; i < 10; i++)
		turn();
	assert_true(hear(peer));
	assert_int_equal(peer->used, 0);
	answer_with((struct directory_answer){ .now_ms = NOW_MS });
	expect_end(peer);
	for (size_t i = 0; i < HEAP; i++) {
		json_decref(expect_row(peer));
		expect_end(peer);
	}
	expect_status(peer);
	leave(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(a_client_that_goes_is_forgotten),
		AGENT_TEST(a_client_that_only_says_no_more_is_answered),
		AGENT_TEST(questions_are_forgotten_when_the_control_closes),
		AGENT_TEST(what_is_asked_meanwhile_waits_for_its_turn),
	};

	return cmocka_run_group_tests_name("control_waiting", tests, NULL, NULL);
}
