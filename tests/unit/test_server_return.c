/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_server_return.c - which answers call control passes back, and how much of them. */
#include "server_world.h"

static int open_forwarding(void **state)
{
	struct world *world = open_world(SERVER_FORWARD, 0);

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	*state = world;
	return 0;
}

static void a_call_survives_a_restart_with_the_same_key(void **state)
{
	struct world *world = *state;
	char request[sizeof(world->received)];

	send_call(world, &CALL_ALICE("a"));
	strcpy(request, receive(world, world->node[0]));
	restart_server(world);
	answer_from(world, world->node[0], request, "180 Ringing");
	assert_begins(receive(world, world->caller), "SIP/2.0 180 ");
	assert_int_equal(hash_key_make(&world->key), 0);
	answer_from(world, world->node[0], request, "180 Ringing");
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_dropped), 1);
}

static void who_has_left_the_set_may_still_answer(void **state)
{
	struct world *world = *state;
	char request[sizeof(world->received)];

	send_call(world, &CALL_ALICE("a"));
	strcpy(request, receive(world, world->node[0]));
	let_first_die(world);
	assert_null(view_find_node(world->view, SPAN("one")));
	/* Whoever is not known has the nodes read anew. */
	answer_from(world, world->stranger, request, "180 Ringing");
	assert_caller_hears_nothing(world);
	answer_from(world, world->node[0], request, "200 OK");
	assert_begins(receive(world, world->caller), "SIP/2.0 200 ");
}

/* An answer as large as that, in bytes, from the first node; how many came of so many. */
static unsigned int return_answers(struct world *world, const char *request, const char *padding,
				   unsigned int times)
{
	uint64_t before = counted(world, calls_returned);
	char status[2048];

	snprintf(status, sizeof(status), "180 %s", padding);
	for (unsigned int i = 0; i < times; i++) {
		answer_from(world, world->node[0], request, status);
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	for (unsigned int i = 0; i < counted(world, calls_returned) - before; i++)
		receive(world, world->caller);
	assert_caller_hears_nothing(world);
	return (unsigned int)(counted(world, calls_returned) - before);
}

static void a_source_that_may_be_forged_is_not_flooded(void **state)
{
	struct world *world = *state;
	char request[sizeof(world->received)], padding[1024] = "";

	send_call(world, &CALL_ALICE("a"));
	strcpy(request, receive(world, world->node[0]));
	assert_in_range(return_answers(world, request, "Ringing", 30), 3, 8);
	send_call(world, &CALL_ALICE("a"));
	strcpy(request, receive(world, world->node[0]));
	assert_true(return_answers(world, request, "Ringing", 30) >= 3);

	memset(padding, 'x', sizeof(padding) - 1);
	send_call(world, &CALL_ALICE("b"));
	strcpy(request, receive(world, world->node[0]));
	assert_int_equal(return_answers(world, request, padding, 1), 0);
	trust_only(world, "127.0.0.1", 32);
	assert_int_equal(return_answers(world, request, padding, 30), 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_forwarding, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_survives_a_restart_with_the_same_key),
		TEST(who_has_left_the_set_may_still_answer),
		TEST(a_source_that_may_be_forged_is_not_flooded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
