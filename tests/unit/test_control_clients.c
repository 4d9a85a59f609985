/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_control_clients.c - clients of the control socket that send nonsense, read
 * slowly, leave early or come in crowds: nothing they do ends or stalls the agent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include <control.h>

#include "control_world.h"
#include "surface/client.h"

/* Hears all rows of "paths" and marks in "heard", by number, which ones came. */
static size_t hear_paths(struct peer *peer, uint8_t heard[PATHS_MANY])
{
	size_t rows = 0;
	json_t *line;

	memset(heard, 0, PATHS_MANY);
	for (line = next_line(peer); line && json_object_get(line, "row"); line = next_line(peer)) {
		const char *remote =
			json_string_value(json_object_get(json_object_get(line, "row"), "remote"));

		assert_non_null(remote);
		heard[atoi(strrchr(remote, ':') + 1) - 10000]++;
		rows++;
		json_decref(line);
	}
	assert_non_null(line);
	assert_true(json_is_true(json_object_get(line, "end")));
	json_decref(line);
	return rows;
}

static void what_is_no_request_is_said_and_closed(void **state)
{
	static const struct span lines[] = {
		{ "\n", 1 },
		{ "status\n", 7 },
		{ "[]\n", 3 },
		{ "{}\n", 3 },
		{ "{\"command\": 7}\n", 15 },
		{ "{\"command\": \"status\"\n", 21 },
		{ "{\"command\": \"status\"} {}\n", 25 },
		{ "{\"command\": \"paths\", \"command\": \"status\"}\n", 42 },
		{ "{\"command\": \"\xff\"}\n", 17 },
		{ "{\"command\": \"status\"}\0\n", 23 },
		{ "{\"command\": \"\\u0000\"}\n", 22 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct peer *peer = connect_peer();

		say_bytes(peer, lines[i].at, lines[i].length);
		/* Another request behind it goes unanswered: nobody knows where it begins. */
		say(peer, "{\"command\": \"status\"}");
		expect_error(peer, "not a request");
		assert_closed(peer);
		leave(peer);
	}
}

static void a_line_may_have_so_many_bytes_and_not_one_more(void **state)
{
	static const char request[] = "{\"command\": \"status\"}";
	char line[CONTROL_REQUEST_MAX + 1];
	struct peer *peer = connect_peer();

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, request, strlen(request));
	line[CONTROL_REQUEST_MAX - 1] = '\n';
	say_bytes(peer, line, CONTROL_REQUEST_MAX);
	json_decref(expect_row(peer));
	expect_end(peer);

	line[CONTROL_REQUEST_MAX - 1] = ' ';
	line[CONTROL_REQUEST_MAX] = '\n';
	say_bytes(peer, line, CONTROL_REQUEST_MAX + 1);
	expect_error(peer, "at most 4096 bytes");
	assert_closed(peer);
	leave(peer);
}

static void an_endless_line_is_cut_off(void **state)
{
	struct peer *peer = connect_peer();
	char block[1024];
	int sent = 0;

	(void)state;
	memset(block, 'x', sizeof(block));
	while (send(peer->fd, block, sizeof(block), MSG_NOSIGNAL) > 0) {
		assert_true(++sent < 10000);
		turn();
	}
	expect_error(peer, "at most 4096 bytes");
	assert_closed(peer);
	leave(peer);
}

static void requests_may_come_in_pieces_and_in_heaps(void **state)
{
	enum { HEAP = 400 };
	static const char request[] = "{\"command\": \"threshold\"}\n";
	char heap[HEAP * sizeof(request)] = "";
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < strlen(request); i++) {
		say_bytes(peer, &request[i], 1);
		turn();
	}
	json_decref(expect_row(peer));
	expect_end(peer);
	/* More than the input buffer holds, and more than one turn's work. */
	for (size_t i = 0; i < HEAP; i++)
		memcpy(heap + i * strlen(request), request, strlen(request));
	say_bytes(peer, heap, HEAP * strlen(request));
	for (int i = 0; i < HEAP; i++) {
		json_decref(expect_row(peer));
		expect_end(peer);
	}
	leave(peer);
}

