/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/dialogs: how the legs of calls begin, are confirmed, fork, move and are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dialog_world.h"

static void a_callers_leg_rings_and_is_confirmed(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;
	uint64_t accepted_ns;

	answer_alice(world, 180, "b");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_early);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_true(leg->early);
	assert_true(leg->device_called);
	assert_int_equal(leg->binding.kind, BINDING_DIALOG);
	assert_int_equal(leg->binding.expiry, REASON_dialog_unanswered);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + DIALOG_EARLY_NS);
	assert_true(span_equal(leg->call_id, SPAN("call")));
	assert_true(span_equal(leg->binding.target, SPAN(ALICE_URI)));
	assert_true(span_equal(leg->binding.aor, SPAN("sip:alice@example.com")));
	assert_true(leg->binding.behind_nat);
	assert_int_equal(state_at(world, ALICE_PORT), PATH_DIALOG);

	answer_alice(world, 183, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_early);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + DIALOG_EARLY_NS);

	answer_alice(world, 200, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_false(leg->early);
	assert_int_equal(leg->session_expires, FACTS_UNSTATED);
	accepted_ns = world->now_ns;
	alice_acks(world, ALICE_PORT, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(leg->binding.expiry, REASON_dialog_too_long);
	assert_int_equal(leg->binding.ends_ns, accepted_ns + MAX_LIFETIME_NS);
	assert_int_equal(dialogs_count(world->dialogs), 1);
	assert_int_equal(counted(world, COUNT_invites_accepted), 1);
	assert_int_equal(counted(world, COUNT_bindings_begun), 1);
	assert_int_equal(counted(world, COUNT_bindings_renewed), 3);
}

/* Trap 38: the path is the one that the INVITE went over, whatever is registered where. */
static void trap_38_a_callees_leg_is_on_the_path_that_rang(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	bob_answers(world, BOB_PORT, "bob", 200, "b");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_confirmed);
	leg = leg_at(world, BOB_PORT, "b", "a");
	assert_non_null(leg);
	assert_false(leg->device_called);
	assert_true(span_equal(leg->binding.target, SPAN(BOB_URI)));
	assert_true(span_equal(leg->binding.aor, SPAN("sip:bob@example.com")));
	assert_int_equal(state_at(world, BOB_PORT), PATH_DIALOG);
}

static void what_tells_no_leg_changes_nothing(void **state)
{
	struct world *world = *state;
	struct facts request = invites("call", "alice"), response = replies(180, "b");

	answer_alice(world, 180, NULL);
	assert_no_change(world);
	answer_alice(world, 200, NULL);
	assert_no_change(world);
	answer_alice(world, 100, "b");
	assert_no_change(world);
	request.from_tag = (struct span){ NULL, 0 };
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	assert_no_change(world);
	request = invites("call", "alice");
	request.method = SIP_METHOD_UPDATE;
	response = replies(200, "b");
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	assert_no_change(world);
	answer_alice(world, 486, "b");
	assert_no_change(world);
	alice_acks(world, ALICE_PORT, "b");
	assert_no_change(world);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b");
	assert_no_change(world);
	assert_int_equal(dialogs_count(world->dialogs), 0);
}

static void trap_27_a_repeated_2xx_changes_nothing(void **state)
{
	struct world *world = *state;
	uint64_t ends_ns;

	answer_alice(world, 200, "b");
	ends_ns = leg_at(world, ALICE_PORT, "a", "b")->binding.ends_ns;
	answer_alice(world, 200, "b");
	assert_no_change(world);
	answer_alice(world, 180, "b"); /* reported after what followed it */
	assert_no_change(world);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b")->binding.ends_ns, ends_ns);
	assert_int_equal(counted(world, COUNT_invites_accepted), 1);
}

static void trap_34_forks_are_legs_of_their_own(void **state)
{
	struct world *world = *state;
	const struct dialog *loser;

	answer_alice(world, 180, "b1");
	answer_alice(world, 183, "b2");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_early);
	assert_int_equal(dialogs_count(world->dialogs), 2);
	loser = leg_at(world, ALICE_PORT, "a", "b2");
	assert_non_null(loser);

	answer_alice(world, 200, "b1");
	assert_int_equal(world->change_count, 2);
	assert_false(leg_at(world, ALICE_PORT, "a", "b1")->early);
	assert_true(loser->early);
	assert_int_equal(loser->binding.ends_ns, world->now_ns + DIALOG_FORK_NS);
	assert_int_equal(loser->binding.expiry, REASON_dialog_unanswered);
}

