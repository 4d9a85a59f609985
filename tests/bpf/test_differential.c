/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_differential.c - the programs and the model agree on every frame: verdict, frame,
 * counters, maps and reports. FRAMES says how many frames, SEED which.
 *
 * Frames come in batches. The maps are compared behind a batch; one that differs is run
 * again, and then they are compared behind each of its frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "environment.h"
#include "frames.h"
#include "kernel.h"
#include "model.h"

#define FRAMES_DEFAULT 1000000
#define BATCH 256
#define TICK_NS 20000000 /* the coarse clock lags by less */

_Static_assert(BATCH <= MODEL_FLOWS_MAX && 2 * BATCH <= KERNEL_FLOWS, "no flow is forgotten");
_Static_assert(FRAMES_CONNECTIONS <= KERNEL_CONNECTIONS, "connections find room");
_Static_assert(FRAMES_CONNECTIONS == MODEL_CONNECTIONS_MAX && FRAMES_PATHS == MODEL_PATHS_MAX,
	       "the model knows as many");

struct differential {
	struct kernel *kernel;
	struct frames frames;
	struct model model;
	uint64_t before[KERNEL_COUNTER_MAX]; /* the programs' counters at the start of the batch */
	uint64_t began_ns;
};

static const char *const counter_names[] = {
#define NAME_(name, help) #name,
	SIPPATH_KERNEL_COUNTERS(NAME_)
#undef NAME_
};

static void read_counters(struct kernel *kernel, uint64_t counts[KERNEL_COUNTER_MAX])
{
	for (int i = 0; i < KERNEL_COUNTER_MAX; i++)
		counts[i] = kernel_count(kernel, i);
}

/* Gives the programs and the model the same world, with no flows. */
static void begin(struct differential *test, uint64_t seed, uint64_t number)
{
	struct frames_world *world = &test->frames.world;
	struct model *model = &test->model;
	struct flow_entry entry;
	struct flow flow;

	frames_begin(&test->frames, seed, number);
	memset(model, 0, sizeof(*model));
	model->settings = world->settings;
	kernel_set(test->kernel, &world->settings);
	for (size_t i = 0; i < FRAMES_PATHS; i++) {
		model->paths[i] = (struct model_path){ frames_path(i), world->paths[i] };
		kernel_put_path(test->kernel, frames_path(i), &world->paths[i]);
	}
	for (size_t i = 0; i < FRAMES_CONNECTIONS; i++) {
		model->connections[i] =
			(struct model_connection){ frames_connection(i), world->connections[i] };
		kernel_connect_as(test->kernel, frames_connection(i), &world->connections[i]);
	}
	model->path_count = FRAMES_PATHS;
	model->connection_count = FRAMES_CONNECTIONS;
	while (kernel_take_flow(test->kernel, &flow, &entry))
		continue;
	kernel_sightings(test->kernel);
	test->began_ns = kernel_now_ns();
}

/* NULL if a sighting is what the model reports, or in what it differs. */
static const char *differing_report(const struct sighting *seen, const struct model_report *report,
				    uint64_t run_ns)
{
	if (!seen)
		return "nothing was reported";
	if (memcmp(&seen->flow, &report->flow, sizeof(seen->flow)) != 0)
		return "a report has another flow";
	if (seen->direction != report->direction || seen->kind != report->kind)
		return "a report has another direction or kind";
	if (seen->wire_length != report->wire_length || seen->sequence != report->sequence ||
	    seen->reserved != 0)
		return "a report has another wire_length or sequence";
	if (seen->captured != report->captured ||
	    memcmp(seen->bytes, report->bytes, seen->captured) != 0)
		return "a report has other bytes";
	if (seen->when_ns < run_ns || seen->when_ns > kernel_now_ns())
		return "a report has another time";
	return NULL;
}

static const char *differing_reports(struct differential *test, uint64_t run_ns)
{
	for (size_t i = 0; i < test->model.report_count; i++) {
		const char *difference = differing_report(kernel_next_sighting(test->kernel),
							  &test->model.reports[i], run_ns);

		if (difference)
			return difference;
	}
	return kernel_next_sighting(test->kernel) ? "something was reported" : NULL;
}

