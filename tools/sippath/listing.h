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
#include "field.h"
#include "table.h"

/* How the rows of a command are shown to people. */
struct listing_form {
	const struct field *fields;
	size_t count;
	const char *none; /* said if there are no rows */
};

/* Asks for the rows of the command, as client_ask() does, and prints them. */
enum exit_status listing_print(const struct invocation *invocation, const char *argument,
			       const char *value, const struct listing_form *form);

/* Prints the elements of an array as a table; -ENOMEM. */
int listing_print_array(const json_t *array, const struct field *fields, size_t count);

#endif
