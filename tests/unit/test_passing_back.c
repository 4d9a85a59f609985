/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the answers to what a stateless proxy has passed on find back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "message_world.h"

#define OWN_VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-call-control-"
#define NODE "192.0.2.11:5060"

#define WITH_VIA(value) LINE "Via: " value "\r\n" FROM TO CALL_ID CSEQ END

static struct message message;
static char buffer[MESSAGE_MAX];
static const struct span no_route;

static int try_passing(const char *bytes, const struct passing_hop *from, struct span route,
		       struct text *out)
{
	struct passing_way way;

	read_message(span_of(bytes), &message);
	way = way_of(&message, from, route);
	return passing_write_request(&message, from, &way, &key, out);
}

static struct span pass(const char *bytes, struct span route)
{
	struct passing_hop from = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(buffer);

	assert_int_equal(try_passing(bytes, &from, route, &out), 0);
	return text_span(&out);
}

static void answers_go_to_the_source_with_the_port_that_is_asked_for(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL), back;

	(void)state;
	read_message(span_of(INVITE), &message);
	assert_int_equal(passing_back(&message, &from).flow.remote_port, 40001);
	read_message(span_of(WITH_VIA("SIP/2.0/UDP a:5070")), &message);
	assert_int_equal(passing_back(&message, &from).flow.remote_port, 5070);
	read_message(span_of(WITH_VIA("SIP/2.0/UDP a")), &message);
	assert_int_equal(passing_back(&message, &from).flow.remote_port, 5060);
	from.stream = 3;
	back = passing_back(&message, &from);
	assert_memory_equal(&back, &from, sizeof(from));
}

/* The answer to a request that was passed on, as the node "hop" leads to gives it. */
static struct span answer(struct span passed, const struct passing_hop *hop, char *room,
			  size_t size)
{
	static const struct reply ok = { .status = 200, .reason = "OK" };
	struct text out = { .buffer = room, .size = size };
	struct message request;

	read_message(passed, &request);
	assert_int_equal(reply_write(&ok, &request, &hop->flow, &key, 0, &out), 0);
	return text_span(&out);
}

static int pass_back(struct span bytes, struct passing_hop *to, struct text *out)
{
	struct passing_hop us = hop_from(NODE, LOCAL);

	read_message(bytes, &message);
	return passing_write_response(&message, us.flow.local_addr, PORT, &key, to, out);
}

static char answered[MESSAGE_MAX];

/* What comes back to whoever sent "bytes" by "from". */
static struct span go_and_return(const char *bytes, const struct passing_hop *from,
				 struct passing_hop *to)
{
	struct passing_hop node = hop_from(LOCAL, NODE);
	struct text out = TEXT_OVER(buffer);
	struct span response;

	assert_int_equal(try_passing(bytes, from, SPAN("sip:192.0.2.11:5060"), &out), 0);
	response = answer(text_span(&out), &node, answered, sizeof(answered));
	out = TEXT_OVER(buffer);
	assert_int_equal(pass_back(response, to, &out), 0);
	return text_span(&out);
}

static void a_response_finds_back_without_our_via(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL), to;
	struct span response;

	(void)state;
	response = go_and_return(LINE NEEDED "l: 2\r\n\r\nhi", &from, &to);
	assert_has_not(response, "call-control");
	assert_has(response, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;"
			     "received=198.51.100.7;rport=40001\r\n" FROM);
	assert_memory_equal(&to, &from, sizeof(to));
}

static void the_way_back_obeys_sent_by_without_rport(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL), to;

	(void)state;
	go_and_return(WITH_VIA("SIP/2.0/UDP host:5070;branch=z9hG4bK1"), &from, &to);
	assert_int_equal(to.flow.remote_port, 5070);
	assert_memory_equal(to.flow.remote_addr, from.flow.remote_addr, 16);
}

static void a_stream_is_found_again(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL), to;

	(void)state;
	from.stream = UINT64_MAX;
	from.flow.transport = FLOW_TCP;
	go_and_return(WITH_VIA("SIP/2.0/TCP host:5070;branch=z9hG4bK1"), &from, &to);
	assert_true(to.stream == UINT64_MAX);
	assert_int_equal(to.flow.transport, FLOW_TCP);
	assert_has((struct span){ answered, sizeof(answered) }, OWN_VIA);
	assert_has((struct span){ answered, sizeof(answered) }, ";stream=18446744073709551615;");
}

