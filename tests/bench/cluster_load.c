/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster_load.c - loads a Redis server as a set of proxies does, for tests/bench/cluster_sizing.
 *
 *     cluster_load PORT put FIRST COUNT      reports registrations FIRST.. through put.lua
 *     cluster_load PORT where COUNT          asks where the devices of so many AORs are
 *     cluster_load PORT announce COUNT       a node with so many bindings joins
 *     cluster_load PORT follow LIMIT COUNT   call control reads everything, then so many changes
 *
 * Prints lines of NAME VALUE: what it has measured in its own process. What Redis had to do
 * whoever started it asks Redis. It writes what a share writes, by the same code.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <ev.h>
#include <hiredis/hiredis.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "cluster/follow.h"
#include "cluster/notation.h"
#include "cluster/share.h"

#define AT_ONCE 1000 /* commands in one pipeline */
#define NODES 100
#define EXPIRES_NS (3600 * NS_PER_S)
#define PATIENCE_S 120.0

static const char put_text[] =
#include "put.lua.h"
	;

/* A registration of the length that most have. */
struct phone {
	struct record record;
	char aor[64], instance[64], call_id[64];
};

struct load {
	uint16_t port;
	redisContext *redis;
	struct ev_loop *loop;
	struct counts counts;
	/* announce */
	struct share *share;
	struct phone *phones;
	size_t count, cursor;
	uint64_t epoch;
	/* follow */
	struct view *view;
	struct follow *follow;
	uint64_t changes;
	bool is_ready;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "cluster_load: %s\n", what);
	exit(1);
}

static void *must(void *made)
{
	if (!made)
		die("out of memory");
	return made;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_since(uint64_t begun_ns)
{
	return (double)(clock_now_ns() - begun_ns) / NS_PER_S;
}

static void say_seconds(const char *name, uint64_t begun_ns)
{
	printf("%s %.3f\n", name, seconds_since(begun_ns));
}

/* --- registrations --- */

static void make_phone(struct phone *phone, size_t number, uint64_t now_ns)
{
	*phone = (struct phone){
		.record = {
			.kind = BINDING_REGISTRATION,
			.reg_id = 1,
			.accepted_ns = now_ns,
			.ends_ns = now_ns + EXPIRES_NS,
			.flow = {
				.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 11 },
				.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 51,
						 (__u8)(number >> 24), (__u8)(number >> 16) },
				.local_port = 5060,
				.remote_port = (__u16)(10000 + number % 50000),
				.transport = FLOW_UDP,
			},
		},
	};
	snprintf(phone->aor, sizeof(phone->aor), "sip:+49%08zu@example.com", number);
	snprintf(phone->instance, sizeof(phone->instance),
		 "<urn:uuid:f81d4fae-7dec-11d0-a765-%012zx>", number);
	snprintf(phone->call_id, sizeof(phone->call_id), "%zu@192.168.0.9", number);
}

/* What points into a phone, wherever it has come to be. */
static const struct record *record_of(struct phone *phone)
{
	phone->record.aor = span_of(phone->aor);
	phone->record.instance = span_of(phone->instance);
	phone->record.call_id = span_of(phone->call_id);
	return &phone->record;
}

static void describe(const struct record *record, const char *node, struct text *device,
		     struct location *location)
{
	uint64_t now_ms = clock_wall_ns() / NS_PER_MS;

	*location = (struct location){
		.node = span_of(node),
		.aor = record->aor,
		.device = location_device(record, device),
		.kind = record->kind,
		.health = PATH_LIVE,
		.flow = record->flow,
		.accepted_ms = now_ms,
		.ends_ms = now_ms + EXPIRES_NS / NS_PER_MS,
		.heard_ms = now_ms,
		.epoch = now_ms,
	};
}

/* --- Redis, asked in pipelines --- */

static redisContext *connect_to(uint16_t port)
{
	redisContext *redis = redisConnect("127.0.0.1", port);

	if (!redis || redis->err)
		die("there is no redis to be reached");
	return redis;
}

