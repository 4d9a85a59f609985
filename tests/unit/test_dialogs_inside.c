/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/dialogs: what becomes of legs that there are: session timers, moves, ends, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dialog_world.h"

/* Alice's re-INVITE or UPDATE is accepted. */
static void alice_refreshes(struct world *world, uint16_t port, enum sip_method method,
			    uint32_t cseq)
{
	struct facts request = inside(method, cseq, "a", "b");

	answer_inside(world, SIGHTING_FROM_DEVICE, port, &request, 200);
}

static void accept_with_timer(struct world *world, enum sighting_direction direction,
			      uint32_t session_expires, enum session_refresher refresher)
{
	struct facts request = invites("call", "timer"), response = replies(200, "b");

	response.session_expires = session_expires;
	response.refresher = refresher;
	answer(world, direction, ALICE_PORT, &request, &response);
}

static void trap_35_a_session_timer_ends_a_call(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;
	struct facts refresh = inside(SIP_METHOD_UPDATE, 2, "a", "b"), response = replies(200, "b");
	struct flow flow = flow_from(ALICE_PORT);
	uint64_t accepted_ns;

	accept_with_timer(world, SIGHTING_FROM_DEVICE, 1800, REFRESHER_UAC);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_int_equal(leg->session_expires, 1800);
	accepted_ns = world->now_ns;
	ack_on(world, &flow, SIGHTING_FROM_DEVICE, "a", "b");
	assert_int_equal(leg->binding.ends_ns, accepted_ns + 1800 * NS_PER_S);
	assert_int_equal(leg->binding.expiry, REASON_dialog_session_expired);
	assert_true(leg->device_refreshes);

	response.session_expires = 90;
	response.refresher = REFRESHER_UAS;
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &refresh, &response);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + 90 * NS_PER_S);
	assert_false(leg->device_refreshes);

	/* RFC 4028 section 7.2: without Session-Expires there is no timer any more. */
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_UPDATE, 3);
	assert_int_equal(leg->session_expires, FACTS_UNSTATED);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
}

static void trap_35_max_lifetime_bounds_a_session_timer(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	accept_with_timer(world, SIGHTING_TO_DEVICE, FACTS_UNSTATED - 1, REFRESHER_UNSTATED);
	leg = leg_at(world, ALICE_PORT, "b", "a");
	assert_non_null(leg);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
	assert_int_equal(leg->binding.expiry, REASON_dialog_too_long);
	assert_false(leg->device_refreshes);
}

static void a_session_timer_of_nothing_is_a_second(void **state)
{
	struct world *world = *state;

	accept_with_timer(world, SIGHTING_FROM_DEVICE, 0, REFRESHER_UAC);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b")->binding.ends_ns,
			 world->now_ns + NS_PER_S);
}

static void the_called_device_refreshes_as_uas(void **state)
{
	struct world *world = *state;

	accept_with_timer(world, SIGHTING_TO_DEVICE, 90, REFRESHER_UAS);
	assert_true(leg_at(world, ALICE_PORT, "b", "a")->device_refreshes);
}

static void trap_37_a_reinvite_moves_a_leg(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 2, "a", "b");

	request.contacts[0] = contact_of("sip:alice@10.9.8.7:5070", UNSTATED);
	answer_alice(world, 200, "b");
	answer_inside(world, SIGHTING_FROM_DEVICE, 40009, &request, 200);
	assert_one_change(world, BINDING_MOVED, REASON_dialog_moved);
	assert_null(leg_at(world, ALICE_PORT, "a", "b"));
	assert_true(span_equal(leg_at(world, 40009, "a", "b")->binding.target,
			       SPAN("sip:alice@10.9.8.7:5070")));
	assert_int_equal(counted(world, COUNT_bindings_moved), 1);
	assert_int_equal(counted(world, COUNT_invites_accepted), 2);
}

static void trap_37_an_update_moves_an_early_leg(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	answer_alice(world, 183, "b");
	alice_refreshes(world, 40009, SIP_METHOD_UPDATE, 2);
	assert_one_change(world, BINDING_MOVED, REASON_dialog_moved);
	leg = leg_at(world, 40009, "a", "b");
	assert_non_null(leg);
	assert_true(leg->early);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + DIALOG_EARLY_NS);
	/* The INVITE's own answer still goes to where the INVITE came from, and moves nothing. */
	answer_alice(world, 200, "b");
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_ptr_equal(leg_at(world, 40009, "a", "b"), leg);
	assert_false(leg->early);
}

