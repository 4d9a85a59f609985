/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_weapon.c - an outsider tries to have a victim prompted.
 *
 * He sends any packet with any source address, or has an account of his own. He neither
 * receives what goes to others, nor answers in the server's place. The victim answers
 * nothing. Where the server believes him, what is bounded is what the victim gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "messages.h"
#include "world.h"

#define THRESHOLD (24 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)

#define HEADERS 28 /* of IPv4 and UDP */

/* Of a registration of which nothing is ever heard again, in an hour. */
#define PER_REGISTRATION 6

/* By the cap, of its slack and of two looks that are late. */
#define PER_10MS_MOST (CAPS_PER_ADDRESS_DEFAULT / 10 + CAPS_PER_ADDRESS_DEFAULT / 100 + 1)

/* About as long as those that the world's devices send; real ones have more headers. */
#define REGISTER_BYTES 300

static int set_up(void **state)
{
	static const struct caps_limits caps = { CAPS_PER_ADDRESS_DEFAULT, CAPS_PER_NETWORK_DEFAULT,
						 CAPS_PER_HOST_DEFAULT };

	*state = world_begin_capped(THRESHOLD, &caps);
	return 0;
}

static int tear_down(void **state)
{
	world_end(*state);
	return 0;
}

static struct world_device *new_victim(struct world *world)
{
	struct world_device *victim = world_device(world);

	victim->answers = false;
	return victim;
}

static void assert_nothing_kept_or_sent(struct world *world)
{
	world_run(world, HOUR);
	assert_int_equal(world->datagrams, 0);
	assert_int_equal(world->map_count, 0);
}

/* --- where the server does not believe him --- */

static void a_register_that_is_not_accepted_prompts_nobody(void **state)
{
	static const unsigned int answers[] = { 100, 180, 301, 401, 403, 404, 407,
						408, 423, 480, 500, 503, 603 };
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		world_register(world, new_victim(world), answers[i], 3600);
	assert_nothing_kept_or_sent(world);
}

/* A message of the outsider's with the victim's source address. */
static void forge(struct world *world, const struct world_device *victim,
		  const struct message *message)
{
	char text[MESSAGE_MAX];

	message_write(message, text);
	world_see(world, &victim->flow, true, text);
}

static struct message in_dialog(const char *method, unsigned int status)
{
	return (struct message){
		.status = status,
		.method = method,
		.cseq = 2,
		.call_id = "forged@192.168.0.9",
		.branch = 7,
		.from = "d0",
		.from_tag = "guessed",
		.to = "d1",
		.to_tag = "guessed-too",
		.contact = "d0",
		.contact_expires = -1,
		.extra = "Expires: 86400\r\nSession-Expires: 86400\r\nEvent: presence\r\n"
			 "Subscription-State: active;expires=86400\r\n",
	};
}

static const char *const methods[] = { "REGISTER", "INVITE", "UPDATE",    "ACK",     "BYE",
				       "NOTIFY",   "CANCEL", "SUBSCRIBE", "OPTIONS", "PRACK" };

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* Answers of the outsider's come from outside, whoever they claim to be from. */
static void what_he_asks_and_answers_himself_prompts_nobody(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < METHODS; i++) {
		struct world_device *victim = new_victim(world), *accomplice = new_victim(world);
		struct message request = in_dialog(methods[i], 0);
		struct message accepted = in_dialog(methods[i], 200);

		forge(world, victim, &request);
		forge(world, victim, &accepted);
		forge(world, accomplice, &accepted);
		request.to_tag = NULL;
		request.branch = accepted.branch = 8;
		forge(world, victim, &request);
		forge(world, victim, &accepted);
	}
	assert_nothing_kept_or_sent(world);
}

/* What the server says to a request inside of a dialog that it does not know. */
static void a_dialog_that_the_server_does_not_know_prompts_nobody(void **state)
{
	static const unsigned int refusals[] = { 401, 407, 481, 404, 500 };
	struct world *world = *state;
	char text[MESSAGE_MAX];

	for (size_t i = 0; i < METHODS * 5; i++) {
		struct world_device *victim = new_victim(world);
		struct message request = in_dialog(methods[i % METHODS], 0);
		struct message refused = in_dialog(methods[i % METHODS], refusals[i / METHODS]);

		request.branch = refused.branch = (uint32_t)i;
		forge(world, victim, &request);
		message_write(&refused, text);
		world_see(world, &victim->flow, false, text);
	}
	assert_nothing_kept_or_sent(world);
}

