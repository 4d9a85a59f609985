/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "field.h"

#include <stdbool.h>
#include <stdio.h>

#include "human.h"

/* A member that is text, "" if it is none. */
static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

static const char *say_why(const json_t *row, char buffer[FIELD_VALUE_MAX])
{
	bool opaque = json_is_false(json_object_get(row, "readable"));

	snprintf(buffer, FIELD_VALUE_MAX, "%s%s", text_of(row, "why"),
		 opaque ? "; nothing of what it carries can be read" : "");
	return buffer;
}

/* "outgoing, early", "dialog;id=7", "reg-id 2" */
static const char *say_about(const json_t *row, char buffer[FIELD_VALUE_MAX])
{
	const char *direction = text_of(row, "direction"), *event = text_of(row, "event");
	const char *event_id = text_of(row, "event_id");
	json_int_t reg_id = json_integer_value(json_object_get(row, "reg_id"));

	if (direction[0])
		snprintf(buffer, FIELD_VALUE_MAX, "%s%s", direction,
			 json_is_true(json_object_get(row, "early")) ? ", early" : "");
	else if (event[0])
		snprintf(buffer, FIELD_VALUE_MAX, "%s%s%s", event, event_id[0] ? ";id=" : "",
			 event_id);
	else if (reg_id > 0)
		snprintf(buffer, FIELD_VALUE_MAX, "reg-id %" JSON_INTEGER_FORMAT, reg_id);
	else
		return "-";
	return buffer;
}

static const char *say_service(const json_t *row)
{
	const json_t *alive = json_object_get(row, "alive");

	if (json_is_null(alive))
		return "unknown";
	if (!json_is_true(alive))
		return "dead";
	return json_is_true(json_object_get(row, "draining")) ? "draining" : "serving";
}

static const char *say_number(json_int_t number, enum field_kind kind, char buffer[FIELD_VALUE_MAX])
{
	_Static_assert(FIELD_VALUE_MAX >= HUMAN_MAX, "durations fit");

	if (kind == FIELD_MS)
		human_ms((uint64_t)number, buffer);
	else if (kind == FIELD_US)
		human_us((uint64_t)number, buffer);
	else
		snprintf(buffer, FIELD_VALUE_MAX, "%" JSON_INTEGER_FORMAT, number);
	return buffer;
}

const char *field_value(const json_t *row, const struct field *field, char buffer[FIELD_VALUE_MAX])
{
	const json_t *value;

	if (field->kind == FIELD_WHY)
		return say_why(row, buffer);
	if (field->kind == FIELD_ABOUT)
		return say_about(row, buffer);
	if (field->kind == FIELD_SERVICE)
		return say_service(row);
	value = json_object_get(row, field->name);
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_integer(value))
		return say_number(json_integer_value(value), field->kind, buffer);
	return "-";
}
