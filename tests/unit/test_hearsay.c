/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hearsay.c - whose acceptances are the server's own word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "state/dialogs.h"
#include "state/hearsay.h"
#include "state/transactions.h"

#define NOW (1000 * NS_PER_S)

static const struct flow registrar = { .local_port = 5060, .remote_port = 5070, .transport = 17 };
static const struct flow stranger = { .local_port = 5060, .remote_port = 5071, .transport = 17 };

static struct facts about(const char *call_id, uint32_t cseq)
{
	return (struct facts){
		.method = SIP_METHOD_REGISTER,
		.call_id = span_of(call_id),
		.cseq = cseq,
	};
}

/* An INVITE of the server's, or the answer to it, in one of its branches. */
static struct facts calls(const char *call_id, const char *branch)
{
	return (struct facts){
		.method = SIP_METHOD_INVITE,
		.call_id = span_of(call_id),
		.cseq = 1,
		.branch = span_of(branch),
	};
}

static int set_up(void **state)
{
	*state = hearsay_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	hearsay_free(*state);
	return 0;
}

static void what_nobody_told_is_the_servers_own_word(void **state)
{
	struct facts facts = about("a", 1);

	assert_false(hearsay_doubts(*state, &facts, NOW));
}

static void what_a_stranger_told_is_doubted(void **state)
{
	struct facts facts = about("a", 1), next = about("a", 2), other = about("b", 1);

	hearsay_told(*state, &stranger, &facts, NOW);
	assert_true(hearsay_doubts(*state, &facts, NOW));
	assert_false(hearsay_doubts(*state, &next, NOW));
	assert_false(hearsay_doubts(*state, &other, NOW));
}

static void what_the_asked_registrar_told_is_believed(void **state)
{
	struct facts facts = about("a", 1);

	hearsay_asked(*state, &registrar, &facts, NOW);
	hearsay_told(*state, &registrar, &facts, NOW + NS_PER_MS);
	hearsay_told(*state, &registrar, &facts, NOW + 2 * NS_PER_MS); /* a retransmission */
	assert_false(hearsay_doubts(*state, &facts, NOW + 3 * NS_PER_MS));
	hearsay_told(*state, &stranger, &facts, NOW + 4 * NS_PER_MS);
	assert_true(hearsay_doubts(*state, &facts, NOW + 5 * NS_PER_MS));
}

static void doubts_end_with_the_transaction(void **state)
{
	struct facts facts = about("a", 1);

	hearsay_told(*state, &stranger, &facts, NOW);
	assert_true(hearsay_doubts(*state, &facts, NOW + TRANSACTION_LIFETIME_NS - 1));
	assert_false(hearsay_doubts(*state, &facts, NOW + TRANSACTION_LIFETIME_NS));
}

/* What was told last is not crowded out by the next few thousand, whoever sends them. */
static void trap_44_a_flood_does_not_crowd_out_a_doubt(void **state)
{
	struct facts facts = about("a", 1);
	char call_id[32];

	hearsay_told(*state, &stranger, &facts, NOW);
	for (int i = 0; i < 2000; i++) {
		struct facts other;

		snprintf(call_id, sizeof(call_id), "flood%d", i);
		other = about(call_id, 1);
		hearsay_told(*state, &stranger, &other, NOW + 1);
	}
	assert_true(hearsay_doubts(*state, &facts, NOW + 2));
}

/* The outsider's own INVITE, and a 2xx or 180 to it that the server never asked for. */
static void trap_44_a_call_that_a_stranger_answers_himself_is_doubted(void **state)
{
	struct facts stray = calls("a", "guessed"), answer = calls("a", "stranger's own");
	struct facts asked = calls("a", "forwarded");

	hearsay_told(*state, &stranger, &stray, NOW);
	assert_true(hearsay_doubts(*state, &answer, NOW));
	/* Nor is the place worth anything without the branch. */
	hearsay_asked(*state, &registrar, &asked, NOW);
	hearsay_told(*state, &registrar, &stray, NOW + DIALOG_EARLY_NS);
	assert_true(hearsay_doubts(*state, &answer, NOW + DIALOG_EARLY_NS));
}

static void trap_34_a_call_that_forks_and_rings_for_minutes_is_believed(void **state)
{
	struct facts one = calls("a", "one"), two = calls("a", "two"),
		     answer = calls("a", "caller");
	uint64_t late_ns = NOW + DIALOG_INVITE_LIFETIME_NS - NS_PER_S;

	hearsay_asked(*state, &registrar, &one, NOW);
	hearsay_asked(*state, &registrar, &one, NOW + NS_PER_S / 2); /* a retransmission */
	hearsay_asked(*state, &stranger, &two, NOW);
	hearsay_told(*state, &registrar, &one, NOW + NS_PER_S);
	hearsay_told(*state, &stranger, &two, NOW + 2 * NS_PER_S);
	hearsay_told(*state, &registrar, &one, late_ns);
	hearsay_told(*state, &registrar, &one, late_ns);
	assert_false(hearsay_doubts(*state, &answer, late_ns));
}

