/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_server.c - what call control answers itself. */
#include "server_world.h"

static int open_redirecting(void **state)
{
	*state = open_world(SERVER_REDIRECT, 0);
	return 0;
}

static void assert_status(struct world *world, const struct call *call, const char *status)
{
	char start[64];

	snprintf(start, sizeof(start), "SIP/2.0 %s ", status);
	assert_begins(ask(world, call), start);
}

/* Where the Contact of a node stands in an answer; NULL if it is not there. */
static const char *contact_of(const struct world *world, size_t node, const char *answer)
{
	char contact[128];

	snprintf(contact, sizeof(contact), "<sip:alice@%s>", world->node_uri[node] + 4);
	return strstr(answer, contact);
}

static void both_proxies_are_named_the_newest_first(void **state)
{
	struct world *world = *state;
	const char *answer;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	answer = ask(world, &CALL_ALICE("a"));
	assert_begins(answer, "SIP/2.0 302 Moved Temporarily\r\n");
	assert_non_null(contact_of(world, 0, answer));
	assert_non_null(contact_of(world, 1, answer));
	assert_true(contact_of(world, 1, answer) < contact_of(world, 0, answer));
	assert_begins(strchr(contact_of(world, 1, answer), '>'), ">;q=1.0");
	assert_begins(strchr(contact_of(world, 0, answer), '>'), ">;q=0.9");
	assert_int_equal(counted(world, calls_redirected), 1);
}

static void a_silent_path_comes_after_a_live_one(void **state)
{
	struct world *world = *state;
	const char *answer;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_SILENT);
	answer = ask(world, &CALL_ALICE("a"));
	assert_true(contact_of(world, 0, answer) < contact_of(world, 1, answer));
}

static void a_draining_proxy_is_left_out(void **state)
{
	struct world *world = *state;
	const char *answer;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	put_node(world, 1, true, clock_now_ns());
	answer = ask(world, &CALL_ALICE("a"));
	assert_non_null(contact_of(world, 0, answer));
	assert_null(contact_of(world, 1, answer));
}

static void a_dead_proxy_gets_no_calls(void **state)
{
	struct world *world = *state;
	const char *answer;

	put_alice(world, "one", PATH1, 1000, PATH_LIVE);
	answer = ask(world, &CALL_ALICE("a"));
	assert_non_null(contact_of(world, 0, answer));
	let_first_die(world);
	assert_status(world, &CALL_ALICE("b"), "480");

	put_alice(world, "two", PATH2, 5000, PATH_LIVE);
	answer = ask(world, &CALL_ALICE("c"));
	assert_non_null(contact_of(world, 1, answer));
	assert_null(contact_of(world, 0, answer));
}

static void nobody_is_there(void **state)
{
	struct world *world = *state;

	assert_status(world, &CALL_ALICE("a"), "480");
	assert_int_equal(counted(world, calls_unreachable), 1);
}

static void what_a_user_is_called_cannot_break_out_of_a_contact(void **state)
{
	struct world *world = *state;
	struct call call = { .method = "INVITE",
			     .uri = "sip:a%3e{b:secret@example.com",
			     .branch = "a" };
	struct location location = make_location(world, "one", PATH1, NOW_MS, PATH_LIVE);
	const char *answer;

	location.aor = SPAN("sip:a%3e{b@example.com");
	assert_int_equal(view_put(world->view, &location), 0);
	answer = ask(world, &call);
	assert_has(answer, "Contact: <sip:a%3e%7Bb@127.0.0.11:");
	assert_has_not(answer, "secret");
}

static void a_peer_asks_whether_we_are_there(void **state)
{
	struct call call = { .method = "OPTIONS", .uri = "sip:127.0.0.1", .branch = "a" };

	assert_status(*state, &call, "200");
}

static void options_for_somebody_are_routed(void **state)
{
	struct call call = { .method = "OPTIONS", .uri = ALICE, .branch = "a" };
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	assert_status(world, &call, "302");
}

static void devices_register_elsewhere(void **state)
{
	struct call call = { .method = "REGISTER", .uri = "sip:example.com", .branch = "a" };
	struct world *world = *state;

	assert_status(world, &call, "405");
	assert_int_equal(counted(world, calls_refused), 1);
}

static void a_uri_without_a_user_is_nobody(void **state)
{
	struct call call = { .method = "INVITE", .uri = "sip:example.com", .branch = "a" };

	assert_status(*state, &call, "404");
}

static void a_cancel_of_nothing_is_refused(void **state)
{
	struct call call = { .method = "CANCEL", .uri = ALICE, .branch = "a" };

	assert_status(*state, &call, "481");
}

static void a_dialog_of_nobody_is_refused(void **state)
{
	struct call call = {
		.method = "BYE", .uri = "sip:x@127.0.0.99", .branch = "a", .to_tag = ";tag=t"
	};

	assert_status(*state, &call, "481");
}

static void malformed_is_answered(void **state)
{
	struct call call = {
		.method = "INVITE", .uri = ALICE, .branch = "a", .headers = "Call-ID: again\r\n"
	};
	struct world *world = *state;

	assert_status(world, &call, "400");
	assert_int_equal(counted(world, calls_malformed), 1);
}

static void an_ack_is_never_answered(void **state)
{
	struct call call = { .method = "ACK", .uri = ALICE, .branch = "a", .to_tag = ";tag=t" };
	struct world *world = *state;

	send_call(world, &call);
	call.headers = "Call-ID: again\r\n";
	send_call(world, &call);
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_requests), 3);
	assert_int_equal(counted(world, calls_refused), 0);
}

/* Bytes of which some look like SIP, from a generator that gives the same each time. */
static struct span make_noise(char *bytes, size_t size, uint32_t *seed)
{
	static const char *const starts[] = { "", "INVITE ", "SIP/2.0 200 OK\r\nVia: ",
					      "INVITE sip:alice@example.com SIP/2.0\r\nVia: " };
	size_t length;

