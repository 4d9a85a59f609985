/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rows.c - the nouns as JSON: always the same members, always valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "state/paths.h"
#include "state/registration.h"
#include "surface/row.h"
#include "surface/rows.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_NS (1000 * NS_PER_S)

static const struct flow flow = {
	.local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
	.remote_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 },
	.local_port = 5060,
	.remote_port = 40001,
	.transport = FLOW_UDP,
};

static struct registration registration_with(struct span aor)
{
	return (struct registration){
		.binding.kind = BINDING_REGISTRATION,
		.binding.ends_ns = NOW_NS + 60 * NS_PER_S,
		.binding.target = SPAN("sip:alice@198.51.100.7:40001"),
		.aor = aor,
		.call_id = SPAN("call-1"),
		.accepted_ns = NOW_NS - 5 * NS_PER_S,
	};
}

static void assert_text_member(const json_t *row, const char *name, const char *expected)
{
	assert_non_null(json_object_get(row, name));
	assert_string_equal(json_string_value(json_object_get(row, name)), expected);
}

static void assert_number_member(const json_t *row, const char *name, json_int_t expected)
{
	assert_true(json_is_integer(json_object_get(row, name)));
	assert_int_equal(json_integer_value(json_object_get(row, name)), expected);
}

static void assert_null_member(const json_t *row, const char *name)
{
	assert_true(json_is_null(json_object_get(row, name)));
}

static void assert_same_members(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;

	assert_int_equal(json_object_size(a), json_object_size(b));
	json_object_foreach((json_t *)a, name, value) assert_non_null(json_object_get(b, name));
}

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
		.due = { .link = &slot, .due_ns = NOW_NS + 22500 * NS_PER_MS },
		.health = PATH_AWAITING,
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
	row = rows_path(&path, &entry, NOW_NS);
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
	json_decref(row);
	paths_detach(&registration.binding);
}

static void trap_11_an_unknown_path_is_not_shown_as_idle(void **state)
{
	struct path_entry entry = { .last_seen_ns = NOW_NS };
	struct path path = { .flow = flow };
	json_t *known, *unknown;

	(void)state;
	known = rows_path(&path, &entry, NOW_NS);
	unknown = rows_path(&path, NULL, NOW_NS);
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
	json_t *row = rows_path(&path, &entry, NOW_NS);

	(void)state;
	assert_text_member(row, "health", "awaiting");
	assert_number_member(row, "answers", 0);
	json_decref(row);

	entry.answer_token = 7;
	row = rows_path(&path, &entry, NOW_NS);
	assert_text_member(row, "health", "live");
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
		.due = { .link = &slot, .due_ns = NOW_NS - NS_PER_S },
	};
	json_t *row = rows_path(&path, &entry, NOW_NS);

	(void)state;
	assert_number_member(row, "idle_ms", 0);
	assert_number_member(row, "due_in_ms", 0);
	json_decref(row);
}

static void a_path_in_full_has_bindings_and_entry(void **state)
{
	struct path_entry entry = { .last_seen_ns = NOW_NS, .packets_in = 17 };
	struct registration registration = registration_with(SPAN("sip:alice@example.org"));
	struct path path = { .flow = flow };
	json_t *with, *without;

	(void)state;
	without = rows_path_in_full(&path, NULL, NOW_NS);
	paths_attach(&path, &registration.binding);
	with = rows_path_in_full(&path, &entry, NOW_NS);
	assert_int_equal(json_array_size(json_object_get(with, "bindings")), 1);
	assert_number_member(with, "bindings_omitted", 0);
	assert_number_member(json_object_get(with, "entry"), "packets_in", 17);
	assert_null_member(json_object_get(with, "entry"), "prompt_ago_ms");
	assert_true(json_is_array(json_object_get(without, "bindings")));
	assert_null_member(without, "entry");
	assert_same_members(with, without);
	json_decref(with);
	json_decref(without);
	paths_detach(&registration.binding);
}

