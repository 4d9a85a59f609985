/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing.h - prints rows as they come: as a table for people, or as one JSON array.
 *
 * If the agent ends in the middle, the JSON array is left open on purpose: half
 * an answer must not pass for a whole one.
 */
#ifndef SIPPATH_LISTING_H
#define SIPPATH_LISTING_H

#include <jansson.h>

#include "command.h"
#include "table.h"

/* How the value of a member is shown. */
enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_MS, /* milliseconds, as people say them */
	FIELD_US,
};

struct field {
	const char *title; /* of its column */
	const char *name; /* of the member */
	enum field_kind kind;
};

/* Asks for the rows of the command and prints them; "none" is said to people if there are none. */
enum exit_status listing_print(const struct invocation *invocation, const struct field *fields,
			       size_t count, const char *none);

/* Prints the elements of an array as a table; -ENOMEM. */
int listing_print_array(const json_t *array, const struct field *fields, size_t count);

/* The value of a member as text, "-" if it is null or not there. "buffer" holds what has to be made. */
const char *listing_value(const json_t *row, const struct field *field, char *buffer, size_t size);

#endif
