/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pipeline_replay.c - an agent is killed at any time: whether or not it had released what it
 * had read, the next one comes to know what one agent would that is never killed.
 */
#include "store_world.h"

#include "keeper_world.h"
#include "pipeline.h"
#include "state/record.h"

#define STEPS (sizeof(script) / sizeof(script[0]))
#define LINES_MAX 32
#define STEP_NS (20 * NS_PER_MS)

enum place { PHONE, PHONE_MOVED, DESK, OFFICE, PLACES };

static const char *const places[PLACES] = {
	[PHONE] = "udp 192.0.2.1:5060 198.51.100.7:40001",
	[PHONE_MOVED] = "udp 192.0.2.1:5060 198.51.100.7:40002",
	[DESK] = "udp 192.0.2.1:5060 198.51.100.8:5060",
	[OFFICE] = "tcp 192.0.2.1:5060 198.51.100.9:6000",
};

#define PARTIES(from, from_tag, to, to_tag) \
	"From: <sip:" from "@example.org>;tag=" from_tag "\r\nTo: <sip:" to "@example.org>" to_tag \
	"\r\n"
#define HEADERS(call, sequence, branch) \
	"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-" branch "\r\nCall-ID: " call \
	"\r\nCSeq: " sequence "\r\n"
#define END "Content-Length: 0\r\n\r\n"
#define CONTACT(user, host) "Contact: <sip:" user "@" host ">;expires=600\r\n"
#define REQUEST(method, rest) method " sip:example.org SIP/2.0\r\n" rest END
#define RESPONSE(status, rest) "SIP/2.0 " status " X\r\n" rest END
#define REGISTRATION(user, host, call, number) \
	HEADERS(call, number " REGISTER", call number) \
	PARTIES(user, "r", user, "") CONTACT(user, host)
#define GONE(user, host, call, number) \
	HEADERS(call, number " REGISTER", call number) \
	PARTIES(user, "r", user, "") "Contact: <sip:" user "@" host ">;expires=0\r\n"
#define CALL(call, number, method, to_tag) \
	HEADERS(call, number " " method, call number method) \
	PARTIES("alice", "a", "bob", to_tag) "Contact: <sip:alice@10.0.0.2>\r\n"
#define RUNG(call, number, method, to_tag) \
	HEADERS(call, number " " method, call number method) \
	PARTIES("bob", "b", "desk", to_tag) "Contact: <sip:desk@10.0.0.8>\r\n"
#define WATCHING(number, method, to_tag) \
	HEADERS("watch", number " " method, "watch" number method) \
	PARTIES("desk", "w", "bob", to_tag) "Event: dialog\r\nContact: <sip:desk@10.0.0.8>\r\n"
#define NOTED(number) \
	HEADERS("watch", number " NOTIFY", "noted" number) \
	PARTIES("bob", "s", "desk", ";tag=w") \
	"Event: dialog\r\nSubscription-State: active;expires=300\r\n"

static const struct step {
	enum place place;
	enum sighting_kind kind;
	bool to_device;
	const char *text;
} script[] = {
#define IN(place, text) \
	{ \
		place, SIGHTING_MESSAGE, false, text \
	}
#define OUT(place, text) \
	{ \
		place, SIGHTING_MESSAGE, true, text \
	}
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "one", "1"))),
	OUT(PHONE, RESPONSE("401", REGISTRATION("alice", "10.0.0.2", "one", "1"))),
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "one", "2"))),
	OUT(PHONE, RESPONSE("200", REGISTRATION("alice", "10.0.0.2", "one", "2"))),
	IN(DESK, REQUEST("REGISTER", REGISTRATION("desk", "10.0.0.8", "two", "1"))),
	OUT(DESK, RESPONSE("200", REGISTRATION("desk", "10.0.0.8", "two", "1"))),
	IN(PHONE, REQUEST("INVITE", CALL("talk", "1", "INVITE", ""))),
	OUT(PHONE, RESPONSE("180", CALL("talk", "1", "INVITE", ";tag=b"))),
	OUT(DESK, REQUEST("INVITE", RUNG("ring", "1", "INVITE", ""))),
	IN(DESK, RESPONSE("180", RUNG("ring", "1", "INVITE", ";tag=d"))),
	OUT(PHONE, RESPONSE("200", CALL("talk", "1", "INVITE", ";tag=b"))),
	IN(PHONE, REQUEST("ACK", CALL("talk", "1", "ACK", ";tag=b"))),
	IN(DESK, RESPONSE("200", RUNG("ring", "1", "INVITE", ";tag=d"))),
	IN(DESK, REQUEST("SUBSCRIBE", WATCHING("1", "SUBSCRIBE", "") "Expires: 500\r\n")),
	OUT(DESK, RESPONSE("200", WATCHING("1", "SUBSCRIBE", ";tag=s") "Expires: 500\r\n")),
	OUT(DESK, REQUEST("NOTIFY", NOTED("1"))),
	IN(PHONE, REQUEST("BYE", CALL("talk", "2", "BYE", ";tag=b"))),
	OUT(PHONE, RESPONSE("200", CALL("talk", "2", "BYE", ";tag=b"))),
	IN(PHONE_MOVED, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "new", "1"))),
	OUT(PHONE_MOVED, RESPONSE("200", REGISTRATION("alice", "10.0.0.2", "new", "1"))),
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("eve", "10.0.0.2", "eve", "1"))),
	OUT(PHONE, RESPONSE("200", REGISTRATION("eve", "10.0.0.2", "eve", "1"))),
	IN(PHONE, REQUEST("REGISTER", GONE("eve", "10.0.0.2", "eve", "2"))),
	OUT(PHONE,
	    RESPONSE("200", HEADERS("eve", "2 REGISTER", "eve2") PARTIES("eve", "r", "eve", ""))),
	{ OFFICE, SIGHTING_OPENED, false, "" },
	IN(OFFICE, REQUEST("REGISTER", REGISTRATION("ofc", "10.0.0.9", "ofc", "1"))),
	OUT(OFFICE, RESPONSE("200", REGISTRATION("ofc", "10.0.0.9", "ofc", "1"))),
	{ OFFICE, SIGHTING_CLOSED, false, "" },
	{ OFFICE, SIGHTING_OPENED, false, "" },
	IN(OFFICE, REQUEST("REGISTER", REGISTRATION("ofc", "10.0.0.9", "again", "1"))),
	OUT(OFFICE, RESPONSE("200", REGISTRATION("ofc", "10.0.0.9", "again", "1"))),
	IN(DESK, REQUEST("REGISTER", REGISTRATION("desk", "10.0.0.8", "two", "2"))),
};

