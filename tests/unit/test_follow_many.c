/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster/follow: very much to read, and very many changes. */
#include "follow_world.h"

#define MANY 100000
#define READING_SECONDS_MAX 30
#define CHURNED 200
#define CHURNS 3000
#define HERD 4000
#define HERD_QUESTIONS_MAX 2 /* besides the one that waits for the first change */

static void write_many(struct world *world, unsigned int many)
{
	redisReply *reply = redis_world_command(
		&world->redis, "EVAL %s 0 %u %llu",
		"for i = 1, tonumber(ARGV[1]) do"
		" redis.call('HSET', 'sippath:aor:sip:' .. i .. '@x', 'r a <urn:uuid:1>#1',"
		" '1 1 5 ' .. ARGV[2] .. ' 5 live udp 192.0.2.11:5060 198.51.100.7:40001') end",
		many, (unsigned long long)wall_ms() + 3600000);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* The longest that the loop took for one round. */
struct longest {
	ev_check check;
	ev_prepare prepare;
	double begun;
	double seconds;
};

static void round_begins(struct ev_loop *loop, ev_check *check, int events)
{
	(void)loop;
	(void)events;
	((struct longest *)check->data)->begun = redis_world_now();
}

static void round_ends(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct longest *longest = prepare->data;
	double took = redis_world_now() - longest->begun;

	(void)loop;
	(void)events;
	if (longest->begun > 0 && took > longest->seconds)
		longest->seconds = took;
}

static void begin_to_measure(struct world *world, struct longest *longest)
{
	*longest = (struct longest){ 0 };
	ev_check_init(&longest->check, round_begins);
	ev_prepare_init(&longest->prepare, round_ends);
	longest->check.data = longest->prepare.data = longest;
	ev_check_start(world->loop, &longest->check);
	ev_prepare_start(world->loop, &longest->prepare);
}

static void end_to_measure(struct world *world, struct longest *longest)
{
	ev_check_stop(world->loop, &longest->check);
	ev_prepare_stop(world->loop, &longest->prepare);
}

static void a_hundred_thousand_are_read_soon(void **state)
{
	struct world *world = *state;
	struct longest longest;
	double begun, took;

	write_many(world, MANY);
	begin_to_measure(world, &longest);
	begun = redis_world_now();
	follow_two_nodes(world);
	took = redis_world_now() - begun;
	end_to_measure(world, &longest);
	printf("# %d locations were read in %.2f s; the loop was held up for %.1f ms at most\n",
	       MANY, took, longest.seconds * 1e3);
	assert_int_equal(view_count(world->view), MANY);
	assert_string_equal(where(world, "sip:77777@x"), "a");
	assert_true(took < READING_SECONDS_MAX);
}

static void say_one_of_churned(char aor[32], unsigned int number)
{
	snprintf(aor, 32, "sip:%u@x", number * 37 % CHURNED + 1);
}

/* Changes, and then some more of the loop, as often as until the reading has ended. */
static void changes_amid_a_reading_are_not_lost(void **state)
{
	struct world *world = *state;
	bool is_there[CHURNED] = { 0 };
	unsigned int amid = 0;
	char aor[32];

	write_many(world, MANY / 5);
	write_node(world, "a", wall_ms(), "serving");
	begin_to_follow(world);
	for (unsigned int i = 0; i < CHURNS; i++) {
		unsigned int number = i * 37 % CHURNED;

		say_one_of_churned(aor, i);
		is_there[number] = i % 3 != 0;
		if (is_there[number])
			put(world, aor, "a");
		else
			drop(world, aor, "a");
		ev_run(world->loop, EVRUN_NOWAIT);
		amid += view_count(world->view) > 0 && !world->is_ready;
	}
	assert_true(amid > 0);
	run_until(world, is_ready);
	put(world, "sip:last@x", "a");
	run_until_where(world, "sip:last@x", "a");
	for (unsigned int i = 0; i < CHURNED; i++) {
		say_one_of_churned(aor, i);
		assert_string_equal(where(world, aor), is_there[i * 37 % CHURNED] ? "a" : "");
	}
}

/* All of them at once, as when a node announces everything it has. */
static void change_many(struct world *world, unsigned int many)
{
	redisReply *reply = redis_world_command(
		&world->redis, "EVAL %s 0 %u %llu",
		"for i = 1, tonumber(ARGV[1]) do"
		" redis.call('XADD', 'sippath:changes', '*', 'n',"
		" redis.call('INCR', 'sippath:sequence'), 'a', 'sip:' .. i .. '@x',"
		" 'f', 'r a <urn:uuid:1>#1', 'v', '1 1 5 ' .. ARGV[2] .."
		" ' 5 live udp 192.0.2.11:5060 198.51.100.7:40001') end",
		many, (unsigned long long)wall_ms() + 3600000);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* How often the changes have been asked for. */
static unsigned int questions_of(struct world *world)
{
	redisReply *stats = redis_world_command(&world->redis, "INFO commandstats");
	const char *calls = strstr(stats->str, "cmdstat_xread:calls=");
	unsigned int count = 0;

	if (calls)
		assert_int_equal(sscanf(calls, "cmdstat_xread:calls=%u", &count), 1);
	freeReplyObject(stats);
	return count;
}

static bool is_herd_known(void *context)
{
	return view_count(((struct world *)context)->view) == HERD;
}

static void a_herd_of_changes_takes_few_questions(void **state)
{
	struct world *world = *state;
	struct longest longest;
	unsigned int before;

	follow_two_nodes(world);
	before = questions_of(world);
	change_many(world, HERD);
	begin_to_measure(world, &longest);
	run_until(world, is_herd_known);
	end_to_measure(world, &longest);
	printf("# %d changes took %u more questions; the loop was held up for %.1f ms at most\n",
	       HERD, questions_of(world) - before, longest.seconds * 1e3);
	assert_int_equal(world->changes, HERD);
	assert_true(questions_of(world) - before <= HERD_QUESTIONS_MAX);
	assert_true(follow_is_current(world->follow, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hundred_thousand_are_read_soon),
		TEST(changes_amid_a_reading_are_not_lost),
		TEST(a_herd_of_changes_takes_few_questions),
	};

	return cmocka_run_group_tests_name("follow_many", tests, NULL, NULL);
}
