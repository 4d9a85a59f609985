/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "callcontrol/memory.h"
#include "cluster/node.h"

#define NOW UINT64_C(1000)
#define BYTES 300

/* Of a request that wants what all of its identity do. */
#define KEY(identity_) ((struct memory_key){ .identity = (identity_), .wanted = 5 })

static int put(struct memory *memory, uint64_t identity, const char *uri, uint64_t now_ns)
{
	struct memory_entry entry = { .address = { 1, 2, 3 },
				      .port = (uint16_t)identity,
				      .uri = span_of(uri) };

	return memory_put(memory, &KEY(identity), &entry, BYTES, now_ns);
}

static int find(struct memory *memory, uint64_t identity, uint64_t now_ns)
{
	struct memory_entry entry;

	return memory_find(memory, &KEY(identity), BYTES, now_ns, &entry);
}

static int open_memory(void **state)
{
	*state = memory_new(3);
	return *state ? 0 : -1;
}

static int close_memory(void **state)
{
	memory_free(*state);
	return 0;
}

static void a_request_is_found_where_it_went(void **state)
{
	struct memory_entry entry;

	assert_int_equal(put(*state, 7, "sip:192.0.2.1", NOW), 0);
	assert_int_equal(memory_find(*state, &KEY(7), BYTES, NOW, &entry), 0);
	assert_int_equal(entry.address[2], 3);
	assert_int_equal(entry.port, 7);
	assert_true(span_equal(entry.uri, SPAN("sip:192.0.2.1")));
	assert_int_equal(find(*state, 8, NOW), -ENOENT);
}

static void the_latest_place_counts(void **state)
{
	struct memory_entry entry;

	assert_int_equal(put(*state, 7, "sip:192.0.2.1", NOW), 0);
	assert_int_equal(put(*state, 7, "sip:192.0.2.2:5080", NOW), 0);
	assert_int_equal(memory_find(*state, &KEY(7), BYTES, NOW, &entry), 0);
	assert_true(span_equal(entry.uri, SPAN("sip:192.0.2.2:5080")));
	/* What was found may be put again. */
	assert_int_equal(memory_put(*state, &KEY(7), &entry, BYTES, NOW), 0);
	assert_int_equal(memory_find(*state, &KEY(7), BYTES, NOW, &entry), 0);
	assert_true(span_equal(entry.uri, SPAN("sip:192.0.2.2:5080")));
}

static void it_is_forgotten_in_time(void **state)
{
	assert_int_equal(put(*state, 7, "sip:192.0.2.1", NOW), 0);
	assert_int_equal(find(*state, 7, NOW + MEMORY_LIFETIME_NS - 1), 0);
	assert_int_equal(find(*state, 7, NOW + MEMORY_LIFETIME_NS), -ENOENT);
}

static void the_oldest_makes_room(void **state)
{
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(put(*state, i, "sip:192.0.2.1", NOW + i), 0);
	assert_int_equal(put(*state, 1, "sip:192.0.2.1", NOW + 4), 0);
	assert_int_equal(put(*state, 4, "sip:192.0.2.1", NOW + 5), 0);
	assert_int_equal(find(*state, 1, NOW + 5), 0);
	assert_int_equal(find(*state, 2, NOW + 5), -ENOENT);
	assert_int_equal(find(*state, 3, NOW + 5), 0);
	assert_int_equal(find(*state, 4, NOW + 5), 0);
}

static void a_uri_that_no_node_has_is_refused(void **state)
{
	char uri[NODE_URI_MAX + 2];

	memset(uri, 'x', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	assert_int_equal(put(*state, 7, uri, NOW), -E2BIG);
	assert_int_equal(find(*state, 7, NOW), -ENOENT);
}

static void one_branch_used_twice_leads_to_two_places(void **state)
{
	struct memory_key carol = { .identity = 7, .wanted = 6 };
	struct memory_entry entry = { .port = 6 };

	assert_int_equal(put(*state, 7, "sip:192.0.2.1", NOW), 0);
	assert_int_equal(memory_find(*state, &carol, BYTES, NOW, &entry), -ENOENT);
	assert_int_equal(memory_put(*state, &carol, &entry, BYTES, NOW), 0);
	assert_int_equal(memory_find(*state, &KEY(7), BYTES, NOW, &entry), 0);
	assert_int_equal(entry.port, 7);
	assert_int_equal(memory_find(*state, &carol, BYTES, NOW, &entry), 0);
	assert_int_equal(entry.port, 6);
	assert_null(entry.uri.at);
}

static void namesakes_are_few(void **state)
{
	struct memory *memory = memory_new(100);
	struct memory_entry entry;
	size_t found = 0;

	assert_non_null(memory);
	(void)state;
	for (uint64_t wanted = 1; wanted <= 10 * MEMORY_NAMESAKES_MAX; wanted++) {
		struct memory_key key = { .identity = 7, .wanted = wanted };

		entry = (struct memory_entry){ .port = 1 };
		assert_int_equal(memory_put(memory, &key, &entry, BYTES, NOW), 0);
		assert_int_equal(memory_find(memory, &key, BYTES, NOW, &entry), 0);
	}
	for (uint64_t wanted = 1; wanted <= 10 * MEMORY_NAMESAKES_MAX; wanted++) {
		struct memory_key key = { .identity = 7, .wanted = wanted };

		found += memory_find(memory, &key, BYTES, NOW, &entry) == 0;
	}
	assert_int_equal(found, MEMORY_NAMESAKES_MAX);
	memory_free(memory);
}

static void what_was_asked_is_counted(void **state)
{
	static const uint8_t there[16] = { 1, 2, 3 }, elsewhere[16] = { 1, 2, 4 };
	struct memory_entry entry;
	struct memory_account *account;

	assert_int_equal(put(*state, 7, "sip:192.0.2.1", NOW), 0);
	assert_int_equal(memory_find(*state, &KEY(7), 400, NOW, &entry), 0);
	assert_int_equal(memory_find(*state, &KEY(7), 100, NOW, &entry), 0);
	assert_null(memory_account(*state, 7, elsewhere, NOW));
	assert_null(memory_account(*state, 8, there, NOW));
	assert_null(memory_account(*state, 7, there, NOW + MEMORY_LIFETIME_NS));
	account = memory_account(*state, 7, there, NOW);
	assert_non_null(account);
	assert_int_equal(account->asked, BYTES + 500);
	assert_int_equal(account->largest, 400);
	account->returned = 50;

	/* A request that goes elsewhere goes on being counted. */
	assert_int_equal(memory_put(*state, &KEY(7), &entry, 200, NOW), 0);
	account = memory_account(*state, 7, there, NOW);
	assert_int_equal(account->asked, BYTES + 700);
	assert_int_equal(account->largest, 400);
	assert_int_equal(account->returned, 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_found_where_it_went),
		TEST(the_latest_place_counts),
		TEST(it_is_forgotten_in_time),
		TEST(the_oldest_makes_room),
		TEST(a_uri_that_no_node_has_is_refused),
		TEST(one_branch_used_twice_leads_to_two_places),
		TEST(namesakes_are_few),
		TEST(what_was_asked_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
