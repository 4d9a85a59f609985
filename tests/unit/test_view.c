/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/view: what call control knows of the nodes, and of where devices are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "view_world.h"

static void what_was_put_is_found(void **state)
{
	struct view *view = *state;
	struct location given = at_node("a", NOW_MS - 5), found[2];

	put_node(view, "a", 1);
	given.health = PATH_SILENT;
	assert_int_equal(view_put(view, &given), 0);
	assert_int_equal(view_where(view, ALICE, NOW_MS, found, 2), 1);
	assert_true(span_equal(found[0].node, SPAN("a")));
	assert_true(span_equal(found[0].aor, ALICE));
	assert_true(span_equal(found[0].device, PHONE));
	assert_int_equal(found[0].kind, BINDING_REGISTRATION);
	assert_int_equal(found[0].health, PATH_SILENT);
	assert_memory_equal(&found[0].flow, &given.flow, sizeof(given.flow));
	assert_int_equal(found[0].accepted_ms, NOW_MS - 5);
	assert_int_equal(found[0].ends_ms, LATER_MS);
	assert_int_equal(found[0].heard_ms, NOW_MS - 5);
	assert_int_equal(found[0].epoch, 1);
	assert_int_equal(count_of(view, SPAN("sip:bob@example.org")), 0);
	assert_int_equal(view_count(view), 1);
}

static void the_newest_comes_first(void **state)
{
	struct view *view = *state;

	put_node(view, "a", 1);
	put_node(view, "b", 1);
	put_node(view, "c", 1);
	put(view, "b", NOW_MS - 20);
	put(view, "a", NOW_MS - 10);
	put(view, "c", NOW_MS - 30);
	assert_string_equal(where(view), "a b c");
	put(view, "c", NOW_MS - 5);
	assert_string_equal(where(view), "c a b");
	assert_int_equal(view_count(view), 3);
}

static void registrations_come_before_what_has_no_room(void **state)
{
	struct view *view = *state;
	struct location call, found[2];

	put_node(view, "a", 1);
	put(view, "a", NOW_MS - 100);
	for (unsigned int i = 0; i < 10; i++) {
		char device[16];

		snprintf(device, sizeof(device), "call-%u", i);
		call = at_node("a", NOW_MS - i);
		call.kind = BINDING_DIALOG;
		call.device = span_of(device);
		assert_int_equal(view_put(view, &call), 0);
	}
	assert_int_equal(view_where(view, ALICE, NOW_MS, found, 2), 2);
	assert_int_equal(found[0].kind, BINDING_DIALOG);
	assert_int_equal(found[0].accepted_ms, NOW_MS);
	assert_int_equal(found[1].kind, BINDING_REGISTRATION);
	assert_int_equal(view_where(view, ALICE, NOW_MS, found, 0), 0);
}

static void node_kind_and_device_tell_locations_apart(void **state)
{
	struct view *view = *state;
	struct location other = at_node("a", NOW_MS - 1);

	put_node(view, "a", 1);
	put(view, "a", NOW_MS - 1);
	other.kind = BINDING_DIALOG;
	assert_int_equal(view_put(view, &other), 0);
	other.device = SPAN("another");
	assert_int_equal(view_put(view, &other), 0);
	assert_int_equal(count_of(view, ALICE), 3);
	assert_int_equal(view_drop(view, &other), 0);
	assert_int_equal(count_of(view, ALICE), 2);
	drop(view, "a");
	assert_int_equal(count_of(view, ALICE), 1);
}

