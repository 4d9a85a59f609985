/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/view: whatever happens, it says what a model says that is as simple as can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "view_world.h"

#define MODEL_NODES 3
#define MODEL_DEVICES 4
#define MODEL_STEPS 20000

struct model_location {
	bool is_there;
	bool is_read; /* or reported, since the reading began */
	bool is_reported; /* since the reading began */
	struct location location;
};

struct model {
	struct model_location locations[MODEL_NODES][MODEL_DEVICES];
	uint64_t whole[MODEL_NODES]; /* 0: not known */
	bool is_being_read;
	uint64_t now_ms;
	uint64_t now_ns;
	uint64_t beats;
	uint64_t seed;
};

static const char *const model_nodes[MODEL_NODES] = { "a", "b", "c" };
static const char *const model_devices[MODEL_DEVICES] = { "one", "two", "three", "four" };
static const uint8_t model_kinds[MODEL_DEVICES] = { BINDING_REGISTRATION, BINDING_DIALOG,
						    BINDING_REGISTRATION, BINDING_SUBSCRIPTION };

static unsigned int roll(struct model *model, unsigned int sides)
{
	model->seed = model->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned int)(model->seed >> 33) % sides;
}

static bool model_is_older(const struct location *one, const struct location *than)
{
	if (one->epoch != than->epoch)
		return one->epoch < than->epoch;
	if (one->accepted_ms != than->accepted_ms)
		return one->accepted_ms < than->accepted_ms;
	return one->heard_ms < than->heard_ms;
}

static void model_put(struct model_location *known, const struct location *location, bool is_change)
{
	if (!is_change && known->is_reported)
		return;
	if (!known->is_there || !model_is_older(location, &known->location))
		known->location = *location;
	known->is_there = known->is_read = true;
	known->is_reported = known->is_reported || is_change;
}

static void model_mark_all(struct model *model, bool ends)
{
	for (unsigned int i = 0; i < MODEL_NODES * MODEL_DEVICES; i++) {
		struct model_location *known =
			&model->locations[i / MODEL_DEVICES][i % MODEL_DEVICES];

		if (ends)
			known->is_there = known->is_there && known->is_read;
		known->is_read = known->is_reported = false;
	}
	model->is_being_read = !ends;
}

static void change_both(struct model *model, struct view *view)
{
	unsigned int node = roll(model, MODEL_NODES), device = roll(model, MODEL_DEVICES);
	struct model_location *known = &model->locations[node][device];
	struct location location = at_node(model_nodes[node], NOW_MS + roll(model, 5));
	bool is_change = !model->is_being_read || roll(model, 2);

	location.device = span_of(model_devices[device]);
	location.kind = model_kinds[device];
	location.epoch = roll(model, 4);
	location.heard_ms = roll(model, 5);
	location.ends_ms = model->now_ms + roll(model, 40);
	if (roll(model, 3) == 0) {
		assert_int_equal(view_drop(view, &location), 0);
		known->is_there = false;
		known->is_reported = true;
		return;
	}
	assert_int_equal(is_change ? view_put(view, &location) : view_read(view, &location), 0);
	model_put(known, &location, is_change);
}

static void put_known(struct model *model, struct view *view, unsigned int but)
{
	for (unsigned int node = 0; node < MODEL_NODES; node++)
		if (model->whole[node] > 0 && node != but)
			put_node_at(view, model_nodes[node], model->whole[node], ++model->beats,
				    model->now_ns);
}

/* It is missing for as long as it takes to be dead. */
static void let_leave(struct model *model, struct view *view, unsigned int node)
{
	put_known(model, view, MODEL_NODES);
	view_end_nodes(view);
	view_judge_nodes(view, model->now_ns);
	model->now_ns += NODE_DEAD_NS;
	put_known(model, view, node);
	view_end_nodes(view);
	view_judge_nodes(view, model->now_ns);
	model->whole[node] = 0;
}

