/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pipeline_connections.c - what is known of a connection is never another one's, whatever
 * was not reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keeper_world.h"
#include "pipeline.h"

#define LATER (START + NS_PER_S)

struct office {
	struct counts counts;
	struct pipeline *pipeline;
	struct flow flow;
	uint32_t sequence[2]; /* of the next piece, each way */
};

static void open_office(struct office *office)
{
	struct pipeline_options options = {
		.keeper.path_map = -1,
		.keeper.flow_map = -1,
		.keeper.connection_map = 1,
		.keeper.counts = &office->counts,
		.keeper.paths_max = PATHS_MAX,
		.keeper.defaults.threshold_ns = THRESHOLD,
		.transactions_max = 8,
		.linger_ns = 32 * NS_PER_S,
		.dialog_max_ns = HOUR,
	};

	*office = (struct office){ .sequence = { 1000, 2000 } };
	assert_int_equal(flow_read(SPAN(TCP_FLOW), &office->flow), 0);
	has_entry = false;
	connection_error = 0;
	connection_opened_ns = START;
	assert_int_equal(pipeline_new(&options, START, &office->pipeline), 0);
	assert_int_equal(pipeline_recall(office->pipeline, START), 0);
}

static void close_office(struct office *office)
{
	pipeline_free(office->pipeline);
}

static struct path *path_of(const struct office *office)
{
	return paths_find(keeper_paths(pipeline_keeper(office->pipeline)), &office->flow);
}

static enum path_state state_of(const struct office *office)
{
	const struct path *path = path_of(office);

	return path ? path_state(path) : PATH_IDLE;
}

static void see(struct office *office, enum sighting_kind kind, enum sighting_direction direction,
		const char *bytes, uint64_t when_ns)
{
	size_t length = strlen(bytes);
	struct sighting *sighting = calloc(1, sizeof(*sighting) + length);

	assert_non_null(sighting);
	*sighting = (struct sighting){
		.flow = office->flow,
		.when_ns = when_ns,
		.wire_length = (uint32_t)length,
		.captured = (uint16_t)length,
		.direction = (uint8_t)direction,
		.kind = (uint8_t)kind,
		.sequence = office->sequence[direction],
	};
	memcpy(sighting->bytes, bytes, length);
	office->sequence[direction] += (uint32_t)length;
	pipeline_sighting(office->pipeline, sighting);
	free(sighting);
}

static void see_opened(struct office *office, uint64_t when_ns)
{
	see(office, SIGHTING_OPENED, SIGHTING_FROM_DEVICE, "", when_ns);
}

#define DIALOG \
	"Via: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK-1\r\n" \
	"From: <sip:alice@example.org>;tag=a\r\n" \
	"To: <sip:alice@example.org>\r\n" \
	"Call-ID: one@10.0.0.2\r\n" \
	"CSeq: 1 REGISTER\r\n" \
	"Contact: <sip:alice@10.0.0.2:5060;transport=tcp>;expires=3600\r\n"

static const char request[] =
	"REGISTER sip:example.org SIP/2.0\r\n" DIALOG "Content-Length: 0\r\n\r\n";
static const char answer[] = "SIP/2.0 200 OK\r\n" DIALOG "Content-Length: 0\r\n\r\n";

static void register_phone(struct office *office, uint64_t when_ns)
{
	see(office, SIGHTING_SEGMENT, SIGHTING_FROM_DEVICE, request, when_ns);
	see(office, SIGHTING_SEGMENT, SIGHTING_TO_DEVICE, answer, when_ns);
	assert_int_equal(state_of(office), PATH_REGISTERED);
}

/* Turns the pipeline whenever it asks to be. */
static void run(struct office *office, uint64_t from_ns, uint64_t until_ns)
{
	uint64_t now_ns = from_ns;

	while (now_ns < until_ns) {
		uint64_t next_ns = pipeline_turn(office->pipeline, now_ns);

		now_ns = next_ns > now_ns ? next_ns : now_ns + NS_PER_MS;
	}
}

static void a_reopened_connection_does_not_inherit_a_registration(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	see_opened(&office, START);
	register_phone(&office, START);
	connection_opened_ns = LATER;
	see_opened(&office, LATER);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	assert_int_equal(office.counts.value[COUNT_bindings_ended], 2);
	close_office(&office);
}

/* Found by the walk, not reported at all. */
static void a_walk_finds_a_connection_replaced(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	see_opened(&office, START);
	register_phone(&office, START);
	pipeline_connection(office.pipeline, &office.flow, LATER);
	assert_int_equal(state_of(&office), PATH_REGISTERED);
	connection_opened_ns = LATER;
	pipeline_connection(office.pipeline, &office.flow, LATER + 1);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	close_office(&office);
}