/* What is known, a line for each binding, in an order of its own. */
struct knowledge {
	size_t count;
	char lines[LINES_MAX][256];
};

static struct counts counts;
static uint64_t begun_ns; /* of the script */
static uint64_t now_ns; /* when it is read */
static bool finds_connection; /* whoever starts does, as the kernel shows it */

static void find_connection(struct pipeline *pipeline)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(places[OFFICE]), &flow), 0);
	pipeline_connection(pipeline, &flow, now_ns);
}

static struct pipeline *begin(struct store **store)
{
	struct pipeline_options options = {
		.keeper.path_map = -1,
		.keeper.flow_map = -1,
		.keeper.connection_map = 1,
		.keeper.counts = &counts,
		.keeper.paths_max = 64,
		.keeper.defaults.threshold_ns = HOUR,
		.transactions_max = 64,
		.linger_ns = HOUR,
		.dialog_max_ns = HOUR,
	};
	struct pipeline *pipeline;

	assert_int_equal(store_open(directory, store), 0);
	options.store = *store;
	assert_int_equal(pipeline_new(&options, begun_ns, &pipeline), 0);
	assert_true(pipeline_recall(pipeline, now_ns) >= 0);
	if (finds_connection)
		find_connection(pipeline);
	pipeline_turn(pipeline, now_ns);
	return pipeline;
}

/* A turn has been taken since something was seen. */
static void end(struct pipeline *pipeline, struct store *store)
{
	pipeline_free(pipeline);
	store_close(store);
}

static void see(struct pipeline *pipeline, size_t index)
{
	const struct step *step = &script[index];
	size_t length = strlen(step->text);
	struct sighting *sighting = calloc(1, sizeof(*sighting) + length);

	assert_non_null(sighting);
	assert_int_equal(flow_read(span_of(places[step->place]), &sighting->flow), 0);
	sighting->when_ns = begun_ns + index * STEP_NS;
	sighting->wire_length = (uint32_t)length;
	sighting->captured = (uint16_t)length;
	sighting->direction = step->to_device ? SIGHTING_TO_DEVICE : SIGHTING_FROM_DEVICE;
	sighting->kind = (uint8_t)step->kind;
	memcpy(sighting->bytes, step->text, length);
	pipeline_sighting(pipeline, sighting);
	free(sighting);
}

static void describe(const struct binding *binding, char line[256])
{
	char flow[128];
	struct text text = TEXT_OVER(flow);
	struct record record = { 0 };

	record_describe(binding, &record);
	flow_write(&text, &binding->path->flow);
	snprintf(line, 256, "%s kind %d ends %ld accepted %ld %.*s %.*s %.*s %u", flow,
		 binding->kind,
		 binding->ends_ns == CLOCK_NEVER ? -1L : (long)(binding->ends_ns - begun_ns),
		 (long)(record.accepted_ns ? record.accepted_ns - begun_ns : 0),
		 (int)record.aor.length, record.aor.at, (int)record.call_id.length,
		 record.call_id.at, (int)record.target.length, record.target.at, record.cseq);
}

