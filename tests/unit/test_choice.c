/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/address.h"
#include "callcontrol/choice.h"

#define NOW_NS (UINT64_C(100) * 1000000000)
#define NOW_MS UINT64_C(1700000000000)
#define AOR "sip:alice@example.com"
#define FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"

static int open_view(void **state)
{
	*state = view_new(100);
	return *state ? 0 : -1;
}

static int close_view(void **state)
{
	view_free(*state);
	return 0;
}

static void put_node(struct view *view, const char *name, bool draining, uint64_t heard_ns)
{
	struct node node = {
		.name = span_of(name),
		.uri = SPAN("sip:192.0.2.1:5060"),
		.incarnation = 1,
		.beat_ms = NOW_MS,
		.begun = 1,
		.whole = 1,
		.draining = draining,
	};

	assert_int_equal(view_put_node(view, &node, heard_ns), 0);
}

struct device {
	const char *node;
	const char *name;
	uint64_t ago_ms;
	uint8_t health;
	uint8_t kind;
};

static void put(struct view *view, const struct device *device)
{
	struct location location = {
		.node = span_of(device->node),
		.aor = SPAN(AOR),
		.device = span_of(device->name ? device->name : "<urn:uuid:1>#0"),
		.kind = device->kind,
		.health = device->health,
		.accepted_ms = NOW_MS - device->ago_ms,
		.ends_ms = NOW_MS + 1000,
		.heard_ms = NOW_MS,
		.epoch = 1,
	};

	assert_int_equal(flow_read(SPAN(FLOW), &location.flow), 0);
	assert_int_equal(view_put(view, &location), 0);
}

/* The names of the nodes that are chosen, in order: "one two". */
static const char *chosen(const struct view *view, const struct choice_doubt *doubt)
{
	static char names[256];
	struct choice choices[CHOICE_MAX];
	struct text text = TEXT_OVER(names);
	size_t count = choice_make(view, SPAN(AOR), doubt, NOW_NS, NOW_MS, choices);

	names[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		assert_true(span_equal(choices[i].node->name, choices[i].location.node));
		text_add(&text, i > 0 ? SPAN(" ") : SPAN(""));
		text_add(&text, choices[i].node->name);
	}
	return names;
}

static void put_three(struct view *view)
{
	put_node(view, "one", false, NOW_NS);
	put_node(view, "two", false, NOW_NS);
	put_node(view, "three", false, NOW_NS);
	put(view, &(struct device){ .node = "one", .ago_ms = 3000 });
	put(view, &(struct device){ .node = "two", .ago_ms = 1000 });
	put(view, &(struct device){ .node = "three", .ago_ms = 2000 });
}

static void the_newest_comes_first(void **state)
{
	put_three(*state);
	assert_string_equal(chosen(*state, NULL), "two three one");
}

static void silent_ones_come_after_live_ones(void **state)
{
	put_three(*state);
	put(*state, &(struct device){ .node = "two", .ago_ms = 900, .health = PATH_SILENT });
	put(*state, &(struct device){ .node = "three", .ago_ms = 1900, .health = PATH_AWAITING });
	assert_string_equal(chosen(*state, NULL), "three one two");
}

static void one_in_doubt_counts_as_silent(void **state)
{
	struct choice_doubt doubt = { .node = SPAN("two") };

	put_three(*state);
	assert_int_equal(flow_read(SPAN(FLOW), &doubt.flow), 0);
	assert_string_equal(chosen(*state, &doubt), "three one two");
	doubt.flow.remote_port++;
	assert_string_equal(chosen(*state, &doubt), "two three one");
}

static void draining_ones_are_left_out_while_there_are_others(void **state)
{
	put_three(*state);
	put_node(*state, "two", true, NOW_NS);
	assert_string_equal(chosen(*state, NULL), "three one");
	put_node(*state, "three", true, NOW_NS);
	put_node(*state, "one", true, NOW_NS);
	assert_string_equal(chosen(*state, NULL), "two three one");
}

static void draining_is_no_reason_to_call_down_a_dead_path(void **state)
{
	put_node(*state, "one", false, NOW_NS);
	put_node(*state, "two", true, NOW_NS);
	put(*state, &(struct device){ .node = "one", .health = PATH_SILENT });
	put(*state, &(struct device){ .node = "two", .ago_ms = 10 });
	assert_string_equal(chosen(*state, NULL), "two one");
	put(*state, &(struct device){ .node = "two", .health = PATH_SILENT, .ago_ms = 5 });
	assert_string_equal(chosen(*state, NULL), "one");
}

static void dead_ones_are_left_out(void **state)
{
	put_three(*state);
	assert_string_equal(chosen(*state, NULL), "two three one");
	view_free(*state);
	*state = view_new(100);
	assert_non_null(*state);
	put_node(*state, "one", false, NOW_NS - NODE_DEAD_NS);
	put(*state, &(struct device){ .node = "one" });
	assert_string_equal(chosen(*state, NULL), "");
}

static void a_node_stands_there_once(void **state)
{
	put_three(*state);
	put(*state, &(struct device){ .node = "one", .name = "a", .ago_ms = 10 });
	put(*state,
	    &(struct device){ .node = "one", .name = "b", .ago_ms = 5, .health = PATH_SILENT });
	assert_string_equal(chosen(*state, NULL), "one two three");
}

static void only_registrations_are_invitations(void **state)
{
	put_node(*state, "one", false, NOW_NS);
	put(*state, &(struct device){ .node = "one", .kind = BINDING_DIALOG });
	put(*state, &(struct device){ .node = "one", .kind = BINDING_SUBSCRIPTION });
	put(*state, &(struct device){ .node = "one", .kind = BINDING_LINGERING });
	assert_string_equal(chosen(*state, NULL), "");
}

static void so_many_are_chosen_and_no_more(void **state)
{
	char names[2 * CHOICE_MAX][16];

	for (size_t i = 0; i < 2 * CHOICE_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		put_node(*state, names[i], false, NOW_NS);
		put(*state, &(struct device){ .node = names[i], .ago_ms = i });
	}
	assert_string_equal(chosen(*state, NULL), "n0 n1 n2 n3 n4 n5 n6 n7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_view, close_view)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_comes_first),
		TEST(silent_ones_come_after_live_ones),
		TEST(one_in_doubt_counts_as_silent),
		TEST(draining_ones_are_left_out_while_there_are_others),
		TEST(draining_is_no_reason_to_call_down_a_dead_path),
		TEST(dead_ones_are_left_out),
		TEST(a_node_stands_there_once),
		TEST(only_registrations_are_invitations),
		TEST(so_many_are_chosen_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