/* What one REGISTER may leave behind, all of it such that JSON writes six bytes for one. */
static void a_path_with_many_bindings_stays_within_its_row(void **state)
{
	enum { MANY = 5000 };
	char worst[2048];
	struct registration *registrations = calloc(MANY, sizeof(*registrations));
	struct path path = { .flow = flow };
	json_t *row;
	size_t shown;

	(void)state;
	assert_non_null(registrations);
	memset(worst, 0x01, sizeof(worst));
	for (size_t i = 0; i < MANY; i++) {
		registrations[i] = registration_with((struct span){ worst, i % sizeof(worst) });
		paths_attach(&path, &registrations[i].binding);
	}
	row = rows_path_in_full(&path, NULL, NOW_NS);
	assert_true(json_dumpb(row, NULL, 0, JSON_COMPACT) <= ROWS_ROW_BYTES_MAX);
	shown = json_array_size(json_object_get(row, "bindings"));
	assert_true(shown > 0);
	assert_number_member(row, "bindings_omitted", (json_int_t)(MANY - shown));
	assert_number_member(row, "registrations", MANY);
	json_decref(row);
	for (size_t i = 0; i < MANY; i++)
		paths_detach(&registrations[i].binding);
	free(registrations);
}

static void a_binding_says_why_and_until_when(void **state)
{
	struct registration plain = registration_with(SPAN("sip:alice@example.org"));
	struct registration outbound = registration_with(SPAN("sip:b\xff@example.org"));
	struct path path = { .flow = flow };
	json_t *a, *b;

	(void)state;
	outbound.instance = SPAN("<urn:uuid:1>");
	outbound.reg_id = 2;
	paths_attach(&path, &plain.binding);
	paths_attach(&path, &outbound.binding);
	a = rows_binding(&plain.binding, NOW_NS);
	b = rows_binding(&outbound.binding, NOW_NS);
	assert_text_member(a, "kind", "registration");
	assert_text_member(a, "aor", "sip:alice@example.org");
	assert_text_member(a, "contact", "sip:alice@198.51.100.7:40001");
	assert_text_member(a, "remote", "[2001:db8::7]:40001");
	assert_text_member(a, "call_id", "call-1");
	assert_number_member(a, "expires_in_ms", 60000);
	assert_number_member(a, "accepted_ago_ms", 5000);
	assert_null_member(a, "instance");
	assert_null_member(a, "reg_id");
	assert_text_member(b, "aor", "sip:b\xef\xbf\xbd@example.org");
	assert_text_member(b, "instance", "<urn:uuid:1>");
	assert_number_member(b, "reg_id", 2);
	assert_same_members(a, b);
	json_decref(a);
	json_decref(b);
	paths_detach(&plain.binding);
	paths_detach(&outbound.binding);
}

static void another_kind_of_binding_has_the_same_members(void **state)
{
	struct registration registration = registration_with(SPAN("sip:alice@example.org"));
	struct binding dialog = { .kind = BINDING_DIALOG, .ends_ns = NOW_NS };
	struct path path = { .flow = flow };
	json_t *a, *b;

	(void)state;
	paths_attach(&path, &registration.binding);
	paths_attach(&path, &dialog);
	a = rows_binding(&registration.binding, NOW_NS);
	b = rows_binding(&dialog, NOW_NS);
	assert_text_member(b, "kind", "dialog");
	assert_null_member(b, "aor");
	assert_null_member(b, "contact");
	assert_same_members(a, b);
	json_decref(a);
	json_decref(b);
	paths_detach(&registration.binding);
	paths_detach(&dialog);
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
		cmocka_unit_test(a_path_in_full_has_bindings_and_entry),
		cmocka_unit_test(a_path_with_many_bindings_stays_within_its_row),
		cmocka_unit_test(a_binding_says_why_and_until_when),
		cmocka_unit_test(another_kind_of_binding_has_the_same_members),
		cmocka_unit_test(every_counter_is_there_under_its_name),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