static void a_half_closed_client_gets_all_its_answers(void **state)
{
	static const char last[] = "{\"command\": \"threshold\"}";
	uint8_t heard[PATHS_MANY];
	struct peer *peer = connect_peer();

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		add_path(i);
	say(peer, "{\"command\": \"paths\"}");
	say_bytes(peer, last, strlen(last)); /* the end of the input is as good as a line end */
	assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
	assert_int_equal(hear_paths(peer, heard), 300);
	json_decref(expect_row(peer));
	expect_end(peer);
	assert_closed(peer);
	leave(peer);
}

static void a_slow_reader_costs_no_memory_and_holds_up_nobody(void **state)
{
	uint8_t heard[PATHS_MANY];
	struct peer *slow = connect_peer(), *other = connect_peer();
	size_t before;

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	say(slow, "{\"command\": \"paths\"}");
	do {
		before = pipeline.keeper.entries_read;
		turn();
	} while (pipeline.keeper.entries_read > before);
	assert_true(pipeline.keeper.entries_read > 0);
	assert_true(pipeline.keeper.entries_read < PATHS_MANY);
	expect_status(other);
	assert_int_equal(hear_paths(slow, heard), PATHS_MANY);
	for (size_t i = 0; i < PATHS_MANY; i++)
		assert_int_equal(heard[i], 1);
	leave(slow);
	leave(other);
}

/* Rows so large that a turn's worth of them is many times the output buffer. */
static void large_rows_wait_for_room(void **state)
{
	enum { ROWS = 100 };
	static char worst[2000];
	struct peer *peer = connect_peer();

	(void)state;
	memset(worst, 0x01, sizeof(worst));
	for (uint32_t i = 0; i < ROWS; i++) {
		add_path(i);
		registrations[i].binding.aor = (struct span){ worst, sizeof(worst) };
	}
	say(peer, "{\"command\": \"bindings\"}");
	for (int i = 0; i < ROWS; i++) {
		json_t *row = expect_row(peer);

		assert_int_equal(json_string_length(json_object_get(row, "aor")), sizeof(worst));
		json_decref(row);
	}
	expect_end(peer);
	leave(peer);
}

static void a_turn_of_the_loop_does_a_bounded_piece_of_work(void **state)
{
	struct peer *peer = connect_peer();
	size_t before = 0;

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	say(peer, "{\"command\": \"paths\"}");
	while (pipeline.keeper.entries_read < PATHS_MANY) {
		turn();
		assert_true(pipeline.keeper.entries_read - before <= CLIENT_STEPS);
		before = pipeline.keeper.entries_read;
		assert_true(hear(peer));
		peer->used = 0;
	}
	leave(peer);
}

static void paths_may_go_while_they_are_being_shown(void **state)
{
	uint8_t heard[PATHS_MANY];
	struct peer *peer = connect_peer();
	struct path *path;
	uint32_t cursor = 0;

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	say(peer, "{\"command\": \"paths\"}");
	turn();
	while ((path = paths_walk(pipeline.keeper.paths, &cursor))) {
		if (path->flow.remote_port % 2)
			drop_path(path);
	}
	hear_paths(peer, heard);
	for (size_t i = 0; i < PATHS_MANY; i++) {
		assert_true(heard[i] <= 1);
		assert_true(heard[i] == 1 || i % 2);
	}
	leave(peer);
}

static void a_client_that_leaves_in_the_middle_is_forgotten(void **state)
{
	struct peer *peer;

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	for (int i = 0; i < 2 * CONTROL_CLIENTS_MAX; i++) {
		peer = connect_peer();
		say(peer, "{\"command\": \"bindings\"}");
		turn();
		leave(peer);
		turn();
	}
	peer = connect_peer();
	expect_status(peer);
	leave(peer);
}

/* Idle clients cannot lock an operator out. */
static void the_client_that_is_idle_longest_makes_room(void **state)
{
	struct peer *peers[CONTROL_CLIENTS_MAX], *late;

	(void)state;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		peers[i] = connect_peer();
	expect_status(peers[0]);
	late = connect_peer();
	expect_status(late);
	assert_closed(peers[1]);
	expect_status(peers[0]);
	for (size_t i = 2; i < CONTROL_CLIENTS_MAX; i++)
		expect_status(peers[i]);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		leave(peers[i]);
	leave(late);
}

