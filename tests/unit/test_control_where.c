/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_control_where.c - where the devices of an AOR are, as an agent shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <control.h>

#include "directory_world.h"

static void paths_of_an_aor_are_shown_newest_first(void **state)
{
	const struct location locations[] = {
		location_at("a", "udp 192.0.2.11:5060 198.51.100.7:40001", BINDING_DIALOG, 9000),
		location_at("b", "tcp 192.0.2.12:5060 198.51.100.7:40002", BINDING_REGISTRATION,
			    1000),
		location_at("a", "udp 192.0.2.11:5060 198.51.100.7:40003", BINDING_LINGERING, 5000),
	};
	static const char *const wanted[][5] = {
		{ "b", "tcp", "192.0.2.12:5060", "198.51.100.7:40002", "registered" },
		{ "a", "udp", "192.0.2.11:5060", "198.51.100.7:40003", "lingering" },
		{ "a", "udp", "192.0.2.11:5060", "198.51.100.7:40001", "dialog" },
	};
	static const json_int_t accepted_ago_ms[] = { 1000, 5000, 9000 };
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	answer_with((struct directory_answer){
		.now_ms = NOW_MS, .locations = locations, .location_count = COUNT(locations) });
	for (size_t i = 0; i < COUNT(wanted); i++) {
		json_t *row = expect_row(peer);

		assert_text(row, "node", wanted[i][0]);
		assert_text(row, "transport", wanted[i][1]);
		assert_text(row, "local", wanted[i][2]);
		assert_text(row, "remote", wanted[i][3]);
		assert_text(row, "state", wanted[i][4]);
		assert_text(row, "health", "live");
		assert_int_equal(number_of(row, "accepted_ago_ms"), accepted_ago_ms[i]);
		assert_int_equal(number_of(row, "expires_in_ms"), 60000);
		assert_int_equal(number_of(row, "heard_ago_ms"), 2000);
		assert_int_equal(number_of(row, "devices"), i == 0);
		json_decref(row);
	}
	expect_end(peer);
	leave(peer);
}

/* Two devices behind one address and port, a call, and a subscription; the same flow elsewhere. */
static void locations_of_one_path_are_one_row(void **state)
{
	static const char flow[] = "udp 192.0.2.11:5060 198.51.100.7:40001";
	struct location locations[] = {
		location_at("a", flow, BINDING_REGISTRATION, 4000),
		location_at("a", flow, BINDING_DIALOG, 2000),
		location_at("b", flow, BINDING_SUBSCRIPTION, 3000),
		location_at("a", flow, BINDING_REGISTRATION, 5000),
	};
	struct peer *peer = connect_peer();
	json_t *row;

	(void)state;
	locations[0].ends_ms = NOW_MS + 90000;
	locations[0].health = PATH_SILENT;
	locations[1].heard_ms = NOW_MS - 500;
	locations[2].health = PATH_SILENT;
	say(peer, ALICE);
	await_questions(1);
	answer_with((struct directory_answer){
		.now_ms = NOW_MS, .locations = locations, .location_count = COUNT(locations) });
	row = expect_row(peer);
	assert_text(row, "node", "a");
	assert_text(row, "state", "registered+dialog");
	assert_text(row, "health", "live"); /* it was heard after it had been silent */
	assert_int_equal(number_of(row, "accepted_ago_ms"), 2000);
	assert_int_equal(number_of(row, "expires_in_ms"), 90000);
	assert_int_equal(number_of(row, "heard_ago_ms"), 500);
	assert_int_equal(number_of(row, "devices"), 2);
	json_decref(row);
	row = expect_row(peer);
	assert_text(row, "node", "b");
	assert_text(row, "state", "registered");
	assert_text(row, "health", "silent");
	assert_int_equal(number_of(row, "devices"), 0);
	json_decref(row);
	expect_end(peer);
	leave(peer);
}

/* Both know of the same word of the device: the silence was noticed after it. */
static void of_two_reports_that_know_the_same_the_worse_is_the_later(void **state)
{
	static const char flow[] = "udp 192.0.2.11:5060 198.51.100.7:40001";
	struct location locations[] = {
		location_at("a", flow, BINDING_REGISTRATION, 4000),
		location_at("a", flow, BINDING_DIALOG, 2000),
	};

	(void)state;
	for (size_t silent = 0; silent < COUNT(locations); silent++) {
		struct peer *peer = connect_peer();
		json_t *row;

		locations[silent].health = PATH_SILENT;
		locations[1 - silent].health = PATH_LIVE;
		at_once = &(struct directory_answer){ .now_ms = NOW_MS,
						      .locations = locations,
						      .location_count = COUNT(locations) };
		say(peer, ALICE);
		row = expect_row(peer);
		assert_text(row, "health", "silent");
		json_decref(row);
		expect_end(peer);
		leave(peer);
	}
}