/* Draws a frame and runs it through both. */
static const char *run_frame(struct differential *test)
{
	struct frames *frames = &test->frames;
	const struct frame *frame = &frames->frame;
	uint64_t now_ns;
	int verdict, expected;

	frames_next(frames);
	now_ns = kernel_now_ns();
	if (!kernel_run(test->kernel, frames->direction, frame, frames->mark, &verdict))
		return "the frame came out changed";
	expected = frames->direction == SIGHTING_FROM_DEVICE
			   ? model_ingress(&test->model, frame->bytes, frame->length, now_ns)
			   : model_egress(&test->model, frame->bytes, frame->length, frames->mark,
					  now_ns);
	if (verdict != expected)
		return "the verdict is another one";
	return differing_reports(test, now_ns);
}

/*
 * True if the programs wrote down a time where the model did, and takes theirs over: what the
 * model says is from just before the run.
 */
static bool is_same_time(const struct differential *test, uint64_t program_ns, __u64 *model_ns)
{
	uint64_t said_ns = *model_ns;

	*model_ns = program_ns;
	if (said_ns < test->began_ns)
		return program_ns == said_ns;
	return program_ns + TICK_NS >= said_ns && program_ns <= kernel_now_ns();
}

static bool is_same_path(struct differential *test, struct model_path *model)
{
	struct path_entry entry = kernel_path(test->kernel, model->flow);
	struct path_entry *said = &model->entry;

	return is_same_time(test, entry.last_seen_ns, &said->last_seen_ns) &&
	       is_same_time(test, entry.last_sent_ns, &said->last_sent_ns) &&
	       is_same_time(test, entry.prompt_ns, &said->prompt_ns) &&
	       is_same_time(test, entry.answer_ns, &said->answer_ns) &&
	       memcmp(&entry, said, sizeof(entry)) == 0;
}

static bool is_same_flow(struct differential *test, struct model_flow *model)
{
	struct flow_entry entry, *said = &model->entry;

	return kernel_flow(test->kernel, model->flow, &entry) &&
	       is_same_time(test, entry.first_seen_ns, &said->first_seen_ns) &&
	       is_same_time(test, entry.last_seen_ns, &said->last_seen_ns) &&
	       entry.packets_in == said->packets_in;
}

static bool is_same_connection(struct differential *test, const struct model_connection *model)
{
	struct connection_entry entry;

	return kernel_connection(test->kernel, model->flow, &entry) &&
	       memcmp(&entry, &model->entry, sizeof(entry)) == 0;
}

/* NULL if the maps are what the model says, or in what they differ. */
static const char *differing_maps(struct differential *test)
{
	struct model *model = &test->model;

	for (size_t i = 0; i < model->path_count; i++)
		if (!is_same_path(test, &model->paths[i]))
			return "the entry of a path is another one";
	for (size_t i = 0; i < model->connection_count; i++)
		if (!is_same_connection(test, &model->connections[i]))
			return "the entry of a connection is another one";
	for (size_t i = 0; i < model->flow_count; i++)
		if (!is_same_flow(test, &model->flows[i]))
			return "the entry of a flow is another one";
	if (kernel_flows_held(test->kernel) != model->flow_count ||
	    kernel_paths_held(test->kernel) != model->path_count ||
	    kernel_connections_held(test->kernel) != model->connection_count)
		return "a map has other entries besides";
	return NULL;
}

/* The name of a counter that went up otherwise than the model says, or NULL. */
static const char *differing_counter(struct differential *test)
{
	uint64_t now[KERNEL_COUNTER_MAX];

	read_counters(test->kernel, now);
	for (int i = 0; i < KERNEL_COUNTER_MAX; i++)
		if (now[i] - test->before[i] != test->model.counts[i])
			return counter_names[i];
	return NULL;
}