static void what_is_older_changes_nothing(void **state)
{
	struct view *view = *state;
	struct location found[1], older = at_node("a", NOW_MS - 10);

	put_node(view, "a", 1);
	older.epoch = 5;
	older.health = PATH_SILENT;
	assert_int_equal(view_put(view, &older), 0);

	older.health = PATH_LIVE;
	older.heard_ms--;
	assert_int_equal(view_put(view, &older), 0);
	older.heard_ms = NOW_MS;
	older.accepted_ms--;
	assert_int_equal(view_put(view, &older), 0);
	older.accepted_ms = NOW_MS;
	older.epoch = 4;
	assert_int_equal(view_put(view, &older), 0);
	assert_int_equal(view_where(view, ALICE, NOW_MS, found, 1), 1);
	assert_int_equal(found[0].health, PATH_SILENT);

	older.epoch = 6;
	older.accepted_ms = 1;
	older.heard_ms = 1;
	assert_int_equal(view_put(view, &older), 0);
	assert_int_equal(view_where(view, ALICE, NOW_MS, found, 1), 1);
	assert_int_equal(found[0].health, PATH_LIVE);
	assert_int_equal(found[0].accepted_ms, 1);
}

static void an_epoch_before_the_whole_one_is_void(void **state)
{
	struct view *view = *state;
	struct location again = at_node("a", NOW_MS);

	put_node(view, "a", 1);
	put(view, "a", NOW_MS);
	assert_string_equal(where(view), "a");
	put_node(view, "a", 2);
	assert_string_equal(where(view), "");
	again.epoch = 3;
	assert_int_equal(view_put(view, &again), 0);
	assert_string_equal(where(view), "a");
}

static void a_location_waits_for_its_node(void **state)
{
	struct view *view = *state;

	put(view, "a", NOW_MS);
	assert_string_equal(where(view), "");
	assert_null(view_find_node(view, SPAN("a")));
	assert_false(view_node_is_alive(view, SPAN("a"), NOW_NS));
	put_node(view, "a", 1);
	assert_string_equal(where(view), "a");
	assert_true(view_node_is_alive(view, SPAN("a"), NOW_NS));
}

static void what_has_ended_does_not_hold(void **state)
{
	struct view *view = *state;
	struct location found[1];

	put_node(view, "a", 1);
	put(view, "a", NOW_MS);
	assert_int_equal(view_where(view, ALICE, LATER_MS - 1, found, 1), 1);
	assert_int_equal(view_where(view, ALICE, LATER_MS, found, 1), 0);
	expire(view, LATER_MS - 1);
	assert_int_equal(view_count(view), 1);
	expire(view, LATER_MS);
	assert_int_equal(view_count(view), 0);
}

static void nodes_are_told(void **state)
{
	struct view *view = *state;
	struct node nodes[3], says = {
		.name = SPAN("b"), .uri = SPAN("sip:192.0.2.12"), .draining = true, .paths = 5
	};
	const struct node *found;

	put_node(view, "a", 1);
	assert_int_equal(view_put_node(view, &says, NOW_NS), 0);
	put(view, "c", NOW_MS); /* only spoken of */
	assert_int_equal(view_nodes(view, nodes, 3), 2);
	assert_int_equal(view_nodes(view, nodes, 1), 1);
	found = view_find_node(view, SPAN("b"));
	assert_non_null(found);
	assert_true(found->draining);
	assert_int_equal(found->paths, 5);
	assert_true(span_equal(found->uri, SPAN("sip:192.0.2.12")));
	says.uri = SPAN("sip:192.0.2.13:5080");
	assert_int_equal(view_put_node(view, &says, NOW_NS), 0);
	assert_true(span_equal(view_find_node(view, SPAN("b"))->uri, says.uri));
}

static void a_node_that_is_not_put_again_leaves_once_it_is_dead(void **state)
{
	struct view *view = *state;
	uint64_t dead_ns = NOW_NS + NODE_DEAD_NS;

	put_node(view, "a", 1);
	put_node(view, "b", 1);
	put(view, "a", NOW_MS - 1);
	put(view, "b", NOW_MS - 2);
	view_end_nodes(view);
	view_judge_nodes(view, NOW_NS);
	put_node_at(view, "b", 1, NOW_MS + 1, dead_ns - 1);
	view_end_nodes(view);
	view_judge_nodes(view, dead_ns - 1);
	assert_string_equal(where(view), "a b");
	put_node_at(view, "b", 1, NOW_MS + 2, dead_ns);
	view_end_nodes(view);
	view_judge_nodes(view, dead_ns);
	assert_null(view_find_node(view, SPAN("a")));
	assert_false(view_node_is_alive(view, SPAN("a"), NOW_NS));
	assert_string_equal(where(view), "b");
	put_node(view, "a", 1);
	assert_string_equal(where(view), "a b");
}

