/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stateless proxy makes of a request that it passes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "message_world.h"

#define OWN_VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-call-control-"

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

static void a_request_goes_on_with_our_via_and_a_route(void **state)
{
	static const char rest[] =
		"Route: <sip:192.0.2.11:5060;lr>\r\n"
		"Max-Forwards: 69\r\n"
		"Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK-1;received=198.51.100.7"
		";rport=40001\r\nX-Kept : as  it is\r\n" FROM TO CALL_ID CSEQ
		"Content-Length: 4\r\n\r\nbody";
	struct span passed;

	(void)state;
	passed = pass(LINE "Max-Forwards: 70\r\n" VIA "X-Kept : as  it is\r\n" FROM TO CALL_ID CSEQ
			   "Content-Length: 4\r\n\r\nbody and more",
		      SPAN("sip:192.0.2.11:5060"));
	assert_memory_equal(passed.at, LINE OWN_VIA, strlen(LINE OWN_VIA));
	assert_has(passed, rest);
	assert_ptr_equal(passed.at + passed.length - strlen(rest), strstr(buffer, rest));
}

static void what_is_missing_is_added(void **state)
{
	struct span passed;

	(void)state;
	passed = pass(LINE NEEDED "\r\nbody", no_route);
	assert_has(passed, "\r\nMax-Forwards: 70\r\n");
	assert_has(passed, "\r\nContent-Length: 4\r\n\r\nbody");
	assert_has_not(passed, "Route");
}

static void the_last_forward_is_not_ours(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(buffer);

	(void)state;
	assert_int_equal(try_passing(LINE NEEDED "Max-Forwards: 0\r\n" END, &from, no_route, &out),
			 -ELOOP);
	assert_int_equal(out.used, 0);
	assert_has(pass(LINE NEEDED "Max-Forwards: 1\r\n" END, no_route),
		   "\r\nMax-Forwards: 0\r\n");
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL);
	char small[200] = "kept";
	struct text out = { .buffer = small, .size = sizeof(small), .used = 4 };

	(void)state;
	assert_int_equal(try_passing(INVITE, &from, no_route, &out), -E2BIG);
	assert_string_equal(small, "kept");
	assert_false(out.overflow);
}

#define WITH_VIA(value) LINE "Via: " value "\r\n" FROM TO CALL_ID CSEQ END

