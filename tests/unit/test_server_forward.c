/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_server_forward.c - what call control passes on, and what it refuses to. */
#include "server_world.h"

static int open_forwarding(void **state)
{
	struct world *world = open_world(SERVER_FORWARD, 0);

	put_alice(world, "one", PATH1, 5000, PATH_LIVE);
	*state = world;
	return 0;
}

/* From now on the other proxy is the better choice. */
static void move_to_two(struct world *world)
{
	put_alice(world, "two", PATH2, 1000, PATH_LIVE);
}

static void a_call_goes_to_the_best_proxy(void **state)
{
	struct world *world = *state;
	char route[128], via[128];
	const char *request;

	send_call(world, &CALL_ALICE("a"));
	request = receive(world, world->node[0]);
	snprintf(route, sizeof(route), "Route: <%s;lr>\r\n", world->node_uri[0]);
	snprintf(via, sizeof(via), "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK", world->address);
	assert_begins(request, "INVITE " ALICE " SIP/2.0\r\n");
	assert_has(request, route);
	assert_has(request, via);
	assert_has(request, "Max-Forwards: 69\r\n");
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_forwarded), 1);
}

static void its_answer_finds_its_way_back(void **state)
{
	struct world *world = *state;
	const char *answer;

	send_call(world, &CALL_ALICE("a"));
	answer_from(world, world->node[0], receive(world, world->node[0]), "180 Ringing");
	answer = receive(world, world->caller);
	assert_begins(answer, "SIP/2.0 180 Ringing\r\n");
	assert_has(answer, "branch=z9hG4bKa;");
	assert_has_not(answer, world->address);
	assert_int_equal(counted(world, calls_returned), 1);
}

static void what_belongs_to_a_call_follows_it(void **state)
{
	static const char *const methods[] = { "CANCEL", "ACK", "INVITE" };
	struct world *world = *state;

	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	move_to_two(world);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct call call = { .method = methods[i], .uri = ALICE, .branch = "a" };

		send_call(world, &call);
		assert_begins(receive(world, world->node[0]), methods[i]);
	}
	send_call(world, &CALL_ALICE("b"));
	receive(world, world->node[1]);
	assert_nothing_at(world->node[0]);
}

static void it_does_not_follow_to_a_dead_proxy(void **state)
{
	struct world *world = *state;

	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	move_to_two(world);
	let_first_die(world);
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[1]);
	assert_nothing_at(world->node[0]);
}

static void a_stranger_answers_nobody(void **state)
{
	struct world *world = *state;
	char request[sizeof(world->received)];

	send_call(world, &CALL_ALICE("a"));
	strcpy(request, receive(world, world->node[0]));
	answer_from(world, world->stranger, request, "200 OK");
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_dropped), 1);
	answer_from(world, world->node[0], request, "200 OK");
	assert_begins(receive(world, world->caller), "SIP/2.0 200 OK\r\n");
}

static void outside_of_a_dialog_nobody_chooses_the_way(void **state)
{
	struct world *world = *state;
	char routes[160];
	struct call call = { .method = "INVITE", .uri = ALICE, .branch = "a", .headers = routes };
	const char *request;

	snprintf(routes, sizeof(routes), "Route: <sip:127.0.0.99:%u;lr>, <%s;lr>\r\n",
		 world->stranger_port, world->node_uri[1]);
	send_call(world, &call);
	request = receive(world, world->node[0]);
	assert_has(request, world->node_uri[0]);
	assert_has_not(request, world->node_uri[1]);
	assert_has_not(request, "127.0.0.99");
	call.method = "CANCEL";
	send_call(world, &call);
	assert_has_not(receive(world, world->node[0]), "127.0.0.99");
	assert_caller_hears_nothing(world);
	assert_nothing_at(world->stranger);
	assert_nothing_at(world->node[1]);
}

static void a_dialog_is_not_passed_on_to_a_stranger(void **state)
{
	struct world *world = *state;
	char route[64];
	struct call call = { .method = "INVITE",
			     .uri = ALICE,
			     .branch = "a",
			     .to_tag = ";tag=t",
			     .headers = route };

	snprintf(route, sizeof(route), "Route: <sip:127.0.0.99:%u;lr>\r\n", world->stranger_port);
	assert_begins(ask(world, &call), "SIP/2.0 481 ");
	assert_nothing_at(world->stranger);
	assert_nothing_at(world->node[0]);
	assert_int_equal(counted(world, calls_refused), 1);
}

/* A proxy's host may have other ports that listen: they are none of the set's. */
static void nothing_is_passed_on_to_another_port_of_a_proxy(void **state)
{
	struct world *world = *state;
	uint16_t port;
	int other = open_peer("127.0.0.11", &port);
	char route[64];
	struct call call = { .method = "INVITE",
			     .uri = ALICE,
			     .branch = "a",
			     .to_tag = ";tag=t",
			     .headers = route };

	snprintf(route, sizeof(route), "Route: <sip:127.0.0.11:%u;lr>\r\n", port);
	assert_begins(ask(world, &call), "SIP/2.0 481 ");
	assert_nothing_at(other);
	close(other);
}

