/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/dialogs: what a leg takes to be believed, to be ended, and to make room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dialog_world.h"

static struct flow flow_of_stranger(void)
{
	struct flow flow = flow_from(ALICE_PORT);

	flow.remote_addr[15] ^= 1;
	return flow;
}

static void refresh_alice(struct world *world, enum sighting_direction direction, uint32_t cseq,
			  uint16_t status)
{
	struct facts request = direction == SIGHTING_FROM_DEVICE
				       ? inside(SIP_METHOD_INVITE, cseq, "a", "b")
				       : inside(SIP_METHOD_INVITE, cseq, "b", "a");

	answer_inside(world, direction, ALICE_PORT, &request, status);
}

/* Whoever wrote Alice's address into his INVITE does not see what it is answered with. */
static void trap_44_a_call_that_is_never_acknowledged_ends_soon(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_from(ALICE_PORT), stranger = flow_of_stranger();
	const struct dialog *leg;
	uint64_t accepted_ns;

	answer_alice(world, 180, "b");
	answer_alice(world, 200, "b");
	accepted_ns = world->now_ns;
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_int_equal(leg->binding.ends_ns, accepted_ns + DIALOG_ACK_NS);
	assert_int_equal(leg->binding.expiry, REASON_dialog_unacknowledged);
	answer_alice(world, 200, "b"); /* repeated, since there is no ACK */
	assert_no_change(world);
	alice_acks(world, ALICE_PORT, "guessed");
	assert_no_change(world);
	alice_acks(world, BOB_PORT, "b");
	assert_no_change(world);
	ack_on(world, &stranger, SIGHTING_FROM_DEVICE, "a", "b");
	assert_no_change(world);
	ack_on(world, &flow, SIGHTING_TO_DEVICE, "b", "a");
	assert_no_change(world);
	assert_int_equal(leg->binding.ends_ns, accepted_ns + DIALOG_ACK_NS);
	alice_acks(world, ALICE_PORT, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(leg->binding.ends_ns, accepted_ns + MAX_LIFETIME_NS);
	assert_int_equal(leg->binding.expiry, REASON_dialog_too_long);
	alice_acks(world, ALICE_PORT, "b");
	assert_no_change(world);
}

static void an_ack_prolongs_no_short_session(void **state)
{
	struct world *world = *state;
	struct facts request = invites("call", "alice"), response = replies(200, "b");
	const struct dialog *leg;

	response.session_expires = 10;
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + 10 * NS_PER_S);
	assert_int_equal(leg->binding.expiry, REASON_dialog_session_expired);
	alice_acks(world, ALICE_PORT, "b");
	assert_no_change(world);
}

static void who_answered_need_not_acknowledge(void **state)
{
	struct world *world = *state;

	bob_answers(world, BOB_PORT, "bob", 200, "b");
	assert_int_equal(leg_at(world, BOB_PORT, "b", "a")->binding.ends_ns,
			 world->now_ns + MAX_LIFETIME_NS);
}

static void a_request_inside_proves_as_much_as_an_ack(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	answer_alice(world, 200, "b");
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	refresh_alice(world, SIGHTING_FROM_DEVICE, 2, 200);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
	alice_acks(world, ALICE_PORT, "b"); /* to the re-INVITE */
	assert_no_change(world);
}