/* What does not hold, and will not of itself, is forgotten. */
static void expire_both(struct model *model, struct view *view)
{
	for (unsigned int i = 0; i < MODEL_NODES * MODEL_DEVICES; i++) {
		struct model_location *known =
			&model->locations[i / MODEL_DEVICES][i % MODEL_DEVICES];

		known->is_there = known->is_there && known->location.ends_ms > model->now_ms &&
				  known->location.epoch >= model->whole[i / MODEL_DEVICES];
	}
	expire(view, model->now_ms);
}

static void step_both(struct model *model, struct view *view)
{
	unsigned int node = roll(model, MODEL_NODES);

	switch (roll(model, 24)) {
	case 0:
		model_mark_all(model, false);
		view_begin_reading(view);
		break;
	case 1:
		if (model->is_being_read) {
			model_mark_all(model, true);
			view_end_reading(view, model->now_ns);
		}
		break;
	case 2:
		model->whole[node] = 1 + roll(model, 3);
		put_node_at(view, model_nodes[node], model->whole[node], ++model->beats,
			    model->now_ns);
		break;
	case 3:
		let_leave(model, view, node);
		break;
	case 4:
		model->now_ms++;
		break;
	case 5:
		if (!model->is_being_read)
			expire_both(model, view);
		break;
	default:
		change_both(model, view);
	}
}

static bool model_holds(const struct model *model, unsigned int node, unsigned int device)
{
	const struct model_location *known = &model->locations[node][device];

	return known->is_there && model->whole[node] > 0 &&
	       known->location.epoch >= model->whole[node] &&
	       known->location.ends_ms > model->now_ms;
}

static bool is_among(const struct location *found, size_t count, const struct location *location)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(found[i].node, location->node) &&
		    span_equal(found[i].device, location->device))
			return found[i].epoch == location->epoch &&
			       found[i].accepted_ms == location->accepted_ms &&
			       found[i].heard_ms == location->heard_ms &&
			       found[i].ends_ms == location->ends_ms;
	return false;
}

static void compare_both(const struct model *model, const struct view *view)
{
	struct location found[MODEL_NODES * MODEL_DEVICES];
	size_t count = view_where(view, ALICE, model->now_ms, found, MODEL_NODES * MODEL_DEVICES);
	size_t expected = 0;

	for (unsigned int node = 0; node < MODEL_NODES; node++)
		for (unsigned int device = 0; device < MODEL_DEVICES; device++) {
			if (!model_holds(model, node, device))
				continue;
			expected++;
			assert_true(
				is_among(found, count, &model->locations[node][device].location));
		}
	assert_int_equal(count, expected);
	for (size_t i = 1; i < count; i++)
		assert_true(found[i - 1].accepted_ms >= found[i].accepted_ms);
}

static void compare_registrations(const struct model *model, const struct view *view)
{
	struct location found[MODEL_NODES * MODEL_DEVICES];
	size_t expected = 0;

	for (unsigned int i = 0; i < MODEL_NODES * MODEL_DEVICES; i++)
		expected += model_kinds[i % MODEL_DEVICES] == BINDING_REGISTRATION &&
			    model_holds(model, i / MODEL_DEVICES, i % MODEL_DEVICES);
	assert_int_equal(
		view_registrations(view, ALICE, model->now_ms, found, MODEL_NODES * MODEL_DEVICES),
		expected);
	for (size_t i = 0; i < expected; i++)
		assert_int_equal(found[i].kind, BINDING_REGISTRATION);
	for (size_t i = 1; i < expected; i++)
		assert_true(found[i - 1].accepted_ms >= found[i].accepted_ms);
}

static void it_says_what_a_simple_model_says(void **state)
{
	struct model model = { .now_ms = NOW_MS, .now_ns = NOW_NS, .seed = 4 };

	for (unsigned int step = 0; step < MODEL_STEPS; step++) {
		step_both(&model, *state);
		compare_both(&model, *state);
		compare_registrations(&model, *state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_what_a_simple_model_says),
	};

	return cmocka_run_group_tests_name("view_random", tests, NULL, NULL);
}
