/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pipeline_replay.c - an agent is killed at any time: whether or not it had released what it
 * had read, the next one comes to know what one agent would that is never killed.
 */
#include <dlfcn.h>
#include <lmdb.h>

#include "store_world.h"

#include "keeper_world.h"
#include "pipeline.h"
#include "replay_world.h"
#include "state/record.h"

#define LINES_MAX 32
#define STEP_NS (20 * NS_PER_MS)

#define IN_MEMORY(name) cmocka_unit_test_setup_teardown(name, set_up_in_memory, tear_down)

/* What is known, a line for each binding, in an order of its own. */
struct knowledge {
	size_t count;
	char lines[LINES_MAX][256];
};

static struct counts counts;
static uint64_t begun_ns; /* of the script */
static uint64_t now_ns; /* when it is read */
static bool finds_connection; /* whoever starts does, as the kernel shows it */
static unsigned int fatal_write; /* the how manieth from now kills the agent; 0: none does */

#define KILLED_IN_A_WRITE 9 /* exit status */

static void write_or_die(void)
{
	if (fatal_write > 0 && --fatal_write == 0)
		_exit(KILLED_IN_A_WRITE);
}

/* Stands before LMDB's own. */
int mdb_txn_commit(MDB_txn *txn)
{
	int (*next)(MDB_txn *);

	write_or_die();
	*(void **)&next = dlsym(RTLD_NEXT, "mdb_txn_commit");
	return next(txn);
}

/* Stands before the C library's. */
int rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *);

	write_or_die();
	*(void **)&next = dlsym(RTLD_NEXT, "rename");
	return next(from, to);
}

static void find_connection(struct pipeline *pipeline)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(places[OFFICE]), &flow), 0);
	pipeline_connection(pipeline, &flow, now_ns);
}

/* The caller takes the first turn. */
static struct pipeline *start(struct store **store)
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
	return pipeline;
}

static struct pipeline *begin(struct store **store)
{
	struct pipeline *pipeline = start(store);

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

/* Agents by the hundred: none waits for a disk. */
static int set_up_in_memory(void **state)
{
	(void)state;
	strcpy(directory, "/dev/shm/sippath-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
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

/* When an agent is killed. */
enum death {
	BEFORE_THE_TURN, /* what it has seen nobody has written down */
	IN_THE_TURN, /* nothing of it is committed yet */
	AFTER_THE_TURN, /* all of it is, and nothing released, or all */
	DEATHS
};

/* Sees the steps, takes a turn unless it is killed before, and ends without closing anything. */
static void see_and_die(struct pipeline *pipeline, size_t from, size_t until, enum death death)
{
	for (size_t i = from; i < until; i++)
		see(pipeline, i);
	if (death == BEFORE_THE_TURN)
		_exit(0);
	fatal_write = death == IN_THE_TURN;
	pipeline_turn(pipeline, now_ns + 2);
	_exit(0);
}

/* True if it was within a write. */
static bool was_killed(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED_IN_A_WRITE);
	return WEXITSTATUS(status) == KILLED_IN_A_WRITE;
}

/* The turn after the first "turned" steps has written those down. */
static bool live_and_die(size_t turned, size_t seen, enum death death)
{
	struct pipeline *pipeline;
	struct store *store;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		pipeline = begin(&store);
		for (size_t i = 0; i < turned; i++)
			see(pipeline, i);
		pipeline_turn(pipeline, now_ns + 1);
		see_and_die(pipeline, turned, seen, death);
	}
	return was_killed(child);
}

/* There is no room for a copy of what it finds, so that all is written anew, but until it dies. */
static bool write_anew_and_die(size_t turned, size_t seen, unsigned int write)
{
	struct pipeline *pipeline;
	struct store *store;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		leave_room(64);
		finds_connection = true;
		pipeline = start(&store);
		leave_room(RLIM_INFINITY);
		for (size_t i = turned; i < seen; i++)
			see(pipeline, i);
		fatal_write = write;
		pipeline_turn(pipeline, now_ns + 1);
		_exit(0);
	}
	return was_killed(child);
}

/* Of what was seen the first "released" steps are not read again. */
static void assert_nothing_is_lost(const struct knowledge *whole, size_t waiting, size_t released)
{
	struct knowledge learnt;
	size_t still_waiting;

	finds_connection = true;
	live(released, STEPS, &learnt, &still_waiting);
	finds_connection = false;
	assert_same(whole, &learnt);
	assert_int_equal(waiting, still_waiting);
	forget_all();
}

static void trap_40_an_agent_killed_at_any_time_loses_nothing(void **state)
{
	struct knowledge whole;
	size_t waiting, in_writes = 0;

	(void)state;
	begin_script(2 * NS_PER_S);
	live(0, STEPS, &whole, &waiting);
	assert_int_equal(whole.count, 7);
	/* Two REGISTERs, one of them challenged, and two INVITEs that may be accepted again. */
	assert_int_equal(waiting, 4);
	forget_all();
	for (size_t seen = 0; seen <= STEPS; seen++) {
		for (enum death death = 0; death < DEATHS; death++) {
			in_writes += live_and_die(seen / 2, seen, death);
			assert_nothing_is_lost(&whole, waiting, seen / 2);
		}
		live_and_die(seen / 2, seen, AFTER_THE_TURN);
		assert_nothing_is_lost(&whole, waiting, seen);
	}
	assert_true(in_writes > STEPS / 2); /* not every step is worth one */
}

/* Before the file is made, before all is in it, and before it takes the place of the other. */
static void trap_40_an_agent_killed_while_it_writes_anew_loses_nothing(void **state)
{
	struct knowledge whole;
	size_t waiting;

	(void)state;
	begin_script(2 * NS_PER_S);
	live(0, STEPS, &whole, &waiting);
	forget_all();
	for (size_t seen = 1; seen <= STEPS; seen++)
		for (unsigned int write = 1; write <= 3; write++) {
			live_and_die(0, seen / 2, AFTER_THE_TURN);
			assert_true(write_anew_and_die(seen / 2, seen, write));
			assert_nothing_is_lost(&whole, waiting, seen / 2);
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
		IN_MEMORY(trap_40_an_agent_killed_at_any_time_loses_nothing),
		IN_MEMORY(trap_40_an_agent_killed_while_it_writes_anew_loses_nothing),
		IN_MEMORY(what_is_told_twice_changes_nothing),
		IN_MEMORY(a_request_waits_for_a_backlog_that_is_read_late),
		IN_MEMORY(what_is_answered_within_a_turn_is_never_written),
	};

	return cmocka_run_group_tests_name("a killed agent", tests, NULL, NULL);
}