/* Trap 40: between the 2xx and its ACK the agent is started again. */
static void trap_40_an_ack_after_a_restart_counts(void **state)
{
	struct world *world = *state;
	struct record record = { .aor = SPAN("sip:alice@example.com"), .kind = BINDING_DIALOG };
	struct binding_change change;
	const struct dialog *leg;
	struct binding *binding;
	void *restarted;

	answer_alice(world, 200, "b");
	binding = world->changes[0].binding;
	record.flow = flow_from(ALICE_PORT);
	record.ends_ns = binding->ends_ns;
	record.expiry = binding->expiry;
	dialogs_write(binding, &record);
	assert_int_equal(open_world(&restarted), 0);
	world = restarted;
	assert_true(dialogs_restore(world->dialogs, &record, &change));
	apply(world, &change);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_int_equal(leg->binding.ends_ns, record.accepted_ns + DIALOG_ACK_NS);
	alice_acks(world, ALICE_PORT, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(leg->binding.ends_ns, record.accepted_ns + MAX_LIFETIME_NS);
	close_world(&restarted);
}

static void trap_44_a_bye_of_a_stranger_ends_nothing(void **state)
{
	struct world *world = *state;
	struct flow stranger = flow_of_stranger();

	answer_alice(world, 200, "b");
	bye_on(world, &stranger, SIGHTING_FROM_DEVICE, "a", "b");
	assert_no_change(world);
	bye_on(world, &stranger, SIGHTING_TO_DEVICE, "b", "a");
	assert_no_change(world);
	bye(world, 40009, SIGHTING_FROM_DEVICE, "a", "b"); /* Alice's NAT has changed her port */
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_bye);
}

static void trap_44_a_481_to_a_stranger_ends_nothing(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 100, "a", "b");

	answer_alice(world, 200, "b");
	refresh_alice(world, SIGHTING_FROM_DEVICE, 5, 200);
	answer_inside(world, SIGHTING_FROM_DEVICE, 40009, &request, 481);
	assert_no_change(world);
	refresh_alice(world, SIGHTING_FROM_DEVICE, 5, 481); /* not above what was accepted */
	assert_no_change(world);
	refresh_alice(world, SIGHTING_FROM_DEVICE, 6, 481);
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_gone);
}

static void a_refresh_that_times_out_ends_a_dialog(void **state)
{
	struct world *world = *state;

	answer_alice(world, 200, "b");
	refresh_alice(world, SIGHTING_FROM_DEVICE, 2, 408);
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_gone);
}

static void an_update_that_is_refused_leaves_an_early_leg_alone(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_UPDATE, 2, "a", "b");

	answer_alice(world, 180, "b");
	answer_inside(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, 481);
	assert_no_change(world);
}

/* The BYE was refused, or it was not Alice's: the dialog goes on, with all that is known of it. */
static void trap_44_what_is_accepted_after_a_bye_revives_a_leg(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 9, "b", "a");
	const struct dialog *leg;

	answer_alice(world, 200, "b");
	refresh_alice(world, SIGHTING_FROM_DEVICE, 5, 200);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b");
	assert_int_equal(state_at(world, ALICE_PORT), PATH_LINGERING);
	refresh_alice(world, SIGHTING_FROM_DEVICE, 5, 200); /* accepted before */
	assert_no_change(world);
	request.contact_count = 0;
	answer_inside(world, SIGHTING_TO_DEVICE, ALICE_PORT, &request, 200);
	assert_int_equal(world->change_count, 2);
	assert_int_equal(world->changes[0].kind, BINDING_BEGINS);
	assert_int_equal(world->changes[0].reason, REASON_dialog_found);
	assert_int_equal(world->changes[1].kind, BINDING_ENDS);
	assert_int_equal(state_at(world, ALICE_PORT), PATH_DIALOG);
	assert_int_equal(dialogs_count(world->dialogs), 1);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_true(leg->device_called);
	assert_true(span_equal(leg->binding.target, SPAN(ALICE_URI)));
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
	refresh_alice(world, SIGHTING_FROM_DEVICE, 5, 200);
	assert_no_change(world);
	bye(world, ALICE_PORT, SIGHTING_TO_DEVICE, "b", "a");
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_bye);
}

/* Rings with so many forks, from "first" on, in one INVITE's name. */
static void ring_forks(struct world *world, const char *branch, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		struct facts request = invites("call", branch), response;
		char tag[16];

		snprintf(tag, sizeof(tag), "fork%d", i);
		response = replies(180, tag);
		answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	}
}

