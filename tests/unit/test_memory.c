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

static int put(struct memory *memory, uint64_t identity, const char *uri, uint64_t now_ns)
{
	struct memory_entry entry = { .address = { 1, 2, 3 },
				      .port = (uint16_t)identity,
				      .uri = span_of(uri) };

	return memory_put(memory, identity, &entry, now_ns);
}

static int find(const struct memory *memory, uint64_t identity, uint64_t now_ns)
{
	struct memory_entry entry;

	return memory_find(memory, identity, now_ns, &entry);
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
	assert_int_equal(memory_find(*state, 7, NOW, &entry), 0);
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
	assert_int_equal(memory_find(*state, 7, NOW, &entry), 0);
	assert_true(span_equal(entry.uri, SPAN("sip:192.0.2.2:5080")));
	/* What was found may be put again. */
	assert_int_equal(memory_put(*state, 7, &entry, NOW), 0);
	assert_int_equal(memory_find(*state, 7, NOW, &entry), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_found_where_it_went),  TEST(the_latest_place_counts),
		TEST(it_is_forgotten_in_time),           TEST(the_oldest_makes_room),
		TEST(a_uri_that_no_node_has_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
