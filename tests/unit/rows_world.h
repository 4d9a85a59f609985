/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rows_world.h - a path, its bindings and what their rows must say. Include cmocka first. */
#ifndef TESTS_UNIT_ROWS_WORLD_H
#define TESTS_UNIT_ROWS_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keep/rules.h"
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

static struct path_rules rules = { .threshold_ns = 24 * NS_PER_S };

static inline struct registration registration_with(struct span aor)
{
	return (struct registration){
		.binding.kind = BINDING_REGISTRATION,
		.binding.ends_ns = NOW_NS + 60 * NS_PER_S,
		.binding.target = SPAN("sip:alice@198.51.100.7:40001"),
		.binding.aor = aor,
		.call_id = SPAN("call-1"),
		.accepted_ns = NOW_NS - 5 * NS_PER_S,
	};
}

static inline json_t *row_of_path(const struct path *path, const struct path_entry *entry)
{
	struct rows_path shown = { .path = path, .entry = entry };

	return rows_path(&shown, NOW_NS);
}

static inline json_t *row_in_full(const struct path *path, const struct path_entry *entry)
{
	struct rows_path shown = { .path = path, .entry = entry };

	return rows_path_in_full(&shown, NOW_NS);
}

static inline void assert_text_member(const json_t *row, const char *name, const char *expected)
{
	assert_non_null(json_object_get(row, name));
	assert_string_equal(json_string_value(json_object_get(row, name)), expected);
}

static inline void assert_number_member(const json_t *row, const char *name, json_int_t expected)
{
	assert_true(json_is_integer(json_object_get(row, name)));
	assert_int_equal(json_integer_value(json_object_get(row, name)), expected);
}

static inline void assert_null_member(const json_t *row, const char *name)
{
	assert_true(json_is_null(json_object_get(row, name)));
}

static inline void assert_flag_member(const json_t *row, const char *name, bool expected)
{
	assert_true(json_is_boolean(json_object_get(row, name)));
	assert_int_equal(json_is_true(json_object_get(row, name)), expected);
}

static inline void assert_same_members(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;

	assert_int_equal(json_object_size(a), json_object_size(b));
	json_object_foreach((json_t *)a, name, value) assert_non_null(json_object_get(b, name));
}

#endif
