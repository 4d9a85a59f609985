/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/transactions: requests are remembered until they are answered, and no longer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "transactions_world.h"

static void the_answer_finds_its_request(void **state)
{
	struct world *world = *state;
	struct facts request = request_of(1);
	const struct transaction *found;

	remember(world, 1, 77);
	found = match(world, &device_flow, &request);
	assert_non_null(found);
	assert_int_equal(found->seen_ns, 77);
	assert_memory_equal(&found->flow, &device_flow, sizeof(device_flow));
	transactions_forget(world->transactions, found);
	assert_null(match(world, &device_flow, &request));
	assert_int_equal(transactions_count(world->transactions), 0);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 0);
}

static void assert_kept(struct span kept, const char *expected, const char *text)
{
	assert_true(span_equal(kept, span_of(expected)));
	assert_ptr_not_equal(kept.at, text);
}

static void facts_are_copied_whole(void **state)
{
	struct world *world = *state;
	struct facts request = request_of(1);
	char call_id[] = "call-1@phone", aor[] = "sip:alice@example.com", user[] = "b";
	const struct facts *kept;

	request.call_id.at = call_id;
	request.aor.at = aor;
	request.contact_count = 2;
	request.contacts[1] = (struct facts_contact){ .uri = { "sip:b@h", 7 },
						      .user = { user, 1 },
						      .instance = { "<urn:uuid:1>", 12 },
						      .reg_id = 2,
						      .expires = 60 };
	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_FROM_DEVICE, &request, 1),
			 0);
	kept = match(world, &device_flow, &request)->facts;
	memset(call_id, 'x', sizeof(call_id));
	memset(aor, 'x', sizeof(aor));
	memset(user, 'x', sizeof(user));

	assert_true(kept->is_request);
	assert_int_equal(kept->expires, 600);
	assert_kept(kept->call_id, "call-1@phone", call_id);
	assert_kept(kept->aor, "sip:alice@example.com", aor);
	assert_kept(kept->branch, "z9hG4bK-1", request.branch.at);
	assert_kept(kept->sent_by, "192.168.1.10", request.sent_by.at);
	assert_kept(kept->from_tag, "tag-1", request.from_tag.at);
	assert_null(kept->to_tag.at);
	assert_int_equal(kept->contact_count, 2);
	assert_kept(kept->contacts[0].uri, "sip:alice@192.168.1.10:5062",
		    request.contacts[0].uri.at);
	assert_int_equal(kept->contacts[0].port, 5062);
	assert_null(kept->contacts[0].instance.at);
	assert_kept(kept->contacts[1].user, "b", user);
	assert_kept(kept->contacts[1].instance, "<urn:uuid:1>", request.contacts[1].instance.at);
	assert_int_equal(kept->contacts[1].reg_id, 2);
	assert_int_equal(kept->contacts[1].expires, 60);
}

static void trap_27_a_retransmission_is_remembered_once(void **state)
{
	struct world *world = *state;
	struct facts request = request_of(1);

	remember(world, 1, 10);
	remember(world, 1, 20);
	assert_int_equal(transactions_count(world->transactions), 1);
	assert_int_equal(match(world, &device_flow, &request)->seen_ns, 10);
}

static void only_the_very_request_matches(void **state)
{
	struct world *world = *state;
	struct facts others[5];
	struct flow other_flow = device_flow;

	remember(world, 1, 1);
	for (size_t i = 0; i < 5; i++)
		others[i] = request_of(1);
	others[0].cseq = 2;
	others[1].call_id = SPAN("call-2@phone");
	others[2].branch = SPAN("z9hG4bK-2");
	others[3].method = SIP_METHOD_SUBSCRIBE;
	others[4].branch = (struct span){ NULL, 0 };
	for (size_t i = 0; i < 5; i++)
		assert_null(match(world, &device_flow, &others[i]));
	other_flow.remote_port++;
	assert_null(match(world, &other_flow, &register_facts));
	assert_non_null(match(world, &device_flow, &register_facts));
}

static void trap_5_the_same_request_on_two_flows_is_two(void **state)
{
	struct world *world = *state;
	struct flow other_flow = device_flow;
	const struct transaction *first, *second;

	other_flow.local_port = 5080;
	remember(world, 1, 1);
	assert_int_equal(transactions_remember(world->transactions, &other_flow,
					       SIGHTING_FROM_DEVICE, &register_facts, 2),
			 0);
	first = match(world, &device_flow, &register_facts);
	second = match(world, &other_flow, &register_facts);
	assert_non_null(first);
	assert_non_null(second);
	assert_ptr_not_equal(first, second);
}