static void one_client_too_many_is_told_so_when_all_are_busy(void **state)
{
	struct peer *peers[CONTROL_CLIENTS_MAX], *late;
	uint8_t heard[PATHS_MANY];

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		peers[i] = connect_peer();
		say(peers[i], "{\"command\": \"paths\"}");
		turn();
	}
	late = connect_peer();
	expect_error(late, "too many clients");
	assert_closed(late);
	leave(late);
	assert_int_equal(hear_paths(peers[CONTROL_CLIENTS_MAX - 1], heard), PATHS_MANY);
	leave(peers[0]);
	late = connect_peer();
	expect_status(late);
	leave(late);
	for (size_t i = 1; i < CONTROL_CLIENTS_MAX; i++)
		leave(peers[i]);
}

static int64_t skipped_s; /* by which the clocks are ahead */
static uint64_t patience_ends_ns;

/* In place of the C library's: libev's and the agent's time alike. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
	int error = (int)syscall(SYS_clock_gettime, clock, out);

	out->tv_sec += skipped_s;
	return error;
}

/* The agent has closed its side, whatever is still to be read. */
static bool has_ended(const struct peer *peer)
{
	struct pollfd wait = { .fd = peer->fd, .events = POLLRDHUP };

	assert_true(clock_now_ns() < patience_ends_ns);
	assert_true(poll(&wait, 1, 10) >= 0);
	return wait.revents & (POLLRDHUP | POLLHUP);
}

/* Asks for more than fits into all buffers between, and takes nothing of it. */
static struct peer *connect_stuck(void)
{
	struct peer *peer = connect_peer();
	size_t before;

	say(peer, "{\"command\": \"paths\"}");
	do {
		before = pipeline.keeper.entries_read;
		turn();
	} while (pipeline.keeper.entries_read > before);
	return peer;
}

static void who_takes_nothing_of_what_waits_is_closed_in_the_end(void **state)
{
	struct peer *stuck, *slow, *idle = connect_peer();

	(void)state;
	for (uint32_t i = 0; i < PATHS_MANY; i++)
		add_path(i);
	stuck = connect_stuck();
	slow = connect_stuck();
	skipped_s += 20;
	assert_true(hear(slow));
	turn();
	skipped_s += 20;
	patience_ends_ns = clock_now_ns() + PATIENCE_NS;
	while (!has_ended(stuck))
		turn();
	assert_false(has_ended(slow));
	expect_status(idle);
	leave(stuck);
	leave(slow);
	leave(idle);
}

/* A listener that is stopped does not keep its place, and others not root out. */
static void listeners_leave_places_to_those_who_ask(void **state)
{
	struct peer *listeners[CONTROL_LISTENERS_MAX], *late, *root;

	(void)state;
	for (size_t i = 0; i < CONTROL_LISTENERS_MAX; i++) {
		listeners[i] = connect_peer();
		say(listeners[i], "{\"command\": \"events\"}");
		turn();
	}
	late = connect_peer();
	say(late, "{\"command\": \"events\"}");
	expect_error(late, "listen to events, and no more may");
	expect_status(late);
	root = connect_peer();
	expect_status(root);
	leave(listeners[7]);
	say(late, "{\"command\": \"events\"}");
	turn();
	listeners[7] = connect_peer();
	say(listeners[7], "{\"command\": \"events\"}");
	expect_error(listeners[7], "listen to events, and no more may");
	for (size_t i = 0; i < CONTROL_LISTENERS_MAX; i++)
		leave(listeners[i]);
	leave(late);
	leave(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(what_is_no_request_is_said_and_closed),
		CONTROL_TEST(a_line_may_have_so_many_bytes_and_not_one_more),
		CONTROL_TEST(an_endless_line_is_cut_off),
		CONTROL_TEST(requests_may_come_in_pieces_and_in_heaps),
		CONTROL_TEST(a_half_closed_client_gets_all_its_answers),
		CONTROL_TEST(a_slow_reader_costs_no_memory_and_holds_up_nobody),
		CONTROL_TEST(large_rows_wait_for_room),
		CONTROL_TEST(a_turn_of_the_loop_does_a_bounded_piece_of_work),
		CONTROL_TEST(paths_may_go_while_they_are_being_shown),
		CONTROL_TEST(a_client_that_leaves_in_the_middle_is_forgotten),
		CONTROL_TEST(the_client_that_is_idle_longest_makes_room),
		CONTROL_TEST(one_client_too_many_is_told_so_when_all_are_busy),
		CONTROL_TEST(who_takes_nothing_of_what_waits_is_closed_in_the_end),
		CONTROL_TEST(listeners_leave_places_to_those_who_ask),
	};

	return cmocka_run_group_tests_name("control_clients", tests, NULL, NULL);
}