static void trap_44_what_is_accepted_takes_the_place_of_what_rings_or_lingers(void **state)
{
	struct world *world = *state;

	ring_forks(world, "one", 0, DIALOG_EARLY_MAX);
	ring_forks(world, "two", DIALOG_EARLY_MAX, DIALOG_LEGS_MAX - DIALOG_EARLY_MAX);
	assert_int_equal(dialogs_count(world->dialogs), DIALOG_LEGS_MAX);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "fork7");
	answer_alice(world, 200, "b");
	assert_int_equal(world->change_count, 2);
	assert_int_equal(world->changes[0].kind, BINDING_BEGINS);
	assert_int_equal(world->changes[1].kind, BINDING_ENDS);
	assert_int_equal(world->changes[1].reason, REASON_linger_over);
	assert_null(leg_at(world, ALICE_PORT, "a", "fork7"));
	answer_alice(world, 200, "c");
	assert_int_equal(world->changes[1].kind, BINDING_ENDS);
	assert_int_equal(world->changes[1].reason, REASON_dialog_unanswered);
	assert_non_null(leg_at(world, ALICE_PORT, "a", "b"));
	assert_non_null(leg_at(world, ALICE_PORT, "a", "c"));
	assert_int_equal(dialogs_count(world->dialogs), DIALOG_LEGS_MAX);
	assert_int_equal(counted(world, COUNT_bindings_refused), 0);
}

static void trap_34_a_199_ends_its_own_fork(void **state)
{
	struct world *world = *state;

	answer_alice(world, 199, "b1");
	assert_no_change(world);
	answer_alice(world, 180, "b1");
	answer_alice(world, 180, "b2");
	answer_alice(world, 199, "b1");
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_failed);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b1")->binding.kind, BINDING_LINGERING);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b2")->binding.kind, BINDING_DIALOG);
	answer_alice(world, 200, "b2");
	answer_alice(world, 199, "b2"); /* late */
	assert_no_change(world);
}

/* Bob is behind another proxy, and refreshes the session through it. */
static void trap_32_what_a_proxy_passed_on_renews_a_leg_and_no_more(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 7, "b", "a");

	request.via_count = 2;
	answer_inside(world, SIGHTING_FROM_DEVICE, BOB_PORT, &request, 200);
	assert_no_change(world);
	bob_answers(world, BOB_PORT, "bob", 200, "b");
	answer_inside(world, SIGHTING_FROM_DEVICE, BOB_PORT, &request, 200);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_true(leg_at(world, BOB_PORT, "b", "a")->binding.behind_nat);
	request.cseq++;
	answer_inside(world, SIGHTING_FROM_DEVICE, 40009, &request, 200);
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_dialogs_found), 0);
	bye(world, BOB_PORT, SIGHTING_FROM_DEVICE, "b", "a");
	answer_inside(world, SIGHTING_FROM_DEVICE, BOB_PORT, &request, 200);
	assert_no_change(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(trap_44_a_call_that_is_never_acknowledged_ends_soon),
		WORLD_TEST(an_ack_prolongs_no_short_session),
		WORLD_TEST(who_answered_need_not_acknowledge),
		WORLD_TEST(a_request_inside_proves_as_much_as_an_ack),
		WORLD_TEST(trap_40_an_ack_after_a_restart_counts),
		WORLD_TEST(trap_44_a_bye_of_a_stranger_ends_nothing),
		WORLD_TEST(trap_44_a_481_to_a_stranger_ends_nothing),
		WORLD_TEST(a_refresh_that_times_out_ends_a_dialog),
		WORLD_TEST(an_update_that_is_refused_leaves_an_early_leg_alone),
		WORLD_TEST(trap_44_what_is_accepted_after_a_bye_revives_a_leg),
		WORLD_TEST(trap_44_what_is_accepted_takes_the_place_of_what_rings_or_lingers),
		WORLD_TEST(trap_34_a_199_ends_its_own_fork),
		WORLD_TEST(trap_32_what_a_proxy_passed_on_renews_a_leg_and_no_more),
	};

	return cmocka_run_group_tests_name("dialogs, proof", tests, NULL, NULL);
}
