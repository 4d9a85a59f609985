/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hearsay.c - whose acceptances are the server's own word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_told_is_the_servers_own_word),
		TEST(what_a_stranger_told_is_doubted),
		TEST(what_the_asked_registrar_told_is_believed),
		TEST(doubts_end_with_the_transaction),
		TEST(trap_44_a_flood_does_not_crowd_out_a_doubt),
	};

	return cmocka_run_group_tests_name("hearsay", tests, NULL, NULL);
}