/* It is answered after five minutes, of which somebody told every minute that it rings. */
static void trap_34_a_call_that_rings_on_and_on_is_believed(void **state)
{
	struct facts told = calls("a", "one"), answer = calls("a", "caller");
	uint64_t now_ns = NOW;

	hearsay_asked(*state, &registrar, &told, now_ns);
	told.status = 180;
	for (int minute = 0; minute < 5; minute++) {
		now_ns += 60 * NS_PER_S;
		hearsay_told(*state, &registrar, &told, now_ns);
	}
	told.status = 200;
	hearsay_told(*state, &registrar, &told, now_ns);
	assert_false(hearsay_doubts(*state, &answer, now_ns));
	/* Being accepted prolongs nothing. */
	now_ns += DIALOG_INVITE_LIFETIME_NS - NS_PER_S;
	hearsay_told(*state, &registrar, &told, now_ns);
	now_ns += NS_PER_S;
	hearsay_told(*state, &registrar, &told, now_ns);
	assert_true(hearsay_doubts(*state, &answer, now_ns));
}

/* A carrier answers from another address than it was asked at; a registrar does not. */
static void a_call_may_be_answered_from_elsewhere(void **state)
{
	struct facts invite = calls("a", "one"), update = calls("b", "one");
	struct facts request = about("c", 1);

	update.method = SIP_METHOD_UPDATE;
	hearsay_asked(*state, &registrar, &invite, NOW);
	hearsay_asked(*state, &registrar, &update, NOW);
	hearsay_asked(*state, &registrar, &request, NOW);
	hearsay_told(*state, &stranger, &invite, NOW);
	hearsay_told(*state, &stranger, &update, NOW);
	hearsay_told(*state, &stranger, &request, NOW);
	assert_false(hearsay_doubts(*state, &invite, NOW));
	assert_false(hearsay_doubts(*state, &update, NOW));
	assert_true(hearsay_doubts(*state, &request, NOW));
}

static void what_is_no_invite_is_asked_for_a_shorter_time(void **state)
{
	struct facts request = about("a", 1);

	hearsay_asked(*state, &registrar, &request, NOW);
	hearsay_told(*state, &registrar, &request, NOW + TRANSACTION_LIFETIME_NS);
	assert_true(hearsay_doubts(*state, &request, NOW + TRANSACTION_LIFETIME_NS));
}

/* Retransmissions of one request take no place from the others. */
static void a_request_is_noted_once(void **state)
{
	struct facts first = calls("first", "one"), second = calls("second", "one");

	hearsay_asked(*state, &registrar, &first, NOW);
	for (int i = 0; i < 100000; i++)
		hearsay_asked(*state, &registrar, &second, NOW + 1);
	hearsay_told(*state, &registrar, &first, NOW + 2);
	assert_false(hearsay_doubts(*state, &first, NOW + 2));
}

#define CALLS 70000 /* 300 a second for as long as an INVITE rings */

/* The places are those of a keyed hash, so a few notes of many may be crowded out. */
static void trap_44_hundreds_of_calls_a_second_are_believed(void **state)
{
	char call_id[32];
	int doubted = 0;

	for (int i = 0; i < CALLS; i++) {
		struct facts request;

		snprintf(call_id, sizeof(call_id), "call-%d", i);
		request = calls(call_id, "one");
		hearsay_asked(*state, &registrar, &request, NOW + (uint64_t)i * NS_PER_MS * 3);
	}
	for (int i = 0; i < CALLS; i++) {
		struct facts answer;

		snprintf(call_id, sizeof(call_id), "call-%d", i);
		answer = calls(call_id, "one");
		hearsay_told(*state, &registrar, &answer, NOW + DIALOG_INVITE_LIFETIME_NS - 1);
		doubted += hearsay_doubts(*state, &answer, NOW + DIALOG_INVITE_LIFETIME_NS - 1);
	}
	assert_in_range(doubted, 0, CALLS / 10000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_told_is_the_servers_own_word),
		TEST(what_a_stranger_told_is_doubted),
		TEST(what_the_asked_registrar_told_is_believed),
		TEST(doubts_end_with_the_transaction),
		TEST(trap_44_a_flood_does_not_crowd_out_a_doubt),
		TEST(trap_44_a_call_that_a_stranger_answers_himself_is_doubted),
		TEST(trap_34_a_call_that_forks_and_rings_for_minutes_is_believed),
		TEST(trap_34_a_call_that_rings_on_and_on_is_believed),
		TEST(a_call_may_be_answered_from_elsewhere),
		TEST(what_is_no_invite_is_asked_for_a_shorter_time),
		TEST(a_request_is_noted_once),
		TEST(trap_44_hundreds_of_calls_a_second_are_believed),
	};

	return cmocka_run_group_tests_name("hearsay", tests, NULL, NULL);
}