static void two_hops_and_another_proxy_are_reversed(void **state)
{
	static const struct hash_key outer_key = { { 7, 8 } };
	static char first[MESSAGE_MAX], second[MESSAGE_MAX];
	struct passing_hop from = hop_from(CALLER, "203.0.113.1:5080"), to;
	struct text out = TEXT_OVER(first), inner = TEXT_OVER(second);
	struct passing_hop inside = hop_from("203.0.113.1:5080", LOCAL);
	struct passing_hop node = hop_from(LOCAL, NODE);
	struct passing_way way;
	struct span response;

	(void)state;
	read_message(span_of(LINE "Via: SIP/2.0/UDP proxy;branch=z9hG4bKp;rport, SIP/2.0/TCP phone"
				  ";branch=z9hG4bKq\r\n" FROM TO CALL_ID CSEQ END),
		     &message);
	way = way_of(&message, &from, no_route);
	assert_int_equal(passing_write_request(&message, &from, &way, &outer_key, &out), 0);
	assert_int_equal(try_passing(first, &inside, no_route, &inner), 0);
	response = answer(text_span(&inner), &node, answered, sizeof(answered));
	inner = TEXT_OVER(second);
	assert_int_equal(pass_back(response, &to, &inner), 0);
	assert_memory_equal(&to, &inside, sizeof(to));
	read_message(text_span(&inner), &message);
	out = TEXT_OVER(first);
	assert_int_equal(
		passing_write_response(&message, from.flow.local_addr, 5080, &outer_key, &to, &out),
		0);
	assert_memory_equal(&to, &from, sizeof(to));
	assert_has(text_span(&out), "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP proxy;branch=z9hG4bKp;"
				    "received=198.51.100.7;rport=40001, SIP/2.0/TCP phone"
				    ";branch=z9hG4bKq\r\n" FROM);
}

/* Changes the first "old" in a text to "new", which is as long. */
static void change(struct span text, const char *old, const char *new)
{
	char *at = memmem(text.at, text.length, old, strlen(old));

	assert_non_null(at);
	assert_int_equal(strlen(old), strlen(new));
	memcpy(at, new, strlen(new));
}

/* Each change makes another response of one that would be passed on. */
static void what_did_not_come_by_us_is_not_passed_on(void **state)
{
	static const char *const changes[][2] = {
		{ "192.0.2.1:5060", "192.0.2.2:5060" }, /* another's Via */
		{ "192.0.2.1:5060", "192.0.2.1:5061" },
		{ "call-control-", "call-kontrol-" },
		{ "received=198.51.100.7", "received=198.51.100.8" }, /* another way back */
		{ "rport=40001", "rport=40002" },
		{ "rport=40001", "rport=4000x" },
		{ "proof=", "groof=" },
		{ ";proof=", ";stream" },
		{ "Via: SIP/2.0/UDP 10.0", "Xia: SIP/2.0/UDP 10.0" }, /* ours is the only one */
		{ "SIP/2.0/UDP 10.0.0.5", "SIP/2.0/UDP,10.0.0.5" },
	};
	struct passing_hop node = hop_from(LOCAL, NODE), to;
	char passed[1024];

	(void)state;
	memcpy(passed, pass(INVITE, no_route).at, sizeof(passed));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct text out = TEXT_OVER(buffer);
		struct span response = answer(span_of(passed), &node, answered, sizeof(answered));
		const char *reason;

		assert_int_equal(pass_back(response, &to, &out), 0);
		out = TEXT_OVER(buffer);
		change(response, changes[i][0], changes[i][1]);
		if (message_read(response, &message, &reason) == 0)
			assert_int_equal(pass_back(response, &to, &out), -EBADMSG);
		assert_int_equal(out.used, 0);
	}
}

static void a_request_is_no_response(void **state)
{
	struct passing_hop to;
	struct text out = TEXT_OVER(answered);

	(void)state;
	assert_int_equal(pass_back(pass(INVITE, no_route), &to, &out), -EBADMSG);
}

static void a_response_without_room_is_not_written(void **state)
{
	struct passing_hop node = hop_from(LOCAL, NODE), to = { .stream = 5 };
	struct text out = TEXT_OVER(buffer);
	struct span response;

	(void)state;
	response = answer(pass(INVITE, no_route), &node, answered, sizeof(answered));
	out.size = 100;
	assert_int_equal(pass_back(response, &to, &out), -E2BIG);
	assert_int_equal(out.used, 0);
	assert_int_equal(to.stream, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_go_to_the_source_with_the_port_that_is_asked_for),
		cmocka_unit_test(a_response_finds_back_without_our_via),
		cmocka_unit_test(the_way_back_obeys_sent_by_without_rport),
		cmocka_unit_test(a_stream_is_found_again),
		cmocka_unit_test(two_hops_and_another_proxy_are_reversed),
		cmocka_unit_test(what_did_not_come_by_us_is_not_passed_on),
		cmocka_unit_test(a_request_is_no_response),
		cmocka_unit_test(a_response_without_room_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
