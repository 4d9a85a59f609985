/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scripts_world.h - nodes that report through the scripts to a Redis of the test's own. */
#ifndef TESTS_UNIT_SCRIPTS_WORLD_H
#define TESTS_UNIT_SCRIPTS_WORLD_H

#include "redis_world.h"

#include <inttypes.h>

#include "base/address.h"
#include "cluster/notation.h"

static const char put_text[] =
#include "put.lua.h"
	;
static const char drop_text[] =
#include "drop.lua.h"
	;
static const char beat_text[] =
#include "beat.lua.h"
	;

#define scripts_helper __attribute__((unused)) static

#define AOR "sip:alice@example.net"
#define LOCATION_KEY NOTATION_AOR AOR
#define DEVICE "<urn:uuid:1>#1"

#define NEAR_FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"
#define FAR_FLOW "udp 192.0.2.2:5060 198.51.100.7:40002"

static struct redis_world world;

/*
 * Later than the server's own clock can be: keys expire by that one, reports by ours. And of more
 * digits than Lua prints by itself.
 */
static const uint64_t now_ms = UINT64_C(410244480000000);

/* What a node reports; what a test leaves out is as in report_by(). */
struct report {
	const char *node;
	char kind;
	const char *device;
	const char *flow;
	const char *move;
	uint64_t accepted_ms;
	uint64_t ends_ms;
	bool undated; /* the server is to take its own time */
};

static inline struct report report_by(const char *node, uint64_t accepted_ms)
{
	return (struct report){
		.node = node,
		.kind = 'r',
		.device = DEVICE,
		/* Each node has an address of its own. */
		.flow = strcmp(node, "a") == 0 ? NEAR_FLOW : FAR_FLOW,
		.move = "stop",
		.accepted_ms = accepted_ms,
		.ends_ms = now_ms + 3600000,
	};
}

static inline int scripts_world_begin(void **state)
{
	(void)state;
	redis_world_start(&world);
	return 0;
}

static inline int scripts_world_end(void **state)
{
	(void)state;
	redis_world_stop(&world);
	return 0;
}

static inline int scripts_world_empty(void **state)
{
	(void)state;
	freeReplyObject(redis_world_command(&world, "FLUSHALL"));
	return 0;
}

/* Runs a script, whose answer is the caller's to free. */
scripts_helper redisReply *run_script(const char *script, const char *keys,
				      const struct span *words, size_t count)
{
	const char *arguments[16] = { "EVAL", script, keys };
	size_t lengths[16] = { 4, strlen(script), strlen(keys) };
	redisReply *reply;

	assert_true(count + 3 <= 16);
	for (size_t i = 0; i < count; i++) {
		arguments[i + 3] = words[i].at;
		lengths[i + 3] = words[i].length;
	}
	reply = redisCommandArgv(redis_world_client(&world), (int)count + 3, arguments, lengths);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("the script failed: %s", reply->str);
	return reply;
}

struct number {
	char digits[24];
};

static inline struct span number_text(struct number *number, uint64_t value)
{
	snprintf(number->digits, sizeof(number->digits), "%" PRIu64, value);
	return span_of(number->digits);
}

scripts_helper void write_report(const struct report *report, struct text *value)
{
	struct location location = {
		.epoch = 1,
		.accepted_ms = report->accepted_ms,
		.ends_ms = report->ends_ms,
		.heard_ms = report->accepted_ms,
		.health = PATH_LIVE,
	};

	assert_int_equal(flow_read(span_of(report->flow), &location.flow), 0);
	notation_write_value(value, &location);
}

scripts_helper redisReply *put(const struct report *report)
{
	char room[NOTATION_MAX];
	struct text value = TEXT_OVER(room);
	struct number accepted, ends, now;
	struct span words[] = {
		SPAN(LOCATION_KEY),
		SPAN(NOTATION_CHANGES),
		SPAN(NOTATION_SEQUENCE),
		SPAN(AOR),
		{ &report->kind, 1 },
		span_of(report->node),
		span_of(report->device),
		{ NULL, 0 },
		number_text(&accepted, report->accepted_ms),
		number_text(&ends, report->ends_ms),
		report->undated ? SPAN("") : number_text(&now, now_ms),
		span_of(report->flow),
		span_of(report->move),
	};

	write_report(report, &value);
	words[7] = text_span(&value);
	return run_script(put_text, "3", words, sizeof(words) / sizeof(words[0]));
}

static inline uint64_t number_of(const redisReply *reply)
{
	return strtoull(reply->str, NULL, 10);
}

/* The report is kept; returns how much garbage was found. */
scripts_helper uint64_t put_kept(struct report report)
{
	redisReply *reply = put(&report);
	uint64_t garbage;

	assert_int_equal(reply->elements, 2);
	assert_string_equal(reply->element[0]->str, "kept");
	garbage = number_of(reply->element[1]);
	freeReplyObject(reply);
	return garbage;
}

/* The report is stale, because of one by this node that was accepted then. */
scripts_helper void put_stale(struct report report, const char *other, uint64_t accepted_ms)
{
	redisReply *reply = put(&report);
	struct number number;

	assert_int_equal(reply->elements, 4);
	assert_string_equal(reply->element[0]->str, "stale");
	assert_string_equal(reply->element[1]->str, other);
	assert_string_equal(reply->element[2]->str, number_text(&number, accepted_ms).at);
	assert_string_equal(reply->element[3]->str, "0");
	freeReplyObject(reply);
}

scripts_helper uint64_t drop(const char *field)
{
	struct span words[] = { SPAN(LOCATION_KEY), SPAN(NOTATION_CHANGES), SPAN(NOTATION_SEQUENCE),
				SPAN(AOR), span_of(field) };
	redisReply *reply = run_script(drop_text, "3", words, sizeof(words) / sizeof(words[0]));
	uint64_t dropped = (uint64_t)reply->integer;

	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	freeReplyObject(reply);
	return dropped;
}

/* The number that a command answers with, written or not. */
scripts_helper uint64_t ask_number(const char *command)
{
	redisReply *reply = redis_world_command(&world, command);
	uint64_t number =
		reply->type == REDIS_REPLY_INTEGER ? (uint64_t)reply->integer : number_of(reply);

	freeReplyObject(reply);
	return number;
}

static inline bool has_field(const char *field)
{
	redisReply *reply = redis_world_command(&world, "HEXISTS " LOCATION_KEY " %s", field);
	bool has = reply->integer == 1;

	freeReplyObject(reply);
	return has;
}

static inline void write_field(const char *field, const char *value)
{
	freeReplyObject(redis_world_command(&world, "HSET " LOCATION_KEY " %s %s", field, value));
}

/* The only order of the node's stream, whose texts live as long as the answer. */
scripts_helper redisReply *read_order(const char *node, struct order *order)
{
	redisReply *reply = redis_world_command(&world, "XRANGE " NOTATION_ORDERS "%s - +", node);
	const redisReply *words;

	assert_int_equal(reply->elements, 1);
	words = reply->element[0]->element[1];
	assert_int_equal(words->elements, 2);
	assert_string_equal(words->element[0]->str, "o");
	assert_int_equal(
		notation_read_order((struct span){ words->element[1]->str, words->element[1]->len },
				    order),
		0);
	return reply;
}

static inline uint64_t location_count(void)
{
	return ask_number("HLEN " LOCATION_KEY);
}

#endif
