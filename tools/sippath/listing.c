/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing.h"

#include <errno.h>
#include <stdio.h>

#include "client.h"
#include "document.h"
#include "say.h"

struct listing {
	bool json;
	const struct listing_form *form;
	struct table *table; /* NULL for JSON */
	size_t rows;
};

static void add_row(struct table *table, const struct field *fields, size_t count,
		    const json_t *row)
{
	char buffer[FIELD_VALUE_MAX];

	for (size_t i = 0; i < count; i++)
		table_add(table, field_value(row, &fields[i], buffer));
}

/* One after the other, never collected: the list may be long. */
static bool take_row(void *context, const json_t *row)
{
	struct listing *listing = context;

	if (listing->json) {
		fputs(listing->rows ? ",\n" : "[\n", stdout);
		json_dumpf(row, stdout, DOCUMENT_FORMAT);
	} else {
		add_row(listing->table, listing->form->fields, listing->form->count, row);
	}
	listing->rows++;
	return !ferror(stdout);
}

static void make_columns(const struct field *fields, size_t count, struct table_column *columns)
{
	for (size_t i = 0; i < count; i++) {
		bool is_number = fields[i].kind == FIELD_NUMBER || fields[i].kind == FIELD_MS ||
				 fields[i].kind == FIELD_US;

		columns[i] = (struct table_column){
			.title = fields[i].title,
			.alignment = is_number ? TABLE_RIGHT : TABLE_LEFT,
		};
	}
}

static enum exit_status finish(const struct listing *listing)
{
	if (listing->json)
		puts(listing->rows ? "\n]" : "[]");
	else if (table_flush(listing->table))
		return say(STATUS_FAILED, "out of memory");
	else if (listing->rows == 0)
		puts(listing->form->none);
	return STATUS_DONE;
}

enum exit_status listing_print(const struct invocation *invocation, const char *argument,
			       const char *value, const struct listing_form *form)
{
	struct listing listing = { .json = invocation->json, .form = form };
	struct table_column columns[TABLE_COLUMNS_MAX];
	enum exit_status status;

	if (!listing.json) {
		make_columns(form->fields, form->count, columns);
		listing.table =
			table_new(stdout, columns, form->count, table_terminal_width(stdout));
		if (!listing.table)
			return say(STATUS_FAILED, "out of memory");
	}
	status = client_ask(invocation, argument, value, take_row, &listing);
	if (status == STATUS_DONE)
		status = finish(&listing);
	table_free(listing.table);
	return status;
}

int listing_print_array(const json_t *array, const struct field *fields, size_t count)
{
	struct table_column columns[TABLE_COLUMNS_MAX];
	struct table *table;
	const json_t *row;
	size_t i;
	int error;

	make_columns(fields, count, columns);
	table = table_new(stdout, columns, count, table_terminal_width(stdout));
	if (!table)
		return -ENOMEM;
	json_array_foreach(array, i, row) add_row(table, fields, count, row);
	error = table_flush(table);
	table_free(table);
	return error;
}