static void trap_34_a_fork_that_rings_after_the_first_2xx_ends_soon(void **state)
{
	struct world *world = *state;
	uint64_t accepted_ns;

	answer_alice(world, 200, "b1");
	accepted_ns = world->now_ns;
	answer_alice(world, 180, "b2");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_early);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b2")->binding.ends_ns,
			 accepted_ns + DIALOG_FORK_NS);
	answer_alice(world, 180, "b2");
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b2")->binding.ends_ns,
			 accepted_ns + DIALOG_FORK_NS);
	world->now_ns = accepted_ns + DIALOG_FORK_NS;
	answer_alice(world, 180, "b3");
	assert_no_change(world);
}

static void trap_34_two_forks_may_be_accepted(void **state)
{
	struct world *world = *state;

	answer_alice(world, 180, "b1");
	answer_alice(world, 200, "b2");
	answer_alice(world, 200, "b1");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b1")->binding.ends_ns,
			 world->now_ns + DIALOG_ACK_NS);
	assert_int_equal(counted(world, COUNT_invites_accepted), 2);
}

static void trap_34_a_fork_that_loses_ends(void **state)
{
	struct world *world = *state;

	bob_answers(world, BOB_PORT, "one", 180, "b1");
	bob_answers(world, BOB_PORT, "two", 180, "b2"); /* another device of one path */
	bob_answers(world, BOB_PORT, "one", 200, "b1");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	bob_answers(world, BOB_PORT, "two", 487, "b2");
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_failed);
	assert_int_equal(world->changes[0].ends_ns, world->now_ns + LINGER_NS);
	assert_int_equal(leg_at(world, BOB_PORT, "b1", "a")->binding.kind, BINDING_DIALOG);
	assert_int_equal(leg_at(world, BOB_PORT, "b2", "a")->binding.kind, BINDING_LINGERING);
}

static void trap_34_a_call_that_is_rejected_lingers_with_all_its_forks(void **state)
{
	struct world *world = *state;

	answer_alice(world, 180, "b1");
	answer_alice(world, 180, "b2");
	answer_alice(world, 486, "b1");
	assert_int_equal(world->change_count, 2);
	assert_int_equal(world->changes[1].kind, BINDING_LINGERS);
	assert_int_equal(state_at(world, ALICE_PORT), PATH_LINGERING);
	answer_alice(world, 486, "b1");
	assert_no_change(world);
}

static void trap_34_a_rejection_needs_no_tag(void **state)
{
	struct world *world = *state;

	answer_alice(world, 180, "b");
	answer_alice(world, 408, NULL);
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_failed);
}

static void trap_34_a_challenge_is_about_its_own_invite(void **state)
{
	struct world *world = *state;
	struct facts second = invites("call", "alice-2"), ringing = replies(180, "b");

	second.cseq = 2;
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &second, &ringing);
	answer_alice(world, 407, "proxy");
	assert_no_change(world);
	assert_int_equal(state_at(world, ALICE_PORT), PATH_DIALOG);
}

static void trap_36_both_legs_of_a_call_are_two(void **state)
{
	struct world *world = *state;

	bob_answers(world, BOB_PORT, "bob", 200, "b");
	answer_alice(world, 200, "b");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_confirmed);
	assert_int_equal(dialogs_count(world->dialogs), 2);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b");
	assert_int_equal(state_at(world, ALICE_PORT), PATH_LINGERING);
	assert_int_equal(state_at(world, BOB_PORT), PATH_DIALOG);
	bye(world, BOB_PORT, SIGHTING_TO_DEVICE, "a", "b");
	assert_int_equal(state_at(world, BOB_PORT), PATH_LINGERING);
}