static void only_what_belongs_in_a_dialog_is_passed_on(void **state)
{
	struct world *world = *state;
	char route[96];
	struct call call = { .method = "REGISTER",
			     .uri = "sip:example.com",
			     .branch = "a",
			     .to_tag = ";tag=t",
			     .headers = route };

	snprintf(route, sizeof(route), "Route: <%s;lr>\r\n", world->node_uri[0]);
	assert_begins(ask(world, &call), "SIP/2.0 405 ");
	call.to_tag = NULL;
	assert_begins(ask(world, &call), "SIP/2.0 405 ");
	call.to_tag = ";tag=t";
	call.method = "OPTIONS";
	assert_begins(ask(world, &call), "SIP/2.0 405 ");
	call.method = "STEAL";
	assert_begins(ask(world, &call), "SIP/2.0 405 ");
	assert_nothing_at(world->node[0]);
}

/* The proxy's own Via goes on top. */
static void send_back(struct world *world, const char *request)
{
	static const char via[] = "Via: SIP/2.0/UDP 127.0.0.11:5060;rport;branch=z9hG4bKp%d\r\n";
	static int branch;
	const char *first = strstr(request, "Via: ");
	char buffer[sizeof(world->received) + 128];
	struct text back = TEXT_OVER(buffer);

	assert_non_null(first);
	text_add(&back, (struct span){ request, (size_t)(first - request) });
	text_format(&back, via, branch++);
	text_add(&back, span_of(first));
	assert_false(back.overflow);
	send_bytes(world, world->node[0], text_span(&back));
}

static void a_call_that_comes_back_from_a_proxy_again_and_again_ends(void **state)
{
	struct world *world = *state;

	send_call(world, &CALL_ALICE("a"));
	for (int i = 1; i < PASSING_ROUNDS_MAX; i++) {
		const char *request = receive(world, world->node[0]);

		assert_begins(request, "INVITE ");
		send_back(world, request);
	}
	send_back(world, receive(world, world->node[0]));
	assert_begins(receive(world, world->node[0]), "SIP/2.0 482 ");
}

static void one_branch_used_twice_leads_to_both(void **state)
{
	struct world *world = *state;
	struct call carol = { .method = "MESSAGE", .uri = "sip:carol@example.com", .branch = "a" };
	struct call cancel = { .method = "CANCEL", .uri = ALICE, .branch = "a" };

	put_other(world, carol.uri, "two", PATH2);
	send_call(world, &CALL_ALICE("a"));
	receive(world, world->node[0]);
	send_call(world, &carol);
	assert_begins(receive(world, world->node[1]), "MESSAGE sip:carol@");
	send_call(world, &cancel);
	assert_begins(receive(world, world->node[0]), "CANCEL ");
}

static void a_node_is_told_the_domain(void **state)
{
	struct world *world = *state;
	char uri[96];
	struct call call = { .method = "INVITE", .uri = uri, .branch = "a" };

	world->options.domain = "example.com";
	restart_server(world);
	snprintf(uri, sizeof(uri), "sip:alice@%s;user=phone", world->address);
	send_call(world, &call);
	assert_begins(receive(world, world->node[0]),
		      "INVITE sip:alice@example.com;user=phone SIP/2.0\r\n");
	call.method = "CANCEL";
	send_call(world, &call);
	assert_begins(receive(world, world->node[0]),
		      "CANCEL sip:alice@example.com;user=phone SIP/2.0\r\n");
}

static void what_no_proxy_can_is_refused(void **state)
{
	struct world *world = *state;
	struct call call = { .method = "INVITE",
			     .uri = ALICE,
			     .branch = "a",
			     .headers = "Proxy-Require: magic, more\r\n" };
	const char *answer = ask(world, &call);

	assert_begins(answer, "SIP/2.0 420 ");
	assert_has(answer, "Unsupported: magic, more\r\n");
	assert_nothing_at(world->node[0]);
}

static void a_dialog_goes_by_its_route(void **state)
{
	struct world *world = *state;
	char routes[160];
	struct call call = {
		.method = "BYE", .uri = ALICE, .branch = "a", .to_tag = ";tag=t", .headers = routes
	};
	const char *request;

	snprintf(routes, sizeof(routes), "Route: <sip:%s:5060;lr>,<%s;lr>\r\n", world->address,
		 world->node_uri[1]);
	send_call(world, &call);
	request = receive(world, world->node[1]);
	assert_begins(request, "BYE " ALICE " SIP/2.0\r\n");
	assert_has(request, world->node_uri[1]);
	assert_has(request, "Route: ");
	assert_has_not(strstr(request, "Route: "), world->address);
}