static void nobody_is_an_empty_list(void **state)
{
	struct peer *peer = connect_peer();

	(void)state;
	say(peer, ALICE);
	await_questions(1);
	answer_with((struct directory_answer){ .now_ms = NOW_MS });
	expect_end(peer);
	at_once = &(struct directory_answer){ .now_ms = NOW_MS };
	say(peer, "{\"command\": \"cluster\"}");
	expect_end(peer);
	leave(peer);
}

/* More rows than one turn of the loop gives, of more locations than an AOR may have. */
static void no_more_than_so_many_locations_are_shown(void **state)
{
	static struct location locations[DIRECTORY_LOCATIONS_MAX + 5];
	struct peer *peer = connect_peer();

	(void)state;
	for (size_t i = 0; i < COUNT(locations); i++) {
		locations[i] = location_at("a", "udp 192.0.2.11:5060 198.51.100.7:40001",
					   BINDING_REGISTRATION, i);
		locations[i].flow.remote_port = (uint16_t)(20000 + i);
	}
	say(peer, ALICE);
	await_questions(1);
	answer_with((struct directory_answer){
		.now_ms = NOW_MS, .locations = locations, .location_count = COUNT(locations) });
	for (size_t i = 0; i < DIRECTORY_LOCATIONS_MAX; i++) {
		json_t *row = expect_row(peer);

		assert_int_equal(number_of(row, "accepted_ago_ms"), i);
		json_decref(row);
	}
	expect_end(peer);
	leave(peer);
}

static void an_aor_is_asked_for_as_registrations_have_it(void **state)
{
	static const char *const cases[][2] = {
		{ "alice@example.org", "sip:alice@example.org" },
		{ "sip:Alice@EXAMPLE.org", "sip:Alice@example.org" },
		{ "SIPS:Alice@EXAMPLE.org", "sip:Alice@example.org" },
		{ "Alice@EXAMPLE.org:5070;transport=tcp", "sip:Alice@example.org" },
		{ "sip", "sip:sip" },
		{ "tel:+4930123456", "tel:+4930123456" },
	};
	struct peer *peer = connect_peer();
	char request[CONTROL_REQUEST_MAX], longest[LOCATION_TEXT_MAX + 1];

	(void)state;
	at_once = &(struct directory_answer){ .now_ms = NOW_MS };
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(request, sizeof(request), "{\"command\": \"where\", \"aor\": \"%s\"}",
			 cases[i][0]);
		say(peer, request);
		expect_end(peer);
		assert_string_equal(asked_aor, cases[i][1]);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "sip:", 4);
	longest[LOCATION_TEXT_MAX] = '\0';
	snprintf(request, sizeof(request), "{\"command\": \"where\", \"aor\": \"%s\"}", longest);
	say(peer, request);
	expect_end(peer);
	assert_string_equal(asked_aor, longest);
	leave(peer);
}

static void what_is_no_aor_is_not_asked_for(void **state)
{
	struct peer *peer = connect_peer();
	char request[CONTROL_REQUEST_MAX], longest[LOCATION_TEXT_MAX + 1];

	(void)state;
	say(peer, "{\"command\": \"where\"}");
	expect_error(peer, "an AOR is expected");
	say(peer, "{\"command\": \"where\", \"aor\": \"\"}");
	expect_error(peer, "an AOR is expected");
	/* With the scheme that it lacks it would be too long. */
	memset(longest, 'a', sizeof(longest));
	longest[LOCATION_TEXT_MAX] = '\0';
	snprintf(request, sizeof(request), "{\"command\": \"where\", \"aor\": \"%s\"}", longest);
	say(peer, request);
	expect_error(peer, "of at most 1024 bytes");
	assert_int_equal(question_count, 0);
	leave(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(paths_of_an_aor_are_shown_newest_first),
		AGENT_TEST(locations_of_one_path_are_one_row),
		AGENT_TEST(of_two_reports_that_know_the_same_the_worse_is_the_later),
		AGENT_TEST(nobody_is_an_empty_list),
		AGENT_TEST(no_more_than_so_many_locations_are_shown),
		AGENT_TEST(an_aor_is_asked_for_as_registrations_have_it),
		AGENT_TEST(what_is_no_aor_is_not_asked_for),
	};

	return cmocka_run_group_tests_name("control_where", tests, NULL, NULL);
}