static void trap_36_both_legs_may_be_on_one_path(void **state)
{
	struct world *world = *state;

	bob_answers(world, ALICE_PORT, "bob", 200, "b");
	answer_alice(world, 200, "b");
	assert_non_null(leg_at(world, ALICE_PORT, "a", "b"));
	assert_non_null(leg_at(world, ALICE_PORT, "b", "a"));
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "b", "a");
	assert_int_equal(leg_at(world, ALICE_PORT, "b", "a")->binding.kind, BINDING_LINGERING);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b")->binding.kind, BINDING_DIALOG);
	bye(world, ALICE_PORT, SIGHTING_TO_DEVICE, "b", "a");
	assert_int_equal(state_at(world, ALICE_PORT), PATH_LINGERING);
}

/* The INVITE goes to another proxy, comes back and goes to Bob: his leg is seen twice. */
static void trap_36_a_spiral_is_a_leg_on_each_path(void **state)
{
	struct world *world = *state;
	struct facts refresh = inside(SIP_METHOD_INVITE, 2, "a", "b");

	bob_answers(world, BOB_PORT, "bob", 180, "b");
	bob_answers(world, 5060, "proxy", 180, "b");
	bob_answers(world, BOB_PORT, "bob", 200, "b");
	bob_answers(world, 5060, "proxy", 200, "b");
	assert_non_null(leg_at(world, BOB_PORT, "b", "a"));
	assert_non_null(leg_at(world, 5060, "b", "a"));
	/* Bob moves; the proxy does not. */
	answer_inside(world, SIGHTING_TO_DEVICE, 40003, &refresh, 200);
	answer_inside(world, SIGHTING_TO_DEVICE, 5060, &refresh, 200);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(dialogs_count(world->dialogs), 2);
	assert_null(leg_at(world, BOB_PORT, "b", "a"));
	assert_non_null(leg_at(world, 40003, "b", "a"));
	bye(world, 40003, SIGHTING_TO_DEVICE, "a", "b");
	bye(world, 40003, SIGHTING_TO_DEVICE, "a", "b"); /* repeated: not about the other one */
	assert_no_change(world);
	assert_int_equal(state_at(world, 40003), PATH_LINGERING);
	assert_int_equal(state_at(world, 5060), PATH_DIALOG);
	bye(world, 5060, SIGHTING_TO_DEVICE, "a", "b");
	assert_int_equal(state_at(world, 5060), PATH_LINGERING);
}

/* The same request on its second hop does not take the leg away from the device. */
static void trap_36_a_spiral_that_was_found_stays_with_the_device(void **state)
{
	struct world *world = *state;
	struct facts refresh = inside(SIP_METHOD_INVITE, 2, "a", "b");

	answer_inside(world, SIGHTING_TO_DEVICE, BOB_PORT, &refresh, 200);
	answer_inside(world, SIGHTING_TO_DEVICE, 5060, &refresh, 200);
	assert_no_change(world);
	assert_non_null(leg_at(world, BOB_PORT, "b", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_callers_leg_rings_and_is_confirmed),
		WORLD_TEST(trap_38_a_callees_leg_is_on_the_path_that_rang),
		WORLD_TEST(what_tells_no_leg_changes_nothing),
		WORLD_TEST(trap_27_a_repeated_2xx_changes_nothing),
		WORLD_TEST(trap_34_forks_are_legs_of_their_own),
		WORLD_TEST(trap_34_a_fork_that_rings_after_the_first_2xx_ends_soon),
		WORLD_TEST(trap_34_two_forks_may_be_accepted),
		WORLD_TEST(trap_34_a_fork_that_loses_ends),
		WORLD_TEST(trap_34_a_call_that_is_rejected_lingers_with_all_its_forks),
		WORLD_TEST(trap_34_a_rejection_needs_no_tag),
		WORLD_TEST(trap_34_a_challenge_is_about_its_own_invite),
		WORLD_TEST(trap_36_both_legs_of_a_call_are_two),
		WORLD_TEST(trap_36_both_legs_may_be_on_one_path),
		WORLD_TEST(trap_36_a_spiral_is_a_leg_on_each_path),
		WORLD_TEST(trap_36_a_spiral_that_was_found_stays_with_the_device),
	};

	return cmocka_run_group_tests_name("dialogs", tests, NULL, NULL);
}