static redisReply *take_reply(struct load *load)
{
	void *reply;

	if (redisGetReply(load->redis, &reply) != REDIS_OK)
		die("redis has gone away");
	if (((redisReply *)reply)->type == REDIS_REPLY_ERROR)
		die(((redisReply *)reply)->str);
	return reply;
}

static void take_replies(struct load *load, size_t count)
{
	while (count-- > 0)
		freeReplyObject(take_reply(load));
}

static void append_put(struct load *load, const char *sha, size_t number)
{
	char device_room[256], value_room[512], flow_room[128], node[16];
	struct text device = TEXT_OVER(device_room), value = TEXT_OVER(value_room);
	struct text flow = TEXT_OVER(flow_room);
	struct location location;
	struct phone phone;

	snprintf(node, sizeof(node), "proxy-%02zu", number % NODES);
	make_phone(&phone, number, clock_now_ns());
	describe(record_of(&phone), node, &device, &location);
	notation_write_value(&value, &location);
	flow_write(&flow, &location.flow);
	redisAppendCommand(
		load->redis,
		"EVALSHA %s 3 %s%s %s %s %s r %s %b %b %" PRIu64 " %" PRIu64 " %" PRIu64 " %b stop",
		sha, NOTATION_AOR, phone.aor, NOTATION_CHANGES, NOTATION_SEQUENCE, phone.aor, node,
		location.device.at, location.device.length, value_room, value.used,
		location.accepted_ms, location.ends_ms, location.accepted_ms, flow_room, flow.used);
}

static void put(struct load *load, size_t first, size_t count)
{
	uint64_t begun_ns;
	redisReply *sha;
	size_t at_once;

	redisAppendCommand(load->redis, "SCRIPT LOAD %s", put_text);
	sha = take_reply(load);
	begun_ns = clock_now_ns();
	for (size_t end = first + count; first < end; first += at_once) {
		at_once = end - first < AT_ONCE ? end - first : AT_ONCE;
		for (size_t i = 0; i < at_once; i++)
			append_put(load, sha->str, first + i);
		take_replies(load, at_once);
	}
	freeReplyObject(sha);
	say_seconds("seconds", begun_ns);
}

static void ask_where(struct load *load, size_t count)
{
	uint64_t begun_ns = clock_now_ns();
	size_t at_once;

	for (size_t first = 0; first < count; first += at_once) {
		at_once = count - first < AT_ONCE ? count - first : AT_ONCE;
		for (size_t i = 0; i < at_once; i++) {
			struct phone phone;

			make_phone(&phone, first + i, 0);
			redisAppendCommand(load->redis, "HGETALL %s%s", NOTATION_AOR, phone.aor);
		}
		take_replies(load, at_once);
	}
	say_seconds("seconds", begun_ns);
}

/* --- a node --- */

static void run_until(struct load *load, bool (*holds)(struct load *load))
{
	uint64_t begun_ns = clock_now_ns();

	while (!holds(load)) {
		if (seconds_since(begun_ns) > PATIENCE_S)
			die("that takes too long");
		ev_run(load->loop, EVRUN_ONCE);
	}
}

static void announce(void *context)
{
	struct load *load = context;
	uint64_t wanted = share_epoch(load->share);
	size_t room = share_room(load->share);

	if (wanted != load->epoch)
		load->cursor = 0;
	load->epoch = wanted;
	if (wanted == 0)
		return;
	for (; room > 0 && load->cursor < load->count; room--) {
		struct phone *phone = &load->phones[load->cursor++];
		struct share_report report = {
			.record = record_of(phone),
			.seen_ns = phone->record.accepted_ns,
			.health = PATH_LIVE,
		};

		share_put(load->share, &report, clock_now_ns());
	}
	if (load->cursor == load->count)
		share_announced(load->share, wanted);
}

static uint32_t count_paths(void *context)
{
	return (uint32_t)((struct load *)context)->count;
}

static void take_order(void *context, const struct order *order, uint64_t accepted_ns)
{
	(void)context;
	(void)order;
	(void)accepted_ns;
}

static bool is_whole(struct load *load)
{
	return load->counts.value[COUNT_announcements] > 0;
}