static void trap_37_the_server_may_ask_over_the_new_path(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 7, "b", "a");

	answer_alice(world, 200, "b");
	answer_inside(world, SIGHTING_TO_DEVICE, 40009, &request, 200);
	assert_one_change(world, BINDING_MOVED, REASON_dialog_moved);
	assert_non_null(leg_at(world, 40009, "a", "b"));
}

static void trap_30_an_older_answer_does_not_move_a_leg_back(void **state)
{
	struct world *world = *state;

	answer_alice(world, 200, "b");
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 2);
	alice_refreshes(world, 40009, SIP_METHOD_INVITE, 3);
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 2);
	assert_no_change(world);
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 3);
	assert_no_change(world);
	assert_non_null(leg_at(world, 40009, "a", "b"));
}

/* Each side counts its own requests. */
static void requests_of_both_sides_renew_a_leg(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 1, "b", "a");

	answer_alice(world, 200, "b");
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 50);
	answer_inside(world, SIGHTING_TO_DEVICE, ALICE_PORT, &request, 200);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	/* Glare (RFC 3261 section 14.1): the one that is refused changes nothing. */
	request.cseq = 2;
	answer_inside(world, SIGHTING_TO_DEVICE, ALICE_PORT, &request, 491);
	assert_no_change(world);
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 51);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
}

static void trap_38_a_request_inside_finds_a_dialog(void **state)
{
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 7, "b", "a");
	const struct dialog *leg;

	answer_inside(world, SIGHTING_FROM_DEVICE, BOB_PORT, &request, 200);
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_found);
	leg = leg_at(world, BOB_PORT, "b", "a");
	assert_non_null(leg);
	assert_false(leg->early);
	assert_true(span_equal(leg->binding.aor, SPAN("sip:bob@example.com")));
	assert_true(span_equal(leg->binding.target, SPAN(BOB_URI)));
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
	assert_int_equal(counted(world, COUNT_dialogs_found), 1);
	answer_inside(world, SIGHTING_FROM_DEVICE, BOB_PORT, &request, 500);
	assert_no_change(world);
}

static void trap_45_a_reinvite_says_that_a_missed_2xx_was_sent(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	answer_alice(world, 180, "b");
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 2);
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	assert_false(leg->early);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + MAX_LIFETIME_NS);
	assert_int_equal(counted(world, COUNT_dialogs_found), 0);
}

static void a_481_ends_a_dialog_and_other_failures_do_not(void **state)
{
	static const uint16_t harmless[] = { 401, 404, 486, 488, 491, 500, 503, 603, 180 };
	struct world *world = *state;
	struct facts request = inside(SIP_METHOD_INVITE, 2, "a", "b");

	answer_alice(world, 200, "b");
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		answer_inside(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, harmless[i]);
		assert_no_change(world);
	}
	answer_inside(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, 481);
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_gone);
	answer_inside(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, 481);
	assert_no_change(world);
}

static void trap_39_what_has_ended_lingers(void **state)
{
	struct world *world = *state;
	struct facts crossing = inside(SIP_METHOD_INVITE, 100, "a", "b");
	struct facts accepted = replies(200, "b");
	const struct dialog *leg;

	answer_alice(world, 200, "b");
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	bye(world, ALICE_PORT, SIGHTING_TO_DEVICE, "b", "a");
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_bye);
	assert_int_equal(leg->binding.ends_ns, world->now_ns + LINGER_NS);
	assert_int_equal(state_at(world, ALICE_PORT), PATH_LINGERING);
	assert_int_equal(counted(world, COUNT_bindings_ended), 0); /* it is still there */
	/* A BYE that is repeated, a 2xx that comes late: it lingers no longer for them. */
	bye(world, ALICE_PORT, SIGHTING_TO_DEVICE, "b", "a");
	assert_no_change(world);
	answer_alice(world, 200, "b");
	assert_no_change(world);
	answer_alice(world, 180, "b");
	assert_no_change(world);
	alice_acks(world, ALICE_PORT, "b");
	assert_no_change(world);
	answer_seen(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &crossing, leg->ended_ns, &accepted);
	assert_no_change(world);
	assert_int_equal(dialogs_count(world->dialogs), 1);
}

static void trap_34_a_2xx_that_crosses_a_cancel_does_not_revive_a_leg(void **state)
{
	struct world *world = *state;

	bob_answers(world, BOB_PORT, "bob", 180, "b");
	bob_answers(world, BOB_PORT, "bob", 487, "b");
	bob_answers(world, BOB_PORT, "bob", 200, "b");
	assert_no_change(world);
	assert_int_equal(state_at(world, BOB_PORT), PATH_LINGERING);
}

