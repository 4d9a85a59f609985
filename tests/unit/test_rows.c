/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rows.c - paths and counters as JSON: always the same members, always valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rows_world.h"

/* The text as it stands in a document that has been written and read again. */
static void assert_shown_as(struct span text, const char *expected)
{
	json_t *value = row_text(text);
	char *written = json_dumps(value, JSON_ENCODE_ANY);
	json_t *read = json_loads(written, JSON_DECODE_ANY, NULL);

	assert_non_null(read);
	assert_string_equal(json_string_value(read), expected);
	json_decref(read);
	free(written);
	json_decref(value);
}

static void text_from_outside_is_always_valid(void **state)
{
	static const struct {
		struct span text;
		const char *expected;
	} cases[] = {
		{ { "", 0 }, "" },
		{ { "sip:a\"\\b", 8 }, "sip:a\"\\b" },
		{ { "\x1b[2J\n", 5 }, "\x1b[2J\n" },
		{ { "a\0b", 3 },
		  "a\xef\xbf\xbd"
		  "b" },
		{ { "J\xc3\xbcrg", 5 }, "J\xc3\xbcrg" },
		{ { "\xf0\x9f\x93\x9e", 4 }, "\xf0\x9f\x93\x9e" },
		{ { "\xf4\x8f\xbf\xbf", 4 }, "\xf4\x8f\xbf\xbf" },
		{ { "\xff"
		    "a",
		    2 },
		  "\xef\xbf\xbd"
		  "a" },
		{ { "\xc3", 1 }, "\xef\xbf\xbd" },
		{ { "\xc3"
		    "a",
		    2 },
		  "\xef\xbf\xbd"
		  "a" },
		{ { "\xc0\x80", 2 }, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ { "\xe0\x9f\xbf", 3 }, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ { "\xed\xa0\x80", 3 }, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ { "\xf4\x90\x80\x80", 4 }, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ { "\xe2\x82"
		    "a",
		    3 },
		  "\xef\xbf\xbd\xef\xbf\xbd"
		  "a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_shown_as(cases[i].text, cases[i].expected);
}

/* Every pair of bytes, with one more behind it. */
static void no_bytes_break_a_document(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 1 << 16; i++) {
		char bytes[3] = { (char)(i >> 8), (char)i, (char)(i * 7) };
		json_t *value = row_text((struct span){ bytes, sizeof(bytes) });
		char *written = json_dumps(value, JSON_ENCODE_ANY);
		json_t *read = json_loads(written ? written : "", JSON_DECODE_ANY, NULL);

		assert_non_null(read);
		json_decref(read);
		free(written);
		json_decref(value);
	}
}

static void a_path_has_the_members_that_scripts_rely_on(void **state)
{
	static const char *const names[] = {
		"transport", "local",         "remote",        "state",   "health", "idle_ms",
		"due_in_ms", "prompts",       "answers",       "avoided", "rtt_us", "registrations",
		"dialogs",   "subscriptions", "answer_status", "kept_by"
	};
	struct path_entry entry = { .last_seen_ns = NOW_NS - 1500 * NS_PER_MS };
	struct registration registration = registration_with(SPAN("sip:alice@example.org"));
	struct wheel_node *slot = NULL;
	struct path path = {
		.flow = flow,
		.rules = &rules,
		.due = { .link = &slot, .due_ns = NOW_NS + 22500 * NS_PER_MS },
		.health = PATH_AWAITING,
		.note = PATH_NOTE_prompted,
		.prompts = 3,
		.answers = 2,
		.avoided = 9,
		.rtt_us = 12345,
		.answer_status = 404,
		.opened_ns = NOW_NS - NS_PER_S,
	};
	json_t *row;

	(void)state;
	paths_attach(&path, &registration.binding);
	row = row_of_path(&path, &entry);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_non_null(json_object_get(row, names[i]));
	assert_text_member(row, "transport", "udp");
	assert_text_member(row, "local", "192.0.2.1:5060");
	assert_text_member(row, "remote", "[2001:db8::7]:40001");
	assert_text_member(row, "flow", "udp 192.0.2.1:5060 [2001:db8::7]:40001");
	assert_text_member(row, "state", "registered");
	assert_text_member(row, "health", "awaiting");
	assert_number_member(row, "idle_ms", 1500);
	assert_number_member(row, "due_in_ms", 22500);
	assert_number_member(row, "prompts", 3);
	assert_number_member(row, "answers", 2);
	assert_number_member(row, "avoided", 9);
	assert_number_member(row, "rtt_us", 12345);
	assert_number_member(row, "answer_status", 404);
	assert_number_member(row, "registrations", 1);
	assert_number_member(row, "subscriptions", 0);
	assert_number_member(row, "dialogs", 0);
	assert_number_member(row, "lingering", 0);
	assert_flag_member(row, "connection", false);
	assert_text_member(row, "kept_by", "options");
	assert_text_member(row, "note", "prompted");
	assert_text_member(row, "why", path_note_text(PATH_NOTE_prompted));
	assert_number_member(row, "threshold_ms", 24000);
	assert_flag_member(row, "behind_nat", false);
	assert_flag_member(row, "readable", true);
	json_decref(row);
	paths_detach(&registration.binding);
}

static void trap_11_an_unknown_path_is_not_shown_as_idle(void **state)
{
	struct path_entry entry = { .last_seen_ns = NOW_NS };
	struct path path = { .flow = flow, .rules = &rules };
	json_t *known, *unknown;

	(void)state;
	known = row_of_path(&path, &entry);
	unknown = row_of_path(&path, NULL);
	assert_number_member(known, "idle_ms", 0);
	assert_null_member(unknown, "idle_ms");
	assert_null_member(unknown, "due_in_ms");
	assert_null_member(unknown, "rtt_us");
	assert_null_member(unknown, "answer_status");
	assert_same_members(known, unknown);
	json_decref(known);
	json_decref(unknown);
}

static void an_answer_is_told_before_the_agent_has_counted_it(void **state)
{
	struct path path = {
		.flow = flow,
		.rules = &rules,
		.health = PATH_AWAITING,
		.prompt = { .token = 7, .tries = 1 },
		.prompts = 1,
	};
	struct path_entry entry = {
		.last_seen_ns = NOW_NS,
		.prompt_ns = NOW_NS - NS_PER_MS,
		.prompt_token = 7,
		.answer_ns = NOW_NS,
		.answer_token = 6,
		.answer_status = 200,
	};
	json_t *row = row_of_path(&path, &entry);

	(void)state;
	assert_text_member(row, "health", "awaiting");
	assert_number_member(row, "answers", 0);
	json_decref(row);

	entry.answer_token = 7;
	row = row_of_path(&path, &entry);
	assert_text_member(row, "health", "live");
	assert_text_member(row, "note", "answered");
	assert_number_member(row, "answers", 1);
	assert_number_member(row, "rtt_us", 1000);
	json_decref(row);
	assert_int_equal(path.health, PATH_AWAITING);
}

static void what_is_overdue_or_just_stamped_is_zero_not_negative(void **state)
{
	struct path_entry entry = { .last_seen_ns = NOW_NS + NS_PER_S };
	struct wheel_node *slot = NULL;
	struct path path = {
		.flow = flow,
		.rules = &rules,
		.due = { .link = &slot, .due_ns = NOW_NS - NS_PER_S },
	};
	json_t *row = row_of_path(&path, &entry);

	(void)state;
	assert_number_member(row, "idle_ms", 0);
	assert_number_member(row, "due_in_ms", 0);
	json_decref(row);
}

static void a_path_says_how_it_is_kept(void **state)
{
	static const struct {
		struct path_rules rules;
		bool behind_nat;
		enum flow_transport transport;
		struct connection_entry connection;
		const char *kept_by;
	} cases[] = {
		{ { .method = PROMPT_OPTIONS }, false, FLOW_UDP, { 0 }, "options" },
		{ { .method = PROMPT_NOTIFY }, false, FLOW_UDP, { 0 }, "notify" },
		{ { .method = PROMPT_CRLF }, false, FLOW_UDP, { 0 }, "crlf" },
		{ { .ignored = true }, true, FLOW_UDP, { 0 }, "none" },
		{ { .nat = RULES_NAT_AUTO }, false, FLOW_UDP, { 0 }, "none" },
		{ { .nat = RULES_NAT_AUTO }, true, FLOW_UDP, { 0 }, "options" },
		{ { 0 }, true, FLOW_TCP, { .keepalive = 1 }, "tcp-keepalive" },
		{ { 0 }, true, FLOW_TCP, { .keepalive = 0 }, "none" },
		{ { .nat = RULES_NAT_AUTO }, false, FLOW_TCP, { .keepalive = 1 }, "tcp-keepalive" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct path path = {
			.flow = flow,
			.rules = &cases[i].rules,
			.nat_count = cases[i].behind_nat,
		};
		struct rows_path shown = { .path = &path, .connection = &cases[i].connection };
		json_t *row;

		path.flow.transport = (uint8_t)cases[i].transport;
		row = rows_path(&shown, NOW_NS);
		assert_text_member(row, "kept_by", cases[i].kept_by);
		assert_flag_member(row, "behind_nat", cases[i].behind_nat);
		json_decref(row);
	}
}

/* Nothing says that an unknown connection is kept, or that it cannot be read. */
static void a_connection_without_entry_is_kept_by_nothing(void **state)
{
	struct connection_entry opaque = { .keepalive = 1, .opaque = 1 };
	struct path path = { .flow = flow, .rules = &rules };
	struct rows_path shown = { .path = &path };
	json_t *unknown, *known;

	(void)state;
	path.flow.transport = FLOW_TCP;
	unknown = rows_path(&shown, NOW_NS);
	shown.connection = &opaque;
	known = rows_path(&shown, NOW_NS);
	assert_text_member(unknown, "kept_by", "none");
	assert_flag_member(unknown, "readable", true);
	assert_flag_member(known, "readable", false);
	assert_same_members(unknown, known);
	json_decref(unknown);
	json_decref(known);
}

static void every_counter_is_there_under_its_name(void **state)
{
	static const char *const fixed[] = { "prompts_sent",      "prompts_answered",
					     "prompts_avoided",   "answers_absorbed",
					     "sightings",         "sightings_lost",
					     "messages_malformed" };
	uint64_t kernel[KERNEL_COUNTER_MAX] = { 0 };
	struct counts agent = { { 0 } };
	json_t *row;

	(void)state;
	kernel[COUNTER_sightings] = 5;
	agent.value[COUNT_prompts_avoided] = UINT64_MAX;
	row = rows_counts(kernel, &agent, 42);
	assert_int_equal(json_object_size(row), KERNEL_COUNTER_MAX + AGENT_COUNTER_MAX + 1);
	for (size_t i = 0; i < COUNT(fixed); i++)
		assert_true(json_is_integer(json_object_get(row, fixed[i])));
	assert_number_member(row, "paths", 42);
	assert_number_member(row, "sightings", 5);
	assert_number_member(row, "prompts_avoided", INT64_MAX);
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_from_outside_is_always_valid),
		cmocka_unit_test(no_bytes_break_a_document),
		cmocka_unit_test(a_path_has_the_members_that_scripts_rely_on),
		cmocka_unit_test(trap_11_an_unknown_path_is_not_shown_as_idle),
		cmocka_unit_test(an_answer_is_told_before_the_agent_has_counted_it),
		cmocka_unit_test(what_is_overdue_or_just_stamped_is_zero_not_negative),
		cmocka_unit_test(a_path_says_how_it_is_kept),
		cmocka_unit_test(a_connection_without_entry_is_kept_by_nothing),
		cmocka_unit_test(every_counter_is_there_under_its_name),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