/* The caller is 198.51.100.7:40001. */
static void the_via_says_where_its_request_came_from(void **state)
{
	static const char *const vias[][2] = {
		{ WITH_VIA("SIP/2.0/UDP 198.51.100.7:40001;branch=1"),
		  "Via: SIP/2.0/UDP 198.51.100.7:40001;branch=1\r\n" },
		{ WITH_VIA("SIP/2.0/UDP 198.51.100.7 ; rport ;branch=1"),
		  "Via: SIP/2.0/UDP 198.51.100.7;branch=1;received=198.51.100.7;rport=40001\r\n" },
		{ WITH_VIA("SIP/2.0/UDP 198.51.100.8;branch=1"),
		  "Via: SIP/2.0/UDP 198.51.100.8;branch=1;received=198.51.100.7\r\n" },
		{ WITH_VIA("SIP/2.0/UDP host.example.com"),
		  "Via: SIP/2.0/UDP host.example.com;received=198.51.100.7\r\n" },
		{ WITH_VIA("SIP/2.0/UDP a;RECEIVED=203.0.113.9;Rport=53;x=\";received=y\";ttl=1"),
		  "Via: SIP/2.0/UDP "
		  "a;x=\";received=y\";ttl=1;received=198.51.100.7;rport=40001\r\n" },
		{ WITH_VIA("SIP/2.0/UDP 198.51.100.7;received=203.0.113.9"),
		  "Via: SIP/2.0/UDP 198.51.100.7\r\n" },
		{ WITH_VIA("SIP / 2.0 / UDP a: 4000;;ttl=16 ;\r\n branch= 1"),
		  "Via: SIP / 2.0 / UDP a: 4000;ttl=16;branch= 1;received=198.51.100.7\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++)
		assert_has(pass(vias[i][0], no_route), vias[i][1]);
}

static void a_source_of_ipv6_is_written_without_brackets(void **state)
{
	struct passing_hop from = hop_from("[2001:db8::7]:40001", "[2001:db8::1]:5060");
	struct text out = TEXT_OVER(buffer);

	(void)state;
	assert_int_equal(
		try_passing(WITH_VIA("SIP/2.0/UDP [2001:db8::8];rport"), &from, no_route, &out), 0);
	assert_has(text_span(&out), "Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=");
	assert_has(text_span(&out), "[2001:db8::8];received=2001:db8::7;rport=40001\r\n");
	out = TEXT_OVER(buffer);
	assert_int_equal(
		try_passing(WITH_VIA("SIP/2.0/UDP [2001:DB8:0::7]"), &from, no_route, &out), 0);
	assert_has_not(text_span(&out), "received");
}

static void only_the_topmost_via_is_written_in(void **state)
{
	(void)state;
	assert_has(pass(WITH_VIA("SIP/2.0/UDP a , SIP/2.0/UDP b\r\nVia: SIP/2.0/UDP c"), no_route),
		   "Via: SIP/2.0/UDP a;received=198.51.100.7 , SIP/2.0/UDP b\r\n"
		   "Via: SIP/2.0/UDP c\r\nFrom");
	assert_has(pass(WITH_VIA("SIP/2.0/UDP a\r\n ,SIP/2.0/UDP b"), no_route),
		   "Via: SIP/2.0/UDP a;received=198.51.100.7\r\n ,SIP/2.0/UDP b\r\nFrom");
}

static void bare_line_ends_become_whole_ones(void **state)
{
	(void)state;
	assert_has(pass("OPTIONS sip:a SIP/2.0\nv:SIP/2.0/UDP a,\n SIP/2.0/UDP b\nf:\n x:y\nt:x:y\n"
			"i:1\nCSeq:1 OPTIONS\n\na\nb",
			no_route),
		   "Via: SIP/2.0/UDP a;received=198.51.100.7,\r\n SIP/2.0/UDP b\r\nf:\r\n x:y\r\n"
		   "t:x:y\r\ni:1\r\nCSeq:1 OPTIONS\r\nContent-Length: 3\r\n\r\na\nb");
}

#define FOUR_OWN "<sip:192.0.2.1>,<sip:192.0.2.1>,<sip:192.0.2.1>,<sip:192.0.2.1>"

static void our_own_routes_are_taken_off(void **state)
{
	static const char *const routes[][2] = {
		{ "Route: <sip:192.0.2.1;lr>\r\n", NULL },
		{ "Route: <sip:192.0.2.1:5060;lr>, <sip:us@192.0.2.1>\r\nRoute: "
		  "<sip:192.0.2.1>\r\n",
		  NULL },
		{ "Route: <sip:192.0.2.1;lr>\r\n ,\r\n \"a, b\" <sip:p2;lr> , <sip:p3>\r\n",
		  "Route: \"a, b\" <sip:p2;lr> , <sip:p3>\r\n" },
		{ "Route: <sip:192.0.2.1>\r\nROUTE: <sip:p2>,<sip:192.0.2.1>\r\nRoute: "
		  "<sip:p3>\r\n",
		  CSEQ "Route: <sip:p2>,<sip:192.0.2.1>\r\nRoute: <sip:p3>\r\nX:" },
		{ "Route: <sip:192.0.2.1:5061>\r\n", "Route: <sip:192.0.2.1:5061>\r\n" },
		{ "Route:  <sip:192.0.2.2> \r\n", "Route: <sip:192.0.2.2> \r\n" },
		/* Where else we listen, and by name. */
		{ "Route: <sip:192.0.2.9:5070;lr>, <sip:x@Calls.Example.COM:5081;lr>\r\n", NULL },
		{ "Route: <sip:calls.example.com;lr>,<sip:192.0.2.1>,<sip:p2>\r\n",
		  "Route: <sip:p2>\r\n" },
		{ "Route: <sip:192.0.2.9;lr>\r\n", "Route: <sip:192.0.2.9;lr>\r\n" },
		{ "Route: <sip:a.calls.example.com>\r\n", "Route: <sip:a.calls.example.com>\r\n" },
		{ "Route: " FOUR_OWN ", " FOUR_OWN "\r\n", NULL },
		{ "Route: " FOUR_OWN ", " FOUR_OWN ", <sip:192.0.2.1;x>\r\n",
		  "Route: <sip:192.0.2.1;x>\r\n" },
		{ "Route: <tel:1>\r\n", "Route: <tel:1>\r\n" },
	};
	char bytes[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct text text = TEXT_OVER(bytes);

		text_format(&text, LINE NEEDED "%sX: 1\r\n" END, routes[i][0]);
		if (routes[i][1])
			assert_has(pass(bytes, no_route), routes[i][1]);
		else
			assert_has_not(pass(bytes, no_route), "Route");
		assert_has(pass(bytes, SPAN("sip:n")), "proof=");
	}
}

static void the_next_route_is_the_first_that_is_not_ours(void **state)
{
	static const struct passing_self nameless = { .listens = listens };

	(void)state;
	read_message(span_of(LINE NEEDED
			     "Route: <sip:192.0.2.1>\r\nRoute: <sip:p2>;x, <sip:p3>\r\n" END),
		     &message);
	assert_span(passing_next_route(&message, &self), "<sip:p2>;x");
	read_message(span_of(LINE NEEDED "Route: <sip:192.0.2.1>\r\n" END), &message);
	assert_absent(passing_next_route(&message, &self));
	read_message(span_of(LINE NEEDED "Route: <sip:calls.example.com>\r\n" END), &message);
	assert_absent(passing_next_route(&message, &self));
	assert_span(passing_next_route(&message, &nameless), "<sip:calls.example.com>");
}

static void all_routes_can_be_taken_off(void **state)
{
	struct passing_hop from = hop_from(CALLER, LOCAL);
	struct text out = TEXT_OVER(buffer);
	struct passing_way way;

	(void)state;
	read_message(span_of(LINE NEEDED "Route: <sip:p1>\r\nRoute: <sip:p2>, <sip:p3>\r\n" END),
		     &message);
	way = way_of(&message, &from, SPAN("sip:n"));
	way.next_route = no_route;
	assert_int_equal(passing_write_request(&message, &from, &way, &key, &out), 0);
	assert_has(text_span(&out), "Route: <sip:n;lr>\r\n");
	assert_has_not(text_span(&out), "sip:p");
}

static bool is_loop(const char *top, struct span passed)
{
	char bytes[8192];
	struct text text = TEXT_OVER(bytes);

	text_format(&text, LINE "%s%.*s", top, (int)(passed.length - strlen(LINE)),
		    passed.at + strlen(LINE));
	assert_false(text.overflow);
	read_message(text_span(&text), &message);
	return passing_is_loop(&message, &self);
}

/* Diverted twice, it is a spiral; with a third Via of ours it goes round in circles. */
static void a_request_that_goes_in_circles_is_known(void **state)
{
	static const char node[] = "Via: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bKn\r\n";
	static const char nodes[] = "v: SIP/2.0/UDP a, SIP/2.0/TCP b;branch=x\r\n"
				    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-call-control-1\r\n";
	struct passing_hop too = hop_from(CALLER, LOCAL_TOO), other = too;
	static char passed[sizeof(buffer)];
	struct text out = TEXT_OVER(buffer);

	(void)state;
	assert_false(is_loop(node, SPAN(INVITE)));
	assert_false(is_loop(nodes, SPAN(INVITE)));
	strcpy(passed, INVITE);
	for (int i = 1; i <= PASSING_ROUNDS_MAX; i++) {
		out = TEXT_OVER(buffer);
		/* Whichever of our addresses it comes by. */
		assert_int_equal(try_passing(passed, &too, no_route, &out), 0);
		memcpy(passed, buffer, sizeof(passed));
		assert_int_equal(is_loop(nodes, span_of(passed)), i == PASSING_ROUNDS_MAX);
	}
	out = TEXT_OVER(buffer);
	other.flow.local_addr[15] ^= 1;
	assert_int_equal(try_passing(INVITE, &other, no_route, &out), 0);
	assert_false(is_loop(node, text_span(&out)));
	/* So many call controls are a circle of their own. */
	for (size_t i = 1; i <= PASSING_SELF_MAX; i++) {
		memcpy(passed, buffer, sizeof(passed));
		out = TEXT_OVER(buffer);
		assert_int_equal(try_passing(passed, &other, no_route, &out), 0);
		assert_int_equal(is_loop(node, text_span(&out)), i == PASSING_SELF_MAX);
	}
}

static void a_route_is_loose(void **state)
{
	static const char *const routes[][2] = {
		{ "sip:192.0.2.11", "\r\nRoute: <sip:192.0.2.11;lr>\r\n" },
		{ "sip:192.0.2.11;transport=udp", "<sip:192.0.2.11;transport=udp;lr>\r\n" },
		{ "sip:192.0.2.11;lr;x", "<sip:192.0.2.11;lr;x>\r\n" },
		{ "sip:;lr@192.0.2.11", "<sip:;lr@192.0.2.11;lr>\r\n" },
		{ "sip:192.0.2.11;lr=on", "<sip:192.0.2.11;lr=on>\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		assert_has(pass(INVITE, span_of(routes[i][0])), routes[i][1]);
	assert_has(pass(LINE NEEDED "Route: <sip:p2>\r\n" END, SPAN("sip:n")),
		   "Route: <sip:n;lr>\r\n");
}

static uint64_t identity_of(const char *bytes)
{
	read_message(span_of(bytes), &message);
	return passing_identity(&message, &key);
}

#define CALL(method, via, to_tag, number) \
	method " sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP " via "\r\n" FROM \
	       "To: <sip:bob@example.com>" to_tag "\r\n" CALL_ID "CSeq: " number " " method \
	       "\r\n" END

static void a_request_and_what_belongs_to_it_have_one_identity(void **state)
{
	static const char *const vias[][4] = {
		{ CALL("INVITE", "a;branch=z9hG4bK1", "", "1"),
		  CALL("CANCEL", "a;branch=z9hG4bK1", "", "1"),
		  CALL("ACK", "a;branch=z9hG4bK1", ";tag=t", "1"),
		  CALL("INVITE", "a;branch=z9hG4bK2", "", "1") },
		{ CALL("INVITE", "a;branch=1", "", "1"), CALL("CANCEL", "a;branch=1", "", "1"),
		  CALL("ACK", "a;branch=1", ";tag=t", "1"), CALL("INVITE", "a;branch=2", "", "1") },
		{ CALL("INVITE", "a", "", "1"), CALL("CANCEL", "a", "", "1"),
		  CALL("ACK", "a", ";tag=t", "1"), CALL("INVITE", "a", "", "2") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
		uint64_t identity = identity_of(vias[i][0]);

		assert_true(identity_of(vias[i][0]) == identity);
		assert_true(identity_of(vias[i][1]) == identity);
		assert_true(identity_of(vias[i][2]) == identity);
		assert_false(identity_of(vias[i][3]) == identity);
	}
}

static void identities_differ_by_whoever_made_the_branch(void **state)
{
	static const struct hash_key other_key = { { 1, 3 } };
	uint64_t identity = identity_of(CALL("INVITE", "a;branch=z9hG4bK1", "", "1"));

	(void)state;
	assert_false(passing_identity(&message, &other_key) == identity);
	assert_false(identity_of(CALL("INVITE", "b;branch=z9hG4bK1", "", "1")) == identity);
	assert_false(identity_of(CALL("INVITE", "a:1;branch=z9hG4bK1", "", "1")) == identity);
	assert_true(identity_of(CALL("INVITE", "a;x;branch=z9hG4bK1", "", "1")) == identity);
}

static void assert_target(const char *uri, const char *expected)
{
	char written[64];
	struct text text = TEXT_OVER(written);
	uint8_t address[16];
	uint16_t port;

	assert_int_equal(passing_target(span_of(uri), address, &port), 0);
	address_write_port(&text, address, port);
	assert_string_equal(written, expected);
}

static void a_numeric_uri_leads_somewhere(void **state)
{
	static const char *const nowhere[] = {
		"sip:example.com",        "tel:123",          "",
		"<sip:192.0.2.1",         "SIP/2.0/UDP host", "sip:[::1",
		"sip:192.0.2.1:65536",    "192.0.2.1",        "SIP/2.0/UDP 192.0.2.1",
		"sip:bob;192.0.2.1@host",
	};
	uint8_t address[16];
	uint16_t port;

	(void)state;
	assert_target("sip:192.0.2.1", "192.0.2.1:5060");
	assert_target("sips:bob@192.0.2.1:5070;lr", "192.0.2.1:5070");
	assert_target("\"a <b>\" <sip:[2001:db8::1]:5;lr>;x", "[2001:db8::1]:5");
	assert_target("sip:bob;day=1@192.0.2.1:5070;ob", "192.0.2.1:5070");
	assert_target("<sip:bob;day=1@192.0.2.1:5070;ob>;x", "192.0.2.1:5070");
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		assert_int_equal(passing_target(span_of(nowhere[i]), address, &port), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_on_with_our_via_and_a_route),
		cmocka_unit_test(what_is_missing_is_added),
		cmocka_unit_test(the_last_forward_is_not_ours),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
		cmocka_unit_test(the_via_says_where_its_request_came_from),
		cmocka_unit_test(a_source_of_ipv6_is_written_without_brackets),
		cmocka_unit_test(only_the_topmost_via_is_written_in),
		cmocka_unit_test(bare_line_ends_become_whole_ones),
		cmocka_unit_test(our_own_routes_are_taken_off),
		cmocka_unit_test(the_next_route_is_the_first_that_is_not_ours),
		cmocka_unit_test(all_routes_can_be_taken_off),
		cmocka_unit_test(a_request_that_goes_in_circles_is_known),
		cmocka_unit_test(a_route_is_loose),
		cmocka_unit_test(a_request_and_what_belongs_to_it_have_one_identity),
		cmocka_unit_test(identities_differ_by_whoever_made_the_branch),
		cmocka_unit_test(a_numeric_uri_leads_somewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