static void a_bye_ends_an_early_leg(void **state)
{
	struct world *world = *state;

	answer_alice(world, 180, "b1");
	answer_alice(world, 180, "b2");
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b1");
	assert_one_change(world, BINDING_LINGERS, REASON_dialog_bye);
	assert_int_equal(leg_at(world, ALICE_PORT, "a", "b2")->binding.kind, BINDING_DIALOG);
}

static void a_bye_of_others_ends_nothing(void **state)
{
	struct world *world = *state;
	struct facts other = inside(SIP_METHOD_BYE, 2, "a", "b");
	struct flow flow = flow_from(ALICE_PORT);

	answer_alice(world, 200, "b");
	bye(world, ALICE_PORT, SIGHTING_TO_DEVICE, "a", "b"); /* the other leg's */
	assert_no_change(world);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "c");
	assert_no_change(world);
	other.call_id = SPAN("another");
	assert_int_equal(dialogs_bye(world->dialogs, &flow, SIGHTING_FROM_DEVICE, &other,
				     world->now_ns, world->changes),
			 0);
	other = inside(SIP_METHOD_BYE, 2, "a", "b");
	other.to_tag = (struct span){ NULL, 0 };
	assert_int_equal(dialogs_bye(world->dialogs, &flow, SIGHTING_FROM_DEVICE, &other,
				     world->now_ns, world->changes),
			 0);
}

static int open_hasty_world(void **state)
{
	const struct dialogs_options options = { .limit = 2, .max_lifetime_ns = MAX_LIFETIME_NS };

	return open_world_with(state, &options);
}

static void without_lingering_a_leg_ends_at_once(void **state)
{
	struct world *world = *state;

	answer_alice(world, 200, "b");
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b");
	assert_one_change(world, BINDING_ENDS, REASON_dialog_bye);
	assert_int_equal(dialogs_count(world->dialogs), 0);
	assert_int_equal(counted(world, COUNT_bindings_ended), 1);
}

static void trap_44_legs_beyond_the_limit_are_refused(void **state)
{
	struct world *world = *state;

	answer_alice(world, 180, "b1");
	answer_alice(world, 180, "b2");
	answer_alice(world, 180, "b3");
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_bindings_refused), 1);
	answer_alice(world, 200, "b3"); /* instead of one that rings; the other's time is short */
	assert_int_equal(world->change_count, 3);
	assert_int_equal(world->changes[0].kind, BINDING_BEGINS);
	assert_int_equal(world->changes[1].kind, BINDING_RENEWED);
	assert_int_equal(world->changes[2].kind, BINDING_ENDS);
	assert_int_equal(dialogs_count(world->dialogs), 2);
	assert_false(leg_at(world, ALICE_PORT, "a", "b3")->early);
	answer_alice(world, 200, "b4");
	assert_int_equal(world->change_count, 2);
	answer_alice(world, 200, "b5"); /* what was accepted gives way to nothing */
	assert_no_change(world);
	assert_int_equal(counted(world, COUNT_bindings_refused), 2);
}

static void trap_44_a_call_has_so_many_forks_at_most(void **state)
{
	struct world *world = *state;
	char tag[DIALOG_EARLY_MAX + 1][16];

	for (int i = 0; i <= DIALOG_EARLY_MAX; i++) {
		snprintf(tag[i], sizeof(tag[i]), "b%d", i);
		answer_alice(world, 180, tag[i]);
	}
	assert_int_equal(dialogs_count(world->dialogs), DIALOG_EARLY_MAX);
	assert_int_equal(counted(world, COUNT_bindings_refused), 1);
	answer_alice(world, 200, tag[0]);
	assert_int_equal(world->change_count, DIALOG_EARLY_MAX);
	answer_alice(world, 486, tag[1]);
	assert_int_equal(world->change_count, DIALOG_EARLY_MAX - 1);
}

/* What the pipeline does where a path is refused, but for forgetting the leg. */
static void a_leg_that_is_on_no_path_begins_again(void **state)
{
	struct world *world = *state;
	const struct dialog *leg;

	answer_alice(world, 180, "b");
	leg = leg_at(world, ALICE_PORT, "a", "b");
	assert_non_null(leg);
	paths_detach(world->changes[0].binding);
	answer_alice(world, 200, "b");
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_confirmed);
	assert_ptr_equal(leg_at(world, ALICE_PORT, "a", "b"), leg);
	paths_detach(world->changes[0].binding);
	alice_refreshes(world, ALICE_PORT, SIP_METHOD_INVITE, 2);
	assert_one_change(world, BINDING_BEGINS, REASON_dialog_found);
	paths_detach(world->changes[0].binding);
	bye(world, ALICE_PORT, SIGHTING_FROM_DEVICE, "a", "b");
	assert_one_change(world, BINDING_ENDS, REASON_dialog_bye);
}

