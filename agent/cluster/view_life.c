/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_life.c - which nodes live, and what is kept for those that do.
 *
 * A node is judged by what could have been heard of it: its silence grows neither while the view
 * is blind nor while it is quiet, that is while not one of several nodes is heard of.
 */
#include "cluster/view_parts.h"

/*
 * Some node beats in every second, and is looked at twice in one: if there is nothing for longer,
 * the silence of the first one is not to become its death before that of the last one shows.
 */
#define QUIET_NS (UINT64_C(1250) * 1000000)

/* One node alone may be dead; that so many are within so short a time is not believed. */
#define QUIET_NODES_MIN 2

typedef void act_on_node(struct view *view, struct view_node *node, uint64_t now_ns);

/* The act may free the node. */
static void for_each_node(struct view *view, act_on_node *act, uint64_t now_ns)
{
	for (size_t i = 0; i < view->by_name.bucket_count; i++) {
		struct table_node *next, *in = view->by_name.buckets[i];

		for (; in; in = next) {
			next = in->next;
			act(view, view_node_in(in), now_ns);
		}
	}
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

uint64_t view_silence_ns(const struct view *view, const struct view_node *node, uint64_t now_ns)
{
	uint64_t looked_ns = now_ns;

	if (view->is_blind)
		looked_ns = earlier(looked_ns, view->blind_ns);
	if (view->is_quiet)
		looked_ns = earlier(looked_ns, view->quiet_ns);
	return looked_ns > node->heard_ns ? looked_ns - node->heard_ns : 0;
}

bool view_node_lives(const struct view *view, const struct view_node *node, uint64_t now_ns)
{
	return node->is_known && view_silence_ns(view, node, now_ns) < NODE_DEAD_NS;
}

/* It has not been heard only because nobody was. */
static void pardon(struct view *view, struct view_node *node, uint64_t now_ns)
{
	if (view_node_lives(view, node, now_ns))
		node->heard_ns = now_ns;
}

void view_set_blind(struct view *view, bool blind, uint64_t now_ns)
{
	if (blind == view->is_blind)
		return;
	if (blind)
		view->blind_ns = now_ns;
	else {
		for_each_node(view, pardon, now_ns);
		view->heard_ns = view->quiet_ns = now_ns;
	}
	view->is_blind = blind;
}

static size_t count_living(const struct view *view, uint64_t now_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < view->by_name.bucket_count; i++)
		for (struct table_node *in = view->by_name.buckets[i]; in; in = in->next)
			count += view_node_lives(view, view_node_in(in), now_ns);
	return count;
}

static void judge_quiet(struct view *view, uint64_t now_ns)
{
	if (view->is_quiet && view->heard_ns > view->quiet_ns) {
		for_each_node(view, pardon, now_ns);
		view->is_quiet = false;
	} else if (!view->is_quiet && now_ns >= view->heard_ns + QUIET_NS &&
		   count_living(view, now_ns) >= QUIET_NODES_MIN) {
		view->quiet_ns = now_ns;
		view->is_quiet = true;
	}
}

uint64_t view_quiet_ns(const struct view *view, uint64_t now_ns)
{
	return view->is_quiet ? now_ns - view->heard_ns : 0;
}

static void owe(struct view *view, struct view_node *node, uint64_t now_ns)
{
	(void)view;
	node->owes = node->is_known;
	node->owes_ns = now_ns;
}

void view_node_settle(struct view *view, struct view_node *node)
{
	if (node->owes)
		node->since = view->whole;
	node->owes = false;
}

/* One that does not begin to announce was not lost: it would have found that out by now. */
static void judge(struct view *view, struct view_node *node, uint64_t now_ns)
{
	bool is_missing = node->is_known && node->round + 1 != view->round;

	if (is_missing && !view_node_lives(view, node, now_ns))
		view_node_leave(view, node);
	else if (is_missing)
		owe(view, node, now_ns);
	else if (node->owes && node->node.whole == node->node.begun &&
		 now_ns - node->owes_ns >= NODE_DEAD_NS)
		view_node_settle(view, node);
}

void view_judge_nodes(struct view *view, uint64_t now_ns)
{
	judge_quiet(view, now_ns);
	for_each_node(view, judge, now_ns);
}

void view_lose(struct view *view, uint64_t now_ns)
{
	for_each_node(view, owe, now_ns);
}

static void spare(struct view *view, struct view_node *node, uint64_t now_ns)
{
	bool is_announcing = node->node.whole < node->node.begun;

	if (!view_node_lives(view, node, now_ns) || !(node->owes || is_announcing)) {
		node->owes = false;
		node->since = view->whole;
	} else if (!node->owes) {
		owe(view, node, now_ns);
	}
}

void view_end_reading(struct view *view, uint64_t now_ns)
{
	view->whole = view->reading;
	for_each_node(view, spare, now_ns);
}
