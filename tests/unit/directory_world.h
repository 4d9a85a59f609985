/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * directory_world.h - the control socket of an agent of a set of proxies, or of call control, for
 * tests. The directory is the test: it answers when, and as, the test says.
 */
#ifndef TESTS_UNIT_DIRECTORY_WORLD_H
#define TESTS_UNIT_DIRECTORY_WORLD_H

#include <poll.h>

#include "base/address.h"
#include "control_world.h"

#define AGENT_TEST(name) cmocka_unit_test_setup_teardown(name, begin_agent, end)
#define CALLS_TEST(name) cmocka_unit_test_setup_teardown(name, begin_call_control, end)

#define NOW_MS UINT64_C(1700000000000)

#define QUESTIONS_MAX CONTROL_CLIENTS_MAX

#define ALICE "{\"command\": \"where\", \"aor\": \"alice@example.org\"}"

/* A question that was put to the directory and is still to be answered. */
struct question {
	directory_answered *answered;
	void *asker; /* NULL once it is answered or forgotten */
};

static struct question questions[QUESTIONS_MAX];
static size_t question_count;
static size_t forgotten;
static int refusal; /* of every question, -errno; 0: they are taken */
static const struct directory_answer *at_once; /* what is answered within the asking; NULL: later */
static char asked_aor[2048];
static char asked_node[256];
static struct order asked_order;
static bool draining;
static int drain_error;
static bool in_reach;
static struct control_routing routing;

static inline int ask(directory_answered *answered, void *asker)
{
	if (refusal)
		return refusal;
	if (at_once) {
		answered(asker, at_once);
		return 0;
	}
	assert_true(question_count < QUESTIONS_MAX);
	questions[question_count++] = (struct question){ answered, asker };
	return 0;
}

static inline void copy_text(char *out, size_t size, struct span text)
{
	assert_true(text.length < size);
	memcpy(out, text.at, text.length);
	out[text.length] = '\0';
}

static inline int take_where(void *context, struct span aor, directory_answered *answered,
			     void *asker)
{
	assert_ptr_equal(context, &questions);
	copy_text(asked_aor, sizeof(asked_aor), aor);
	return ask(answered, asker);
}

static inline int take_cluster(void *context, directory_answered *answered, void *asker)
{
	assert_ptr_equal(context, &questions);
	return ask(answered, asker);
}

static inline int take_order(void *context, struct span node, const struct order *order,
			     directory_answered *answered, void *asker)
{
	assert_ptr_equal(context, &questions);
	copy_text(asked_node, sizeof(asked_node), node);
	asked_order = *order;
	return ask(answered, asker);
}

static inline void forget(void *context, void *asker)
{
	assert_ptr_equal(context, &questions);
	assert_non_null(asker);
	for (size_t i = 0; i < question_count; i++) {
		if (questions[i].asker == asker) {
			questions[i].asker = NULL;
			forgotten++;
			return;
		}
	}
	fail_msg("nobody has asked that");
}

static inline int set_draining(void *context, bool on)
{
	assert_ptr_equal(context, &questions);
	if (!drain_error)
		draining = on;
	return drain_error;
}

static inline bool is_draining(void *context)
{
	assert_ptr_equal(context, &questions);
	return draining;
}

/* The question that waits longest is answered; its answer is gone when this returns. */
static inline void answer_with(struct directory_answer answer)
{
	struct location *locations = calloc(answer.location_count + 1, sizeof(*locations));
	size_t i = 0;

	assert_non_null(locations);
	while (i < question_count && !questions[i].asker)
		i++;
	assert_true(i < question_count);
	if (answer.location_count > 0)
		memcpy(locations, answer.locations, answer.location_count * sizeof(*locations));
	answer.locations = locations;
	for (size_t j = 0; j < answer.location_count; j++)
		locations[j].aor = locations[j].device = SPAN("not to be looked at");
	questions[i].answered(questions[i].asker, &answer);
	questions[i].asker = NULL;
	free(locations);
}

static inline bool say_reachable(void *context)
{
	assert_ptr_equal(context, &questions);
	return in_reach;
}

static inline struct control_routing say_routing(void *context)
{
	assert_ptr_equal(context, &turns_asked_for);
	return routing;
}

static const struct redis_address address = {
	.host = "2001:db8::7",
	.port = 6379,
	.database = 2,
	.user = "operator",
	.password = "secret",
};

static inline void reset(void)
{
	question_count = 0;
	forgotten = 0;
	refusal = 0;
	at_once = NULL;
	draining = false;
	drain_error = 0;
	in_reach = true;
	routing = (struct control_routing){ .nodes = 3, .locations = 12, .following = true };
}

static inline int begin_agent(void **state)
{
	static const struct directory agents = {
		.where = take_where,
		.cluster = take_cluster,
		.order = take_order,
		.forget = forget,
		.drain = set_draining,
		.is_draining = is_draining,
		.is_reachable = say_reachable,
		.context = &questions,
	};
	struct control_options options = agent_options();

	(void)state;
	reset();
	options.directory = &agents;
	options.cluster = &address;
	options.node = "b";
	return begin_with(options);
}

static inline int begin_call_control(void **state)
{
	static const struct directory views = {
		.where = take_where,
		.cluster = take_cluster,
		.order = take_order,
		.forget = forget,
		.context = &questions,
	};

	(void)state;
	reset();
	return begin_with((struct control_options){
		.counts = &counts,
		.directory = &views,
		.cluster = &address,
		.routing = say_routing,
		.context = &turns_asked_for,
	});
}

static inline struct location location_at(const char *node, const char *flow,
					  enum binding_kind kind, uint64_t accepted_ago_ms)
{
	struct location location = {
		.node = span_of(node),
		.kind = (uint8_t)kind,
		.health = PATH_LIVE,
		.accepted_ms = NOW_MS - accepted_ago_ms,
		.ends_ms = NOW_MS + 60000,
		.heard_ms = NOW_MS - 2000,
	};

	assert_int_equal(flow_read(span_of(flow), &location.flow), 0);
	return location;
}

static inline void assert_text(const json_t *row, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(row, name));

	if (!text || strcmp(text, wanted) != 0)
		fail_msg("%s: expected \"%s\", not \"%s\"", name, wanted, text ? text : "(none)");
}

/* Lets the agent work until so many questions were asked. */
static inline void await_questions(size_t wanted)
{
	uint64_t end_ns = clock_now_ns() + PATIENCE_NS;

	while (question_count < wanted) {
		assert_true(clock_now_ns() < end_ns);
		turn();
		poll(NULL, 0, 1);
	}
}

static inline void await_forgotten(size_t wanted)
{
	uint64_t end_ns = clock_now_ns() + PATIENCE_NS;

	while (forgotten < wanted) {
		assert_true(clock_now_ns() < end_ns);
		turn();
		poll(NULL, 0, 1);
	}
}

#endif