static void join(struct load *load, size_t count)
{
	struct share_options options = {
		.loop = load->loop,
		.address = { .host = "127.0.0.1", .port = load->port },
		.node = "proxy-00",
		.uri = "sip:192.0.2.11:5060",
		.counts = &load->counts,
		.paths = count_paths,
		.ordered = take_order,
		.wake = announce,
		.context = load,
	};

	load->count = count;
	load->phones = must(calloc(count + 1, sizeof(*load->phones)));
	for (size_t i = 0; i < count; i++)
		make_phone(&load->phones[i], i, clock_now_ns());
	if (share_redis_open(&options, &load->share))
		die("no share");
	run_until(load, is_whole);
}

static void leave(struct load *load)
{
	share_close(load->share);
	free(load->phones);
}

static void measure_announcement(struct load *load, size_t count)
{
	size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t begun_ns = clock_now_ns();
	double cpu = cpu_seconds();

	join(load, count);
	say_seconds("seconds", begun_ns);
	printf("cpu_seconds %.3f\n", cpu_seconds() - cpu);
	printf("heap_bytes %zd\n", (ssize_t)(mallinfo2().uordblks + mallinfo2().hblkhd - heap) -
					   (ssize_t)((count + 1) * sizeof(*load->phones)));
	leave(load);
}

/* --- call control --- */

static void note_ready(void *context)
{
	((struct load *)context)->is_ready = true;
}

static void note_change(void *context, const struct location *location)
{
	(void)location;
	((struct load *)context)->changes++;
}

static bool is_ready(struct load *load)
{
	return load->is_ready;
}

static bool has_followed(struct load *load)
{
	return load->changes >= load->count && follow_is_current(load->follow, NULL);
}

static void begin_to_follow(struct load *load)
{
	struct follow_options options = {
		.loop = load->loop,
		.address = { .host = "127.0.0.1", .port = load->port },
		.view = load->view,
		.counts = &load->counts,
		.ready = note_ready,
		.changed = note_change,
		.context = load,
	};

	if (follow_redis_open(&options, &load->follow))
		die("no follower");
	run_until(load, is_ready);
}

/* Whoever makes the changes begins once everything has been read. */
static void measure_following(struct load *load, size_t limit, size_t changes)
{
	size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t begun_ns = clock_now_ns();
	double cpu = cpu_seconds();

	load->view = must(view_new(limit));
	begin_to_follow(load);
	say_seconds("reading_seconds", begun_ns);
	printf("reading_cpu_seconds %.3f\n", cpu_seconds() - cpu);
	printf("locations %zu\n", view_count(load->view));
	printf("view_bytes %zu\n", mallinfo2().uordblks + mallinfo2().hblkhd - heap);
	fflush(stdout);
	cpu = cpu_seconds();
	load->count = changes;
	run_until(load, has_followed);
	printf("following_cpu_seconds %.3f\n", cpu_seconds() - cpu);
	follow_close(load->follow);
	view_free(load->view);
}

/* --- */

static size_t number_of(const char *text)
{
	uint64_t number;

	if (number_read(span_of(text), 0, UINT32_MAX, &number))
		die("that is no number");
	return (size_t)number;
}

static bool run(struct load *load, const char *what, size_t first, size_t second)
{
	if (!strcmp(what, "put"))
		put(load, first, second);
	else if (!strcmp(what, "where"))
		ask_where(load, first);
	else if (!strcmp(what, "announce"))
		measure_announcement(load, first);
	else if (!strcmp(what, "follow"))
		measure_following(load, first, second);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct load load = { 0 };

	if (argc < 4)
		die("usage: cluster_load PORT put|where|announce|follow NUMBER [NUMBER]");
	log_set_level(LOG_LEVEL_WARNING);
	load.port = (uint16_t)number_of(argv[1]);
	load.redis = connect_to(load.port);
	load.loop = must(ev_default_loop(0));
	if (!run(&load, argv[2], number_of(argv[3]), argc > 4 ? number_of(argv[4]) : 0))
		die("no such thing to do");
	redisFree(load.redis);
	return 0;
}
