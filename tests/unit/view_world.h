/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_world.h - a view, and what is put in there: a phone of Alice at nodes "a", "b" ... */
#ifndef TESTS_VIEW_WORLD_H
#define TESTS_VIEW_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "cluster/view.h"
#include "state/path.h"

#define NOW_MS UINT64_C(1700000000000)
#define NOW_NS (UINT64_C(1000) * 1000000000)
#define LATER_MS (NOW_MS + 3600000)
#define LOCATIONS_MAX 100000

#define ALICE SPAN("sip:alice@example.org")
#define PHONE SPAN("<urn:uuid:00000000-0000-1000-8000-aabbccddeeff>#1")

static inline int set_up(void **state)
{
	*state = view_new(LOCATIONS_MAX);
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	view_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static inline void put_node_at(struct view *view, const char *name, uint64_t whole,
			       uint64_t beat_ms, uint64_t now_ns)
{
	struct node node = {
		.name = span_of(name),
		.uri = SPAN("sip:192.0.2.11:5060"),
		.incarnation = 7,
		.beat_ms = beat_ms,
		.begun = whole,
		.whole = whole,
	};

	assert_int_equal(view_put_node(view, &node, now_ns), 0);
}

static inline void put_node(struct view *view, const char *name, uint64_t whole)
{
	put_node_at(view, name, whole, NOW_MS, NOW_NS);
}

static inline struct location at_node(const char *node, uint64_t accepted_ms)
{
	return (struct location){
		.node = span_of(node),
		.aor = ALICE,
		.device = PHONE,
		.kind = BINDING_REGISTRATION,
		.health = PATH_LIVE,
		.flow = { .local_port = 5060, .remote_port = 40001, .transport = FLOW_UDP },
		.accepted_ms = accepted_ms,
		.ends_ms = LATER_MS,
		.heard_ms = accepted_ms,
		.epoch = 1,
	};
}

static inline void put(struct view *view, const char *node, uint64_t accepted_ms)
{
	struct location location = at_node(node, accepted_ms);

	assert_int_equal(view_put(view, &location), 0);
}

static inline void read_one(struct view *view, const char *node, uint64_t accepted_ms)
{
	struct location location = at_node(node, accepted_ms);

	assert_int_equal(view_read(view, &location), 0);
}

static inline void drop(struct view *view, const char *node)
{
	struct location location = at_node(node, 0);

	assert_int_equal(view_drop(view, &location), 0);
}

static inline size_t count_of(struct view *view, struct span aor)
{
	struct location found[8];

	return view_where(view, aor, NOW_MS, found, 8);
}

/* The nodes where Alice is, newest first: "b a". */
static inline const char *where(struct view *view)
{
	static char text[64];
	struct location found[8];
	size_t count = view_where(view, ALICE, NOW_MS, found, 8);
	struct text out = TEXT_OVER(text);

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		text_format(&out, "%s%.*s", i > 0 ? " " : "", (int)found[i].node.length,
			    found[i].node.at);
	return text;
}

/* Calls of one minute. */
static inline void expire(struct view *view, uint64_t now_ms)
{
	for (int second = 0; second < 60; second++)
		view_expire(view, now_ms);
}

#endif