/* He has seen the messages of a phone that was really there, and sends them again. */
static void what_was_recorded_and_is_replayed_prompts_nobody(void **state)
{
	struct world *world = *state;
	struct world_device *phone = world_device(world), *victim = new_victim(world);
	struct message request = in_dialog("REGISTER", 0), accepted = in_dialog("REGISTER", 200);
	char text[MESSAGE_MAX];

	request.to_tag = NULL;
	request.contact_expires = accepted.contact_expires = 3600;
	forge(world, phone, &request); /* the phone itself, and then the server */
	message_write(&accepted, text);
	world_see(world, &phone->flow, false, text);
	assert_non_null(world_path(world, phone));

	forge(world, victim, &request);
	forge(world, victim, &accepted);
	forge(world, phone, &accepted);
	assert_null(world_path(world, victim));
	world_run(world, HOUR);
	assert_int_equal(victim->prompts, 0);
}

/* He makes the server pass on an answer of his to the REGISTER that he has forged. */
static void an_answer_that_the_server_was_made_to_pass_on_prompts_nobody(void **state)
{
	struct world *world = *state;
	struct world_device *victim = new_victim(world), *outsider = new_victim(world);
	struct message request = in_dialog("REGISTER", 0), accepted = in_dialog("REGISTER", 200);
	char text[MESSAGE_MAX];

	forge(world, victim, &request);
	accepted.relayed = true;
	forge(world, outsider, &accepted);
	accepted.relayed = false;
	message_write(&accepted, text);
	world_see(world, &victim->flow, false, text);
	assert_int_equal(world->counts.value[COUNT_answers_doubted], 1);
	assert_nothing_kept_or_sent(world);
}

/* --- where the server does: an open registrar, or an account of his own --- */

static void say_gain(const char *what, const struct world *world, uint64_t forged,
		     uint64_t forged_bytes)
{
	uint64_t bytes = seam_bytes_sent() + HEADERS * world->datagrams;

	print_message("# %s: %llu datagrams of %llu bytes in an hour for %llu packets of %llu "
		      "bytes\n",
		      what, (unsigned long long)world->datagrams, (unsigned long long)bytes,
		      (unsigned long long)forged, (unsigned long long)forged_bytes);
}

static void register_victims(struct world *world, unsigned int registrations)
{
	for (unsigned int i = 0; i < registrations; i++)
		world_register(world, new_victim(world), 200, 3600);
}

static void trap_44_a_registration_costs_its_victim_six_datagrams_in_an_hour(void **state)
{
	struct world *world = *state;

	register_victims(world, 1);
	world_run(world, HOUR);
	say_gain("1 registration", world, 1, REGISTER_BYTES + HEADERS);
	assert_int_equal(world->datagrams, PER_REGISTRATION);
	assert_true(seam_bytes_sent() <= UINT64_C(10) * REGISTER_BYTES);
}

static void trap_44_a_thousand_cost_it_no_more_each(void **state)
{
	struct world *world = *state;

	register_victims(world, 1000);
	world_run(world, HOUR);
	say_gain("1,000 registrations", world, 1000, 1000 * (REGISTER_BYTES + HEADERS));
	assert_in_range(world->datagrams, 3000, 1000 * PER_REGISTRATION);
	for (size_t i = 0; i < 1000; i++)
		assert_in_range(world->devices[i].prompts, 3, PER_REGISTRATION);
	assert_true(world->per_10ms_most <= PER_10MS_MOST);
}

/* Whatever has the victim's source address makes the path be heard, if it is one byte only. */
static void trap_44_forged_packets_earn_no_more_prompts_than_they_are(void **state)
{
	struct world *world = *state;
	struct world_device *victim = new_victim(world);
	unsigned int forged = 0;

	world_register(world, victim, 200, 2 * 3600);
	for (; forged < HOUR / (30 * NS_PER_S); forged++) {
		world_run(world, 30 * NS_PER_S);
		world_speak(world, victim);
	}
	say_gain("a packet of 1 byte every 30 s", world, forged, forged * (HEADERS + 1));
	assert_in_range(victim->prompts, forged / 2, forged + 3);
}

