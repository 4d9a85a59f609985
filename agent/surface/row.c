/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/row.h"

#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* Room for a flow as text: a transport and two "[v6]:port". */
#define FLOW_TEXT_MAX 128

struct row row_begin(void)
{
	return (struct row){ .object = json_object() };
}

json_t *row_end(struct row *row)
{
	if (row->failed) {
		json_decref(row->object);
		return NULL;
	}
	return row->object;
}

void row_put(struct row *row, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(row->object, name, value))
		row->failed = true;
}

void row_put_null(struct row *row, const char *name)
{
	row_put(row, name, json_null());
}

void row_put_word(struct row *row, const char *name, const char *word)
{
	row_put(row, name, json_string(word));
}

void row_put_flag(struct row *row, const char *name, bool flag)
{
	row_put(row, name, json_boolean(flag));
}

void row_put_text(struct row *row, const char *name, struct span text)
{
	row_put(row, name, text.at ? row_text(text) : json_null());
}

void row_put_number(struct row *row, const char *name, uint64_t number)
{
	row_put(row, name, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

void row_put_known(struct row *row, const char *name, uint64_t number)
{
	if (number == 0)
		row_put_null(row, name);
	else
		row_put_number(row, name, number);
}

void row_put_ms_between(struct row *row, const char *name, uint64_t from_ns, uint64_t until_ns)
{
	row_put_number(row, name, until_ns > from_ns ? (until_ns - from_ns) / NS_PER_MS : 0);
}

void row_put_address(struct row *row, const char *name, const uint8_t address[16], uint16_t port)
{
	char buffer[FLOW_TEXT_MAX];
	struct text text = TEXT_OVER(buffer);

	address_write_port(&text, address, port);
	row_put_text(row, name, text_span(&text));
}

void row_put_flow(struct row *row, const char *name, const struct flow *flow)
{
	char buffer[FLOW_TEXT_MAX];
	struct text text = TEXT_OVER(buffer);

	flow_write(&text, flow);
	row_put_text(row, name, text_span(&text));
}

/*
 * The length of the UTF-8 sequence at the start of the bytes, 0 if there is none
 * that RFC 3629 section 4 allows. NUL counts as none.
 */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	/* The lead bytes of one shape, and what the byte after them may be. */
	static const struct shape {
		unsigned char lead_first, lead_last, next_first, next_last, length;
	} shapes[] = {
		{ 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const struct shape *shape = shapes;
	const struct shape *end = shapes + sizeof(shapes) / sizeof(shapes[0]);

	while (shape < end && (at[0] < shape->lead_first || at[0] > shape->lead_last))
		shape++;
	if (shape == end || shape->length > left)
		return 0;
	if (shape->length > 1 && (at[1] < shape->next_first || at[1] > shape->next_last))
		return 0;
	for (size_t i = 2; i < shape->length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return shape->length;
}

json_t *row_text(struct span text)
{
	static const struct span replacement = { "\xef\xbf\xbd", 3 };
	size_t size = text.length * replacement.length + 1;
	cleanup_free char *buffer = malloc(size);
	struct text clean = { .buffer = buffer, .size = size };

	if (!buffer)
		return NULL;
	for (size_t at = 0; at < text.length;) {
		size_t length = utf8_length((const unsigned char *)text.at + at, text.length - at);

		text_add(&clean, length ? (struct span){ text.at + at, length } : replacement);
		at += length ? length : 1;
	}
	return json_stringn_nocheck(buffer, clean.used);
}