static void nodes_are_bounded(void **state)
{
	struct view *view = *state;
	struct node node = { .uri = SPAN("sip:192.0.2.1") };
	char name[NODE_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	node.name = (struct span){ name, NODE_NAME_MAX + 1 };
	assert_int_equal(view_put_node(view, &node, NOW_NS), -E2BIG);
	for (int i = 0; i <= VIEW_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		node.name = span_of(name);
		assert_int_equal(view_put_node(view, &node, NOW_NS),
				 i < VIEW_NODES_MAX ? 0 : -ENOSPC);
	}
	node.name = SPAN("n0");
	assert_int_equal(view_put_node(view, &node, NOW_NS), 0);
}

static void a_node_lives_as_long_as_its_beat_changes(void **state)
{
	struct view *view = *state;
	uint64_t heard_ns = NOW_NS + NODE_DEAD_NS - 1;

	put_node_at(view, "a", 1, 1, NOW_NS);
	put_node_at(view, "a", 1, 1, heard_ns); /* nothing new */
	assert_true(view_node_is_alive(view, SPAN("a"), heard_ns));
	assert_int_equal(view_node_silence_ns(view, SPAN("a"), heard_ns), NODE_DEAD_NS - 1);
	assert_int_equal(view_node_silence_ns(view, SPAN("b"), heard_ns), UINT64_MAX);
	assert_false(view_node_is_alive(view, SPAN("a"), NOW_NS + NODE_DEAD_NS));
	put_node_at(view, "a", 1, 2, heard_ns);
	assert_true(view_node_is_alive(view, SPAN("a"), heard_ns + NODE_DEAD_NS - 1));
	assert_false(view_node_is_alive(view, SPAN("a"), heard_ns + NODE_DEAD_NS));
}

static void no_node_dies_while_the_view_is_blind(void **state)
{
	struct view *view = *state;
	uint64_t blind_ns = NOW_NS + NODE_DEAD_NS, back_ns = blind_ns + 100 * NODE_DEAD_NS;

	put_node_at(view, "dead", 1, 1, NOW_NS);
	put_node_at(view, "living", 1, 1, NOW_NS + 1);
	view_set_blind(view, true, blind_ns);
	view_set_blind(view, true, back_ns);
	assert_false(view_node_is_alive(view, SPAN("dead"), back_ns));
	assert_true(view_node_is_alive(view, SPAN("living"), back_ns));
	view_set_blind(view, false, back_ns);
	assert_false(view_node_is_alive(view, SPAN("dead"), back_ns));
	assert_true(view_node_is_alive(view, SPAN("living"), back_ns + NODE_DEAD_NS - 1));
	assert_false(view_node_is_alive(view, SPAN("living"), back_ns + NODE_DEAD_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_found),
		TEST(the_newest_comes_first),
		TEST(registrations_come_before_what_has_no_room),
		TEST(node_kind_and_device_tell_locations_apart),
		TEST(what_is_older_changes_nothing),
		TEST(an_epoch_before_the_whole_one_is_void),
		TEST(a_location_waits_for_its_node),
		TEST(what_has_ended_does_not_hold),
		TEST(nodes_are_told),
		TEST(a_node_that_is_not_put_again_leaves_once_it_is_dead),
		TEST(nodes_are_bounded),
		TEST(a_node_lives_as_long_as_its_beat_changes),
		TEST(no_node_dies_while_the_view_is_blind),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
