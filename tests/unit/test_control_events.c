/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_events.c - clients that listen to events, and never hold up the agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "control_world.h"
#include "surface/events.h"

static struct peer *connect_listener(void)
{
	struct peer *peer = connect_peer();

	say(peer, "{\"command\": \"events\"}");
	turn();
	return peer;
}

/* The path goes from one state to another, as the keeper tells it. */
static void happen(const struct path *path, enum path_state before, enum path_state after,
		   enum binding_reason reason)
{
	struct path_event event = {
		.when_ns = clock_now_ns(),
		.path = path,
		.state_before = before,
		.state_after = after,
		.binding = path->bindings,
		.reason = reason,
	};

	pipeline.keeper.on_event(pipeline.keeper.event_context, &event);
}

static void register_again(const struct path *path)
{
	happen(path, PATH_IDLE, PATH_REGISTERED, REASON_registered);
}

static void assert_text(const json_t *row, const char *name, const char *expected)
{
	assert_non_null(json_object_get(row, name));
	assert_string_equal(json_string_value(json_object_get(row, name)), expected);
}

/* "2026-01-31T23:59:59.999Z" is now, or at most a minute ago. */
static void assert_just_now(const char *text)
{
	struct tm utc = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	time_t then = timegm(&utc);

	assert_non_null(rest);
	assert_int_equal(strlen(rest), strlen(".999Z"));
	assert_int_equal(rest[0], '.');
	assert_int_equal(rest[4], 'Z');
	assert_in_range(time(NULL) - then, 0, 60);
}

/* The path of the next event is that of this number, and so many were missed before it. */
static void expect_event_of(struct peer *peer, uint32_t number)
{
	char remote[32];
	json_t *row = expect_row(peer);

	snprintf(remote, sizeof(remote), "198.51.100.7:%u", 10000 + number);
	assert_text(row, "remote", remote);
	assert_int_equal(number_of(row, "missed"), 0);
	json_decref(row);
}

static void an_event_is_told_as_it_happens(void **state)
{
	struct path *path = add_path(1);
	struct peer *peer;
	json_t *row;

	(void)state;
	register_again(path); /* before anybody listens */
	peer = connect_listener();
	happen(path, PATH_REGISTERED, PATH_REGISTERED_DIALOG, REASON_dialog_confirmed);
	row = expect_row(peer);
	assert_just_now(json_string_value(json_object_get(row, "time")));
	assert_text(row, "path", "udp 192.0.2.1:5060 198.51.100.7:10001");
	assert_text(row, "transport", "udp");
	assert_text(row, "local", "192.0.2.1:5060");
	assert_text(row, "remote", "198.51.100.7:10001");
	assert_text(row, "aor", "sip:\xef\xbf\xbd\x1b\"@example.org");
	assert_text(row, "from", "registered");
	assert_text(row, "to", "registered+dialog");
	assert_text(row, "health", "live");
	assert_text(row, "reason", "dialog_confirmed");
	assert_text(row, "text", "INVITE was accepted");
	assert_int_equal(number_of(row, "missed"), 0);
	json_decref(row);
	leave(peer);
}

static void an_event_outlives_its_path(void **state)
{
	struct peer *peer = connect_listener();
	struct path *path = add_path(1);
	char aor[] = "sip:bob@example.org";
	json_t *row;

	(void)state;
	registrations[0].binding.aor = span_of(aor);
	happen(path, PATH_REGISTERED, PATH_IDLE, REASON_unregistered);
	drop_path(path);
	memset(aor, 'x', sizeof(aor));
	row = expect_row(peer);
	assert_text(row, "aor", "sip:bob@example.org");
	assert_text(row, "to", "idle");
	json_decref(row);
	leave(peer);
}

static void a_change_of_health_has_no_binding(void **state)
{
	static const struct {
		enum path_health before, after;
		const char *name;
	} cases[] = {
		{ PATH_AWAITING, PATH_SILENT, "silent" },
		{ PATH_SILENT, PATH_LIVE, "live" },
	};
	struct peer *peer = connect_listener();
	struct path *path = add_path(1);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct path_event event = {
			.when_ns = clock_now_ns(),
			.path = path,
			.state_before = PATH_REGISTERED,
			.state_after = PATH_REGISTERED,
			.health_before = cases[i].before,
			.health_after = cases[i].after,
		};
		json_t *row;

		pipeline.keeper.on_event(pipeline.keeper.event_context, &event);
		row = expect_row(peer);
		assert_text(row, "from", "registered");
		assert_text(row, "to", "registered");
		assert_text(row, "health", cases[i].name);
		assert_text(row, "reason", cases[i].name);
		assert_true(json_is_string(json_object_get(row, "text")));
		assert_true(json_is_null(json_object_get(row, "aor")));
		json_decref(row);
	}
	leave(peer);
}

static void every_listener_is_told_and_one_may_leave(void **state)
{
	enum { EVENTS = 300 };
	struct peer *first = connect_listener(), *second = connect_listener();
	struct path *path = add_path(1);

	(void)state;
	for (int i = 0; i < EVENTS; i++)
		register_again(path);
	expect_event_of(first, 1);
	leave(first); /* most of it is unread */
	register_again(path);
	for (int i = 0; i < EVENTS + 1; i++)
		expect_event_of(second, 1);
	leave(second);
	register_again(path);
	turn();
}