static void answer_first(struct world *world, uint16_t status)
{
	assert_true(answer(world, 1, status, 1));
}

static void trap_34_a_request_may_be_answered_many_times(void **state)
{
	static const uint16_t statuses[] = { 180, 183, 200, 200, 487 };
	struct world *world = *state;

	remember(world, 1, 1);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		answer_first(world, statuses[i]);
	transactions_expire(world->transactions, 100 * NS_PER_S);
	assert_int_equal(transactions_count(world->transactions), 0);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 0);
}

static void a_provisional_response_is_no_answer(void **state)
{
	struct world *world = *state;

	remember(world, 1, 1);
	answer_first(world, 180);
	transactions_expire(world->transactions, 100 * NS_PER_S);
	assert_int_equal(world->counts.value[COUNT_requests_unanswered], 1);
}

static void the_answer_goes_the_other_way(void **state)
{
	struct world *world = *state;
	struct facts request = request_of(1), response = response_to(&request, 200);

	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_TO_DEVICE, &request, 1),
			 0);
	assert_null(transactions_match(world->transactions, &device_flow, SIGHTING_TO_DEVICE,
				       &response));
	remember(world, 1, 2); /* the same one, back on the same flow, is another */
	assert_int_equal(transactions_count(world->transactions), 2);
	assert_int_equal(transactions_match(world->transactions, &device_flow, SIGHTING_FROM_DEVICE,
					    &response)
				 ->direction,
			 SIGHTING_TO_DEVICE);
	assert_int_equal(
		transactions_match(world->transactions, &device_flow, SIGHTING_TO_DEVICE, &response)
			->direction,
		SIGHTING_FROM_DEVICE);
}

static void trap_44_a_large_request_is_not_kept(void **state)
{
	static char long_text[TRANSACTION_BYTES_MAX + 1];
	struct world *world = *state;
	struct facts request = { .is_request = true, .method = SIP_METHOD_REGISTER };

	memset(long_text, 'a', sizeof(long_text));
	request.call_id = (struct span){ long_text, TRANSACTION_BYTES_MAX + 1 };
	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_FROM_DEVICE, &request, 1),
			 -E2BIG);
	assert_int_equal(transactions_count(world->transactions), 0);
	request.call_id.length = TRANSACTION_BYTES_MAX;
	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_FROM_DEVICE, &request, 1),
			 0);
}

static void trap_44_the_texts_of_contacts_count_too(void **state)
{
	static char long_text[200];
	struct world *world = *state;
	struct facts request = register_facts;

	memset(long_text, 'a', sizeof(long_text));
	request.contact_count = FACTS_CONTACTS_MAX;
	for (size_t i = 0; i < FACTS_CONTACTS_MAX; i++)
		request.contacts[i].uri = (struct span){ long_text, sizeof(long_text) };
	assert_int_equal(transactions_remember(world->transactions, &device_flow,
					       SIGHTING_FROM_DEVICE, &request, 1),
			 -E2BIG);
}

static void a_room_may_count_nothing(void **state)
{
	struct transactions *transactions = transactions_new(1, TRANSACTION_LIFETIME_NS, NULL);

	(void)state;
	assert_non_null(transactions);
	for (uint32_t cseq = 1; cseq <= 2; cseq++) {
		struct facts request = request_of(cseq);

		assert_int_equal(transactions_remember(transactions, &device_flow,
						       SIGHTING_FROM_DEVICE, &request, 1),
				 0);
	}
	assert_int_equal(transactions_count(transactions), 1);
	transactions_expire(transactions, 100 * NS_PER_S);
	assert_int_equal(transactions_count(transactions), 0);
	transactions_free(transactions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_answer_finds_its_request),
		WORLD_TEST(facts_are_copied_whole),
		WORLD_TEST(trap_27_a_retransmission_is_remembered_once),
		WORLD_TEST(only_the_very_request_matches),
		WORLD_TEST(trap_5_the_same_request_on_two_flows_is_two),
		WORLD_TEST(trap_34_a_request_may_be_answered_many_times),
		WORLD_TEST(a_provisional_response_is_no_answer),
		WORLD_TEST(the_answer_goes_the_other_way),
		WORLD_TEST(trap_44_a_large_request_is_not_kept),
		WORLD_TEST(trap_44_the_texts_of_contacts_count_too),
		cmocka_unit_test(a_room_may_count_nothing),
	};

	return cmocka_run_group_tests_name("transactions", tests, NULL, NULL);
}