static void what_can_be_no_target_is_none(void **state)
{
	struct world *world = *state;
	struct facts request = invites("call", "alice"), response = replies(180, "b");
	char uri[600] = "sip:alice@192.168.1.10;x=";

	memset(uri + strlen(uri), 'x', sizeof(uri) - strlen(uri) - 1);
	request.contacts[0].uri = (struct span){ uri, sizeof(uri) - 1 };
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	assert_null(leg_at(world, ALICE_PORT, "a", "b")->binding.target.at);
	request.contacts[0] = (struct facts_contact){ .uri = SPAN("tel:+4930123456") };
	answer(world, SIGHTING_FROM_DEVICE, ALICE_PORT, &request, &response);
	assert_null(leg_at(world, ALICE_PORT, "a", "b")->binding.target.at);
	assert_true(leg_at(world, ALICE_PORT, "a", "b")->binding.behind_nat);
}

/* A response without Contact takes back nothing of what is known. */
static void a_device_says_itself_whether_it_is_behind_a_nat(void **state)
{
	struct world *world = *state;
	struct facts request = invites("call", "bob"), response = replies(180, "b");
	struct flow flow = flow_from(BOB_PORT);

	response.contact_count = 0;
	answer(world, SIGHTING_TO_DEVICE, BOB_PORT, &request, &response);
	assert_int_equal(paths_find(world->paths, &flow)->nat_count, 1);
	response = replies(200, "b");
	response.contacts[0] = contact_of("sip:bob@198.51.100.7:40002", UNSTATED);
	answer(world, SIGHTING_TO_DEVICE, BOB_PORT, &request, &response);
	assert_int_equal(paths_find(world->paths, &flow)->nat_count, 0);
	request = inside(SIP_METHOD_UPDATE, 2, "a", "b");
	response = replies(200, "b");
	response.contact_count = 0;
	answer(world, SIGHTING_TO_DEVICE, BOB_PORT, &request, &response);
	assert_one_change(world, BINDING_RENEWED, REASON_dialog_confirmed);
	assert_int_equal(paths_find(world->paths, &flow)->nat_count, 0);
	assert_true(span_equal(leg_at(world, BOB_PORT, "b", "a")->binding.target,
			       SPAN("sip:bob@198.51.100.7:40002")));
}

#define HASTY_TEST(test) cmocka_unit_test_setup_teardown(test, open_hasty_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(trap_35_a_session_timer_ends_a_call),
		WORLD_TEST(trap_35_max_lifetime_bounds_a_session_timer),
		WORLD_TEST(a_session_timer_of_nothing_is_a_second),
		WORLD_TEST(the_called_device_refreshes_as_uas),
		WORLD_TEST(trap_37_a_reinvite_moves_a_leg),
		WORLD_TEST(trap_37_an_update_moves_an_early_leg),
		WORLD_TEST(trap_37_the_server_may_ask_over_the_new_path),
		WORLD_TEST(trap_30_an_older_answer_does_not_move_a_leg_back),
		WORLD_TEST(requests_of_both_sides_renew_a_leg),
		WORLD_TEST(trap_38_a_request_inside_finds_a_dialog),
		WORLD_TEST(trap_45_a_reinvite_says_that_a_missed_2xx_was_sent),
		WORLD_TEST(a_481_ends_a_dialog_and_other_failures_do_not),
		WORLD_TEST(trap_39_what_has_ended_lingers),
		WORLD_TEST(trap_34_a_2xx_that_crosses_a_cancel_does_not_revive_a_leg),
		WORLD_TEST(a_bye_ends_an_early_leg),
		WORLD_TEST(a_bye_of_others_ends_nothing),
		HASTY_TEST(without_lingering_a_leg_ends_at_once),
		HASTY_TEST(trap_44_legs_beyond_the_limit_are_refused),
		WORLD_TEST(trap_44_a_call_has_so_many_forks_at_most),
		WORLD_TEST(a_leg_that_is_on_no_path_begins_again),
		WORLD_TEST(what_can_be_no_target_is_none),
		WORLD_TEST(a_device_says_itself_whether_it_is_behind_a_nat),
	};

	return cmocka_run_group_tests_name("dialogs, inside", tests, NULL, NULL);
}