static int compare(const void *one, const void *other)
{
	return strcmp(one, other);
}

static struct knowledge known(const struct pipeline *pipeline)
{
	const struct paths *paths = keeper_paths(pipeline_keeper(pipeline));
	struct knowledge known = { 0 };
	const struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(paths, &cursor)))
		for (struct binding *binding = path->bindings; binding; binding = binding->next) {
			assert_true(known.count < LINES_MAX);
			describe(binding, known.lines[known.count++]);
		}
	qsort(known.lines, known.count, sizeof(known.lines[0]), compare);
	return known;
}

/* Agents come and go; each takes a turn after what it has seen, which writes it down. */
static void live(size_t from, size_t until, struct knowledge *learnt, size_t *waiting)
{
	struct store *store;
	struct pipeline *pipeline = begin(&store);

	for (size_t i = from; i < until; i++)
		see(pipeline, i);
	pipeline_turn(pipeline, now_ns + 1);
	assert_true(pipeline_is_safe(pipeline));
	if (learnt)
		*learnt = known(pipeline);
	end(pipeline, store);
	if (waiting)
		*waiting = found().requests;
}

static void forget_all(void)
{
	assert_int_equal(tear_down(NULL), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void begin_script(uint64_t ago_ns)
{
	now_ns = clock_now_ns();
	begun_ns = now_ns - ago_ns;
	connection_opened_ns = begun_ns;
	for (size_t i = 0; i < STEPS; i++) /* the last one that was opened stands */
		if (script[i].kind == SIGHTING_OPENED)
			connection_opened_ns = begun_ns + i * STEP_NS;
}

static void assert_same(const struct knowledge *one, const struct knowledge *other)
{
	for (size_t i = 0; i < one->count && i < other->count; i++)
		assert_string_equal(one->lines[i], other->lines[i]);
	assert_int_equal(one->count, other->count);
}

/* Killed after "seen" steps, of which the first "released" are not read again. */
static void assert_nothing_is_lost(const struct knowledge *whole, size_t waiting, size_t released,
				   size_t seen)
{
	struct knowledge learnt;
	size_t still_waiting;

	forget_all();
	live(0, seen, NULL, NULL);
	finds_connection = true;
	live(released, STEPS, &learnt, &still_waiting);
	finds_connection = false;
	assert_same(whole, &learnt);
	assert_int_equal(waiting, still_waiting);
}

static void trap_40_an_agent_killed_at_any_time_loses_nothing(void **state)
{
	struct knowledge whole;
	size_t waiting;

	(void)state;
	begin_script(2 * NS_PER_S);
	live(0, STEPS, &whole, &waiting);
	assert_int_equal(whole.count, 7);
	/* Two REGISTERs, one of them challenged, and two INVITEs that may be accepted again. */
	assert_int_equal(waiting, 4);
	for (size_t seen = 0; seen <= STEPS; seen++) {
		assert_nothing_is_lost(&whole, waiting, 0, seen);
		assert_nothing_is_lost(&whole, waiting, seen / 2, seen);
		assert_nothing_is_lost(&whole, waiting, seen, seen);
	}
}

/* Twice in a row, by one and the same: as a host does that is asked twice. */
static void what_is_told_twice_changes_nothing(void **state)
{
	struct knowledge whole, again;
	struct store *store;
	struct pipeline *pipeline;

	(void)state;
	begin_script(2 * NS_PER_S);
	live(0, STEPS, &whole, NULL);
	forget_all();
	pipeline = begin(&store);
	for (size_t i = 0; i < 2 * STEPS; i++)
		see(pipeline, i % STEPS);
	again = known(pipeline);
	end(pipeline, store);
	assert_same(&whole, &again);
}

/* The backlog is as old as the agent was away: its answers are still to be read. */
static void a_request_waits_for_a_backlog_that_is_read_late(void **state)
{
	struct knowledge learnt;

	(void)state;
	begin_script(60 * NS_PER_S); /* longer ago than any request but an INVITE waits */
	live(0, 3, NULL, NULL);
	assert_int_equal(found().requests, 2);
	live(3, 4, &learnt, NULL);
	assert_int_equal(learnt.count, 1);
}

static void what_is_answered_within_a_turn_is_never_written(void **state)
{
	(void)state;
	begin_script(2 * NS_PER_S);
	live(4, 6, NULL, NULL);
	assert_int_equal(found().count, 1);
	assert_int_equal(found().requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trap_40_an_agent_killed_at_any_time_loses_nothing),
		TEST(what_is_told_twice_changes_nothing),
		TEST(a_request_waits_for_a_backlog_that_is_read_late),
		TEST(what_is_answered_within_a_turn_is_never_written),
	};

	return cmocka_run_group_tests_name("a killed agent", tests, NULL, NULL);
}