static void print_frame(const struct frames *frames)
{
	char text[3 * 32 + 1];

	print_error("%s, mark %#" PRIx32 ", %zu bytes:\n",
		    frames->direction == SIGHTING_FROM_DEVICE ? "ingress" : "egress", frames->mark,
		    frames->frame.length);
	for (size_t at = 0; at < frames->frame.length; at += 32) {
		size_t length = 0;

		for (size_t i = at; i < at + 32 && i < frames->frame.length; i++)
			length += (size_t)snprintf(text + length, sizeof(text) - length, " %02x",
						   frames->frame.bytes[i]);
		print_error("%s\n", text);
	}
}

/* Finds the frame of a batch at which the programs and the model part, and fails. */
static void find_difference(struct differential *test, uint64_t seed, uint64_t number)
{
	const char *difference = NULL, *counter = NULL;
	size_t index = 0;

	read_counters(test->kernel, test->before);
	begin(test, seed, number);
	for (; index < BATCH && !difference && !counter; index++) {
		difference = run_frame(test);
		counter = differing_counter(test);
		if (!difference)
			difference = differing_maps(test);
	}
	print_frame(&test->frames);
	fail_msg("seed %" PRIu64 ", batch %" PRIu64 ", frame %zu: %s%s%s", seed, number, index,
		 difference ? difference : "", counter ? "; another count of " : "",
		 counter ? counter : "");
}

static void run_batch(struct differential *test, uint64_t seed, uint64_t number)
{
	const char *difference = NULL;

	begin(test, seed, number);
	for (size_t i = 0; i < BATCH && !difference; i++)
		difference = run_frame(test);
	if (difference || differing_maps(test) || differing_counter(test))
		find_difference(test, seed, number);
	for (int i = 0; i < KERNEL_COUNTER_MAX; i++)
		test->before[i] += test->model.counts[i];
}

/* Frames that all end at the first check would prove nothing. */
static void assert_all_was_tried(const uint64_t counts[KERNEL_COUNTER_MAX], uint64_t frames)
{
	static const struct {
		enum kernel_counter counter;
		uint64_t one_in;
	} least[] = {
		{ COUNTER_packets_in, 3 },         { COUNTER_packets_out, 8 },
		{ COUNTER_packets_on_paths, 5 },   { COUNTER_packets_cut, 50 },
		{ COUNTER_sightings, 10 },         { COUNTER_sightings_cut, 200 },
		{ COUNTER_answers_absorbed, 200 }, { COUNTER_prompts_left, 200 },
		{ COUNTER_prompts_unknown, 1000 }, { COUNTER_segments_refused, 100 },
	};

	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++)
		if (counts[least[i].counter] < frames / least[i].one_in)
			fail_msg("only %" PRIu64 " of %s in %" PRIu64 " frames",
				 counts[least[i].counter], counter_names[least[i].counter], frames);
}

static void the_programs_do_what_the_model_says(void **state)
{
	uint64_t frames = environment_number("FRAMES", FRAMES_DEFAULT);
	uint64_t seed = environment_number("SEED", kernel_now_ns());
	uint64_t batches = (frames + BATCH - 1) / BATCH;
	struct differential *test = *state;

	print_message("# seed %" PRIu64 "\n", seed);
	for (uint64_t number = 0; number < batches; number++)
		run_batch(test, seed, number);
	for (int i = 0; i < KERNEL_COUNTER_MAX; i++)
		if (test->before[i] != 0)
			print_message("# %s %" PRIu64 "\n", counter_names[i], test->before[i]);
	print_message("# %" PRIu64
		      " frames: 0 differences, 0 packets changed or dropped but %" PRIu64
		      " answers of our own\n",
		      batches * BATCH, test->before[COUNTER_answers_absorbed]);
	assert_all_was_tried(test->before, batches * BATCH);
}

/* On one processor: a map that forgets what is old gives each of them a share of its room. */
static int setup(void **state)
{
	struct differential *test = test_calloc(1, sizeof(*test));
	cpu_set_t here;

	*state = test;
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		return -1;
	return kernel_setup_frags((void **)&test->kernel);
}

static int teardown(void **state)
{
	struct differential *test = *state;

	kernel_teardown((void **)&test->kernel);
	test_free(test);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_programs_do_what_the_model_says, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