/* However much happens, what is held is bounded, and what was lost is told. */
static void a_slow_listener_misses_the_oldest_and_is_told_how_many(void **state)
{
	enum { EVENTS = 5 * EVENTS_HELD };
	struct peer *slow = connect_listener(), *other = connect_peer();
	struct path *path = add_path(1), *last = add_path(2);
	json_int_t told = 0, missed = 0;
	bool ended = false;

	(void)state;
	for (int i = 0; i < EVENTS; i++) {
		register_again(path);
		if (i % 64 == 0)
			turn();
	}
	register_again(last);
	expect_status(other);
	while (!ended) {
		json_t *row = expect_row(slow);

		told++;
		missed += number_of(row, "missed");
		ended = strstr(json_string_value(json_object_get(row, "remote")), ":10002");
		json_decref(row);
	}
	assert_int_equal(told + missed, EVENTS + 1);
	assert_true(told >= EVENTS_HELD);
	assert_true(missed > 0);
	register_again(path);
	expect_event_of(slow, 1);
	leave(slow);
	leave(other);
}

static void an_event_during_a_listing_disturbs_neither(void **state)
{
	enum { PATHS = 2000 };
	struct peer *listener = connect_listener(), *lister = connect_peer();
	struct path *first = add_path(0);
	int rows = 0, events = 0;
	json_t *line;

	(void)state;
	for (uint32_t i = 1; i < PATHS; i++)
		add_path(i);
	say(lister, "{\"command\": \"paths\"}");
	for (line = next_line(lister); json_object_get(line, "row"); line = next_line(lister)) {
		if (rows++ % 100 == 0) {
			register_again(first);
			events++;
		}
		json_decref(line);
	}
	json_decref(line);
	assert_int_equal(rows, PATHS);
	for (int i = 0; i < events; i++)
		expect_event_of(listener, 0);
	leave(lister);
	leave(listener);
}

static void whoever_listens_cannot_ask_on_the_same_connection(void **state)
{
	struct peer *later = connect_listener(), *at_once = connect_peer();

	(void)state;
	say(later, "{\"command\": \"status\"}");
	expect_error(later, "open another connection");
	assert_closed(later);
	say(at_once, "{\"command\": \"events\"}\n{\"command\": \"status\"}");
	expect_error(at_once, "open another connection");
	assert_closed(at_once);
	leave(later);
	leave(at_once);
}

static void a_listener_that_closes_its_side_is_gone(void **state)
{
	struct peer *peer = connect_listener();
	struct path *path = add_path(1);

	(void)state;
	register_again(path);
	turn();
	assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
	expect_event_of(peer, 1);
	assert_closed(peer);
	leave(peer);
}

static void mark_rung(struct ev_loop *of, ev_timer *timer, int events)
{
	(void)of;
	(void)events;
	*(bool *)timer->data = true;
}

/* The loop sleeps until something happens: it comes round for the timer and for little else. */
static void a_listener_costs_nothing_while_nothing_happens(void **state)
{
	struct peer *peer = connect_listener();
	bool rung = false;
	ev_timer timer;
	int rounds = 0;

	(void)state;
	register_again(add_path(1));
	expect_event_of(peer, 1);
	ev_timer_init(&timer, mark_rung, 0.1, 0);
	timer.data = &rung;
	ev_now_update(loop);
	ev_timer_start(loop, &timer);
	for (; !rung; rounds++)
		ev_run(loop, EVRUN_ONCE);
	assert_true(rounds < 20);
	leave(peer);
}

/* It is owed something for as long as it stays, like a client whose answer goes on. */
static void a_listener_does_not_make_room_for_others(void **state)
{
	struct peer *listener = connect_listener(), *others[CONTROL_CLIENTS_MAX];

	(void)state;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		others[i] = connect_peer();
	register_again(add_path(1));
	expect_event_of(listener, 1);
	assert_closed(others[0]);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		leave(others[i]);
	leave(listener);
}

static void nobody_is_told_of_events_once_the_control_is_closed(void **state)
{
	struct control_options options = agent_options();
	struct peer *peer = connect_listener();

	(void)state;
	assert_non_null(pipeline.keeper.on_event);
	control_close(control);
	control = NULL;
	assert_null(pipeline.keeper.on_event);
	assert_closed(peer);
	leave(peer);
	options.loop = loop;
	options.listening = listening;
	assert_int_equal(control_open(&options, &control), 0); /* for the end of the test */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(an_event_is_told_as_it_happens),
		CONTROL_TEST(an_event_outlives_its_path),
		CONTROL_TEST(a_change_of_health_has_no_binding),
		CONTROL_TEST(every_listener_is_told_and_one_may_leave),
		CONTROL_TEST(a_slow_listener_misses_the_oldest_and_is_told_how_many),
		CONTROL_TEST(an_event_during_a_listing_disturbs_neither),
		CONTROL_TEST(whoever_listens_cannot_ask_on_the_same_connection),
		CONTROL_TEST(a_listener_that_closes_its_side_is_gone),
		CONTROL_TEST(a_listener_costs_nothing_while_nothing_happens),
		CONTROL_TEST(a_listener_does_not_make_room_for_others),
		CONTROL_TEST(nobody_is_told_of_events_once_the_control_is_closed),
	};

	return cmocka_run_group_tests_name("control_events", tests, NULL, NULL);
}
