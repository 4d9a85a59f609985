/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2

struct table {
	FILE *out;
	const struct table_column *columns;
	size_t column_count;
	size_t line_width;
	size_t widths[TABLE_COLUMNS_MAX];
	size_t used; /* cells held back */
	bool header_written; /* or there is none */
	bool incomplete;
	char *cells[]; /* TABLE_BLOCK_ROWS rows */
};

/* True for the bytes of a UTF-8 character that are not its first. */
static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Characters, each of which is taken for one column wide. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += !is_continuation(*text);
	return width;
}

/*
 * The bytes of the character that text begins with if it steers a terminal, 0 if it does not:
 * the C0 and C1 sets and DEL, and what turns the direction of writing (Unicode's Bidi_Control),
 * so that one name could be made to look like another.
 */
static size_t control_length(const char *text)
{
	static const struct {
		char lead[4]; /* all bytes but the last one */
		unsigned char first, last; /* the last one */
	} controls[] = {
		{ "", 0x01, 0x1f },         { "", 0x7f, 0x7f }, { "\xc2", 0x80, 0x9f }, /* C1 */
		{ "\xd8", 0x9c, 0x9c }, /* U+061C */
		{ "\xe2\x80", 0x8e, 0x8f }, /* U+200E and F */
		{ "\xe2\x80", 0xaa, 0xae }, /* U+202A to E */
		{ "\xe2\x81", 0xa6, 0xa9 }, /* U+2066 to 9 */
	};

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		size_t length = strlen(controls[i].lead);
		unsigned char last;

		if (strncmp(text, controls[i].lead, length) != 0)
			continue;
		last = (unsigned char)text[length];
		if (last >= controls[i].first && last <= controls[i].last)
			return length + 1;
	}
	return 0;
}

static void defuse(char *text)
{
	for (; *text; text++) {
		size_t length = control_length(text);

		if (length == 0)
			continue;
		text[0] = '?';
		memmove(text + 1, text + length, strlen(text + length) + 1);
	}
}

static const char *title_of(const struct table_column *column)
{
	return column->title ? column->title : "";
}

struct table *table_new(FILE *out, const struct table_column *columns, size_t count, size_t width)
{
	struct table *table =
		calloc(1, sizeof(*table) + count * TABLE_BLOCK_ROWS * sizeof(table->cells[0]));

	if (!table)
		return NULL;
	table->out = out;
	table->columns = columns;
	table->column_count = count;
	table->line_width = width;
	table->header_written = true;
	for (size_t i = 0; i < count; i++) {
		table->widths[i] = width_of(title_of(&columns[i]));
		if (table->widths[i] > 0)
			table->header_written = false;
		if (table->widths[i] < columns[i].least)
			table->widths[i] = columns[i].least;
	}
	return table;
}

static void drop_cells(struct table *table)
{
	for (size_t i = 0; i < table->used; i++)
		free(table->cells[i]);
	table->used = 0;
}

void table_free(struct table *table)
{
	if (table)
		drop_cells(table);
	free(table);
}

/* Writes so many blanks and then the text, as far as the line has room. */
static void write_piece(struct table *table, size_t *at, size_t blanks, const char *text)
{
	size_t room = table->line_width ? table->line_width : SIZE_MAX;

	for (; blanks > 0 && *at < room; blanks--, (*at)++)
		fputc(' ', table->out);
	for (; *text && (*at < room || is_continuation(*text)); text++) {
		fputc(*text, table->out);
		*at += !is_continuation(*text);
	}
}

/* Blanks are written only in front of text: no line ends with any. */
static void write_row(struct table *table, char *const *cells)
{
	size_t at = 0, owed = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const char *text = cells ? cells[i] : title_of(&table->columns[i]);
		size_t rest = table->widths[i] - width_of(text);

		if (table->columns[i].alignment == TABLE_RIGHT) {
			owed += rest;
			rest = 0;
		}
		if (*text) {
			write_piece(table, &at, owed, text);
			owed = 0;
		}
		owed += rest + GAP;
	}
	fputc('\n', table->out);
}

static void write_block(struct table *table)
{
	for (size_t i = 0; i < table->used; i++) {
		size_t *width = &table->widths[i % table->column_count];

		if (width_of(table->cells[i]) > *width)
			*width = width_of(table->cells[i]);
	}
	if (!table->header_written)
		write_row(table, NULL);
	table->header_written = true;
	for (size_t i = 0; i + table->column_count <= table->used; i += table->column_count)
		write_row(table, &table->cells[i]);
	drop_cells(table);
}

void table_add(struct table *table, const char *text)
{
	char *cell = strdup(text);

	if (!cell || table->incomplete) {
		free(cell);
		table->incomplete = true;
		return;
	}
	defuse(cell);
	table->cells[table->used++] = cell;
	if (table->used == table->column_count * TABLE_BLOCK_ROWS)
		write_block(table);
}

int table_flush(struct table *table)
{
	if (table->used > 0)
		write_block(table);
	return table->incomplete ? -ENOMEM : 0;
}

size_t table_terminal_width(FILE *out)
{
	struct winsize size;

	return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
