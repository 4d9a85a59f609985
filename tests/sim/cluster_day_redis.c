/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cluster/notation.h"
#include "cluster_day_parts.h"

#define PATIENCE_S 30.0

/* How many orders to the living there are that have not been read. */
#define COUNT_ORDERS \
	"local count = 0 for name in ARGV[1]:gmatch('%S+') do " \
	"count = count + redis.call('XLEN', '" NOTATION_ORDERS "' .. name) " \
	"end return count"

static redisReply *ask_info(struct cluster_day *day, const char *section)
{
	redisReply *reply = redis_world_command(&day->redis, "INFO %s", section);

	assert_int_equal(reply->type, REDIS_REPLY_STRING);
	return reply;
}

/* The number that stands behind a name in what Redis says of itself; 0 if it does not say it. */
static uint64_t figure(const redisReply *info, const char *name)
{
	const char *at = strstr(info->str, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* What a server that is about to be killed has done by then. */
static void count_cost(struct cluster_day *day)
{
	redisReply *stats = ask_info(day, "stats"), *commands = ask_info(day, "commandstats");

	day->cost.scripts += figure(commands, "cmdstat_evalsha:calls=");
	day->cost.commands += figure(stats, "total_commands_processed:");
	day->cost.bytes_in += figure(stats, "total_net_input_bytes:");
	day->cost.bytes_out += figure(stats, "total_net_output_bytes:");
	freeReplyObject(stats);
	freeReplyObject(commands);
}

static void do_in_redis(struct cluster_day *day, const char *format, const char *name)
{
	redisReply *reply = redis_world_command(&day->redis, format, name, name);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* Each node is a user of its own, so that it alone can be kept out. */
static void admit(struct cluster_day *day, const struct cluster_day_node *node)
{
	do_in_redis(day,
		    node->is_dead ? "ACL SETUSER %s off >%s ~* &* +@all"
				  : "ACL SETUSER %s on >%s ~* &* +@all",
		    node->name);
}

static void admit_all(struct cluster_day *day)
{
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		admit(day, &day->nodes[i]);
}

void cluster_day_open_redis(struct cluster_day *day)
{
	redis_world_start(&day->redis);
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		snprintf(day->nodes[i].name, sizeof(day->nodes[i].name), "proxy%02zu", i);
	admit_all(day);
}

void cluster_day_close_redis(struct cluster_day *day)
{
	redis_world_stop(&day->redis);
}

void cluster_day_kill_node(struct cluster_day *day, size_t node)
{
	assert_false(day->redis_is_gone);
	assert_false(day->nodes[node].is_dead);
	day->nodes[node].is_dead = true;
	day->died_ms = cluster_day_ms(day);
	day->deaths++;
	admit(day, &day->nodes[node]);
	do_in_redis(day, "CLIENT KILL USER %s", day->nodes[node].name);
	cluster_day_desert(day, node);
}

void cluster_day_revive_node(struct cluster_day *day, size_t node)
{
	assert_true(day->nodes[node].is_dead);
	day->nodes[node].is_dead = false;
	day->nodes[node].is_joining = true;
	day->nodes[node].due_ns = 0;
	admit(day, &day->nodes[node]);
}

static void begin_outage(struct cluster_day *day)
{
	day->redis_is_gone = true;
	day->outage_ns = day->now_ns;
}

void cluster_day_kill_redis(struct cluster_day *day)
{
	count_cost(day);
	redis_world_kill(&day->redis);
	begin_outage(day);
}

/* The nodes do not run meanwhile: they find their users there. */
void cluster_day_restart_redis(struct cluster_day *day)
{
	redis_world_restart(&day->redis);
	admit_all(day);
	day->redis_is_gone = false;
}

void cluster_day_pause_redis(struct cluster_day *day)
{
	redis_world_pause(&day->redis);
	begin_outage(day);
}

void cluster_day_resume_redis(struct cluster_day *day)
{
	redis_world_resume(&day->redis);
	day->redis_is_gone = false;
}

bool cluster_day_orders_are_read(struct cluster_day *day)
{
	char living[CLUSTER_DAY_NODES * sizeof(day->nodes[0].name)] = "";
	size_t length = 0;
	redisReply *reply;
	bool none;

	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		if (!day->nodes[i].is_dead)
			length += (size_t)snprintf(living + length, sizeof(living) - length, "%s ",
						   day->nodes[i].name);
	reply = redis_world_command(&day->redis, "EVAL %s 0 %s", COUNT_ORDERS, living);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	none = reply->integer == 0;
	freeReplyObject(reply);
	return none;
}

struct wait {
	struct cluster_day *day;
	bool (*holds)(struct cluster_day *day);
};

static bool holds(void *context)
{
	struct wait *wait = context;

	cluster_day_turn(wait->day);
	return wait->holds(wait->day);
}

bool cluster_day_wait(struct cluster_day *day, bool (*condition)(struct cluster_day *day))
{
	struct wait wait = { day, condition };

	return redis_world_run_until(day->loop, holds, &wait, PATIENCE_S);
}

static bool is_blind(struct cluster_day *day)
{
	return !follow_is_current(day->follow, NULL);
}

void cluster_day_wait_for_blindness(struct cluster_day *day)
{
	assert_true(cluster_day_wait(day, is_blind));
}

static uint64_t sum(const struct cluster_day *day, enum agent_counter counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		sum += day->nodes[i].counts.value[counter];
	return sum;
}

void cluster_day_say(struct cluster_day *day)
{
	double hours = (double)(day->now_ns - day->begun_ns) / (double)CLUSTER_DAY_HOUR;
	double registration_hours = hours * (double)day->phone_count;
	uint64_t written = sum(day, COUNT_shared_written), stale = sum(day, COUNT_shared_stale);

	count_cost(day);
	printf("# %.1f hours, %d nodes, %zu registrations of %u devices, in %.0f s\n", hours,
	       CLUSTER_DAY_NODES, day->phone_count, day->options.devices,
	       (double)(clock_now_ns() - day->real_begun_ns) / NS_PER_S);
	printf("# REGISTERs: %" PRIu64 ", through another node %" PRIu64 "; calls %" PRIu64
	       "; dead nodes %" PRIu64 "\n",
	       day->registers, day->moves, day->calls, day->deaths);
	printf("# reports: written %" PRIu64 ", stale %" PRIu64 ", taken back %" PRIu64
	       "; announcements %" PRIu64 "; orders taken %" PRIu64 "; losses %" PRIu64 "\n",
	       written, stale, sum(day, COUNT_shared_dropped), sum(day, COUNT_announcements),
	       sum(day, COUNT_orders_taken), sum(day, COUNT_cluster_losses));
	printf("# calls routed in the checks: %" PRIu64
	       ", to devices whose node had just died: %" PRIu64 "\n",
	       day->choices, day->stranded);
	printf("# redis: %" PRIu64 " scripts, %" PRIu64 " commands, theirs included, %" PRIu64
	       " bytes in, %" PRIu64 " bytes out\n",
	       day->cost.scripts, day->cost.commands, day->cost.bytes_in, day->cost.bytes_out);
	printf("# for each hour of a registration: %.2f reports, %.0f bytes in, %.0f bytes out\n",
	       (double)(written + stale) / registration_hours,
	       (double)day->cost.bytes_in / registration_hours,
	       (double)day->cost.bytes_out / registration_hours);
}
