/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_calls.c - the whole sentence in simulated time: which calls and subscriptions keep a path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "messages.h"
#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

static int set_up(void **state)
{
	*state = world_begin(THRESHOLD);
	return 0;
}

static int tear_down(void **state)
{
	world_end(*state);
	return 0;
}

/* A message of Alice's call to Bob, on its way between the server and this device. */
static struct message about(const char *method, unsigned int status, const char *to_tag)
{
	return (struct message){
		.status = status,
		.method = method,
		.cseq = 1,
		.call_id = "call",
		.branch = 1,
		.from = "alice",
		.from_tag = "a",
		.to = "bob",
		.to_tag = to_tag,
		.contact = status > 0 ? "bob" : "alice",
		.contact_expires = -1,
	};
}

static void see(struct world *world, const struct world_device *at, bool from_device,
		const struct message *message)
{
	char text[MESSAGE_MAX];

	message_write(message, text);
	world_see(world, &at->flow, from_device, text);
}

static void ask(struct world *world, const struct world_device *at, const char *method,
		const char *to_tag)
{
	struct message request = about(method, 0, to_tag);

	see(world, at, true, &request);
}

static void answer(struct world *world, const struct world_device *at, const char *method,
		   unsigned int status)
{
	struct message response = about(method, status, "b");

	see(world, at, false, &response);
}

/* Whose address was written into somebody else's INVITE does not acknowledge its 2xx. */
static void trap_44_a_call_in_the_name_of_another_keeps_no_path(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	ask(world, device, "INVITE", NULL);
	answer(world, device, "INVITE", 200);
	assert_non_null(world_path(world, device));
	world_run(world, MINUTE);
	assert_null(world_path(world, device));
	assert_int_equal(world->map_count, 0);
}

static void a_call_that_is_acknowledged_keeps_its_path(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);

	ask(world, device, "INVITE", NULL);
	answer(world, device, "INVITE", 200);
	ask(world, device, "ACK", "b");
	world_run(world, 10 * MINUTE);
	assert_non_null(world_path(world, device));
	assert_true(device->prompts >= 20);
	ask(world, device, "BYE", "b");
	world_run(world, MINUTE);
	assert_null(world_path(world, device));
}

/* Both legs: the called one says every minute that it rings, and the server passes that on. */
static void trap_34_a_call_that_is_answered_after_five_minutes_is_learnt(void **state)
{
	struct world *world = *state;
	struct world_device *caller = world_device(world), *called = world_device(world);
	struct message passed_on = about("INVITE", 0, NULL), told = about("INVITE", 180, "b");

	passed_on.relayed = told.relayed = true;
	ask(world, caller, "INVITE", NULL);
	see(world, called, false, &passed_on);
	for (int minute = 0; minute < 5; minute++) {
		see(world, called, true, &told);
		answer(world, caller, "INVITE", 180);
		world_run(world, MINUTE);
	}
	told.status = 200;
	see(world, called, true, &told);
	answer(world, caller, "INVITE", 200);
	ask(world, caller, "ACK", "b");
	assert_int_equal(world->counts.value[COUNT_answers_doubted], 0);
	assert_int_equal(world->counts.value[COUNT_invites_accepted], 2);
	world_run(world, 10 * MINUTE);
	assert_non_null(world_path(world, caller));
	assert_non_null(world_path(world, called));
}

/* The called device is behind another proxy: what it refreshes comes with two Vias. */
static void trap_32_a_session_that_a_proxy_refreshes_goes_on(void **state)
{
	struct world *world = *state;
	struct world_device *edge = world_device(world);
	struct message invite = about("INVITE", 0, NULL), accepted = about("INVITE", 200, "b");
	struct message refresh = about("UPDATE", 0, "a"), refreshed = about("UPDATE", 200, "a");

	accepted.extra = refreshed.extra = "Session-Expires: 90;refresher=uas\r\n";
	see(world, edge, false, &invite);
	see(world, edge, true, &accepted);
	refresh.relayed = refreshed.relayed = true;
	refresh.from_tag = refreshed.from_tag = "b";
	for (int i = 0; i < 5; i++) {
		world_run(world, MINUTE);
		assert_non_null(world_path(world, edge));
		refresh.cseq++;
		refresh.branch++;
		refreshed.cseq = refresh.cseq;
		refreshed.branch = refresh.branch;
		see(world, edge, true, &refresh);
		see(world, edge, false, &refreshed);
	}
	assert_int_equal(world->counts.value[COUNT_requests_relayed], 0);
	world_run(world, 2 * MINUTE);
	assert_null(world_path(world, edge));
}

static void trap_33_a_481_to_a_subscribe_ends_a_subscription(void **state)
{
	struct world *world = *state;
	struct world_device *device = world_device(world);
	struct message request = about("SUBSCRIBE", 0, NULL);
	struct message response = about("SUBSCRIBE", 200, "b");

	request.extra = response.extra = "Event: presence\r\nExpires: 3600\r\n";
	see(world, device, true, &request);
	see(world, device, false, &response);
	assert_non_null(world_path(world, device));
	request.cseq = response.cseq = 2;
	response.status = 481;
	see(world, device, true, &request);
	see(world, device, false, &response);
	world_run(world, MINUTE);
	assert_null(world_path(world, device));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trap_44_a_call_in_the_name_of_another_keeps_no_path),
		TEST(a_call_that_is_acknowledged_keeps_its_path),
		TEST(trap_34_a_call_that_is_answered_after_five_minutes_is_learnt),
		TEST(trap_32_a_session_that_a_proxy_refreshes_goes_on),
		TEST(trap_33_a_481_to_a_subscribe_ends_a_subscription),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