static void a_look_finds_a_connection_replaced_and_the_new_one_begins(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	see_opened(&office, START);
	register_phone(&office, START);
	connection_opened_ns = LATER;
	run(&office, LATER, START + 2 * THRESHOLD);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	assert_int_equal(office.counts.value[COUNT_bindings_ended], 2);
	/* The new one is looked at like any other. */
	connection_error = -ENOENT;
	run(&office, START + 2 * THRESHOLD, START + 4 * THRESHOLD);
	assert_int_equal(state_of(&office), PATH_IDLE);
	close_office(&office);
}

static void a_connection_that_was_not_reported_is_found_by_a_walk(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	pipeline_connection(office.pipeline, &office.flow, LATER);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	pipeline_connection(office.pipeline, &office.flow, LATER);
	assert_int_equal(path_of(&office)->binding_counts[BINDING_CONNECTION], 1);
	close_office(&office);
}

/* A backlog is read: the entry is that of the connection after this one, or gone. */
static void an_older_report_is_not_taken_for_the_connection_that_stands(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	connection_opened_ns = LATER;
	see_opened(&office, START);
	register_phone(&office, START);
	see_opened(&office, LATER);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	register_phone(&office, LATER + 1);
	connection_error = -ENOENT;
	see_opened(&office, LATER + NS_PER_S);
	assert_int_equal(state_of(&office), PATH_IDLE);
	close_office(&office);
}

/* A killed agent has not released it: the next one is told again, and knows what stands. */
static void a_close_that_is_told_again_ends_no_newer_connection(void **state)
{
	struct office office;

	(void)state;
	open_office(&office);
	connection_opened_ns = LATER;
	pipeline_connection(office.pipeline, &office.flow, LATER + 1);
	see(&office, SIGHTING_CLOSED, SIGHTING_FROM_DEVICE, "", START);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	see_opened(&office, LATER);
	register_phone(&office, LATER);
	see_opened(&office, LATER);
	assert_int_equal(state_of(&office), PATH_REGISTERED);
	see(&office, SIGHTING_CLOSED, SIGHTING_FROM_DEVICE, "", LATER + 1);
	assert_int_equal(state_of(&office), PATH_IDLE);
	close_office(&office);
}

/* Data may come with the last packet of the handshake, ahead of the report. */
static void a_stream_that_began_before_its_report_is_read_on(void **state)
{
	enum { HALF = 40 };
	struct office office;
	char half[HALF + 1] = "";

	(void)state;
	open_office(&office);
	memcpy(half, request, HALF);
	see(&office, SIGHTING_SEGMENT, SIGHTING_FROM_DEVICE, half, START);
	see_opened(&office, START);
	see(&office, SIGHTING_SEGMENT, SIGHTING_FROM_DEVICE, request + HALF, START);
	see(&office, SIGHTING_SEGMENT, SIGHTING_TO_DEVICE, answer, START);
	assert_int_equal(state_of(&office), PATH_REGISTERED);
	close_office(&office);
}

/* What the one before had begun to say is no part of what this one says. */
static void a_reopened_connection_begins_its_stream_anew(void **state)
{
	enum { HALF = 40 };
	struct office office;
	char half[HALF + 1] = "";

	(void)state;
	open_office(&office);
	memcpy(half, request, HALF);
	see_opened(&office, START);
	see(&office, SIGHTING_SEGMENT, SIGHTING_FROM_DEVICE, half, START);
	connection_opened_ns = LATER;
	see_opened(&office, LATER);
	see(&office, SIGHTING_SEGMENT, SIGHTING_FROM_DEVICE, request + HALF, LATER);
	see(&office, SIGHTING_SEGMENT, SIGHTING_TO_DEVICE, answer, LATER);
	assert_int_equal(state_of(&office), PATH_CONNECTED);
	register_phone(&office, LATER);
	close_office(&office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reopened_connection_does_not_inherit_a_registration),
		cmocka_unit_test(a_walk_finds_a_connection_replaced),
		cmocka_unit_test(a_look_finds_a_connection_replaced_and_the_new_one_begins),
		cmocka_unit_test(a_connection_that_was_not_reported_is_found_by_a_walk),
		cmocka_unit_test(an_older_report_is_not_taken_for_the_connection_that_stands),
		cmocka_unit_test(a_close_that_is_told_again_ends_no_newer_connection),
		cmocka_unit_test(a_stream_that_began_before_its_report_is_read_on),
		cmocka_unit_test(a_reopened_connection_begins_its_stream_anew),
	};

	return cmocka_run_group_tests_name("pipeline_connections", tests, NULL, NULL);
}