	*seed = *seed * 1664525 + 1013904223;
	length = (size_t)snprintf(bytes, size, "%s", starts[*seed >> 30]);
	for (size_t more = *seed % 300; more > 0; more--) {
		*seed = *seed * 1664525 + 1013904223;
		bytes[length++] = (char)(*seed >> 24);
	}
	return (struct span){ bytes, length };
}

static void noise_does_no_harm(void **state)
{
	struct world *world = *state;
	char bytes[512];
	uint32_t seed = 4;

	for (unsigned int i = 0; i < 10000; i++) {
		send_bytes(world, world->stranger, make_noise(bytes, sizeof(bytes), &seed));
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	assert_caller_hears_nothing(world);
	assert_true(counted(world, calls_dropped) > 5000);
}

/* Each answer is checked by ask(), too; here the request is as short as one can be. */
static void a_short_request_gets_no_long_answer(void **state)
{
	struct span request = SPAN("INVITE " ALICE " SIP/2.0\r\nv:SIP/2.0/UDP 127.0.0.1;rport\r\n"
				   "f:<sip:b@c>;tag=1\r\nt:<sip:a@b>\r\ni:1\r\nCSeq:1 INVITE\r\n"
				   "\r\n");
	struct world *world = *state;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
	send_bytes(world, world->caller, request);
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_dropped), 1);
	assert_int_equal(counted(world, calls_redirected), 0);
}

static void use_domain(struct world *world)
{
	world->options.domain = "example.com";
	restart_server(world);
}

static void an_address_of_ours_is_our_domain(void **state)
{
	struct world *world = *state;
	char uri[96];
	struct call call = { .method = "INVITE", .uri = uri, .branch = "a" };

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	snprintf(uri, sizeof(uri), "sip:alice@%s:5060;user=phone", world->address);
	assert_status(world, &call, "480");
	use_domain(world);
	assert_has(ask(world, &call), ";user=phone>");
	assert_int_equal(counted(world, calls_redirected), 1);
	strcpy(uri, "sip:alice@127.0.0.11");
	assert_status(world, &call, "302");
	strcpy(uri, "sip:alice@127.0.0.99");
	assert_status(world, &call, "480");
}

static void a_port_or_sips_is_the_same_person(void **state)
{
	struct world *world = *state;
	struct call call = { .method = "INVITE",
			     .uri = "sips:alice@EXAMPLE.com:5061",
			     .branch = "a" };

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	assert_status(world, &call, "302");
}

static void a_number_is_of_our_domain(void **state)
{
	struct world *world = *state;
	struct call call = { .method = "INVITE", .uri = "tel:+49(12)34-5.6;isub=7", .branch = "a" };
	char contact[96];

	put_other(world, "sip:+49123456@example.com", "one", PATH1);
	assert_status(world, &call, "416");
	use_domain(world);
	snprintf(contact, sizeof(contact), "<sip:+49123456@%s;user=phone>", world->node_uri[0] + 4);
	assert_has(ask(world, &call), contact);
	call.uri = "tel:+-";
	assert_status(world, &call, "404");
	call.uri = "tel:12x";
	assert_status(world, &call, "404");
}

static void before_anything_is_known_callers_may_try_again(void **state)
{
	struct world *world = *state;
	const char *answer;

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	world->is_ignorant = true;
	answer = ask(world, &CALL_ALICE("a"));
	assert_begins(answer, "SIP/2.0 503 ");
	assert_has(answer, "Retry-After: 5\r\n");
	assert_int_equal(counted(world, calls_unreachable), 0);
	world->is_ignorant = false;
	assert_status(world, &CALL_ALICE("a"), "302");
}

static void whoever_is_not_named_is_not_served(void **state)
{
	struct world *world = *state;
	char buffer[2048];
	struct span bytes = write_call(world, &CALL_ALICE("a"), buffer, sizeof(buffer));

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	trust_only(world, "127.0.0.0", 28);
	send_bytes(world, world->stranger, bytes);
	send_bytes(world, world->stranger, SPAN("INVITE"));
	assert_status(world, &CALL_ALICE("b"), "302");
	assert_nothing_at(world->stranger);
	assert_int_equal(counted(world, calls_refused), 1);
	trust_only(world, "127.0.0.99", 32);
	send_bytes(world, world->stranger, bytes);
	assert_begins(receive(world, world->stranger), "SIP/2.0 302 ");
	send_bytes(world, world->node[0], bytes);
	assert_begins(receive(world, world->node[0]), "SIP/2.0 302 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_redirecting, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_proxies_are_named_the_newest_first),
		TEST(a_silent_path_comes_after_a_live_one),
		TEST(a_draining_proxy_is_left_out),
		TEST(a_dead_proxy_gets_no_calls),
		TEST(nobody_is_there),
		TEST(what_a_user_is_called_cannot_break_out_of_a_contact),
		TEST(a_peer_asks_whether_we_are_there),
		TEST(options_for_somebody_are_routed),
		TEST(devices_register_elsewhere),
		TEST(a_uri_without_a_user_is_nobody),
		TEST(a_cancel_of_nothing_is_refused),
		TEST(a_dialog_of_nobody_is_refused),
		TEST(malformed_is_answered),
		TEST(an_ack_is_never_answered),
		TEST(noise_does_no_harm),
		TEST(a_short_request_gets_no_long_answer),
		TEST(an_address_of_ours_is_our_domain),
		TEST(a_port_or_sips_is_the_same_person),
		TEST(a_number_is_of_our_domain),
		TEST(before_anything_is_known_callers_may_try_again),
		TEST(whoever_is_not_named_is_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