static void a_dialog_without_a_route_goes_to_its_uri(void **state)
{
	struct world *world = *state;
	struct call call = {
		.method = "BYE", .uri = world->node_uri[1], .branch = "a", .to_tag = ";tag=t"
	};

	send_call(world, &call);
	assert_has_not(receive(world, world->node[1]), "Route:");
}

static void a_call_that_goes_in_circles_ends(void **state)
{
	struct world *world = *state;
	char buffer[2048];
	struct span bytes = write_call(world, &CALL_ALICE("a"), buffer, sizeof(buffer));
	char *hops = strstr(buffer, "Max-Forwards: 70");

	memcpy(hops, "Max-Forwards: 00", strlen("Max-Forwards: 00"));
	send_bytes(world, world->caller, bytes);
	assert_begins(receive(world, world->caller), "SIP/2.0 483 ");
	assert_nothing_at(world->node[0]);
}

static int connect_stream(struct world *world)
{
	struct sockaddr_in name = name_of(world->address, 5060);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_return_code(connect(fd, (struct sockaddr *)&name, sizeof(name)), errno);
	return fd;
}

static void a_call_over_tcp_is_answered_over_tcp(void **state)
{
	struct world *world = *state;
	struct call call = CALL_ALICE("a");
	char buffer[2048];
	struct span bytes;
	int stream = connect_stream(world);

	call.transport = "TCP";
	bytes = write_call(world, &call, buffer, sizeof(buffer));
	assert_int_equal(send(stream, bytes.at, bytes.length, 0), bytes.length);
	answer_from(world, world->node[0], receive(world, world->node[0]), "180 Ringing");
	assert_begins(receive(world, stream), "SIP/2.0 180 Ringing\r\n");
	assert_nothing_at(world->caller);
	close(stream);
}

/* A stream may carry more than a datagram can. */
static void what_is_too_large_to_be_passed_on_is_refused(void **state)
{
	static char bytes[MESSAGE_MAX], padding[65200];
	struct world *world = *state;
	int stream = connect_stream(world);
	struct span request;
	struct call call = CALL_ALICE("a");
	size_t sent = 0;

	memset(padding, 'x', sizeof(padding) - 1);
	memcpy(padding, "X: ", strlen("X: "));
	memcpy(padding + sizeof(padding) - 3, "\r\n", 3);
	call.transport = "TCP";
	call.headers = padding;
	request = write_call(world, &call, bytes, sizeof(bytes));
	while (sent < request.length) {
		ssize_t count =
			send(stream, request.at + sent, request.length - sent, MSG_DONTWAIT);

		sent += count > 0 ? (size_t)count : 0;
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	assert_begins(receive(world, stream), "SIP/2.0 513 ");
	assert_nothing_at(world->node[0]);
	close(stream);
}

static void an_answer_whose_stream_is_gone_is_dropped(void **state)
{
	struct world *world = *state;
	struct call call = CALL_ALICE("a");
	char buffer[2048], request[sizeof(world->received)];
	struct linger reset = { .l_onoff = 1 };
	struct span bytes;
	int stream = connect_stream(world);

	call.transport = "TCP";
	bytes = write_call(world, &call, buffer, sizeof(buffer));
	assert_int_equal(send(stream, bytes.at, bytes.length, 0), bytes.length);
	strcpy(request, receive(world, world->node[0]));
	assert_return_code(setsockopt(stream, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), errno);
	close(stream);
	assert_caller_hears_nothing(world);
	answer_from(world, world->node[0], request, "180 Ringing");
	assert_caller_hears_nothing(world);
	assert_int_equal(counted(world, calls_returned), 0);
	assert_int_equal(counted(world, calls_dropped), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_forwarding, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_goes_to_the_best_proxy),
		TEST(its_answer_finds_its_way_back),
		TEST(what_belongs_to_a_call_follows_it),
		TEST(it_does_not_follow_to_a_dead_proxy),
		TEST(a_stranger_answers_nobody),
		TEST(outside_of_a_dialog_nobody_chooses_the_way),
		TEST(a_dialog_is_not_passed_on_to_a_stranger),
		TEST(nothing_is_passed_on_to_another_port_of_a_proxy),
		TEST(only_what_belongs_in_a_dialog_is_passed_on),
		TEST(a_call_that_comes_back_from_a_proxy_again_and_again_ends),
		TEST(one_branch_used_twice_leads_to_both),
		TEST(a_node_is_told_the_domain),
		TEST(what_no_proxy_can_is_refused),
		TEST(a_dialog_goes_by_its_route),
		TEST(a_dialog_without_a_route_goes_to_its_uri),
		TEST(a_call_that_goes_in_circles_ends),
		TEST(a_call_over_tcp_is_answered_over_tcp),
		TEST(what_is_too_large_to_be_passed_on_is_refused),
		TEST(an_answer_whose_stream_is_gone_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