/* One account that registers from another port of the victim as soon as the last was prompted. */
static void a_device_that_moves_earns_three_prompts_for_each_move(void **state)
{
	struct world *world = *state;
	unsigned int moves = 0;

	for (; moves < 100; moves++) {
		struct world_device *victim = new_victim(world);

		snprintf(victim->user, sizeof(victim->user), "attacker");
		world_register(world, victim, 200, 3600);
		world_run(world, THRESHOLD + 12 * NS_PER_S);
	}
	say_gain("100 moves", world, moves, moves * (REGISTER_BYTES + HEADERS));
	assert_int_equal(world->datagrams, 3 * moves);
	assert_int_equal(world->map_count, 1);
}

static void a_device_that_moves_fast_is_never_prompted(void **state)
{
	struct world *world = *state;

	for (unsigned int i = 0; i < 1000; i++) {
		struct world_device *victim = new_victim(world);

		snprintf(victim->user, sizeof(victim->user), "attacker");
		world_register(world, victim, 200, 3600);
		world_run(world, 20 * NS_PER_S);
	}
	assert_int_equal(world->datagrams, 0);
}

/* Many Contacts, or accounts, of one flow are one path; all but the first are heard on it. */
static void many_registrations_of_one_flow_are_prompted_as_one(void **state)
{
	struct world *world = *state;
	struct world_device *victim = new_victim(world);

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(victim->user, sizeof(victim->user), "account%u", i);
		world_register(world, victim, 200, 3600);
	}
	world_run(world, HOUR);
	assert_in_range(world->datagrams, PER_REGISTRATION, 11);
}

/* Lifetimes that end before, at and after every moment that matters. */
static void no_lifetime_earns_more(void **state)
{
	struct world *world = *state;

	for (unsigned int expires_s = 1; expires_s <= 120; expires_s++)
		world_register(world, new_victim(world), 200, expires_s);
	world_run(world, HOUR);
	for (unsigned int i = 0; i < 120; i++)
		assert_in_range(world->devices[i].prompts, 0, i + 1 <= 30 ? 0 : 4);
	assert_int_equal(world->map_count, 0);
}

/* It is bounded by the caps only, however many accounts there are. */
static void a_registration_that_is_made_again_and_again_is_capped(void **state)
{
	struct world *world = *state;

	register_victims(world, 10000);
	world_run(world, MINUTE);
	assert_true(world->per_10ms_most <= PER_10MS_MOST);
	assert_in_range(world->datagrams, 1000, (60 - 24) * (CAPS_PER_ADDRESS_DEFAULT + 1) + 50);
	assert_true(world->counts.value[COUNT_prompts_capped_address] > 1000);
}

/* Whoever calls the device makes call control ask whether its path is open. */
static void calls_for_the_victim_earn_it_no_prompts(void **state)
{
	struct world *world = *state;
	struct world_device *victim = new_victim(world);
	struct order order = { .kind = ORDER_prompt };

	world_register(world, victim, 200, 2 * 3600);
	order.flow = victim->flow;
	for (uint64_t s = 0; s < 3600; s++) {
		pipeline_order(world->pipeline, &order, 0, world->now_ns);
		world_run(world, NS_PER_S);
	}
	say_gain("a call every second", world, 3600, 3600 * (REGISTER_BYTES + HEADERS));
	assert_in_range(victim->prompts, 3, PER_REGISTRATION + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_register_that_is_not_accepted_prompts_nobody),
		TEST(what_he_asks_and_answers_himself_prompts_nobody),
		TEST(a_dialog_that_the_server_does_not_know_prompts_nobody),
		TEST(what_was_recorded_and_is_replayed_prompts_nobody),
		TEST(an_answer_that_the_server_was_made_to_pass_on_prompts_nobody),
		TEST(trap_44_a_registration_costs_its_victim_six_datagrams_in_an_hour),
		TEST(trap_44_a_thousand_cost_it_no_more_each),
		TEST(trap_44_forged_packets_earn_no_more_prompts_than_they_are),
		TEST(a_device_that_moves_earns_three_prompts_for_each_move),
		TEST(a_device_that_moves_fast_is_never_prompted),
		TEST(many_registrations_of_one_flow_are_prompted_as_one),
		TEST(no_lifetime_earns_more),
		TEST(a_registration_that_is_made_again_and_again_is_capped),
		TEST(calls_for_the_victim_earn_it_no_prompts),
	};

	return cmocka_run_group_tests_name("weapon", tests, NULL, NULL);
}
