/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rows_bindings.c - bindings as JSON, alone and with their path, whatever kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rows_world.h"
#include "state/dialog.h"
#include "state/subscription.h"

static void a_path_in_full_has_bindings_and_entry(void **state)
{
	struct path_entry entry = { .last_seen_ns = NOW_NS, .packets_in = 17 };
	struct registration registration = registration_with(SPAN("sip:alice@example.org"));
	struct path path = { .flow = flow, .rules = &rules };
	json_t *with, *without;

	(void)state;
	without = row_in_full(&path, NULL);
	paths_attach(&path, &registration.binding);
	with = row_in_full(&path, &entry);
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
	struct path path = { .flow = flow, .rules = &rules };
	json_t *row;
	size_t shown;

	(void)state;
	assert_non_null(registrations);
	memset(worst, 0x01, sizeof(worst));
	for (size_t i = 0; i < MANY; i++) {
		registrations[i] = registration_with((struct span){ worst, i % sizeof(worst) });
		paths_attach(&path, &registrations[i].binding);
	}
	row = row_in_full(&path, NULL);
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
	struct path path = { .flow = flow, .rules = &rules };
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
	assert_number_member(a, "ends_in_ms", 60000);
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

static void assert_subscription(const json_t *row)
{
	assert_text_member(row, "kind", "subscription");
	assert_text_member(row, "call_id", "call-2");
	assert_text_member(row, "event", "dialog");
	assert_text_member(row, "event_id", "7");
	assert_null_member(row, "early");
	assert_null_member(row, "aor");
	assert_flag_member(row, "behind_nat", false);
}

static void assert_dialog(const json_t *row)
{
	assert_text_member(row, "kind", "dialog");
	assert_text_member(row, "call_id", "call-3");
	assert_text_member(row, "direction", "outgoing");
	assert_flag_member(row, "early", true);
	assert_null_member(row, "session_expires_s");
	assert_null_member(row, "refresher");
	assert_flag_member(row, "behind_nat", true);
}

static void assert_lingering_dialog(const json_t *row)
{
	assert_text_member(row, "kind", "lingering");
	assert_text_member(row, "direction", "incoming");
	assert_flag_member(row, "early", false);
	assert_number_member(row, "session_expires_s", 1800);
	assert_text_member(row, "refresher", "device");
}

static void assert_connection(const json_t *row)
{
	assert_text_member(row, "kind", "connection");
	assert_null_member(row, "ends_in_ms");
	assert_null_member(row, "call_id");
	assert_null_member(row, "contact");
}

/* Each kind says what it knows; what it does not is null and not missing. */
static void every_kind_of_binding_has_the_same_members(void **state)
{
	struct registration registration = registration_with(SPAN("sip:alice@example.org"));
	struct subscription subscription = {
		.binding = { .kind = BINDING_SUBSCRIPTION, .ends_ns = NOW_NS + NS_PER_S },
		.call_id = SPAN("call-2"),
		.event = SPAN("dialog"),
		.event_id = SPAN("7"),
	};
	struct dialog dialog = {
		.binding = { .kind = BINDING_DIALOG, .ends_ns = NOW_NS, .behind_nat = true },
		.call_id = SPAN("call-3"),
		.session_expires = FACTS_UNSTATED,
		.early = true,
		.device_called = true,
	};
	struct dialog over = {
		.binding = { .kind = BINDING_LINGERING, .ends_ns = NOW_NS },
		.call_id = SPAN("call-4"),
		.session_expires = 1800,
		.device_refreshes = true,
	};
	struct binding connection = { .kind = BINDING_CONNECTION, .ends_ns = CLOCK_NEVER };
	struct binding *bindings[] = { &registration.binding, &subscription.binding,
				       &dialog.binding, &over.binding, &connection };
	struct path path = { .flow = flow, .rules = &rules };
	json_t *rows[COUNT(bindings)];

	(void)state;
	for (size_t i = 0; i < COUNT(bindings); i++) {
		paths_attach(&path, bindings[i]);
		rows[i] = rows_binding(bindings[i], NOW_NS);
		assert_same_members(rows[0], rows[i]);
		assert_text_member(rows[i], "path", "udp 192.0.2.1:5060 [2001:db8::7]:40001");
	}
	assert_subscription(rows[1]);
	assert_dialog(rows[2]);
	assert_lingering_dialog(rows[3]);
	assert_connection(rows[4]);
	for (size_t i = 0; i < COUNT(bindings); i++) {
		json_decref(rows[i]);
		paths_detach(bindings[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_in_full_has_bindings_and_entry),
		cmocka_unit_test(a_path_with_many_bindings_stays_within_its_row),
		cmocka_unit_test(a_binding_says_why_and_until_when),
		cmocka_unit_test(every_kind_of_binding_has_the_same_members),
	};

	return cmocka_run_group_tests_name("rows_bindings", tests, NULL, NULL);
}
